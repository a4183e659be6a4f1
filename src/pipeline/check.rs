//! From what was given to a pipeline that can be run.

use super::Pipeline;
use super::error::{PipelineError, Place};
use super::keys::{self, AnyKey, CodecName};
use super::settings::Settings;
use super::tables::{Extract, Images, Pairs, Shards, Source};
use crate::codec::Codec;
use crate::sample::{Anchors, PairRule, TrackRule};
use crate::types::{PairKind, SourceKind};

/// Checks every setting and fills in the defaults.
///
/// # Errors
/// The first setting that is missing, not accepted, or at odds with another.
pub(super) fn pipeline(settings: &Settings) -> Result<Pipeline, PipelineError> {
    let seed = settings.get(&keys::SEED)?;
    let source = source(settings)?;
    let pairs = pairs(settings)?;
    if source.kind == SourceKind::Videos && pairs.kind() == PairKind::Tracks {
        let expected =
            "\"images\" or \"frames\", since source.kind = \"videos\" has no boxes to follow";
        return Err(settings.refusal(&keys::PAIR_KIND, expected.to_owned()));
    }
    Ok(Pipeline {
        seed,
        source,
        pairs,
        images: images(settings)?,
        shards: Shards {
            max_bytes: settings.get(&keys::MAX_BYTES)?,
            max_records: settings.get(&keys::MAX_RECORDS)?,
        },
        extract: Extract {
            max_refused: settings.get(&keys::MAX_REFUSED)?,
            video_timeout_seconds: settings.get(&keys::VIDEO_TIMEOUT_SECONDS)?,
        },
    })
}

fn source(settings: &Settings) -> Result<Source, PipelineError> {
    let kind = settings.get(&keys::SOURCE_KIND)?;
    let mut splits = settings.get(&keys::SPLITS)?;
    if kind == SourceKind::Videos && !splits.is_empty() {
        let why = "source.kind = \"videos\" has no splits";
        refuse_unused(settings, &[&keys::SPLITS], &keys::SOURCE_KIND, why)?;
        splits.clear();
    }
    Ok(Source { kind, splits })
}

fn pairs(settings: &Settings) -> Result<Pairs, PipelineError> {
    const BOX_KEYS: [&dyn AnyKey; 4] = [
        &keys::WITH_FRAMES,
        &keys::BOX_SCALE,
        &keys::MIN_BOX_PX,
        &keys::MAX_BOX_OUTSIDE,
    ];
    let kind = settings.get(&keys::PAIR_KIND)?;
    let refuse =
        |unused: &[&dyn AnyKey], why| refuse_unused(settings, unused, &keys::PAIR_KIND, why);
    let rule = match kind {
        PairKind::Images => {
            let why = "pairs.kind = \"images\" has no second frame";
            refuse(&[&keys::K], why)?;
            refuse(&BOX_KEYS, "only pairs.kind = \"tracks\" has boxes")?;
            PairRule::Images
        }
        PairKind::Frames => {
            refuse(&BOX_KEYS, "only pairs.kind = \"tracks\" has boxes")?;
            PairRule::Frames {
                k: settings.get(&keys::K)?,
            }
        }
        PairKind::Regions => {
            let expected = keys::PAIR_KIND.expected();
            return Err(settings.refusal(&keys::PAIR_KIND, expected));
        }
        PairKind::Tracks => PairRule::Tracks(TrackRule {
            k: settings.get(&keys::K)?,
            with_frames: settings.get(&keys::WITH_FRAMES)?,
            box_scale: settings.get(&keys::BOX_SCALE)?,
            min_box_px: settings.get(&keys::MIN_BOX_PX)?,
            max_box_outside: settings.get(&keys::MAX_BOX_OUTSIDE)?,
        }),
    };
    let anchors = anchors(settings)?;
    Ok(Pairs { rule, anchors })
}

fn anchors(settings: &Settings) -> Result<Anchors, PipelineError> {
    let per_video = || settings.get(&keys::PER_VIDEO).map(Anchors::PerVideo);
    let stride = || settings.get(&keys::STRIDE).map(Anchors::Stride);
    let places = (
        settings.given(&keys::PER_VIDEO),
        settings.given(&keys::STRIDE),
    );
    match places {
        (_, None) => per_video(),
        (None, Some(_)) => stride(),
        // An override of one replaces what the file says of the other: nothing else can take it away.
        (Some(random), Some(regular)) => match (&random.place, &regular.place) {
            (Place::Override, Place::Line { .. } | Place::File(_)) => per_video(),
            (Place::Line { .. } | Place::File(_), Place::Override) => stride(),
            _ => Err(settings.refusal(
                &keys::STRIDE,
                format!(
                    "it to be left out, since pairs.per_video is given too ({}): use one of the two",
                    random.place
                ),
            )),
        },
    }
}

fn images(settings: &Settings) -> Result<Images, PipelineError> {
    let short_side_px = settings.get(&keys::SHORT_SIDE)?;
    let codec = match settings.get(&keys::CODEC)? {
        CodecName::Jpeg => {
            let why = "images.codec is \"jpeg\"";
            refuse_unused(settings, &[&keys::ZSTD_LEVEL], &keys::CODEC, why)?;
            Codec::Jpeg {
                quality: settings.get(&keys::QUALITY)?,
            }
        }
        CodecName::RgbZstd => {
            let why = "images.codec is \"rgb-zstd\"";
            refuse_unused(settings, &[&keys::QUALITY], &keys::CODEC, why)?;
            Codec::RgbZstd {
                level: settings.get(&keys::ZSTD_LEVEL)?,
            }
        }
    };
    Ok(Images {
        short_side_px,
        codec,
    })
}

/// Refuses a setting that the value of `choice` makes idle: whoever wrote it expects it to act.
///
/// Where the choice is an override and the setting stands in the file, the file was written for
/// another choice: the setting is passed over.
fn refuse_unused(
    settings: &Settings,
    unused: &[&dyn AnyKey],
    choice: &dyn AnyKey,
    why: &str,
) -> Result<(), PipelineError> {
    let chosen_anew = settings
        .given(choice)
        .is_some_and(|given| given.place == Place::Override);
    for key in unused {
        if let Some(given) = settings.given(*key)
            && (given.place == Place::Override || !chosen_anew)
        {
            return Err(settings.refusal(*key, format!("it to be left out, since {why}")));
        }
    }
    Ok(())
}
