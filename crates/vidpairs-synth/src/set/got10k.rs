//! Renders a video in the layout of GOT-10k.

use std::collections::BTreeMap;

use vidpairs_image::jpeg;

use super::video::{Video, VideoItem, render_video};
use super::work::Work;
use super::{ItemError, VideoSettings};
use crate::layout::got10k::{
    ABSENCE, COVER, CUT_BY_IMAGE, GROUND_TRUTH, LIST, META_INFO, MetaInfo, cover_text, flags_text,
    frame_name, ground_truth_text, list_text,
};
use crate::truth::Truth;

/// Classes of animals.
const ANIMALS: [&str; 9] = [
    "bird", "cat", "chicken", "deer", "dog", "fish", "horse", "rabbit", "turtle",
];

/// Renders `video`; returns the name of its folder.
pub(super) fn render(work: &mut Work<'_>, video: &VideoItem<'_>) -> Result<Vec<String>, ItemError> {
    let sequence = &video.name;
    let quality = work.plan.settings.quality;
    let image = |frame| format!("{sequence}/{}", frame_name(frame));
    let rendered = render_video(work, video, image, |work, frame, picture| {
        work.write(&image(frame), &jpeg::compress(&picture, quality)?)
    })?;
    let flags = |flag: fn(&Truth) -> bool| {
        let flags: Vec<bool> = rendered.truths.iter().map(flag).collect();
        flags_text(&flags)
    };
    let shares = rendered.truths.iter().map(|truth| truth.visible_share);
    let shares: Vec<f64> = shares.collect();
    let meta = meta_info(work, video.settings, &rendered).to_text()?;
    for (name, text) in [
        (GROUND_TRUTH, ground_truth_text(&rendered.boxes())),
        (ABSENCE, flags(|truth| truth.box_xywh.is_none())),
        (COVER, cover_text(&shares)),
        (CUT_BY_IMAGE, flags(|truth| truth.cut_by_image)),
        (META_INFO, meta),
    ] {
        work.write(&format!("{sequence}/{name}"), text.as_bytes())?;
    }
    work.item.truths = rendered.truths;
    Ok(vec![sequence.clone()])
}

fn meta_info(work: &Work<'_>, settings: &VideoSettings, video: &Video<'_>) -> MetaInfo {
    let category = video.target.category.as_str();
    let root_class = match category {
        "person" => "person",
        category if ANIMALS.contains(&category) => "animal",
        _ => "artifact",
    };
    let group = video.target.group.replace([':', '\n'], " ");
    let motion_class = if video.turn >= 20.0 {
        "turning"
    } else {
        "moving"
    };
    let motion_adverb = match video.speed {
        speed if speed < 0.25 => "slowly",
        speed if speed < 0.8 => "steadily",
        _ => "fast",
    };
    MetaInfo {
        url: "rendered by vidpairs synth".to_owned(),
        begin_secs: 0,
        end_secs: u64::from(settings.num_frames.div_ceil(settings.fps)),
        anno_fps: settings.fps,
        object_class: category.to_owned(),
        motion_class: motion_class.to_owned(),
        major_class: if group.is_empty() {
            category.to_owned()
        } else {
            group
        },
        root_class: root_class.to_owned(),
        motion_adverb: motion_adverb.to_owned(),
        resolution: work.plan.settings.size,
    }
}

/// Lists the sequences of each split; see [`index_files`](super::index_files).
pub(super) fn index_files<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<(String, String)> {
    let mut splits: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (split, sequence) in names.into_iter().filter_map(|name| name.split_once('/')) {
        splits.entry(split).or_default().push(sequence);
    }
    let lists = splits.into_iter();
    lists
        .map(|(split, sequences)| (format!("{split}/{LIST}"), list_text(sequences)))
        .collect()
}
