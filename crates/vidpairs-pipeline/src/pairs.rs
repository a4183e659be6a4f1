//! Declares the tables `[pairs]`, `[proposals]` and `[tracker]`.

use serde::Serialize;
use vidpairs_types::{PairKind, SourceKind};

use super::error::PipelineError;
use super::extract::Source;
use super::rule::{Flag, Frames, Number, Optional, Whole, Word};
use super::settings::{KeyPath, Settings};
use super::values::{CutRule, KRange, ProposerKind, TrackerKind};

const NO_REGIONS: &str = "only pairs.kind = \"regions\" follows regions";

/// `[pairs]`: pairs to extract.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pairs {
    /// Kind of pair and its settings.
    #[serde(flatten)]
    pub rule: PairRule,
    /// Positions of anchors in a clip.
    #[serde(flatten)]
    pub anchors: Anchors,
    /// What is done about shot cuts; `None` in kind `images`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuts: Option<CutRule>,
}

/// Holder of the keys of `[pairs]` that all kinds share.
pub(crate) struct PairKeys;

keys! {
    "pairs" PairKeys {
        /// Kind of pair. `images`: single frames. `frames`: a frame and the frame k later. `tracks`: the data set's box in
        /// both frames; not with source `videos`. `regions`: proposed regions of a frame, and the boxes where a tracker
        /// finds them k frames later. Sources of still images have `images` only.
        kind: PairKind = required, Word;
        /// Frames between anchor and positive. With a range, k is drawn for each anchor; all regions of an anchor share it.
        /// Not in kind `images`.
        k: KRange = 60, Frames(Whole(1..=100_000)), "frames";
        /// Pairs per clip, at random positions: images in kind `images`, anchor frames in kind `regions`. Not with
        /// `stride`, nor with sources of still images, each of which is one.
        per_video: u32 = 4, Whole(1..=10_000), "pairs";
        /// Step from anchor to anchor, starting at frame 0. Replaces `per_video`. Not with sources of still images.
        stride: Option<u32> = (|_| Ok(None), "unset"), Optional(Whole(1..=100_000)), "frames";
        /// Shot cuts. `avoid`: no pair and no tracklet spans a cut; a pair that would is drawn anew. `ignore`: cuts are not
        /// looked for. Not in kind `images`.
        cuts: CutRule = "avoid", Word;
    }
}

impl Pairs {
    /// Kind of pair.
    pub fn kind(&self) -> PairKind {
        match self.rule {
            PairRule::Images => PairKind::Images,
            PairRule::Frames { .. } => PairKind::Frames,
            PairRule::Tracks(_) => PairKind::Tracks,
            PairRule::Regions(_) => PairKind::Regions,
        }
    }

    /// Frames between anchor and positive; `None` in kind `images`.
    pub fn k(&self) -> Option<KRange> {
        self.rule.k()
    }

    /// Whether no pair may span a shot cut.
    pub fn avoid_cuts(&self) -> bool {
        self.cuts == Some(CutRule::Avoid)
    }
}

/// Reads `[pairs]`.
///
/// # Errors
/// The first refused setting.
pub(crate) fn pairs(settings: &Settings) -> Result<Pairs, PipelineError> {
    let rule = pair_rule(settings)?;
    let cuts = match rule {
        PairRule::Images => None,
        _ => Some(PairKeys::cuts.get(settings)?),
    };
    Ok(Pairs {
        rule,
        anchors: anchors(settings)?,
        cuts,
    })
}

/// Kind of pair, with the settings of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum PairRule {
    /// Single frames.
    Images,
    /// A frame and the frame k later.
    Frames {
        /// Frames between anchor and positive.
        k: KRange,
    },
    /// The annotated box in both frames.
    Tracks(TrackRule),
    /// Proposed regions, and the boxes where a tracker finds them k frames later.
    Regions(RegionRule),
}

impl PairRule {
    /// Frames between anchor and positive; `None` in kind `images`.
    pub fn k(&self) -> Option<KRange> {
        match self {
            Self::Images => None,
            Self::Frames { k } => Some(*k),
            Self::Tracks(rule) => Some(rule.k),
            Self::Regions(rule) => Some(rule.k),
        }
    }
}

table! {
    /// Settings of kind `tracks`.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "pairs" struct TrackRule {
        /// Frames between anchor and positive.
        k: KRange => |settings| PairKeys::k.get(settings);
        /// Whether to store the two whole frames too.
        with_frames: bool = true, Flag;
        /// Side of the crop divided by the side of the box.
        box_scale: f64 = 1.0, Number(0.5..=4.0), "ratio";
        /// Minimum length of a box's shorter side. Smaller boxes are skipped. A tracked box may be smaller on its way, down
        /// to half of this, but not at the positive.
        min_box_px: u32 = 24, Whole(1..=4096), "px of the frame";
        /// Maximum share of a box's area outside the frame. Above it, the box counts as cut by the border and is skipped.
        /// A tracked box may lie outside by half of its area on its way, but not at the positive.
        max_box_outside: f64 = 0.05, Number(0.0..=1.0), "ratio";
    }
}

table! {
    /// Settings of kind `regions`.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "pairs" struct RegionRule {
        /// Frames between anchor and positive.
        k: KRange => |settings| PairKeys::k.get(settings);
        /// Maximum number of regions that are tracked from one anchor frame.
        regions_per_frame: u32 = 4, Whole(1..=64), "regions";
        /// Whether to store the two whole frames too.
        with_frames: bool => |settings| TrackRule::with_frames.get(settings);
        /// Side of the crop divided by the side of the box.
        box_scale: f64 => |settings| TrackRule::box_scale.get(settings);
        /// Minimum length of a box's shorter side, px of the frame.
        min_box_px: u32 => |settings| TrackRule::min_box_px.get(settings);
        /// Maximum share of a box's area outside the frame, 0 to 1.
        max_box_outside: f64 => |settings| TrackRule::max_box_outside.get(settings);
    }
}

fn pair_rule(settings: &Settings) -> Result<PairRule, PipelineError> {
    let kind = PairKeys::kind.get(settings)?;
    let source = Source::kind.get(settings)?;
    if source.has_stills() && kind != PairKind::Images {
        let expected = format!(
            "\"images\", since source.kind = \"{}\" has still images",
            source.name()
        );
        return Err(settings.refusal(PairKeys::kind.path, expected));
    }
    let refuse = |keys: &[KeyPath], why| settings.refuse_unused(keys, PairKeys::kind.path, why);
    if kind != PairKind::Regions {
        refuse(RegionRule::GROUP.keys, NO_REGIONS)?;
    }
    if matches!(kind, PairKind::Images | PairKind::Frames) {
        let why = "only pairs.kind = \"tracks\" and \"regions\" have boxes";
        refuse(TrackRule::GROUP.keys, why)?;
    }
    Ok(match kind {
        PairKind::Images => {
            let why = "pairs.kind = \"images\" has no second frame";
            refuse(&[PairKeys::k.path, PairKeys::cuts.path], why)?;
            PairRule::Images
        }
        PairKind::Frames => PairRule::Frames {
            k: PairKeys::k.get(settings)?,
        },
        PairKind::Tracks if source == SourceKind::Videos => {
            let expected = "\"images\" or \"frames\" or \"regions\", since source.kind = \"videos\" has no boxes";
            return Err(settings.refusal(PairKeys::kind.path, expected));
        }
        PairKind::Tracks => PairRule::Tracks(TrackRule::from_settings(settings)?),
        PairKind::Regions => PairRule::Regions(RegionRule::from_settings(settings)?),
    })
}

/// Positions of anchors in a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchors {
    /// This many anchors, at random positions.
    PerVideo(u32),
    /// One anchor every this many frames, from frame 0.
    Stride(u32),
}

fn anchors(settings: &Settings) -> Result<Anchors, PipelineError> {
    let source = Source::kind.get(settings)?;
    if source.has_stills() {
        let name = source.name();
        let why = format!("each clip of source.kind = \"{name}\" is one still image");
        let refuse = |key| settings.refuse_unused(&[key], Source::kind.path, &why);
        refuse(PairKeys::per_video.path)?;
        // The resolved form of a pipeline has `stride = 1`: the one frame.
        if PairKeys::stride.get(settings)? != Some(1) {
            refuse(PairKeys::stride.path)?;
        }
        return Ok(Anchors::Stride(1));
    }
    let per_video = settings.given(PairKeys::per_video.path);
    let stride = settings.given(PairKeys::stride.path);
    let is_per_video = match (per_video, stride) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(per_video), Some(stride)) if per_video.is_override() == stride.is_override() => {
            let expected = format!(
                "it to be left out, since pairs.per_video is given too ({}): use one of the two",
                per_video.place
            );
            return Err(settings.refusal(PairKeys::stride.path, expected));
        }
        // An override of one key replaces the other key in the file, which an override cannot remove.
        (Some(per_video), Some(_)) => per_video.is_override(),
    };
    if !is_per_video && let Some(stride) = PairKeys::stride.get(settings)? {
        return Ok(Anchors::Stride(stride));
    }
    PairKeys::per_video.get(settings).map(Anchors::PerVideo)
}

table! {
    /// `[proposals]` and `[tracker]`: proposing and tracking of regions.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "proposals" struct Regions {
        /// Settings of region proposals.
        proposals: Proposals => Proposals::from_settings;
        /// Settings of the tracker.
        tracker: Tracker => tracker;
    }
}

impl Regions {
    /// Whether OpenCV provides the proposer or the tracker.
    pub fn need_opencv(&self) -> bool {
        self.tracker.name.is_opencv() || self.proposals.kind.is_opencv()
    }
}

table! {
    /// `[proposals]`: regions of an anchor frame that are tracked.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "proposals" struct Proposals {
        /// Region proposer. `fast` is vidpairs' own. `selective-search` is OpenCV's and needs `vidpairs-opencv`. `grid`
        /// takes boxes of any place and size, for tests and as a control.
        kind: ProposerKind = "fast", Word;
        /// Minimum length of a region's shortest side, divided by the frame's short side. `pairs.min_box_px` applies too.
        min_side_share: f64 = 0.08, Number(0.0..=1.0), "ratio";
        /// Maximum length of each side of a region, divided by that side of the frame.
        max_side_share: f64 = 0.7, Number(0.0..=1.0), "ratio";
        /// Maximum ratio of a region's longest to its shortest side.
        max_aspect: f64 = 4.0, Number(1.0..=100.0), "ratio";
        /// Maximum overlap of two regions of a frame.
        max_overlap: f64 = 0.3, Number(0.0..=1.0), "IoU";
        /// Minimum distance of a region from the frame's border, divided by the frame's short side.
        border_share: f64 = 0.01, Number(0.0..=0.5), "ratio";
        /// Minimum share of a region's pixels that differ from a neighbouring pixel by 8 levels or more, after the frame is
        /// shrunk to a short side of 160 px.
        min_texture: f64 = 0.12, Number(0.0..=1.0), "ratio";
    }
}

table! {
    /// `[tracker]`: tracker, and the rules for accepting its tracklets.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "tracker" struct Tracker {
        /// Tracker. `dcf` is vidpairs' own. The others are OpenCV's, need `vidpairs-opencv`, and report only a confidence of
        /// 1 (found) or 0 (lost).
        name: TrackerKind = "dcf", Word;
        /// Rules for accepting tracklets.
        #[serde(flatten)]
        trust: TrustRules => TrustRules::from_settings;
    }
}

table! {
    /// Rules for accepting tracklets. Serialized with the keys of `[tracker]`.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "tracker" struct TrustRules {
        /// Minimum confidence in every frame in which the tracker finds the region (`low_confidence`).
        min_confidence: f64 = 0.0, Number(0.0..=1.0), "0 to 1";
        /// Minimum mean confidence. Tracking stops as soon as the mean can no longer reach it (`low_confidence`).
        min_confidence_mean: f64 = 0.7, Number(0.0..=1.0), "0 to 1";
        /// Minimum confidence at the positive (`low_confidence`).
        min_confidence_last: f64 = 0.7, Number(0.0..=1.0), "0 to 1";
        /// Maximum number of consecutive frames in which the region is not found. Tracking stops at the next one. A region
        /// that is not found at the positive is always rejected (`lost`).
        max_lost_frames: u32 = 5, Whole(0..=100_000), "frames";
        /// Maximum ratio between the area of the box in any frame and its area at the anchor, larger over smaller
        /// (`size_change`).
        max_size_ratio: f64 = 4.0, Number(1.0..=100.0), "ratio";
        /// Maximum ratio between the aspect (width / height) of the box in any frame and its aspect at the anchor, larger
        /// over smaller (`aspect_change`).
        max_aspect_ratio: f64 = 2.0, Number(1.0..=100.0), "ratio";
        /// Maximum overlap of the last boxes of two tracklets of one anchor. Above it, the tracklet with the lower
        /// `forward_backward_iou` is rejected; if these are equal, the one with the lower confidence (`duplicate`).
        max_duplicate_iou: f64 = 0.7, Number(0.0..=1.0), "IoU";
        /// Minimum overlap of a tracked box with the box at which tracking back arrives (`forward_backward`). 0 disables
        /// tracking back.
        min_forward_backward_iou: f64 = 0.5, Number(0.0..=1.0), "IoU";
        /// Step between the frames that tracking back uses. It runs in stretches of at most 64 frames. Not with
        /// `min_forward_backward_iou = 0`. OpenCV's trackers cannot be given the motion in between, so their default is 1.
        forward_backward_step: u32 = (forward_backward_step, "`4`; `1` for OpenCV's trackers"), Whole(1..=64), "frames";
    }
}

fn forward_backward_step(settings: &Settings) -> Result<u32, PipelineError> {
    // Without a hint of the motion, a tracker would have to jump from one kept frame to the next on its way back.
    let tracker = Tracker::name.get(settings)?;
    Ok(if tracker.can_be_nudged() { 4 } else { 1 })
}

fn tracker(settings: &Settings) -> Result<Tracker, PipelineError> {
    let tracker = Tracker::from_settings(settings)?;
    if tracker.trust.min_forward_backward_iou == 0.0 {
        let choice = TrustRules::min_forward_backward_iou.path;
        let why = "tracker.min_forward_backward_iou = 0 tracks nothing back";
        settings.refuse_unused(&[TrustRules::forward_backward_step.path], choice, why)?;
    }
    Ok(tracker)
}

/// Reads `[proposals]` and `[tracker]`, which only kind `regions` has.
///
/// # Errors
/// The first refused setting.
pub(crate) fn regions(settings: &Settings) -> Result<Option<Regions>, PipelineError> {
    if PairKeys::kind.get(settings)? == PairKind::Regions {
        return Regions::from_settings(settings).map(Some);
    }
    for group in [Proposals::GROUP, Tracker::GROUP, TrustRules::GROUP] {
        settings.refuse_unused(group.keys, PairKeys::kind.path, NO_REGIONS)?;
    }
    Ok(None)
}
