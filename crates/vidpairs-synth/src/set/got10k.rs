//! A video in the layout of GOT-10k.

use vidpairs_image::jpeg;
use vidpairs_types::BoxXywh;

use super::plan::Work;
use super::video::{Video, render};
use super::{ItemError, VideoSettings};
use crate::catalog::Half;
use crate::layout::got10k::{
    ABSENCE, COVER, CUT_BY_IMAGE, GROUND_TRUTH, META_INFO, MetaInfo, Split, cover_text, flags_text,
    frame_name, ground_truth_text, sequence_name,
};

/// Classes that live.
const ANIMALS: [&str; 9] = [
    "bird", "cat", "chicken", "deer", "dog", "fish", "horse", "rabbit", "turtle",
];

fn split(half: Half) -> Split {
    match half {
        Half::Training => Split::Train,
        Half::HeldOut => Split::Val,
    }
}

/// The folder of sequence `number`, below the root.
pub(super) fn sequence(half: Half, number: u32) -> String {
    let split = split(half);
    format!("{}/{}", split.name(), sequence_name(split, number))
}

pub(super) fn make(
    work: &mut Work<'_>,
    settings: &VideoSettings,
    half: Half,
    number: u32,
) -> Result<Vec<String>, ItemError> {
    let sequence = sequence(half, number);
    let quality = work.plan.settings.quality;
    let image = |frame| format!("{sequence}/{}", frame_name(frame));
    let video = render(
        work,
        settings,
        (&sequence, half),
        image,
        |work, frame, picture| {
            let jpeg = jpeg::compress(&picture, quality)?;
            work.folder.write(&image(frame), &jpeg)
        },
    )?;
    let truths = &video.truths;
    let boxes: Vec<Option<BoxXywh>> = truths.iter().map(|truth| truth.box_xywh).collect();
    let absent: Vec<bool> = boxes.iter().map(Option::is_none).collect();
    let cut: Vec<bool> = truths.iter().map(|truth| truth.cut_by_image).collect();
    let shares: Vec<f64> = truths.iter().map(|truth| truth.visible_share).collect();
    let meta = meta_info(work, settings, &video).to_text()?;
    for (name, text) in [
        (GROUND_TRUTH, ground_truth_text(&boxes)),
        (ABSENCE, flags_text(&absent)),
        (COVER, cover_text(&shares)),
        (CUT_BY_IMAGE, flags_text(&cut)),
        (META_INFO, meta),
    ] {
        work.folder
            .write(&format!("{sequence}/{name}"), text.as_bytes())?;
    }
    work.made.truths = video.truths;
    Ok(vec![sequence])
}

fn meta_info(work: &Work<'_>, settings: &VideoSettings, video: &Video<'_>) -> MetaInfo {
    let target = video.target;
    let root_class = match target.category.as_str() {
        "person" => "person",
        category if ANIMALS.contains(&category) => "animal",
        _ => "artifact",
    };
    let group = target.group.replace([':', '\n'], " ");
    MetaInfo {
        url: "rendered by vidpairs synth".to_owned(),
        begin_secs: 0,
        end_secs: u64::from(settings.num_frames.div_ceil(settings.fps)),
        anno_fps: settings.fps,
        object_class: target.category.clone(),
        motion_class: if video.turn >= 20.0 {
            "turning"
        } else {
            "moving"
        }
        .to_owned(),
        major_class: if group.is_empty() {
            target.category.clone()
        } else {
            group
        },
        root_class: root_class.to_owned(),
        motion_adverb: match video.speed {
            speed if speed < 0.25 => "slowly",
            speed if speed < 0.8 => "steadily",
            _ => "fast",
        }
        .to_owned(),
        resolution: work.plan.settings.size,
    }
}
