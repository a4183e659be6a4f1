//! The keys of `[invariance]`, which neither extraction nor training looks at.

use super::super::accept::{Number, OneOf, Whole, Wholes};
use super::super::invariance::StageName;
use super::super::train::NumberFormat;
use super::Key;

pub(in super::super) static TOP: Key<Wholes> = Key {
    table: "invariance",
    name: "top",
    default: Some("[10, 25]"),
    accepts: Wholes {
        example: "[10, 25]",
    },
};

pub(in super::super) static GOODFELLOW_SHARE: Key<Number> = Key {
    table: "invariance",
    name: "goodfellow_share",
    default: Some("0.2"),
    accepts: Number {
        min: 0.001,
        max: 1.0,
    },
};

pub(in super::super) static STAGE: Key<OneOf<StageName>> = Key {
    table: "invariance",
    name: "stage",
    default: Some("\"layer4\""),
    accepts: OneOf {
        all: StageName::ALL,
        name: StageName::name,
        refused: &[],
    },
};

/// Has no default of its own: where it is not given, that of the data set holds.
pub(in super::super) static MEASURED_SIZE: Key<Whole<u32>> = Key {
    table: "invariance",
    name: "size",
    default: None,
    accepts: Whole { min: 16, max: 1024 },
};

pub(in super::super) static MEASURED_NUMBERS: Key<OneOf<NumberFormat>> = Key {
    table: "invariance",
    name: "numbers",
    default: Some("\"f32\""),
    accepts: OneOf {
        all: NumberFormat::ALL,
        name: NumberFormat::name,
        refused: &[],
    },
};

pub(in super::super) static RESAMPLES: Key<Whole<u32>> = Key {
    table: "invariance",
    name: "resamples",
    default: Some("1000"),
    accepts: Whole {
        min: 100,
        max: 100_000,
    },
};

pub(in super::super) static QUERIES: Key<Whole<u32>> = Key {
    table: "invariance",
    name: "queries",
    default: Some("10000"),
    accepts: Whole {
        min: 1,
        max: 10_000_000,
    },
};
