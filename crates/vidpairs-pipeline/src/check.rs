//! From what was given to a pipeline that can be run.

mod invariance;
mod train;

pub(super) use invariance::measure;

use vidpairs_types::{PairKind, SourceKind};

use super::Pipeline;
use super::error::{PipelineError, Place};
use super::keys::{self, AnyKey, CodecName};
use super::settings::Settings;
use super::tables::{Extract, Images, Pairs, Proposals, Regions, Shards, Source, Tracker};
use crate::{Anchors, Codec, PairRule, RegionRule, TrackRule, TrustRules};

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
            "\"images\" or \"frames\" or \"regions\", since source.kind = \"videos\" has no boxes";
        return Err(settings.refusal(&keys::PAIR_KIND, expected.to_owned()));
    }
    Ok(Pipeline {
        seed,
        source,
        regions: regions(settings, pairs.kind())?,
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
        augment: train::augment(settings)?,
        train: train::train(settings)?,
        measure: measure(settings)?,
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
    const NO_BOXES: &str = "only pairs.kind = \"tracks\" and \"regions\" have boxes";
    let kind = settings.get(&keys::PAIR_KIND)?;
    let refuse =
        |unused: &[&dyn AnyKey], why| refuse_unused(settings, unused, &keys::PAIR_KIND, why);
    if kind != PairKind::Regions {
        refuse(&[&keys::REGIONS_PER_FRAME], NO_REGIONS)?;
    }
    let rule = match kind {
        PairKind::Images => {
            let why = "pairs.kind = \"images\" has no second frame";
            refuse(&[&keys::K], why)?;
            refuse(&BOX_KEYS, NO_BOXES)?;
            PairRule::Images
        }
        PairKind::Frames => {
            refuse(&BOX_KEYS, NO_BOXES)?;
            PairRule::Frames {
                k: settings.get(&keys::K)?,
            }
        }
        PairKind::Tracks => PairRule::Tracks(TrackRule {
            k: settings.get(&keys::K)?,
            with_frames: settings.get(&keys::WITH_FRAMES)?,
            box_scale: settings.get(&keys::BOX_SCALE)?,
            min_box_px: settings.get(&keys::MIN_BOX_PX)?,
            max_box_outside: settings.get(&keys::MAX_BOX_OUTSIDE)?,
        }),
        PairKind::Regions => PairRule::Regions(RegionRule {
            k: settings.get(&keys::K)?,
            regions_per_frame: settings.get(&keys::REGIONS_PER_FRAME)?,
            with_frames: settings.get(&keys::WITH_FRAMES)?,
            box_scale: settings.get(&keys::BOX_SCALE)?,
            min_box_px: settings.get(&keys::MIN_BOX_PX)?,
            max_box_outside: settings.get(&keys::MAX_BOX_OUTSIDE)?,
        }),
    };
    let anchors = anchors(settings)?;
    Ok(Pairs { rule, anchors })
}

const NO_REGIONS: &str = "only pairs.kind = \"regions\" follows regions";

fn regions(settings: &Settings, kind: PairKind) -> Result<Option<Regions>, PipelineError> {
    if kind != PairKind::Regions {
        for key in ["proposals", "tracker"].into_iter().flat_map(keys::keys_of) {
            refuse_unused(settings, &[key], &keys::PAIR_KIND, NO_REGIONS)?;
        }
        return Ok(None);
    }
    let name = settings.get(&keys::TRACKER_NAME)?;
    // Without a hint of how things moved, a tracker on its way back would have to jump from one kept frame to the next.
    let is_step_given = settings.given(&keys::FORWARD_BACKWARD_STEP).is_some();
    let forward_backward_step = match is_step_given || name.can_be_nudged() {
        true => settings.get(&keys::FORWARD_BACKWARD_STEP)?,
        false => 1,
    };
    let trust = TrustRules {
        min_confidence: settings.get(&keys::MIN_CONFIDENCE)?,
        min_confidence_mean: settings.get(&keys::MIN_CONFIDENCE_MEAN)?,
        min_confidence_last: settings.get(&keys::MIN_CONFIDENCE_LAST)?,
        max_lost_frames: settings.get(&keys::MAX_LOST_FRAMES)?,
        max_size_ratio: settings.get(&keys::MAX_SIZE_RATIO)?,
        max_aspect_ratio: settings.get(&keys::MAX_ASPECT_RATIO)?,
        max_duplicate_iou: settings.get(&keys::MAX_DUPLICATE_IOU)?,
        min_forward_backward_iou: settings.get(&keys::MIN_FORWARD_BACKWARD_IOU)?,
        forward_backward_step,
    };
    if trust.min_forward_backward_iou == 0.0 {
        let (step, choice) = (
            &keys::FORWARD_BACKWARD_STEP,
            &keys::MIN_FORWARD_BACKWARD_IOU,
        );
        let why = "tracker.min_forward_backward_iou = 0 tracks nothing back";
        refuse_unused(settings, &[step], choice, why)?;
    }
    let proposals = Proposals {
        kind: settings.get(&keys::PROPOSAL_KIND)?,
        min_side_share: settings.get(&keys::MIN_SIDE_SHARE)?,
        max_side_share: settings.get(&keys::MAX_SIDE_SHARE)?,
        max_aspect: settings.get(&keys::MAX_ASPECT)?,
        max_overlap: settings.get(&keys::MAX_OVERLAP)?,
        border_share: settings.get(&keys::BORDER_SHARE)?,
        min_texture: settings.get(&keys::MIN_TEXTURE)?,
    };
    let tracker = Tracker { name, trust };
    Ok(Some(Regions { proposals, tracker }))
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
