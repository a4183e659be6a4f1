//! Tracks the regions of a piece from frame to frame and makes their records.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Instant;

use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{BoxXywh, EncodedRecord, Frame, PairPlan, Stage, with_causes};

use super::super::progress::Step;
use super::super::record::{Parts, record};
use super::super::view::{LostPair, View, Viewer};
use super::lines::{Lines, line, meta};
use super::{MadeRegions, PieceTracks, ProposeSetup, RegionSetup, TrackTally};
use crate::propose::{self, ProposeError};
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
    records: Vec<(u64, EncodedRecord)>,
    lost: Vec<(u64, LostPair)>,
    /// Missing frames, with the ordinal of the anchor that needs them.
    missing: Vec<(u64, u64)>,
    lines: Lines,
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
            records: Vec::new(),
            lost: Vec::new(),
            missing: Vec::new(),
            lines: Lines::default(),
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
                let pair = u64::from(plan.ordinal) * u64::from(self.setup.rule.regions_per_frame);
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
        if positive.is_none() && !following.is_over() {
            let anchor = u64::from(plan.ordinal);
            self.missing.push((anchor, plan.last_frame()));
        }
        let tracklets = following.into_tracklets().into_iter().zip(anchors);
        let first_pair = u64::from(plan.ordinal) * u64::from(self.setup.rule.regions_per_frame);
        for (region, (tracklet, anchor)) in (0..).zip(tracklets) {
            let pair = first_pair + u64::from(region);
            self.tally
                .counts
                .count(tracklet.mistrust.map(|reason| reason.name()));
            let key = positive
                .filter(|_| tracklet.mistrust.is_none())
                .and_then(|positive| {
                    self.make(
                        pair,
                        &tracklet,
                        (&anchor, anchor_frame.as_deref()),
                        positive,
                    )
                });
            self.lines
                .add(pair, line(&self.setup, plan, (region, key), tracklet));
        }
    }

    /// Makes the record of a trusted tracklet and returns its key; notes the loss if a view is missing.
    fn make(
        &mut self,
        pair: u64,
        tracklet: &Tracklet,
        anchor: (&Result<View, LostPair>, Option<&Result<View, LostPair>>),
        positive: &Rc<Frame>,
    ) -> Option<String> {
        match self.views_of(pair, tracklet, anchor, positive) {
            Ok(record) => {
                let key = record.meta.key.clone();
                self.records.push((pair, record));
                Some(key)
            }
            Err(lost) => {
                self.lost.push((pair, lost));
                None
            }
        }
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

    /// Result of the piece.
    ///
    /// - `why`: the reason why a frame could not be decoded, if known.
    pub fn finish(mut self, why: impl Fn(u64) -> Option<LostPair>) -> MadeRegions {
        for (plan, frames) in std::mem::take(&mut self.waiting) {
            self.begin(plan, &frames);
        }
        for live in std::mem::take(&mut self.live) {
            self.end(live, None);
        }
        self.tally.frames_tracked = self.tracked.len() as u64;
        let never_begun = self.plans.iter();
        let never_begun = never_begun.map(|plan| (u64::from(plan.ordinal), plan.anchor));
        self.missing.extend(never_begun);
        let num_regions = u64::from(self.setup.rule.regions_per_frame);
        let missing = self.missing.iter().map(|&(anchor, frame)| {
            let lost = why(frame).unwrap_or_else(|| LostPair::without_frame(frame, None));
            (anchor * num_regions, lost)
        });
        self.lost.extend(missing);
        self.records.sort_by_key(|&(pair, _)| pair);
        self.lost.sort_by_key(|&(pair, _)| pair);
        MadeRegions {
            records: self.records,
            lost: self.lost.into_iter().map(|(_, lost)| lost).collect(),
            tracks: PieceTracks {
                zstd: self.lines.into_zstd(),
                tally: self.tally,
            },
        }
    }
}
