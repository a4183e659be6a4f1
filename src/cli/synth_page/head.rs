//! The head of the page: settings, makers, what was set aside, and which part is shown.

use std::collections::{BTreeMap, BTreeSet};

use vidpairs_synth::run::{self, SampledSet};
use vidpairs_synth::set::{Contents, ImageSettings, SetKind, VideoSettings};

use super::{group_noun, noun};
use crate::report::sheet::Credit;
use crate::report::{Fact, SetAsideNote};

/// Objects of one maker that are named.
const MAX_NAMES: usize = 8;

pub(super) fn facts(set: &SampledSet) -> Vec<Fact> {
    let settings = &set.settings;
    let size = match settings.kind {
        SetKind::Aloi => settings.size.to_string(),
        _ => format!("{}, JPEG quality {}", settings.size, settings.quality),
    };
    let backgrounds = match (settings.kind, set.num_backgrounds) {
        (SetKind::Aloi, _) => "black cloth".to_owned(),
        (_, 0) => "painted".to_owned(),
        (_, files) => format!("drawn from {}", noun(files, "picture or video")),
    };
    let categories = match settings.categories.as_slice() {
        [] => "all".to_owned(),
        some => some.join(", "),
    };
    let mut facts = vec![("kind", settings.kind.name().to_owned())];
    facts.extend(match &settings.contents {
        Contents::Videos(videos) => video_facts(videos, settings.kind),
        Contents::Images(images) => image_facts(images, settings.kind),
    });
    facts.extend([
        ("size of images", size),
        ("backgrounds", backgrounds),
        ("categories", categories),
        ("seed", settings.seed.to_string()),
        ("written by", format!("vidpairs {}", set.program_version)),
    ]);
    if set.num_unreadable_truths > 0 {
        let lines = noun(set.num_unreadable_truths, "line");
        facts.push((
            "damage",
            format!("{lines} of truth.jsonl cannot be understood"),
        ));
    }
    facts
        .into_iter()
        .map(|(name, value)| Fact { name, value })
        .collect()
}

fn video_facts(videos: &VideoSettings, kind: SetKind) -> Vec<(&'static str, String)> {
    let VideoSettings {
        num_training,
        num_held_out,
        num_frames,
        fps,
        ..
    } = videos;
    let hard = &videos.difficulty;
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let happens = format!(
        "occlusion in {}, leaving {}, relighting {}, look-alikes {}",
        percent(hard.occlusion),
        percent(hard.leaving),
        percent(hard.relighting),
        percent(hard.look_alikes)
    );
    let moves = format!(
        "speed {}, turn {}° a second at most, scaling {}, camera {}",
        hard.speed, hard.turn, hard.scaling, hard.camera
    );
    let seen = format!(
        "{} other objects in view, shutter {}, noise {} of 255",
        hard.clutter, hard.shutter, hard.noise
    );
    let mut facts = vec![
        (
            "videos",
            format!("{num_training} of training objects, {num_held_out} of held-out ones"),
        ),
        ("length", format!("{num_frames} frames at {fps} a second")),
    ];
    if kind == SetKind::TrackingNet {
        let container = format!("{:?}", videos.container).to_lowercase();
        facts.push((
            "container",
            container.replace("both", "zip and mp4; the zip is shown"),
        ));
    }
    facts.extend([
        ("what happens", happens),
        ("motion", moves),
        ("sight", seen),
    ]);
    facts
}

fn image_facts(images: &ImageSettings, kind: SetKind) -> Vec<(&'static str, String)> {
    let half = match images.half {
        Some(half) => format!("the {} half", half.name()),
        None => "both halves".to_owned(),
    };
    let mut facts = vec![("objects of", half)];
    if kind == SetKind::Pascal3d {
        let elevations: Vec<String> = images
            .elevations_deg
            .iter()
            .map(|it| format!("{it}°"))
            .collect();
        let views = format!(
            "{} azimuths at {}",
            images.num_azimuths,
            elevations.join(", ")
        );
        facts.push(("views of an object", views));
    }
    facts.push(("noise", format!("{} of 255", images.noise)));
    facts
}

pub(super) fn set_aside(set: &SampledSet) -> Vec<SetAsideNote> {
    let groups = set.set_aside.reasons.iter();
    let notes = groups.map(|group| SetAsideNote {
        what: format!(
            "{} {} at {}",
            group.clips,
            group.outcome.name(),
            group.stage.name()
        ),
        reason: group.reason.clone(),
        example: group.example.clone(),
    });
    notes.collect()
}

/// By maker and licence, those with the most objects first.
pub(super) fn credits(credits: &[run::Credit]) -> Vec<Credit> {
    let mut makers: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for credit in credits {
        let maker = (credit.creator.as_str(), credit.licence.as_str());
        makers.entry(maker).or_default().insert(&credit.name);
        *counts.entry(maker).or_default() += 1;
    }
    let mut makers: Vec<_> = makers.into_iter().collect();
    makers.sort_by_key(|(maker, _)| std::cmp::Reverse(counts.get(maker).copied()));
    let credit = |((creator, licence), names): ((&str, &str), BTreeSet<&str>)| {
        let count = counts.get(&(creator, licence)).copied().unwrap_or(0);
        let creator = if creator.is_empty() {
            "unknown"
        } else {
            creator
        };
        let licence = if licence.is_empty() {
            "no licence told"
        } else {
            licence
        };
        let shown: Vec<&str> = names.iter().copied().take(MAX_NAMES).collect();
        let more = names.len() - shown.len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        Credit {
            who: format!("{creator} ({licence})"),
            what: format!("{}: {}{more}", noun(count, "object"), shown.join(", ")),
        }
    };
    makers.into_iter().map(credit).collect()
}

/// Which part of the set is shown, and why not all.
pub(super) fn choice(set: &SampledSet) -> String {
    let kind = set.settings.kind;
    let (shown, all) = (set.groups.len() as u64, set.num_groups);
    let part = if shown >= all {
        format!("Shown: all {}.", noun(all, group_noun(kind)))
    } else {
        format!(
            "Shown: {shown} of {}, evenly spread over the set.",
            noun(all, group_noun(kind))
        )
    };
    let scaled = match set.scaled_to_px {
        None => "The pictures are the files of the set".to_owned(),
        Some(px) => format!(
            "To keep this page small, the pictures are copies of the set's files, JPEGs of at most \
             {px} px on the shorter side"
        ),
    };
    let drawn = if kind == SetKind::Aloi {
        "numbers"
    } else {
        "boxes and numbers"
    };
    format!("{part} {scaled}; {drawn} come from truth.jsonl.")
}
