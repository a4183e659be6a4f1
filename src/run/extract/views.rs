//! From decoded frames to the records of a piece: crop, encode, assemble.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::progress::{Counters, Step};
use crate::codec::{self, Codec};
use crate::crop::{CropError, Cropper};
use crate::pipeline::Pipeline;
use crate::run::with_causes;
use crate::sample::{PairRule, TrackRule};
use crate::types::{
    BoxXywh, EncodedMember, EncodedRecord, Frame, PairPlan, RecordMeta, Role, SCHEMA, Stage,
    TrackletMeta, ViewMeta,
};

/// What the records of one clip have in common.
pub(super) struct ClipWords {
    /// Place of the clip in its source.
    pub ordinal: u64,
    pub id: String,
    pub label: Option<String>,
}

/// A pair that could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LostPair {
    pub stage: Stage,
    pub reason: String,
}

/// A view, encoded and described.
struct View {
    bytes: Arc<[u8]>,
    meta: ViewMeta,
}

/// Views made so far, of the pairs of one piece.
pub(super) struct ViewMaker<'a> {
    pipeline: &'a Pipeline,
    plans: &'a [PairPlan],
    counters: &'a Counters,
    cropper: Cropper,
    /// Whole frames, by frame index: the positive of one pair may be the anchor of the next.
    frames: HashMap<u64, Result<View, LostPair>>,
    /// Regions, by pair (place in `plans`) and end.
    regions: HashMap<(usize, Role), Result<View, LostPair>>,
    /// Frames that decoding gave a reason for not having.
    lost: HashMap<u64, LostPair>,
}

impl<'a> ViewMaker<'a> {
    pub fn new(pipeline: &'a Pipeline, plans: &'a [PairPlan], counters: &'a Counters) -> Self {
        Self {
            pipeline,
            plans,
            counters,
            cropper: Cropper::default(),
            frames: HashMap::new(),
            regions: HashMap::new(),
            lost: HashMap::new(),
        }
    }

    /// Notes why `frame` cannot be had.
    pub fn lose(&mut self, frame: u64, why: &dyn std::error::Error) {
        let reason = format!("frame {frame}: {}", with_causes(why));
        let stage = Stage::Decode;
        self.lost.insert(frame, LostPair { stage, reason });
    }

    /// Makes every view that a pair needs of `frame`.
    pub fn add(&mut self, frame: &Frame) {
        if self.needs_frames() {
            let view = self.view(frame, None);
            self.frames.insert(frame.index, view);
        }
        let PairRule::Tracks(TrackRule { box_scale, .. }) = self.pipeline.pairs.rule else {
            return;
        };
        for (at, plan) in self.plans.iter().enumerate() {
            let Some([anchor, positive]) = plan.boxes else {
                continue;
            };
            let ends = [
                (Role::Anchor, Some(plan.anchor), anchor),
                (Role::Positive, plan.positive, positive),
            ];
            for (role, index, bbox) in ends {
                if index == Some(frame.index) {
                    let view = self.view(frame, Some(bbox.scaled(box_scale)));
                    self.regions.insert((at, role), view);
                }
            }
        }
    }

    fn needs_frames(&self) -> bool {
        match self.pipeline.pairs.rule {
            PairRule::Tracks(rule) => rule.with_frames,
            _ => true,
        }
    }

    fn view(&mut self, frame: &Frame, region: Option<BoxXywh>) -> Result<View, LostPair> {
        let start = Instant::now();
        let lost = |stage, err: &dyn std::error::Error| LostPair {
            stage,
            reason: format!("frame {}: {}", frame.index, with_causes(err)),
        };
        let frame_size = frame.planes.size();
        let inside = match region {
            Some(bbox) => Some(bbox.clipped(frame_size).ok_or_else(|| {
                lost(
                    Stage::Crop,
                    &CropError::Outside {
                        bbox,
                        frame: frame_size,
                    },
                )
            })?),
            None => None,
        };
        let image = self
            .cropper
            .crop(&frame.planes, inside, self.pipeline.images.short_side_px)
            .map_err(|err| lost(Stage::Crop, &err))?;
        self.counters.add(Step::Crop, start, 1);
        let start = Instant::now();
        let bytes = codec::encode(&image, self.pipeline.images.codec)
            .map_err(|err| lost(Stage::Encode, &err))?;
        self.counters.add(Step::Encode, start, 1);
        let meta = ViewMeta {
            frame: frame.index,
            pts_seconds: frame.pts_seconds,
            frame_size,
            box_xywh: inside,
            image_size: image.size,
            crc32: crc32fast::hash(&bytes),
        };
        Ok(View {
            bytes: bytes.into(),
            meta,
        })
    }

    /// The records of the pairs, in their order, and the pairs that lack a view.
    pub fn into_records(self, clip: &ClipWords) -> (Vec<EncodedRecord>, Vec<LostPair>) {
        let (mut records, mut lost) = (Vec::new(), Vec::new());
        for (at, plan) in self.plans.iter().enumerate() {
            match self.record(at, plan, clip) {
                Ok(record) => records.push(record),
                Err(pair) => lost.push(pair),
            }
        }
        (records, lost)
    }

    fn record(
        &self,
        at: usize,
        plan: &PairPlan,
        clip: &ClipWords,
    ) -> Result<EncodedRecord, LostPair> {
        let is_tracked = plan.boxes.is_some();
        let frame_views = self.needs_frames();
        let end = |role, frame| match is_tracked {
            true => self.region(at, role, frame),
            false => self.frame(frame),
        };
        let anchor = end(Role::Anchor, plan.anchor)?;
        let positive = plan
            .positive
            .map(|frame| end(Role::Positive, frame))
            .transpose()?;
        let stored_frame = |frame: Option<u64>| {
            frame
                .filter(|_| is_tracked && frame_views)
                .map(|frame| self.frame(frame))
                .transpose()
        };
        let (anchor_frame, positive_frame) = (
            stored_frame(Some(plan.anchor))?,
            stored_frame(plan.positive)?,
        );
        let views = [
            (Role::Anchor, Some(anchor)),
            (Role::Positive, positive),
            (Role::AnchorFrame, anchor_frame),
            (Role::PositiveFrame, positive_frame),
        ];
        let extension = self.pipeline.images.codec.extension();
        let members = views
            .into_iter()
            .filter_map(|(role, view)| {
                Some(EncodedMember {
                    role,
                    extension,
                    bytes: Arc::clone(&view?.bytes),
                })
            })
            .collect();
        let meta = RecordMeta {
            schema: SCHEMA,
            key: format!("{:08}-{:04}", clip.ordinal, plan.ordinal),
            clip: clip.id.clone(),
            source: self.pipeline.source.kind.name().to_owned(),
            kind: self.pipeline.pairs.kind(),
            label: clip.label.clone(),
            k: plan.positive.map(|positive| positive - plan.anchor),
            anchor: anchor.meta.clone(),
            positive: positive.map(|view| view.meta.clone()),
            anchor_frame: anchor_frame.map(|view| view.meta.clone()),
            positive_frame: positive_frame.map(|view| view.meta.clone()),
            tracklet: is_tracked.then(TrackletMeta::ground_truth),
        };
        Ok(EncodedRecord { meta, members })
    }

    fn frame(&self, frame: u64) -> Result<&View, LostPair> {
        self.view_or_why(self.frames.get(&frame), frame)
    }

    fn region(&self, at: usize, role: Role, frame: u64) -> Result<&View, LostPair> {
        self.view_or_why(self.regions.get(&(at, role)), frame)
    }

    fn view_or_why<'v>(
        &self,
        view: Option<&'v Result<View, LostPair>>,
        frame: u64,
    ) -> Result<&'v View, LostPair> {
        match (view, self.lost.get(&frame)) {
            (Some(Ok(view)), _) => Ok(view),
            (Some(Err(lost)), _) | (None, Some(lost)) => Err(lost.clone()),
            (None, None) => Err(LostPair {
                stage: Stage::Decode,
                reason: format!("frame {frame} could not be decoded, or only with errors"),
            }),
        }
    }
}

/// Encoded bytes that a pair takes, roughly: what a piece may hold is bounded by it.
pub(super) fn bytes_per_pair(pipeline: &Pipeline, frame: crate::types::SizePx) -> u64 {
    let image = frame
        .shrunk_to_short_side(pipeline.images.short_side_px)
        .area();
    let bytes_per_image = match pipeline.images.codec {
        Codec::Jpeg { .. } => image / 2,
        Codec::RgbZstd { .. } => image * 2,
    };
    let num_images = match pipeline.pairs.rule {
        PairRule::Images => 1,
        PairRule::Frames { .. } => 2,
        PairRule::Tracks(TrackRule { with_frames, .. }) => 2 + 2 * u64::from(with_frames),
    };
    (bytes_per_image * num_images).max(1)
}
