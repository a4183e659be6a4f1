//! The keys of `[proposals]` and `[tracker]`, which kind `regions` alone has.

use super::super::accept::{Number, OneOf, Whole};
use super::Key;
use crate::{ProposerKind, TrackerKind};

pub(in super::super) static REGIONS_PER_FRAME: Key<Whole<u32>> = Key {
    table: "pairs",
    name: "regions_per_frame",
    default: Some("4"),
    accepts: Whole { min: 1, max: 64 },
};

pub(in super::super) static PROPOSAL_KIND: Key<OneOf<ProposerKind>> = Key {
    table: "proposals",
    name: "kind",
    default: Some("\"fast\""),
    accepts: OneOf {
        all: ProposerKind::ALL,
        name: ProposerKind::name,
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

const fn number(
    table: &'static str,
    name: &'static str,
    default: &'static str,
    accepts: Number,
) -> Key<Number> {
    Key {
        table,
        name,
        default: Some(default),
        accepts,
    }
}

pub(in super::super) static MIN_SIDE_SHARE: Key<Number> =
    number("proposals", "min_side_share", "0.08", UNIT);

pub(in super::super) static MAX_SIDE_SHARE: Key<Number> =
    number("proposals", "max_side_share", "0.7", UNIT);

pub(in super::super) static MAX_ASPECT: Key<Number> =
    number("proposals", "max_aspect", "4.0", RATIO);

pub(in super::super) static MAX_OVERLAP: Key<Number> =
    number("proposals", "max_overlap", "0.3", UNIT);

pub(in super::super) static BORDER_SHARE: Key<Number> = number(
    "proposals",
    "border_share",
    "0.01",
    Number { min: 0.0, max: 0.5 },
);

pub(in super::super) static MIN_TEXTURE: Key<Number> =
    number("proposals", "min_texture", "0.12", UNIT);

pub(in super::super) static MIN_CONFIDENCE: Key<Number> =
    number("tracker", "min_confidence", "0.0", UNIT);

pub(in super::super) static MIN_CONFIDENCE_MEAN: Key<Number> =
    number("tracker", "min_confidence_mean", "0.7", UNIT);

pub(in super::super) static MIN_CONFIDENCE_LAST: Key<Number> =
    number("tracker", "min_confidence_last", "0.7", UNIT);

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
    number("tracker", "max_size_ratio", "4.0", RATIO);

pub(in super::super) static MAX_ASPECT_RATIO: Key<Number> =
    number("tracker", "max_aspect_ratio", "2.0", RATIO);

pub(in super::super) static MAX_DUPLICATE_IOU: Key<Number> =
    number("tracker", "max_duplicate_iou", "0.7", UNIT);

pub(in super::super) static MIN_FORWARD_BACKWARD_IOU: Key<Number> =
    number("tracker", "min_forward_backward_iou", "0.5", UNIT);

pub(in super::super) static FORWARD_BACKWARD_STEP: Key<Whole<u32>> = Key {
    table: "tracker",
    name: "forward_backward_step",
    default: Some("4"),
    accepts: Whole { min: 1, max: 64 },
};
