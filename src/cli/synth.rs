//! Runs `vidpairs synth`: checks the options and turns them into the settings of a set.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;

use vidpairs_synth::catalog::Half;
use vidpairs_synth::layout::aloi;
use vidpairs_synth::run::{self, SynthOptions};
use vidpairs_synth::scene::Difficulty;
use vidpairs_synth::set::{
    Container, Contents, ImageSettings, SceneSettings, SetKind, Settings, VideoSettings,
};
use vidpairs_types::SizePx;

use super::CliError;
use super::args::SynthArgs;
use super::args::synth::{ContainerArg, HalfArg, ImageArgs, KindArg, SceneArgs, VideoArgs};
use super::output::{Output, PAGE, Shown, Written, check_output};
use crate::report::sheet;

const VIDEO_KINDS: &str = "trackingnet and got10k";
const IMAGE_KINDS: &str = "aloi and pascal3d";
const SCENE_KINDS: &str = "coco and voc";

pub(super) fn synth(args: &SynthArgs) -> Result<ExitCode, CliError> {
    check_output(args.gallery.as_ref(), PAGE, Some(&args.out))?;
    let options = SynthOptions {
        settings: settings(args)?,
        objects: objects(args)?,
        backgrounds: args.backgrounds.clone(),
        out: args.out.clone(),
        control: args.common.control()?,
    };
    let summary = run::synth(&options)?;
    let gallery = match &args.gallery {
        Some(path) => {
            let limits = sheet::limits(options.settings.kind);
            let set = run::sample_set(&args.out, limits, &options.control.cancel)?;
            let strips = set.groups.iter().flat_map(|group| &group.strips);
            let shown = Shown::Images {
                images: strips.map(|strip| strip.images.len() as u64).sum(),
                of_images: set.num_images,
            };
            Some(Written::write(
                path,
                &sheet::render(&args.out, &set),
                shown,
            )?)
        }
        None => None,
    };
    args.common.print(&Output {
        preface: String::new(),
        summary,
        plot: None,
        gallery,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The objects given, or those of `scripts/fetch-objects.sh`.
fn objects(args: &SynthArgs) -> Result<Vec<PathBuf>, CliError> {
    if !args.objects.is_empty() {
        return Ok(args.objects.clone());
    }
    let cache = match std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
        Some(cache) => PathBuf::from(cache),
        None => std::env::home_dir().unwrap_or_default().join(".cache"),
    };
    let fetched = cache.join("vidpairs").join("objects");
    match fetched.is_dir() {
        true => Ok(vec![fetched]),
        false => Err(CliError::NoObjects(fetched)),
    }
}

fn settings(args: &SynthArgs) -> Result<Settings, CliError> {
    let kind = match args.kind {
        KindArg::Trackingnet => SetKind::TrackingNet,
        KindArg::Got10k => SetKind::Got10k,
        KindArg::Aloi => SetKind::Aloi,
        KindArg::Pascal3d => SetKind::Pascal3d,
        KindArg::Coco => SetKind::Coco,
        KindArg::Voc => SetKind::Voc,
    };
    if !kind.is_video() {
        refuse_video_options(&args.videos, kind)?;
    }
    if kind.is_video() || kind.is_scenes() {
        refuse_image_options(&args.images, kind)?;
    }
    if !kind.is_scenes() {
        refuse_scene_options(&args.scenes, kind)?;
    }
    let contents = if kind.is_video() {
        Contents::Videos(video_settings(&args.videos, kind, args.noise)?)
    } else if kind.is_scenes() {
        Contents::Scenes(scene_settings(&args.scenes, args.noise)?)
    } else {
        Contents::Images(image_settings(&args.images, kind, args.noise)?)
    };
    let size = size(args, kind)?;
    if let Contents::Videos(videos) = &contents
        && videos.container != Container::Zip
        && kind == SetKind::TrackingNet
        && (size.width % 2 == 1 || size.height % 2 == 1)
    {
        let given = format!("{}x{}", size.width, size.height);
        let expected = "even sides, which H.264 needs, or --container zip";
        return Err(refused("--size", given, expected));
    }
    Ok(Settings {
        kind,
        seed: args.seed,
        categories: args
            .categories
            .iter()
            .map(|name| name.trim().to_owned())
            .collect(),
        size,
        quality: args.quality,
        contents,
    })
}

fn size(args: &SynthArgs, kind: SetKind) -> Result<SizePx, CliError> {
    let Some(text) = &args.size else {
        return Ok(match kind {
            SetKind::Aloi => aloi::SIZE,
            _ => SizePx {
                width: 320,
                height: 240,
            },
        });
    };
    let is_fixed = kind == SetKind::Aloi;
    let kinds = "trackingnet, got10k, pascal3d, coco and voc";
    foreign("--size", is_fixed, kinds, kind)?;
    let parts = text.split_once(['x', 'X']);
    let sides = parts.and_then(|(w, h)| Some((w.trim().parse().ok()?, h.trim().parse().ok()?)));
    match sides {
        Some((width, height)) if (32..=4096).contains(&width) && (32..=4096).contains(&height) => {
            Ok(SizePx { width, height })
        }
        _ => Err(refused(
            "--size",
            text.clone(),
            "WIDTHxHEIGHT such as 640x360, both from 32 to 4096 px",
        )),
    }
}

fn video_settings(
    args: &VideoArgs,
    kind: SetKind,
    noise: Option<f64>,
) -> Result<VideoSettings, CliError> {
    let is_foreign = kind == SetKind::Got10k && args.container.is_some();
    foreign("--container", is_foreign, "trackingnet", kind)?;
    let usual = Difficulty::default();
    let difficulty = Difficulty {
        speed: within("--speed", args.speed, 0.0..=20.0, usual.speed)?,
        turn: within("--turn", args.turn, 0.0..=720.0, usual.turn)?,
        scaling: within("--scaling", args.scaling, 0.0..=3.0, usual.scaling)?,
        occlusion: within("--occlusion", args.occlusion, 0.0..=1.0, usual.occlusion)?,
        leaving: within("--leaving", args.leaving, 0.0..=1.0, usual.leaving)?,
        relighting: within("--relighting", args.relighting, 0.0..=1.0, usual.relighting)?,
        look_alikes: within(
            "--look-alikes",
            args.look_alikes,
            0.0..=1.0,
            usual.look_alikes,
        )?,
        clutter: whole("--clutter", args.clutter, 0..=20, usual.clutter)?,
        camera: within("--camera", args.camera, 0.0..=10.0, usual.camera)?,
        shutter: within("--shutter", args.shutter, 0.0..=1.0, usual.shutter)?,
        noise: within("--noise", noise, 0.0..=64.0, usual.noise)?,
    };
    let fps = if kind == SetKind::Got10k { 10 } else { 30 };
    let settings = VideoSettings {
        num_training: whole("--videos", args.videos, 0..=1_000_000, 20)?,
        num_held_out: whole("--held-out-videos", args.held_out_videos, 0..=1_000_000, 5)?,
        num_frames: whole("--frames", args.frames, 1..=1_000_000, 90)?,
        fps: whole("--fps", args.fps, 1..=240, fps)?,
        container: match args.container {
            Some(ContainerArg::Zip) => Container::Zip,
            Some(ContainerArg::Mp4) => Container::Mp4,
            Some(ContainerArg::Both) | None => Container::Both,
        },
        difficulty,
    };
    if settings.num_training + settings.num_held_out == 0 {
        return Err(refused(
            "--videos",
            "0".to_owned(),
            "at least 1 in --videos or --held-out-videos",
        ));
    }
    Ok(settings)
}

fn image_settings(
    args: &ImageArgs,
    kind: SetKind,
    noise: Option<f64>,
) -> Result<ImageSettings, CliError> {
    if kind == SetKind::Aloi {
        for (option, is_given) in [
            ("--azimuths", args.azimuths.is_some()),
            ("--elevations", args.elevations.is_some()),
        ] {
            foreign(option, is_given, "pascal3d", kind)?;
        }
    }
    let (num_objects, most) = if kind == SetKind::Aloi {
        (20, 1000)
    } else {
        (10, 10_000)
    };
    let elevations_deg = args.elevations.clone().unwrap_or_else(|| vec![0, 30, 60]);
    if elevations_deg.is_empty()
        || elevations_deg
            .iter()
            .any(|degrees| !(-90..=90).contains(degrees))
    {
        let given: Vec<String> = elevations_deg.iter().map(i32::to_string).collect();
        return Err(refused(
            "--elevations",
            given.join(","),
            "degrees from -90 to 90",
        ));
    }
    Ok(ImageSettings {
        half: match args.half {
            Some(HalfArg::Training) => Some(Half::Training),
            Some(HalfArg::HeldOut) | None => Some(Half::HeldOut),
            Some(HalfArg::Both) => None,
        },
        num_objects: whole("--num-objects", args.num_objects, 1..=most, num_objects)?,
        num_azimuths: whole("--azimuths", args.azimuths, 1..=360, 12)?,
        elevations_deg,
        noise: within("--noise", noise, 0.0..=64.0, 1.0)?,
    })
}

fn scene_settings(args: &SceneArgs, noise: Option<f64>) -> Result<SceneSettings, CliError> {
    // The names of Pascal VOC have six digits.
    let settings = SceneSettings {
        num_training: whole("--images", args.images, 0..=500_000, 200)?,
        num_held_out: whole("--held-out-images", args.held_out_images, 0..=499_999, 50)?,
        num_objects: match &args.objects_per_image {
            None => [3, 7],
            Some(text) => objects_per_image(text)?,
        },
        noise: within("--noise", noise, 0.0..=64.0, 1.0)?,
    };
    if settings.num_training + settings.num_held_out == 0 {
        return Err(refused(
            "--images",
            "0".to_owned(),
            "at least 1 in --images or --held-out-images",
        ));
    }
    Ok(settings)
}

/// `3-7`, or `3` for the same number in every image.
fn objects_per_image(text: &str) -> Result<[u32; 2], CliError> {
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    match [least, most].map(|number| number.trim().parse()) {
        [Ok(least), Ok(most)] if 1 <= least && least <= most && most <= 20 => Ok([least, most]),
        _ => Err(refused(
            "--objects-per-image",
            text.to_owned(),
            "MIN-MAX such as 3-7, both from 1 to 20",
        )),
    }
}

fn refuse_scene_options(args: &SceneArgs, kind: SetKind) -> Result<(), CliError> {
    for (option, is_given) in [
        ("--images", args.images.is_some()),
        ("--held-out-images", args.held_out_images.is_some()),
        ("--objects-per-image", args.objects_per_image.is_some()),
    ] {
        foreign(option, is_given, SCENE_KINDS, kind)?;
    }
    Ok(())
}

fn refuse_image_options(args: &ImageArgs, kind: SetKind) -> Result<(), CliError> {
    foreign("--half", args.half.is_some(), IMAGE_KINDS, kind)?;
    foreign(
        "--num-objects",
        args.num_objects.is_some(),
        IMAGE_KINDS,
        kind,
    )?;
    foreign("--azimuths", args.azimuths.is_some(), "pascal3d", kind)?;
    foreign("--elevations", args.elevations.is_some(), "pascal3d", kind)
}

fn refuse_video_options(args: &VideoArgs, kind: SetKind) -> Result<(), CliError> {
    foreign("--container", args.container.is_some(), "trackingnet", kind)?;
    for (option, is_given) in [
        ("--videos", args.videos.is_some()),
        ("--held-out-videos", args.held_out_videos.is_some()),
        ("--frames", args.frames.is_some()),
        ("--fps", args.fps.is_some()),
        ("--speed", args.speed.is_some()),
        ("--turn", args.turn.is_some()),
        ("--scaling", args.scaling.is_some()),
        ("--occlusion", args.occlusion.is_some()),
        ("--leaving", args.leaving.is_some()),
        ("--relighting", args.relighting.is_some()),
        ("--look-alikes", args.look_alikes.is_some()),
        ("--clutter", args.clutter.is_some()),
        ("--camera", args.camera.is_some()),
        ("--shutter", args.shutter.is_some()),
    ] {
        foreign(option, is_given, VIDEO_KINDS, kind)?;
    }
    Ok(())
}

fn foreign(
    option: &'static str,
    is_foreign: bool,
    kinds: &'static str,
    kind: SetKind,
) -> Result<(), CliError> {
    let kind = kind.name();
    match is_foreign {
        true => Err(CliError::ForeignOption {
            option,
            kinds,
            kind,
        }),
        false => Ok(()),
    }
}

/// The value given, checked, or the default.
fn within(
    option: &'static str,
    given: Option<f64>,
    accepted: RangeInclusive<f64>,
    default: f64,
) -> Result<f64, CliError> {
    checked(option, given, accepted, default, "a number")
}

/// The count given, checked, or the default.
fn whole(
    option: &'static str,
    given: Option<u32>,
    accepted: RangeInclusive<u32>,
    default: u32,
) -> Result<u32, CliError> {
    checked(option, given, accepted, default, "a whole number")
}

fn checked<N: PartialOrd + Display>(
    option: &'static str,
    given: Option<N>,
    accepted: RangeInclusive<N>,
    default: N,
    kind: &str,
) -> Result<N, CliError> {
    match given {
        Some(value) if !accepted.contains(&value) => {
            let expected = format!("{kind} from {} to {}", accepted.start(), accepted.end());
            Err(refused(option, value.to_string(), &expected))
        }
        Some(value) => Ok(value),
        None => Ok(default),
    }
}

fn refused(option: &'static str, value: String, expected: &str) -> CliError {
    CliError::Option {
        option,
        value,
        expected: expected.to_owned(),
    }
}
