//! Every key of a pipeline: its table, what it accepts, its default. The one place where they are
//! stated; `pipelines/README.md` explains them, and a test holds the two together.

mod invariance;
mod regions;
mod train;

pub(super) use invariance::{
    GOODFELLOW_SHARE, MEASURED_NUMBERS, MEASURED_SIZE, QUERIES, RESAMPLES, STAGE, TOP,
};

pub(super) use regions::{
    BORDER_SHARE, FORWARD_BACKWARD_STEP, MAX_ASPECT, MAX_ASPECT_RATIO, MAX_DUPLICATE_IOU,
    MAX_LOST_FRAMES, MAX_OVERLAP, MAX_SIDE_SHARE, MAX_SIZE_RATIO, MIN_CONFIDENCE,
    MIN_CONFIDENCE_LAST, MIN_CONFIDENCE_MEAN, MIN_FORWARD_BACKWARD_IOU, MIN_SIDE_SHARE,
    MIN_TEXTURE, PROPOSAL_KIND, REGIONS_PER_FRAME, TRACKER_NAME,
};

pub(super) use train::{
    ACCUMULATE, BANK_MOMENTUM, BATCH, CHECKPOINT_STEPS, EMBEDDING, EPOCHS, GROUPS, KEEP,
    KEY_MOMENTUM, KNN_EPOCHS, KNN_IMAGES, KNN_NEIGHBOURS, LEARNING_RATE, LOG_STEPS, METHOD,
    MILESTONES, MIN_AREA, MOMENTUM, NEGATIVES, NETWORK, NUMBERS, PACE, QUEUE, REGION_WEIGHT,
    SCHEDULE, SHUFFLE, SIZE, STEM, SYMMETRIC, TEMPERATURE, VIEWS, WARMUP_EPOCHS, WEIGHT_DECAY,
    WIDTH,
};

use bytesize::ByteSize;
use vidpairs_types::{PairKind, SourceKind};

use super::accept::{Accept, Bytes, Flag, FramesApart, Names, Number, OneOf, Refusals, Whole};

/// A key, and the rule for its value.
pub(super) struct Key<A> {
    /// Its table; empty for a key above every table.
    table: &'static str,
    name: &'static str,
    /// As it would be written in the file; `None` where the key must be given.
    default: Option<&'static str>,
    /// What it accepts.
    pub(super) accepts: A,
}

/// A key whatever it accepts.
pub(super) trait AnyKey {
    fn table(&self) -> &'static str;
    fn name(&self) -> &'static str;
    fn default(&self) -> Option<&'static str>;
    fn expected(&self) -> String;
    /// With its table: `pairs.k`.
    fn path(&self) -> String {
        match self.table() {
            "" => self.name().to_owned(),
            table => format!("{table}.{}", self.name()),
        }
    }
}

impl<A: Accept> AnyKey for Key<A> {
    fn table(&self) -> &'static str {
        self.table
    }
    fn name(&self) -> &'static str {
        self.name
    }
    fn default(&self) -> Option<&'static str> {
        self.default
    }
    fn expected(&self) -> String {
        self.accepts.expected()
    }
}

/// In the order of the documentation.
pub(super) static ALL: [&(dyn AnyKey + Sync); 78] = [
    &SEED,
    &SOURCE_KIND,
    &SPLITS,
    &PAIR_KIND,
    &K,
    &PER_VIDEO,
    &STRIDE,
    &REGIONS_PER_FRAME,
    &WITH_FRAMES,
    &BOX_SCALE,
    &MIN_BOX_PX,
    &MAX_BOX_OUTSIDE,
    &PROPOSAL_KIND,
    &MIN_SIDE_SHARE,
    &MAX_SIDE_SHARE,
    &MAX_ASPECT,
    &MAX_OVERLAP,
    &BORDER_SHARE,
    &MIN_TEXTURE,
    &TRACKER_NAME,
    &MIN_CONFIDENCE,
    &MIN_CONFIDENCE_MEAN,
    &MIN_CONFIDENCE_LAST,
    &MAX_LOST_FRAMES,
    &MAX_SIZE_RATIO,
    &MAX_ASPECT_RATIO,
    &MAX_DUPLICATE_IOU,
    &MIN_FORWARD_BACKWARD_IOU,
    &FORWARD_BACKWARD_STEP,
    &SHORT_SIDE,
    &CODEC,
    &QUALITY,
    &ZSTD_LEVEL,
    &MAX_BYTES,
    &MAX_RECORDS,
    &MAX_REFUSED,
    &VIDEO_TIMEOUT_SECONDS,
    &VIEWS,
    &SIZE,
    &MIN_AREA,
    &METHOD,
    &NETWORK,
    &WIDTH,
    &STEM,
    &EMBEDDING,
    &TEMPERATURE,
    &QUEUE,
    &KEY_MOMENTUM,
    &SYMMETRIC,
    &REGION_WEIGHT,
    &GROUPS,
    &SHUFFLE,
    &NEGATIVES,
    &BANK_MOMENTUM,
    &BATCH,
    &ACCUMULATE,
    &EPOCHS,
    &LEARNING_RATE,
    &SCHEDULE,
    &MILESTONES,
    &WARMUP_EPOCHS,
    &PACE,
    &MOMENTUM,
    &WEIGHT_DECAY,
    &NUMBERS,
    &LOG_STEPS,
    &CHECKPOINT_STEPS,
    &KEEP,
    &KNN_EPOCHS,
    &KNN_IMAGES,
    &KNN_NEIGHBOURS,
    &TOP,
    &GOODFELLOW_SHARE,
    &STAGE,
    &MEASURED_SIZE,
    &MEASURED_NUMBERS,
    &RESAMPLES,
    &QUERIES,
];

/// The keys of `table`; empty for those above every table.
pub(super) fn keys_of(table: &str) -> impl Iterator<Item = &'static (dyn AnyKey + Sync)> {
    ALL.into_iter().filter(move |key| key.table() == table)
}

/// The names of the tables, each once.
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    let mut last = "";
    ALL.iter().map(|key| key.table()).filter(move |table| {
        let is_new = *table != last;
        last = table;
        is_new
    })
}

pub(super) static SEED: Key<Whole<u64>> = Key {
    table: "",
    name: "seed",
    default: Some("0"),
    accepts: Whole {
        min: 0,
        max: i64::MAX as u64, // TOML has no larger integer
    },
};

pub(super) static SOURCE_KIND: Key<OneOf<SourceKind>> = Key {
    table: "source",
    name: "kind",
    default: None,
    accepts: OneOf {
        all: &[
            SourceKind::Videos,
            SourceKind::TrackingNet,
            SourceKind::Got10k,
        ],
        name: SourceKind::name,
        refused: &[],
    },
};

pub(super) static SPLITS: Key<Names> = Key {
    table: "source",
    name: "splits",
    default: Some("[]"),
    accepts: Names,
};

pub(super) static PAIR_KIND: Key<OneOf<PairKind>> = Key {
    table: "pairs",
    name: "kind",
    default: None,
    accepts: OneOf {
        all: &[
            PairKind::Images,
            PairKind::Frames,
            PairKind::Tracks,
            PairKind::Regions,
        ],
        name: PairKind::name,
        refused: &[],
    },
};

pub(super) static K: Key<FramesApart> = Key {
    table: "pairs",
    name: "k",
    default: Some("60"),
    accepts: FramesApart(Whole {
        min: 1,
        max: 100_000,
    }),
};

pub(super) static PER_VIDEO: Key<Whole<u32>> = Key {
    table: "pairs",
    name: "per_video",
    default: Some("4"),
    accepts: Whole {
        min: 1,
        max: 10_000,
    },
};

/// Has no default of its own: where it is not given, `per_video` holds.
pub(super) static STRIDE: Key<Whole<u32>> = Key {
    table: "pairs",
    name: "stride",
    default: None,
    accepts: Whole {
        min: 1,
        max: 100_000,
    },
};

pub(super) static WITH_FRAMES: Key<Flag> = Key {
    table: "pairs",
    name: "with_frames",
    default: Some("true"),
    accepts: Flag,
};

pub(super) static BOX_SCALE: Key<Number> = Key {
    table: "pairs",
    name: "box_scale",
    default: Some("1.0"),
    accepts: Number { min: 0.5, max: 4.0 },
};

pub(super) static MIN_BOX_PX: Key<Whole<u32>> = Key {
    table: "pairs",
    name: "min_box_px",
    default: Some("24"),
    accepts: Whole { min: 1, max: 4096 },
};

pub(super) static MAX_BOX_OUTSIDE: Key<Number> = Key {
    table: "pairs",
    name: "max_box_outside",
    default: Some("0.05"),
    accepts: Number { min: 0.0, max: 1.0 },
};

pub(super) static SHORT_SIDE: Key<Whole<u32>> = Key {
    table: "images",
    name: "short_side",
    default: Some("256"),
    accepts: Whole { min: 16, max: 4096 },
};

/// The codecs by name; their settings are keys of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CodecName {
    Jpeg,
    RgbZstd,
}

impl CodecName {
    fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::RgbZstd => "rgb-zstd",
        }
    }
}

pub(super) static CODEC: Key<OneOf<CodecName>> = Key {
    table: "images",
    name: "codec",
    default: Some("\"jpeg\""),
    accepts: OneOf {
        all: &[CodecName::Jpeg, CodecName::RgbZstd],
        name: CodecName::name,
        refused: &[],
    },
};

pub(super) static QUALITY: Key<Whole<u8>> = Key {
    table: "images",
    name: "quality",
    default: Some("92"),
    accepts: Whole { min: 1, max: 100 },
};

pub(super) static ZSTD_LEVEL: Key<Whole<i32>> = Key {
    table: "images",
    name: "zstd_level",
    default: Some("3"),
    accepts: Whole { min: 1, max: 19 },
};

pub(super) static MAX_BYTES: Key<Bytes> = Key {
    table: "shards",
    name: "max_bytes",
    default: Some("\"256MiB\""),
    accepts: Bytes {
        min: ByteSize::mib(1),
        max: ByteSize::tib(1),
    },
};

pub(super) static MAX_RECORDS: Key<Whole<u32>> = Key {
    table: "shards",
    name: "max_records",
    default: Some("10000"),
    accepts: Whole {
        min: 1,
        max: 10_000_000,
    },
};

pub(super) static MAX_REFUSED: Key<Refusals> = Key {
    table: "extract",
    name: "max_refused",
    default: Some("\"10%\""),
    accepts: Refusals,
};

pub(super) static VIDEO_TIMEOUT_SECONDS: Key<Whole<u32>> = Key {
    table: "extract",
    name: "video_timeout_seconds",
    default: Some("120"),
    accepts: Whole {
        min: 1,
        max: 86_400,
    },
};
