//! Plans the pairs of a clip before any of its frames is decoded for them.

use std::ops::Range;
use std::sync::Arc;

use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{BoxXywh, Clip, Outcome, PairPlan, SizePx, Stage};

use super::fetch::LocalClip;
use super::job::ExtractJob;
use super::known::Known;
use super::piece::{Made, PlannedClip};
use super::pieces::{self, Ceiling};
use super::record::ClipWords;
use crate::decode::{self, ClipIndex};
use crate::sample::{ClipFrames, ObjectPlans, ObjectRule, PairRule, plan_objects, plan_pairs};

impl ExtractJob {
    /// Indexes a clip and plans its pairs. The error is the result of a clip without pairs.
    ///
    /// - `files_xxh3`: from before the first byte is read: a file that is written to from now on differs from it.
    pub(super) fn plan_clip(
        &self,
        ordinal: u64,
        LocalClip { clip, room }: &LocalClip,
        files_xxh3: Option<u64>,
        heartbeat: &Arc<Heartbeat>,
    ) -> Result<(PlannedClip, Vec<Range<usize>>), Made> {
        let index = decode::index(&clip.media, heartbeat)
            .map_err(|err| self.refused(clip, Stage::Decode, &err))?;
        let num_frames = index.num_frames();
        let mut known = match self.pipeline.pairs.rule {
            PairRule::Tracks(_) => Known::of_boxes(clip, num_frames, index.present())
                .map_err(|err| self.refused(clip, Stage::Source, &err))?,
            _ => Known::default(),
        };
        known.remarks.extend(index.remark().map(str::to_owned));
        let mut boxes = None;
        let plans = match (self.pipeline.source.objects, index.stored_size()) {
            (Some(rule), Some(stored)) => {
                let planned = self.plan_boxes(clip, stored, &rule)?;
                known.remarks.extend(planned.remark());
                boxes = Some(planned.counts);
                planned.plans
            }
            _ => self.plan_frames(clip, &index, &known)?,
        };
        let ceiling = Ceiling::of(&self.pipeline, index.frame_size());
        let pieces = pieces::cut(&plans, &index, &ceiling);
        let words = ClipWords {
            ordinal,
            id: clip.id.clone(),
            label: clip.label.clone().or(known.label),
        };
        let num_pieces = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
        let clip = clip.clone();
        Ok((
            PlannedClip {
                clip,
                words,
                index,
                plans,
                known_boxes: known.boxes,
                num_pieces,
                remarks: known.remarks,
                boxes,
                files_xxh3,
                _room: room.clone(),
            },
            pieces,
        ))
    }

    /// Plans the pairs of frames of a clip. The error is the result of a clip without pairs.
    fn plan_frames(
        &self,
        clip: &Clip,
        index: &ClipIndex,
        known: &Known,
    ) -> Result<Vec<PairPlan>, Made> {
        let frames = clip_frames(index, &known.boxes);
        let seed = self.seed_of("sample", clip);
        let pairs = &self.pipeline.pairs;
        plan_pairs(&frames, &pairs.rule, pairs.anchors, seed).map_err(|err| {
            // The missing part of a damaged file may have satisfied the rule.
            let (outcome, stage, damage) = match index.remark() {
                Some(remark) => (Outcome::Refused, Stage::Decode, format!("{remark}: ")),
                None => (Outcome::Skipped, Stage::Sample, String::new()),
            };
            let reason = format!("{damage}{err}");
            Made::SetAside {
                outcome,
                stage,
                reason,
            }
        })
    }

    /// Plans an image for each annotated object of a still image. The error is the result of an image without one.
    fn plan_boxes(
        &self,
        clip: &Clip,
        stored: SizePx,
        rule: &ObjectRule,
    ) -> Result<ObjectPlans, Made> {
        let objects = vidpairs_source::objects(clip)
            .map_err(|err| self.refused(clip, Stage::Source, &err))?;
        let planned = plan_objects(&objects, stored, rule)
            .map_err(|err| self.refused(clip, Stage::Source, &err))?;
        match planned.plans.is_empty() {
            false => Ok(planned),
            true => Err(Made::NoBox {
                remark: planned.remark(),
                boxes: planned.counts,
            }),
        }
    }
}

/// Frames and boxes of a clip.
pub(super) fn clip_frames<'a>(
    index: &'a ClipIndex,
    boxes: &'a [Option<BoxXywh>],
) -> ClipFrames<'a> {
    ClipFrames {
        num_frames: index.num_frames(),
        present: index.present(),
        frame_size: index.frame_size(),
        boxes,
    }
}
