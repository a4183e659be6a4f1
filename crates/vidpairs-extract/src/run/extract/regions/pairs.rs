//! Tracks the regions of a piece from frame to frame and makes their records.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Instant;

use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{BoxXywh, EncodedRecord, Frame, PairPlan, Stage, with_causes};

use super::super::progress::Step;
use super::super::record::{Parts, record};
use super::super::rounds::Round;
use super::super::view::{LostPair, View, Viewer};
use super::lines::{Lines, line, meta};
use super::{ProposeSetup, RegionSetup, TrackTally, Tracks};
use crate::decode::{DecodeError, Decoded};
use crate::propose::{self, ProposeError};
use crate::sample::{CutEnds, is_in_one_shot};
use crate::track::{Following, TrackFrame, Tracklet};

/// The regions of one piece while they are tracked.
pub(in super::super) struct RegionPairs<'a> {
    setup: RegionSetup<'a>,
    viewer: Viewer<'a>,
    /// Anchors that have not been reached.
    plans: &'a [PairPlan],
    /// Anchors that wait for their neighbour frame, with the frames from the anchor on.
    waiting: Vec<(&'a PairPlan, Vec<Rc<Frame>>)>,
    live: Vec<Live<'a>>,
    /// Frames through which a region was tracked.
    tracked: HashSet<u64>,
    /// The last whole frame that was encoded: a positive may be the anchor of another pair.
    whole_frame: Option<(u64, Rc<Result<View, LostPair>>)>,
    ended: Vec<Ended<'a>>,
    lost: Vec<(u64, LostPair)>,
    /// Missing frames, with the ordinal of the anchor that needs them.
    missing: Vec<(u64, u64)>,
    tally: TrackTally,
}

/// The regions of one anchor.
struct Live<'a> {
    plan: &'a PairPlan,
    following: Following<'a>,
    /// Views of its regions, in their order.
    anchors: Vec<Result<View, LostPair>>,
    anchor_frame: Option<Rc<Result<View, LostPair>>>,
}

/// An anchor whose regions have ended. Whether a cut lies on their way is known later.
struct Ended<'a> {
    plan: &'a PairPlan,
    /// Tracklets in the order of the regions, each with its record if it is trusted.
    tracklets: Vec<(Tracklet, Option<Result<EncodedRecord, LostPair>>)>,
    /// Whether the frame of the positive is missing.
    lacks_positive: bool,
}

impl<'a> RegionPairs<'a> {
    /// Starts with `plans`, which are ordered by anchor.
    pub fn new(setup: RegionSetup<'a>, plans: &'a [PairPlan]) -> Self {
        Self {
            viewer: Viewer::new(setup.pipeline, setup.counters),
            setup,
            plans,
            waiting: Vec::new(),
            live: Vec::new(),
            tracked: HashSet::new(),
            whole_frame: None,
            ended: Vec::new(),
            lost: Vec::new(),
            missing: Vec::new(),
            tally: TrackTally::default(),
        }
    }

    /// Tracks the regions into `frame`, ends those that end there, and starts those that start there.
    pub fn add(&mut self, frame: Frame, heartbeat: &Heartbeat) {
        let frame = Rc::new(frame);
        let view = TrackFrame::new(&frame.planes);
        for mut live in std::mem::take(&mut self.live) {
            self.follow(&mut live, &frame, &view);
            heartbeat.beat();
            self.keep_or_end(live, &frame);
        }
        while let Some((plan, later)) = self.plans.split_first()
            && plan.anchor <= frame.index
        {
            self.plans = later;
            if plan.anchor == frame.index {
                self.waiting.push((plan, Vec::new()));
            } else {
                self.missing.push((u64::from(plan.ordinal), plan.anchor));
            }
        }
        let gap = self.setup.propose.neighbor_gap();
        for (plan, mut frames) in std::mem::take(&mut self.waiting) {
            frames.push(Rc::clone(&frame));
            let neighbor = (plan.anchor + gap).min(plan.last_frame());
            if frame.index < neighbor {
                self.waiting.push((plan, frames));
            } else {
                self.begin(plan, &frames);
                heartbeat.beat();
            }
        }
    }

    fn follow(&mut self, live: &mut Live<'_>, frame: &Rc<Frame>, view: &TrackFrame<'_>) {
        let (start, before) = (Instant::now(), live.following.num_updates());
        live.following.follow(frame, view);
        let num_updates = live.following.num_updates() - before;
        self.setup.counters.add(Step::Track, start, num_updates);
        self.tally.tracker_updates += num_updates;
        if num_updates > 0 {
            self.tracked.insert(frame.index);
        }
    }

    /// Ends `live` if it ends with `frame`, else keeps it.
    fn keep_or_end(&mut self, live: Live<'a>, frame: &Rc<Frame>) {
        if live.following.is_over() || live.plan.last_frame() <= frame.index {
            self.end(live, Some(frame));
        } else {
            self.live.push(live);
        }
    }

    /// Starts the regions of an anchor and tracks them at once through `frames`: the anchor and the frames up to its neighbour.
    fn begin(&mut self, plan: &'a PairPlan, frames: &[Rc<Frame>]) {
        let Some((anchor, later)) = frames.split_first() else {
            return;
        };
        let start = Instant::now();
        let regions = self.propose(anchor, later.last());
        self.setup.counters.add(Step::Propose, start, 1);
        let regions = match regions {
            Ok(regions) => regions,
            Err(err) => {
                let reason = format!("frame {}: {}", anchor.index, with_causes(&err));
                let stage = Stage::Propose;
                let pair = self.first_pair(plan);
                return self.lost.push((pair, LostPair { stage, reason }));
            }
        };
        if regions.is_empty() {
            self.tally.anchors_without_region += 1;
            return;
        }
        let (start, last) = (Instant::now(), plan.last_frame());
        let view = TrackFrame::new(&anchor.planes);
        let following = Following::start(self.setup.follow, (anchor, &view), last, &regions);
        self.setup.counters.add(Step::Track, start, 0);
        let anchors = following
            .boxes()
            .map(|bbox| self.region_view(anchor, bbox))
            .collect();
        let anchor_frame = self.setup.rule.with_frames.then(|| self.whole(anchor));
        let mut live = Live {
            plan,
            following,
            anchors,
            anchor_frame,
        };
        for frame in later {
            self.follow(&mut live, frame, &TrackFrame::new(&frame.planes));
        }
        self.keep_or_end(live, later.last().unwrap_or(anchor));
    }

    /// The regions of an anchor frame.
    fn propose(
        &self,
        anchor: &Frame,
        neighbor: Option<&Rc<Frame>>,
    ) -> Result<Vec<BoxXywh>, ProposeError> {
        let ProposeSetup {
            kind,
            rules,
            seed,
            opencv,
        } = &self.setup.propose;
        let seed = seed.for_step("anchor", &anchor.index.to_string());
        // A frame of another size gives no motion.
        let neighbor = neighbor.filter(|neighbor| neighbor.planes.size() == anchor.planes.size());
        let neighbor = neighbor.map(|neighbor| &neighbor.planes);
        let proposed = propose::propose(
            *kind,
            &anchor.planes,
            neighbor,
            rules,
            seed,
            opencv.map(|opencv| opencv as _),
        )?;
        Ok(proposed.iter().map(|proposal| proposal.bbox).collect())
    }

    /// Ends an anchor: makes the records of its trusted tracklets.
    ///
    /// - `frame`: the current frame, if there is one.
    fn end(&mut self, ended: Live<'a>, frame: Option<&Rc<Frame>>) {
        let Live {
            plan,
            following,
            anchors,
            anchor_frame,
        } = ended;
        let positive = frame.filter(|frame| frame.index == plan.last_frame());
        let lacks_positive = positive.is_none() && !following.is_over();
        let tracklets = following.into_tracklets().into_iter().zip(anchors);
        let mut made = Vec::new();
        for (pair, (tracklet, anchor)) in (self.first_pair(plan)..).zip(tracklets) {
            let anchor = (&anchor, anchor_frame.as_deref());
            let record = positive
                .filter(|_| tracklet.mistrust.is_none())
                .map(|positive| self.views_of(pair, &tracklet, anchor, positive));
            made.push((tracklet, record));
        }
        self.ended.push(Ended {
            plan,
            tracklets: made,
            lacks_positive,
        });
    }

    /// Ordinal of the pair of the first region of an anchor.
    fn first_pair(&self, plan: &PairPlan) -> u64 {
        u64::from(plan.ordinal) * u64::from(self.setup.rule.regions_per_frame)
    }

    fn views_of(
        &mut self,
        pair: u64,
        tracklet: &Tracklet,
        (anchor, anchor_frame): (&Result<View, LostPair>, Option<&Result<View, LostPair>>),
        frame: &Rc<Frame>,
    ) -> Result<EncodedRecord, LostPair> {
        let anchor = anchor.as_ref().map_err(LostPair::clone)?;
        let anchor_frame = anchor_frame.map(Result::as_ref).transpose();
        let anchor_frame = anchor_frame.map_err(LostPair::clone)?;
        let positive_frame = self.setup.rule.with_frames.then(|| self.whole(frame));
        let positive_frame = positive_frame.as_deref().map(Result::as_ref).transpose();
        let positive_frame = positive_frame.map_err(LostPair::clone)?;
        let bbox = tracklet.boxes.last().map(|tracked| tracked.bbox);
        let positive = match bbox {
            Some(bbox) => self.region_view(frame, bbox)?,
            None => return Err(LostPair::without_frame(frame.index, None)),
        };
        let parts = Parts {
            pair,
            label: self.setup.clip.label.as_deref(),
            anchor,
            positive: Some(&positive),
            anchor_frame,
            positive_frame,
            tracklet: Some(meta(self.setup.tracker, tracklet)),
        };
        Ok(record(self.setup.pipeline, self.setup.clip, parts))
    }

    fn region_view(&mut self, frame: &Frame, bbox: BoxXywh) -> Result<View, LostPair> {
        let region = bbox.scaled(self.setup.rule.box_scale);
        self.viewer.view(frame, Some(region))
    }

    /// The whole frame, encoded once for all pairs.
    fn whole(&mut self, frame: &Frame) -> Rc<Result<View, LostPair>> {
        match &self.whole_frame {
            Some((index, view)) if *index == frame.index => Rc::clone(view),
            _ => {
                let view = Rc::new(self.viewer.view(frame, None));
                self.whole_frame = Some((frame.index, Rc::clone(&view)));
                view
            }
        }
    }

    /// Result of the round. A tracklet that reached a cut ends there and is rejected, and its anchor is to be drawn anew.
    ///
    /// - `cuts`: all that are known.
    pub fn into_round(mut self, decoded: Result<Decoded, DecodeError>, cuts: &[CutEnds]) -> Round {
        for (plan, frames) in std::mem::take(&mut self.waiting) {
            self.begin(plan, &frames);
        }
        for live in std::mem::take(&mut self.live) {
            self.end(live, None);
        }
        self.tally.frames_tracked = self.tracked.len() as u64;
        let (mut records, mut over_cuts, mut lines) = (Vec::new(), Vec::new(), Lines::default());
        for ended in std::mem::take(&mut self.ended) {
            let plan = ended.plan;
            let end_of = |tracklet: &Tracklet| {
                let last = tracklet.boxes.last().map_or(plan.anchor, |last| last.frame);
                end_of_shot(plan.anchor, last, cuts)
            };
            let mut tracklets = ended.tracklets.iter();
            let is_over_cut = tracklets.any(|(tracklet, _)| end_of(tracklet).is_some());
            match is_over_cut {
                true => over_cuts.push(plan.clone()),
                false if ended.lacks_positive => {
                    let anchor = u64::from(plan.ordinal);
                    self.missing.push((anchor, plan.last_frame()));
                }
                false => {}
            }
            let tracklets = (0..).zip(ended.tracklets);
            for (region, (mut tracklet, record)) in tracklets {
                let pair = self.first_pair(plan) + u64::from(region);
                if let Some(last) = end_of(&tracklet) {
                    tracklet.end_at_cut(last);
                }
                let key = match record.filter(|_| tracklet.mistrust.is_none()) {
                    Some(Ok(record)) => {
                        let key = record.meta.key.clone();
                        records.push((pair, record));
                        Some(key)
                    }
                    Some(Err(lost)) => {
                        self.lost.push((pair, lost));
                        None
                    }
                    None => None,
                };
                let reason = tracklet.mistrust.map(|reason| reason.name());
                self.tally.counts.count(reason);
                let line = line(&self.setup, plan, (region, key), tracklet);
                lines.add(pair, line);
            }
        }
        let never_begun = self.plans.iter();
        let never_begun = never_begun.map(|plan| (u64::from(plan.ordinal), plan.anchor));
        self.missing.extend(never_begun);
        let why = |wanted: u64| {
            let mut lost = decoded.iter().flat_map(|decoded| &decoded.lost);
            let (frame, err) = lost.find(|(frame, _)| *frame == wanted)?;
            Some(LostPair::without_frame(*frame, Some(err)))
        };
        let num_regions = u64::from(self.setup.rule.regions_per_frame);
        let missing = self.missing.iter().map(|&(anchor, frame)| {
            let lost = why(frame).unwrap_or_else(|| LostPair::without_frame(frame, None));
            (anchor * num_regions, lost)
        });
        self.lost.extend(missing);
        records.sort_by_key(|&(pair, _)| pair);
        self.lost.sort_by_key(|&(pair, _)| pair);
        Round {
            records,
            lost: self.lost.into_iter().map(|(_, lost)| lost).collect(),
            over_cuts,
            tracks: Some(Tracks {
                lines,
                tally: self.tally,
            }),
            decoded,
        }
    }
}

/// The last frame of the shot of `anchor`, if a tracklet from there to frame `last` leaves it.
fn end_of_shot(anchor: u64, last: u64, cuts: &[CutEnds]) -> Option<u64> {
    let on_the_way = cuts
        .iter()
        .filter(|cut| !is_in_one_shot(anchor, last, &[**cut]));
    let ends = on_the_way.map(|&(before, _)| before.max(anchor));
    ends.min()
}
