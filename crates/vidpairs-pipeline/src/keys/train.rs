//! The keys of `[augment]` and `[train]`, which extraction does not look at.

use super::super::accept::{Flag, Number, OneOf, Whole, Wholes};
use super::super::train::{
    Network, NumberFormat, Pace, ScheduleName, StemName, TrainMethod, Views,
};
use super::Key;

/// Has no default of its own: where it is not given, the method's views are made.
pub(in super::super) static VIEWS: Key<OneOf<Views>> = Key {
    table: "augment",
    name: "views",
    default: None,
    accepts: OneOf {
        all: Views::ALL,
        name: Views::name,
        refused: &[],
    },
};

pub(in super::super) static SIZE: Key<Whole<u32>> = Key {
    table: "augment",
    name: "size",
    default: Some("224"),
    accepts: Whole { min: 16, max: 1024 },
};

/// Has no default of its own: where it is not given, that of the views holds.
pub(in super::super) static MIN_AREA: Key<Number> = Key {
    table: "augment",
    name: "min_area",
    default: None,
    accepts: Number {
        min: 0.01,
        max: 1.0,
    },
};

pub(in super::super) static METHOD: Key<OneOf<TrainMethod>> = Key {
    table: "train",
    name: "method",
    default: Some("\"moco-v2\""),
    accepts: OneOf {
        all: TrainMethod::ALL,
        name: TrainMethod::name,
        refused: &[],
    },
};

pub(in super::super) static NETWORK: Key<OneOf<Network>> = Key {
    table: "train",
    name: "network",
    default: Some("\"resnet50\""),
    accepts: OneOf {
        all: Network::ALL,
        name: Network::name,
        refused: &[],
    },
};

pub(in super::super) static WIDTH: Key<Whole<u32>> = Key {
    table: "train",
    name: "width",
    default: Some("64"),
    accepts: Whole { min: 4, max: 512 },
};

pub(in super::super) static STEM: Key<OneOf<StemName>> = Key {
    table: "train",
    name: "stem",
    default: Some("\"imagenet\""),
    accepts: OneOf {
        all: StemName::ALL,
        name: StemName::name,
        refused: &[],
    },
};

pub(in super::super) static EMBEDDING: Key<Whole<u32>> = Key {
    table: "train",
    name: "embedding",
    default: Some("128"),
    accepts: Whole { min: 2, max: 8192 },
};

/// Has no default of its own: where it is not given, the method's holds.
pub(in super::super) static TEMPERATURE: Key<Number> = Key {
    table: "train",
    name: "temperature",
    default: None,
    accepts: Number {
        min: 0.001,
        max: 10.0,
    },
};

pub(in super::super) static QUEUE: Key<Whole<u32>> = Key {
    table: "train",
    name: "queue",
    default: Some("65536"),
    accepts: Whole {
        min: 1,
        max: 16_777_216,
    },
};

pub(in super::super) static KEY_MOMENTUM: Key<Number> = Key {
    table: "train",
    name: "key_momentum",
    default: Some("0.999"),
    accepts: Number { min: 0.0, max: 1.0 },
};

pub(in super::super) static SYMMETRIC: Key<Flag> = Key {
    table: "train",
    name: "symmetric",
    default: Some("false"),
    accepts: Flag,
};

pub(in super::super) static REGION_WEIGHT: Key<Number> = Key {
    table: "train",
    name: "region_weight",
    default: Some("0.5"),
    accepts: Number { min: 0.0, max: 1.0 },
};

pub(in super::super) static GROUPS: Key<Whole<u32>> = Key {
    table: "train",
    name: "groups",
    default: Some("8"),
    accepts: Whole { min: 1, max: 1024 },
};

pub(in super::super) static SHUFFLE: Key<Flag> = Key {
    table: "train",
    name: "shuffle",
    default: Some("true"),
    accepts: Flag,
};

pub(in super::super) static NEGATIVES: Key<Whole<u32>> = Key {
    table: "train",
    name: "negatives",
    default: Some("32000"),
    accepts: Whole {
        min: 1,
        max: 1_000_000,
    },
};

pub(in super::super) static BANK_MOMENTUM: Key<Number> = Key {
    table: "train",
    name: "bank_momentum",
    default: Some("0.5"),
    accepts: Number { min: 0.0, max: 1.0 },
};

pub(in super::super) static BATCH: Key<Whole<u32>> = Key {
    table: "train",
    name: "batch",
    default: Some("256"),
    accepts: Whole {
        min: 2,
        max: 65_536,
    },
};

pub(in super::super) static ACCUMULATE: Key<Whole<u32>> = Key {
    table: "train",
    name: "accumulate",
    default: Some("1"),
    accepts: Whole { min: 1, max: 1024 },
};

pub(in super::super) static EPOCHS: Key<Whole<u32>> = Key {
    table: "train",
    name: "epochs",
    default: Some("200"),
    accepts: Whole {
        min: 1,
        max: 1_000_000,
    },
};

pub(in super::super) static LEARNING_RATE: Key<Number> = Key {
    table: "train",
    name: "learning_rate",
    default: Some("0.03"),
    accepts: Number {
        min: 0.0,
        max: 100.0,
    },
};

/// Has no default of its own: where it is not given, the method's holds.
pub(in super::super) static SCHEDULE: Key<OneOf<ScheduleName>> = Key {
    table: "train",
    name: "schedule",
    default: None,
    accepts: OneOf {
        all: ScheduleName::ALL,
        name: ScheduleName::name,
        refused: &[],
    },
};

/// Has no default of its own: where it is not given, they are at 0.6 and 0.8 of the epochs.
pub(in super::super) static MILESTONES: Key<Wholes> = Key {
    table: "train",
    name: "milestones",
    default: None,
    accepts: Wholes {
        example: "[120, 160]",
    },
};

pub(in super::super) static WARMUP_EPOCHS: Key<Number> = Key {
    table: "train",
    name: "warmup_epochs",
    default: Some("0.0"),
    accepts: Number {
        min: 0.0,
        max: 1000.0,
    },
};

pub(in super::super) static PACE: Key<OneOf<Pace>> = Key {
    table: "train",
    name: "pace",
    default: Some("\"epoch\""),
    accepts: OneOf {
        all: Pace::ALL,
        name: Pace::name,
        refused: &[],
    },
};

pub(in super::super) static MOMENTUM: Key<Number> = Key {
    table: "train",
    name: "momentum",
    default: Some("0.9"),
    accepts: Number { min: 0.0, max: 1.0 },
};

pub(in super::super) static WEIGHT_DECAY: Key<Number> = Key {
    table: "train",
    name: "weight_decay",
    default: Some("0.0001"),
    accepts: Number { min: 0.0, max: 1.0 },
};

pub(in super::super) static NUMBERS: Key<OneOf<NumberFormat>> = Key {
    table: "train",
    name: "numbers",
    default: Some("\"f32\""),
    accepts: OneOf {
        all: NumberFormat::ALL,
        name: NumberFormat::name,
        refused: &[],
    },
};

pub(in super::super) static LOG_STEPS: Key<Whole<u32>> = Key {
    table: "train",
    name: "log_steps",
    default: Some("10"),
    accepts: Whole {
        min: 1,
        max: 1_000_000,
    },
};

pub(in super::super) static CHECKPOINT_STEPS: Key<Whole<u32>> = Key {
    table: "train",
    name: "checkpoint_steps",
    default: Some("1000"),
    accepts: Whole {
        min: 1,
        max: 1_000_000_000,
    },
};

pub(in super::super) static KEEP: Key<Whole<u32>> = Key {
    table: "train",
    name: "keep",
    default: Some("2"),
    accepts: Whole {
        min: 1,
        max: 10_000,
    },
};

pub(in super::super) static KNN_EPOCHS: Key<Whole<u32>> = Key {
    table: "train",
    name: "knn_epochs",
    default: Some("1"),
    accepts: Whole {
        min: 0,
        max: 1_000_000,
    },
};

pub(in super::super) static KNN_IMAGES: Key<Whole<u32>> = Key {
    table: "train",
    name: "knn_images",
    default: Some("2000"),
    accepts: Whole {
        min: 4,
        max: 1_000_000,
    },
};

pub(in super::super) static KNN_NEIGHBOURS: Key<Whole<u32>> = Key {
    table: "train",
    name: "knn_neighbours",
    default: Some("20"),
    accepts: Whole {
        min: 1,
        max: 10_000,
    },
};
