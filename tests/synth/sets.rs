//! Output of `vidpairs synth`: the same bytes for any number of workers, layouts that other programs read, labels that
//! agree with `truth.jsonl`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use vidpairs_fixtures::extract::{Extract, assert_same_files, dataset, files};
use vidpairs_fixtures::synth::objects::is_held_out;
use vidpairs_fixtures::synth::{
    KINDS, Work, decoded_size, members, objects_in_view, probe, truths, with,
};
use vidpairs_source::SourceOptions;
use vidpairs_synth::catalog::Half;
use vidpairs_synth::truth::Truth;
use vidpairs_types::{BoxXywh, SourceKind};

#[test]
fn a_set_is_the_same_for_any_number_of_workers() {
    let work = Work::new();
    for kind in KINDS {
        let out = |workers| format!("{kind}-{workers}");
        for workers in [1, 2, 5] {
            let out = out(workers);
            work.synth(kind, &out).workers(workers).run_well();
            assert!(!work.path(&out).join(".journal").exists());
        }
        for workers in [2, 5] {
            let (actual, expected) = (work.path(&out(workers)), work.path(&out(1)));
            assert_same_files(&actual, &expected, &out(workers));
        }
    }
}

/// A run whose videos have hidden objects, and objects that leave the image.
fn hard_videos(work: &Work, kind: &str) -> Extract {
    let options = [
        ["--frames", "24"],
        ["--fps", "10"],
        ["--occlusion", "1"],
        ["--leaving", "1"],
    ];
    let run = work.synth(kind, kind);
    options
        .iter()
        .fold(run, |run, [option, value]| with(run, option, value))
}

/// Ground truth of each video, by the id that our loaders give it.
fn by_video(out: &Path) -> BTreeMap<String, Vec<Truth>> {
    let mut videos: BTreeMap<String, Vec<Truth>> = BTreeMap::new();
    for truth in truths(out) {
        let name = match truth.image.strip_suffix(".zip") {
            Some(zip) => zip.replace("/zips/", "/"),
            None => truth.image.rsplit_once('/').unwrap().0.to_owned(),
        };
        videos.entry(name).or_default().push(truth);
    }
    videos
}

#[test]
fn our_loaders_read_the_boxes_of_the_truth() {
    let work = Work::new();
    for (kind, source_kind, splits) in [
        ("trackingnet", SourceKind::TrackingNet, ["TEST", "TRAIN_0"]),
        ("got10k", SourceKind::Got10k, ["train", "val"]),
    ] {
        hard_videos(&work, kind).run_well();
        let out = work.path(kind);
        let options = SourceOptions {
            kind: source_kind,
            splits: splits.map(str::to_owned).to_vec(),
        };
        let listing = vidpairs_source::list(&out, &options).unwrap();
        assert!(listing.refused.is_empty(), "{:?}", listing.refused);
        let videos = by_video(&out);
        let ids: Vec<&String> = listing.clips.iter().map(|clip| &clip.id).collect();
        assert_eq!(ids, videos.keys().collect::<Vec<_>>());
        let (mut num_absent, mut num_cut) = (0, 0);
        for clip in &listing.clips {
            let read = vidpairs_source::annotations(clip).unwrap().boxes;
            let boxes = read
                .iter()
                .map(|track| track.map(|track_box| track_box.bbox));
            let truth = &videos[&clip.id];
            let expected = truth.iter().map(|truth| truth.box_xywh);
            // As in the release, only the first box of a test video is stated.
            let count = if clip.id.starts_with("TEST/") { 1 } else { 24 };
            let expected: Vec<Option<BoxXywh>> = expected.take(count).collect();
            assert_eq!(boxes.collect::<Vec<_>>(), expected, "{}", clip.id);
            num_absent += expected.iter().filter(|bbox| bbox.is_none()).count();
            num_cut += truth.iter().filter(|truth| truth.cut_by_image).count();
        }
        assert!(num_absent > 3 && num_cut > 3, "{num_absent} {num_cut}");
    }
}

#[test]
fn extract_makes_pairs_of_the_boxes_of_the_truth() {
    let work = Work::new();
    for kind in ["trackingnet", "got10k"] {
        work.synth(kind, kind).run_well();
        let pipeline = format!(
            "[source]\nkind = '{kind}'\n[pairs]\nkind = 'tracks'\nk = 2\nper_video = 4\nwith_frames = true\n"
        );
        fs::write(work.path("pipeline.toml"), pipeline).unwrap();
        let mut extract = work.synth(kind, "unused");
        let out = format!("{kind}-pairs");
        let args = ["extract", "pipeline.toml", "--source", kind, "--out", &out];
        extract.args = args.map(str::to_owned).to_vec();
        let summary = extract.run_json();
        assert_eq!(
            [&summary["clips"], &summary["refused"]],
            [&json!(3), &json!(0)]
        );
        let (videos, samples) = (
            by_video(&work.path(kind)),
            dataset::samples(&work.path(&out)),
        );
        // Frames in which little of the object is visible make no pairs.
        let num_pairs = samples.len();
        assert!((1..=12).contains(&num_pairs), "{num_pairs} pairs of {kind}");
        assert_eq!(summary["pairs"], json!(num_pairs));
        for sample in samples {
            let truth = &videos[sample.json["clip"].as_str().unwrap()];
            for end in ["anchor", "positive"] {
                let end = &sample.json[end];
                let frame = end["frame"].as_u64().unwrap() as usize;
                let expected = truth[frame].box_xywh.map(<[f64; 4]>::from);
                assert_eq!(end["box_xywh"], json!(expected), "{}", sample.json);
            }
        }
    }
}

#[test]
fn the_toolkit_of_got10k_reads_the_labels_of_the_truth() {
    let work = Work::new();
    hard_videos(&work, "got10k").run_well();
    let out = work.path("got10k");
    let videos = by_video(&out);
    let mut num_read = 0;
    for split in ["train", "val"] {
        let read = read_synth(&["got10k".as_ref(), out.as_ref(), split.as_ref()]);
        for sequence in read.as_array().unwrap() {
            let name = sequence["name"].as_str().unwrap();
            let truth = &videos[&format!("{split}/{name}")];
            let of = |value: fn(&Truth) -> Value| truth.iter().map(value).collect::<Vec<_>>();
            let flag = |is_set: bool| json!(f64::from(u8::from(is_set)));
            assert_eq!(
                sequence["frames"],
                json!(of(|truth| json!(truth.image.rsplit_once('/').unwrap().1)))
            );
            assert_eq!(
                sequence["boxes"],
                json!(of(|truth| json!(
                    truth.box_xywh.map_or([0.0; 4], <[f64; 4]>::from)
                )))
            );
            let labels = &sequence["labels"];
            let flags = |is_set: fn(&Truth) -> bool| {
                let flags = truth.iter().map(|truth| flag(is_set(truth)));
                json!(flags.collect::<Vec<Value>>())
            };
            assert_eq!(labels["absence"], flags(|truth| truth.box_xywh.is_none()));
            assert_eq!(labels["cut_by_image"], flags(|truth| truth.cut_by_image));
            assert_eq!(
                labels["cover"],
                json!(of(|truth| json!(cover(truth.visible_share))))
            );
            let meta = &sequence["meta"];
            assert_eq!(meta["object_class"], truth[0].category);
            assert_eq!(
                [&meta["anno_fps"], &meta["resolution"]],
                ["10Hz", "(96, 64)"]
            );
            assert_eq!([&meta["begin"], &meta["end"]], ["00:00:00", "00:00:03"]);
            num_read += 1;
        }
    }
    assert_eq!(num_read, 5);
    let levels: BTreeSet<u32> = videos
        .values()
        .flatten()
        .map(|truth| cover(truth.visible_share) as u32)
        .collect();
    assert!(levels.len() > 5, "too few levels for this test: {levels:?}");
}

/// Level of `visible_share`, according to GOT-10k's download page.
fn cover(visible_share: f64) -> f64 {
    let percent = visible_share * 100.0;
    match percent {
        0.0 => 0.0,
        100.0 => 8.0,
        _ if percent > 90.0 => 7.0,
        _ => (percent / 15.0).ceil(),
    }
}

#[test]
fn scipy_reads_the_objects_of_the_truth_from_every_pascal3d_annotation() {
    let work = Work::new();
    work.synth("pascal3d", "out").run_well();
    let out = work.path("out");
    let read = read_synth(&["pascal3d".as_ref(), out.as_ref()]);
    let mut images: BTreeMap<String, Vec<Truth>> = BTreeMap::new();
    for truth in truths(&out) {
        images.entry(truth.image.clone()).or_default().push(truth);
    }
    assert_eq!(read.as_object().unwrap().len(), images.len());
    let mut num_pairs = 0;
    for (image, truth) in &images {
        let (name, extension) = image
            .strip_prefix("Images/")
            .unwrap()
            .rsplit_once('.')
            .unwrap();
        let (folder, id) = name.split_once('/').unwrap();
        let annotation = &read[name];
        assert_eq!(annotation["filename"], format!("{id}.{extension}"));
        assert_eq!(annotation["imgsize"], json!([96.0, 64.0, 3.0]));
        let bytes = fs::read(out.join(image)).unwrap();
        assert_eq!(decoded_size(image, &bytes), [96, 64]);
        assert!(folder.starts_with(&truth[0].category), "{image}");
        let is_pascal = folder.ends_with("_pascal");
        assert_eq!(truth.len(), if is_pascal { 2 } else { 1 }, "{image}");
        // An object that the other one hides completely has no box and is not annotated.
        let expected: Vec<Value> = truth.iter().filter_map(seen_in_mat).collect();
        let keys = ["class", "bbox", "truncated", "azimuth", "elevation"];
        let annotated: Vec<Value> = annotation["objects"]
            .as_array()
            .unwrap()
            .iter()
            .map(|object| json!(keys.map(|key| &object[key])))
            .collect();
        assert_eq!(annotated, expected, "{image}");
        num_pairs += u32::from(annotated.len() == 2);
    }
    assert!(num_pairs > 8, "{num_pairs}");
}

/// Class, inclusive corners counted from 1, whether the image border cuts the object, azimuth and elevation.
fn seen_in_mat(truth: &Truth) -> Option<Value> {
    let BoxXywh { x, y, w, h } = truth.box_xywh?;
    let corners = [x + 1.0, y + 1.0, x + w, y + h];
    let cut = f64::from(u8::from(truth.cut_by_image));
    Some(json!([
        truth.category,
        corners,
        cut,
        truth.azimuth,
        truth.elevation
    ]))
}

#[test]
fn the_views_of_pascal3d_are_a_complete_grid_in_equal_steps() {
    let work = Work::new();
    let run = with(work.synth("pascal3d", "out"), "--azimuths", "5");
    with(run, "--elevations", "-20,0,45").run_well();
    let mut grids: BTreeMap<String, Vec<[f64; 2]>> = BTreeMap::new();
    for truth in truths(&work.path("out")) {
        if truth.image.contains("_imagenet/") {
            let view = [truth.elevation, truth.azimuth];
            grids.entry(truth.object).or_default().push(view);
        }
    }
    assert_eq!(grids.len(), 8);
    let row = |elevation: f64| [0.0, 72.0, 144.0, 216.0, 288.0].map(|azimuth| [elevation, azimuth]);
    let expected = [-20.0, 0.0, 45.0].map(row).concat();
    for (object, grid) in grids {
        assert_eq!(grid, expected, "{object}");
    }
    // The images belong alternately to the training and the validation list.
    let list = |set: &str| {
        let name = format!("out/Image_sets/car_imagenet_{set}.txt");
        let text = fs::read_to_string(work.path(&name)).unwrap();
        text.lines()
            .map(str::to_owned)
            .collect::<BTreeSet<String>>()
    };
    let (train, val) = (list("train"), list("val"));
    assert!(train.is_disjoint(&val));
    let files = files(&work.path("out/Images/car_imagenet"));
    let ids: BTreeSet<String> = files.keys().map(|name| name.replace(".JPEG", "")).collect();
    assert_eq!(&train | &val, ids);
    assert_eq!([train.len(), val.len()], [15, 15]);
}

#[test]
fn an_object_alone_in_its_image_is_never_cut_by_the_border() {
    let work = Work::new();
    for size in ["64x64", "96x64", "64x96"] {
        let run = with(work.synth("pascal3d", size), "--size", size);
        with(run, "--elevations", "-90,-45,0,18,60,90").run_well();
        for truth in truths(&work.path(size)) {
            let is_alone = truth.image.contains("_imagenet/");
            assert!(!(is_alone && truth.cut_by_image), "{size}: {truth:?}");
        }
    }
}

#[test]
fn an_object_of_aloi_has_its_108_images_in_order() {
    let work = Work::new();
    work.synth("aloi", "out").run_well();
    let out = work.path("out");
    let codes = [110, 120, 130, 140, 150, 160, 170, 180, 190, 210, 230, 250];
    let names = |id: u32| {
        let views = (0..72).map(|view| format!("r{}", 5 * view));
        let lights =
            (1..=8).flat_map(|light| (1..=3).map(move |camera| format!("l{light}c{camera}")));
        let colors = codes.map(|code| format!("i{code}"));
        let names = views.chain(lights).chain(colors);
        names.map(move |name| format!("png2/{id}/{id}_{name}.png"))
    };
    let expected: Vec<String> = [1, 2].into_iter().flat_map(names).collect();
    assert_eq!(expected.len(), 216);
    let truth = truths(&out);
    let images: Vec<String> = truth.iter().map(|truth| truth.image.clone()).collect();
    assert_eq!(images, expected);
    let files = files(&out);
    let pictures: BTreeSet<&String> = files.keys().filter(|name| name.ends_with(".png")).collect();
    assert_eq!(pictures, expected.iter().collect());
    for name in pictures {
        assert_eq!(decoded_size(name, &files[name]), [384, 288]);
    }
    for object in truth.chunks_exact(108) {
        let views: Vec<f64> = object[..72].iter().map(|truth| truth.azimuth).collect();
        let expected: Vec<f64> = (0..72).map(|view| 5.0 * f64::from(view)).collect();
        assert_eq!(views, expected);
        assert!(object[72..].iter().all(|truth| truth.azimuth == 0.0));
        // The lamps go from right to left, and turn with the camera.
        let lights: Vec<f64> = object[72..96]
            .iter()
            .map(|truth| truth.light.azimuth)
            .collect();
        for camera in 0..3 {
            let turned = 15.0 * camera as f64;
            let lamps: Vec<f64> = (0..5)
                .map(|light| lights[3 * light + camera] - turned)
                .collect();
            assert_eq!(lamps, [72.0, 36.0, 0.0, -36.0, -72.0]);
        }
        // The light colours go from white to red.
        let blue = object[96..].iter().map(|truth| truth.light.color[2]);
        let blue: Vec<f64> = blue.collect();
        assert!((blue[0] - 1.0).abs() < 1e-9, "{blue:?}");
        assert!(blue.is_sorted_by(|a, b| a > b), "{blue:?}");
        assert!(object.iter().all(|truth| truth.object == object[0].object));
        assert!(is_held_out(&object[0].object) && object[0].half == Half::HeldOut);
    }
    assert_ne!(truth[0].object, truth[108].object);
}

#[test]
fn objects_of_one_half_never_appear_in_videos_of_the_other() {
    let work = Work::new();
    for kind in ["trackingnet", "got10k"] {
        for (option, held_out) in [("--held-out-videos", false), ("--videos", true)] {
            let out = format!("{kind}{option}");
            let crowded = with(work.synth(kind, &out), option, "0");
            let crowded = with(with(crowded, "--clutter", "4"), "--occlusion", "1");
            crowded.run_well();
            let seen = objects_in_view(&work.path(&out));
            // Clutter is in view too, not only the targets.
            assert!(seen.len() >= 5, "{seen:?}");
            assert!(
                seen.iter().all(|id| is_held_out(id) == held_out),
                "{seen:?}"
            );
            for truth in truths(&work.path(&out)) {
                assert!(seen.contains(&truth.object));
                assert_eq!(truth.half == Half::HeldOut, held_out);
            }
        }
    }
}

#[test]
fn the_truth_has_a_line_for_every_frame_in_order() {
    let work = Work::new();
    work.synth("trackingnet", "zips").run_well();
    work.synth("got10k", "folders").run_well();
    let videos = [
        "TRAIN_0/zips/s0000000001",
        "TRAIN_0/zips/s0000000002",
        "TRAIN_0/zips/s0000000003",
        "TEST/zips/t0000000001",
        "TEST/zips/t0000000002",
    ];
    let expected = videos
        .iter()
        .flat_map(|video| (0..6).map(move |frame| (format!("{video}_0.zip"), frame)));
    let frames: Vec<(String, u64)> = truths(&work.path("zips"))
        .into_iter()
        .map(|truth| (truth.image, truth.frame.unwrap()))
        .collect();
    assert_eq!(frames, expected.collect::<Vec<_>>());

    let truth = truths(&work.path("folders"));
    let jpegs = files(&work.path("folders"))
        .into_keys()
        .filter(|name| name.ends_with(".jpg"));
    // Training videos come first, and `train` sorts before `val`.
    let images: Vec<String> = truth.iter().map(|truth| truth.image.clone()).collect();
    assert_eq!(images, jpegs.collect::<Vec<_>>());
    let frames = truth.iter().map(|truth| truth.frame.unwrap());
    assert!(frames.eq((0..5).flat_map(|_| 0..6)));
}

#[test]
fn a_video_has_the_same_frames_in_its_mp4_and_its_zip() {
    let work = Work::new();
    work.synth("trackingnet", "both").run_well();
    for container in ["zip", "mp4"] {
        let run = with(
            work.synth("trackingnet", container),
            "--container",
            container,
        );
        run.run_well();
    }
    let both = files(&work.path("both"));
    let ending = |end: &'static str| both.keys().filter(move |name| name.ends_with(end));
    assert_eq!([ending(".zip").count(), ending(".mp4").count()], [5, 5]);
    for zip in ending(".zip") {
        let frames = members(&both[zip]);
        let names: Vec<&str> = frames.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg"]
        );
        for (name, jpeg) in &frames {
            assert_eq!(decoded_size(name, jpeg), [96, 64]);
        }
        let mp4 = format!("mp4/{}", zip.replace("/zips/", "/").replace(".zip", ".mp4"));
        assert_eq!(probe(&work.path("both").join(mp4)), [96, 64, 6]);
    }
    // With one container, the frames are the same, and there is no file of the other container.
    for (container, other) in [("zip", ".mp4"), ("mp4", ".zip")] {
        let alone = files(&work.path(container));
        let is_kept = |name: &&String| !name.ends_with(other);
        assert!(alone.keys().eq(both.keys().filter(is_kept)), "{container}");
        let media = alone.iter().filter(|(name, _)| !name.contains("json"));
        for (name, bytes) in media {
            assert!(both[name] == *bytes, "{name}");
        }
        let first = &truths(&work.path(container))[0];
        assert!(alone.contains_key(&first.image), "{}", first.image);
    }
}

#[test]
fn every_image_depends_on_the_seed() {
    let work = Work::new();
    for seed in ["0", "1"] {
        with(work.synth("got10k", seed), "--seed", seed).run_well();
    }
    let frames = |seed: &str| {
        let files = files(&work.path(seed)).into_iter();
        files
            .filter(|(name, _)| name.ends_with(".jpg"))
            .collect::<BTreeMap<_, _>>()
    };
    let (first, second) = (frames("0"), frames("1"));
    assert!(first.keys().eq(second.keys()));
    assert!(first.iter().all(|(name, bytes)| second[name] != *bytes));
}

fn read_synth(args: &[&std::ffi::OsStr]) -> Value {
    serde_json::from_str(&vidpairs_fixtures::python::run("read_synth.py", args)).unwrap()
}
