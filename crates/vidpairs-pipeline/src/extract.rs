//! Declares the keys above every table and the tables `[source]`, `[images]`, `[shards]` and `[extract]`.

use bytesize::ByteSize;
use serde::Serialize;
use vidpairs_types::SourceKind;

use super::error::PipelineError;
use super::rule::{Bytes, Flag, Names, Number, Optional, Refusals, Whole, Word};
use super::settings::{KeyPath, Settings};
use super::values::{CodecName, MaxRefused};

/// Holder of the keys above every table.
pub(crate) struct RunKeys;

keys! {
    "" RunKeys {
        /// Random seed. All random choices of a run depend on it.
        // TOML has no larger integer.
        seed: u64 = 0, Whole(0..=i64::MAX as u64);
    }
}

table! {
    /// `[source]`: input clips.
    #[derive(Debug, Clone, PartialEq)]
    "source" struct Source {
        /// Layout of the files below `--source`: loose videos, a folder of still images (`images`), or a data set as
        /// distributed.
        kind: SourceKind = required, Word;
        /// Splits to read, as the data set names them. An empty list selects all training splits (`train2017` of `coco`,
        /// `trainval` of `voc`). Not with `videos` and `images`.
        splits: Vec<String> = [], Names;
        /// Rules for annotated boxes, if each box is an image of its own.
        #[serde(flatten)]
        objects: Option<ObjectRule> => objects;
    }
}

table! {
    /// Rules for annotated boxes that are images of their own.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "source" struct ObjectRule {
        /// Whether each annotated box is an image, with its class as the label, instead of each whole image. Crowds and
        /// difficult objects are left out. Only with `coco` and `voc`.
        boxes: bool = false, Flag;
        /// Side of the crop divided by the side of the box: more than 1 shows context. The part outside the image has the
        /// mean colour of ImageNet. Only with `boxes`.
        box_scale: f64 = 1.0, Number(0.5..=4.0), "ratio";
        /// Minimum length of a box's shorter side, after the box is cut to the image. Smaller boxes are left out. Only with
        /// `boxes`.
        min_box_px: u32 = 24, Whole(1..=4096), "px of the image";
    }
}

fn objects(settings: &Settings) -> Result<Option<ObjectRule>, PipelineError> {
    let kind = Source::kind.get(settings)?;
    let has_boxes = ObjectRule::boxes.get(settings)?;
    let no_objects = format!("source.kind = \"{}\" has no boxes of objects", kind.name());
    // Also if an override sets the kind: whole images or videos are not what the file asks for.
    if has_boxes && !kind.has_objects() {
        let expected = format!("false, since {no_objects}");
        return Err(settings.refusal(ObjectRule::boxes.path, expected));
    }
    if !has_boxes {
        let keys = [ObjectRule::box_scale.path, ObjectRule::min_box_px.path];
        let why = match kind.has_objects() {
            true => "without source.boxes = true the images are whole",
            false => &no_objects,
        };
        settings.refuse_unused(&keys, ObjectRule::boxes.path, why)?;
        return Ok(None);
    }
    ObjectRule::from_settings(settings).map(Some)
}

/// Reads `[source]`.
///
/// # Errors
/// The first refused setting.
pub(crate) fn source(settings: &Settings) -> Result<Source, PipelineError> {
    let source = Source::from_settings(settings)?;
    let has_splits = !matches!(source.kind, SourceKind::Videos | SourceKind::Images);
    // Also if an override sets the kind: all files are not what the file asks for.
    if !has_splits && !source.splits.is_empty() {
        let expected = format!(
            "[], since source.kind = \"{}\" has no splits",
            source.kind.name()
        );
        return Err(settings.refusal(Source::splits.path, expected));
    }
    Ok(source)
}

table! {
    /// `[images]`: format of stored images.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "images" struct Images {
        /// Short side of a stored image. The aspect ratio is kept, and a smaller image is never enlarged.
        short_side_px as "short_side": u32 = 256, Whole(16..=4096), "px";
        /// Image codec and its settings.
        #[serde(flatten)]
        codec: Codec => codec;
    }
}

/// Image codec and its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "codec", rename_all = "kebab-case")]
pub enum Codec {
    /// JPEG.
    Jpeg {
        /// JPEG quality on libjpeg's scale, 1 to 100.
        quality: u8,
    },
    /// Raw RGB compressed with zstd: lossless.
    RgbZstd {
        /// zstd compression level, 1 to 19.
        #[serde(rename = "zstd_level")]
        level: i32,
    },
}

keys! {
    "images" Codec {
        /// Image codec: `jpeg`, or `rgb-zstd`, which is raw RGB compressed with zstd, lossless and many times larger.
        codec: CodecName = "jpeg", Word;
        /// JPEG quality. Only with codec `jpeg`.
        quality: u8 = 92, Whole(1..=100), "libjpeg's scale";
        /// zstd compression level. Only with codec `rgb-zstd`.
        zstd_level: i32 = 3, Whole(1..=19), "zstd's scale";
    }
}

impl Codec {
    /// File extension of an image in a shard, after the name of its view and a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "jpg",
            Self::RgbZstd { .. } => "rgb.zst",
        }
    }
}

fn codec(settings: &Settings) -> Result<Codec, PipelineError> {
    let refuse = |key, why| settings.refuse_unused(&[key], Codec::codec.path, why);
    Ok(match Codec::codec.get(settings)? {
        CodecName::Jpeg => {
            refuse(Codec::zstd_level.path, "images.codec is \"jpeg\"")?;
            Codec::Jpeg {
                quality: Codec::quality.get(settings)?,
            }
        }
        CodecName::RgbZstd => {
            refuse(Codec::quality.path, "images.codec is \"rgb-zstd\"")?;
            Codec::RgbZstd {
                level: Codec::zstd_level.get(settings)?,
            }
        }
    })
}

table! {
    /// `[shards]`: size or number of shards.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    "shards" struct Shards {
        /// Maximum size of a shard. A shard that would grow larger is closed. Units are `MiB` (1024 x 1024 bytes), `MB`
        /// (1000 x 1000 bytes) and the like.
        max_bytes: u64 = "256MiB", Bytes(ByteSize::mib(1)..=ByteSize::tib(1)), "bytes";
        /// Maximum number of records in a shard.
        max_records: u32 = 10000, Whole(1..=10_000_000), "records";
        /// Number of shards, whose numbers of records differ by at most one. Replaces `max_bytes` and `max_records`. At its end the run
        /// copies all records once. Not with `--part`, nor with an output folder in a store.
        #[serde(skip_serializing_if = "Option::is_none")]
        count: Option<u32> = (|_| Ok(None), "unset"), Optional(Whole(1..=1_000_000)), "shards";
    }
}

/// Reads `[shards]`.
///
/// # Errors
/// The first refused setting.
pub(crate) fn shards(settings: &Settings) -> Result<Shards, PipelineError> {
    let mut shards = Shards::from_settings(settings)?;
    if shards.count.is_some() {
        let limits = [
            Shards::max_bytes.if_changed(settings)?,
            Shards::max_records.if_changed(settings)?,
        ];
        let changed: Vec<KeyPath> = limits.into_iter().flatten().collect();
        let why = "shards.count alone says where shards end";
        settings.refuse_unused(&changed, Shards::count.path, why)?;
        // Limits of a file that an override replaces have no effect.
        shards.max_bytes = Shards::max_bytes.default(settings)?;
        shards.max_records = Shards::max_records.default(settings)?;
    }
    Ok(shards)
}

table! {
    /// `[extract]`: tolerance for bad inputs.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "extract" struct Extract {
        /// Limit of refused clips. A run that refuses more exits with code 1.
        max_refused: MaxRefused = "10%", Refusals, "percent of all clips, or clips";
        /// Time without progress after which a piece of video is refused. The run continues.
        video_timeout_seconds: u32 = 120, Whole(1..=86_400), "s";
    }
}
