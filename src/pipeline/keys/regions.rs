//! The keys of `[proposals]` and `[tracker]`, which kind `regions` alone has.

use super::super::accept::{Number, OneOf, Whole};
use super::super::tables::ProposalKind;
use super::Key;
use crate::track::TrackerKind;

pub(in super::super) static REGIONS_PER_FRAME: Key<Whole<u32>> = Key {
    table: "pairs",
    name: "regions_per_frame",
    default: Some("4"),
    accepts: Whole { min: 1, max: 64 },
};

pub(in super::super) static PROPOSAL_KIND: Key<OneOf<ProposalKind>> = Key {
    table: "proposals",
    name: "kind",
    default: Some("\"grid\""),
    accepts: OneOf {
        all: ProposalKind::ALL,
        name: ProposalKind::name,
        refused: &[],
    },
};

pub(in super::super) static TRACKER_NAME: Key<OneOf<TrackerKind>> = Key {
    table: "tracker",
    name: "name",
    default: Some("\"dcf\""),
    accepts: OneOf {
        all: TrackerKind::ALL,
        name: TrackerKind::name,
        refused: &[],
    },
};

/// A share or a confidence.
const UNIT: Number = Number { min: 0.0, max: 1.0 };

/// A ratio of two things, the larger one above.
const RATIO: Number = Number {
    min: 1.0,
    max: 100.0,
};

const fn tracker_number(name: &'static str, default: &'static str, accepts: Number) -> Key<Number> {
    Key {
        table: "tracker",
        name,
        default: Some(default),
        accepts,
    }
}

pub(in super::super) static MIN_CONFIDENCE: Key<Number> =
    tracker_number("min_confidence", "0.0", UNIT);

pub(in super::super) static MIN_CONFIDENCE_MEAN: Key<Number> =
    tracker_number("min_confidence_mean", "0.5", UNIT);

pub(in super::super) static MIN_CONFIDENCE_LAST: Key<Number> =
    tracker_number("min_confidence_last", "0.5", UNIT);

pub(in super::super) static MAX_LOST_FRAMES: Key<Whole<u32>> = Key {
    table: "tracker",
    name: "max_lost_frames",
    default: Some("5"),
    accepts: Whole {
        min: 0,
        max: 100_000,
    },
};

pub(in super::super) static MAX_SIZE_RATIO: Key<Number> =
    tracker_number("max_size_ratio", "4.0", RATIO);

pub(in super::super) static MAX_ASPECT_RATIO: Key<Number> =
    tracker_number("max_aspect_ratio", "2.0", RATIO);

pub(in super::super) static MAX_DUPLICATE_IOU: Key<Number> =
    tracker_number("max_duplicate_iou", "0.7", UNIT);

pub(in super::super) static MIN_FORWARD_BACKWARD_IOU: Key<Number> =
    tracker_number("min_forward_backward_iou", "0.5", UNIT);

pub(in super::super) static FORWARD_BACKWARD_STEP: Key<Whole<u32>> = Key {
    table: "tracker",
    name: "forward_backward_step",
    default: Some("4"),
    accepts: Whole { min: 1, max: 64 },
};
