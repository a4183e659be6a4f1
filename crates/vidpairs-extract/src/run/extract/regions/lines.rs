//! The tracklets of a piece as lines of `tracks.jsonl.zst`.

use std::io::Write;

use vidpairs_types::{PairPlan, TrackletLine, TrackletMeta};

use super::RegionSetup;
use crate::track::Tracklet;

/// How hard zstd tries: lines shrink to a quarter, and a piece takes a few milliseconds.
const LEVEL: i32 = 3;

/// The lines of a piece; what a tracklet takes of memory until then is counted in `pieces`.
#[derive(Default)]
pub(super) struct Lines(Vec<(u64, TrackletLine)>);

impl Lines {
    /// Adds the line of the `pair`-th pair of the clip.
    pub fn add(&mut self, pair: u64, line: TrackletLine) {
        self.0.push((pair, line));
    }

    /// One zstd frame with the lines in the order of the pairs; nothing at all if there are none.
    pub fn into_zstd(mut self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        self.0.sort_by_key(|&(pair, _)| pair);
        // Into memory, and of values that have a JSON: it cannot fail.
        compressed(&self.0).unwrap_or_default()
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

/// What a record says of its tracklet.
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

/// The line of a tracklet that began in the anchor of `plan`: which of its regions it was, and the key of the
/// record that it became.
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
