//! Pairs whose boxes are known before decoding: images, frames, annotated tracks.

use std::collections::HashMap;

use vidpairs_pipeline::Pipeline;
use vidpairs_types::{EncodedRecord, Frame, KnownBoxes, PairPlan, Role, TrackletMeta};

use super::progress::Counters;
use super::record::{ClipWords, Parts, record};
use super::rounds::Round;
use super::view::{LostPair, View, Viewer};
use crate::decode::{DecodeError, Decoded};
use crate::sample::{CutEnds, ObjectRule, PairRule, TrackRule, is_in_one_shot};

/// Views of the pairs of one piece.
pub(super) struct PlannedPairs<'a> {
    pipeline: &'a Pipeline,
    plans: &'a [PairPlan],
    viewer: Viewer<'a>,
    /// Whole frames, by frame index: the positive of one pair may be the anchor of the next.
    frames: HashMap<u64, Result<View, LostPair>>,
    /// Regions, by pair (place in `plans`) and end.
    regions: HashMap<(usize, Role), Result<View, LostPair>>,
    /// Frames that could not be decoded, with the reason.
    lost: HashMap<u64, LostPair>,
}

impl<'a> PlannedPairs<'a> {
    pub fn new(pipeline: &'a Pipeline, plans: &'a [PairPlan], counters: &'a Counters) -> Self {
        Self {
            pipeline,
            plans,
            viewer: Viewer::new(pipeline, counters),
            frames: HashMap::new(),
            regions: HashMap::new(),
            lost: HashMap::new(),
        }
    }

    /// Notes why `frame` could not be decoded.
    pub fn lose(&mut self, frame: u64, why: &dyn std::error::Error) {
        let lost = LostPair::without_frame(frame, Some(why));
        self.lost.insert(frame, lost);
    }

    /// Makes every view of `frame` that a pair needs.
    pub fn add(&mut self, frame: &Frame) {
        if self.needs_frames() {
            let view = self.viewer.view(frame, None);
            self.frames.insert(frame.index, view);
        }
        for (at, plan) in self.plans.iter().enumerate() {
            match &plan.boxes {
                None => {}
                Some(KnownBoxes::Track([anchor, positive])) => {
                    let ends = [
                        (Role::Anchor, Some(plan.anchor), anchor),
                        (Role::Positive, plan.positive, positive),
                    ];
                    for (role, index, bbox) in ends {
                        if index == Some(frame.index) {
                            let region = bbox.scaled(self.box_scale());
                            let view = self.viewer.view(frame, Some(region));
                            self.regions.insert((at, role), view);
                        }
                    }
                }
                Some(KnownBoxes::Object { bbox, .. }) => {
                    let planes = &frame.planes;
                    let upright = planes.orientation.box_in_upright(*bbox, planes.stored_size);
                    let region = upright.scaled(self.box_scale());
                    let view = self.viewer.padded_view(frame, region);
                    self.regions.insert((at, Role::Anchor), view);
                }
            }
        }
    }

    /// Side of a crop divided by the side of its box.
    fn box_scale(&self) -> f64 {
        match (self.pipeline.pairs.rule, self.pipeline.source.objects) {
            (PairRule::Tracks(TrackRule { box_scale, .. }), _) => box_scale,
            (_, Some(ObjectRule { box_scale, .. })) => box_scale,
            _ => 1.0,
        }
    }

    fn needs_frames(&self) -> bool {
        match self.pipeline.pairs.rule {
            PairRule::Tracks(rule) => rule.with_frames,
            _ => self.pipeline.source.objects.is_none(),
        }
    }

    /// Records of the pairs, in order, the pairs that lack a view, and those that span a cut.
    pub fn into_round(
        self,
        clip: &ClipWords,
        decoded: Result<Decoded, DecodeError>,
        cuts: &[CutEnds],
    ) -> Round {
        let mut round = Round {
            decoded,
            records: Vec::new(),
            lost: Vec::new(),
            over_cuts: Vec::new(),
            tracks: None,
        };
        for (at, plan) in self.plans.iter().enumerate() {
            if !is_in_one_shot(plan.anchor, plan.last_frame(), cuts) {
                round.over_cuts.push(plan.clone());
                continue;
            }
            match self.record(at, plan, clip) {
                Ok(record) => round.records.push((u64::from(plan.ordinal), record)),
                Err(pair) => round.lost.push(pair),
            }
        }
        round
    }

    fn record(
        &self,
        at: usize,
        plan: &PairPlan,
        clip: &ClipWords,
    ) -> Result<EncodedRecord, LostPair> {
        let has_boxes = plan.boxes.is_some();
        let frame_views = self.needs_frames();
        let end = |role, frame| match has_boxes {
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
                .filter(|_| has_boxes && frame_views)
                .map(|frame| self.frame(frame))
                .transpose()
        };
        let parts = Parts {
            pair: u64::from(plan.ordinal),
            label: match &plan.boxes {
                Some(KnownBoxes::Object { label, .. }) => Some(label),
                _ => clip.label.as_deref(),
            },
            anchor,
            positive,
            anchor_frame: stored_frame(Some(plan.anchor))?,
            positive_frame: stored_frame(plan.positive)?,
            tracklet: match plan.boxes {
                Some(KnownBoxes::Track(_)) => Some(TrackletMeta::ground_truth()),
                _ => None,
            },
        };
        Ok(record(self.pipeline, clip, parts))
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
            (None, None) => Err(LostPair::without_frame(frame, None)),
        }
    }
}
