//! Encodes the tracklets of a piece as lines of `tracks.jsonl.zst`.

use std::io::Write;

use vidpairs_types::{PairPlan, TrackletLine, TrackletMeta};

use super::RegionSetup;
use crate::track::Tracklet;

/// Compression level of zstd: lines shrink to a quarter, and a piece takes a few milliseconds.
const LEVEL: i32 = 3;

/// The lines of a piece. `pieces` accounts for their memory.
#[derive(Default)]
pub(in super::super) struct Lines(Vec<(u64, TrackletLine)>);

impl Lines {
    /// Adds the line of a pair.
    ///
    /// - `pair`: ordinal of the pair in its clip.
    pub fn add(&mut self, pair: u64, line: TrackletLine) {
        self.0.push((pair, line));
    }

    /// Adds the lines of a later round.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// One zstd frame with the lines in the order of the pairs; empty without lines.
    pub fn into_zstd(mut self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        self.0.sort_by_key(|&(pair, _)| pair);
        compressed(&self.0).expect("it writes to memory, and every value has a JSON form")
    }
}

fn compressed(lines: &[(u64, TrackletLine)]) -> std::io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    let mut text = Vec::new();
    for (_, line) in lines {
        text.clear();
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
        encoder.write_all(&text)?;
    }
    encoder.finish()
}

/// The tracklet field of a record.
pub(super) fn meta(tracker: &str, tracklet: &Tracklet) -> TrackletMeta {
    let (psr, confidence) = (tracklet.psr(), tracklet.confidence());
    TrackletMeta {
        tracker: tracker.to_owned(),
        psr_mean: psr.map(|psr| psr.mean),
        psr_min: psr.map(|psr| psr.min),
        forward_backward_iou: tracklet.forward_backward_iou,
        confidence_mean: confidence.map(|confidence| confidence.mean),
        confidence_min: confidence.map(|confidence| confidence.min),
        confidence_last: confidence.map(|confidence| confidence.last),
    }
}

/// The line of a tracklet that starts in the anchor of `plan`: the index of its region, and the key of its record.
pub(super) fn line(
    setup: &RegionSetup<'_>,
    plan: &PairPlan,
    (region, key): (u32, Option<String>),
    tracklet: Tracklet,
) -> TrackletLine {
    let outcome = tracklet.mistrust;
    TrackletLine {
        clip: setup.clip.id.clone(),
        key,
        anchor: plan.anchor,
        k: plan.last_frame() - plan.anchor,
        region,
        tracker: setup.tracker.to_owned(),
        outcome: outcome
            .map_or(TrackletLine::TRUSTED, |reason| reason.name())
            .to_owned(),
        forward_backward_iou: tracklet.forward_backward_iou,
        boxes: tracklet.boxes,
    }
}
