//! Work of one worker: turns a clip, or a piece of one, into encoded records.

use std::error::Error;
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::Arc;
use std::time::{Duration, Instant};

use vidpairs_pipeline::Pipeline;
use vidpairs_run::{RunError, loss_reason};
use vidpairs_types::parallel::{Heartbeat, Loss, PieceJob, Planned};
use vidpairs_types::{Clip, Frame, Outcome, Seed, Stage, with_causes};

use super::fetch::{LocalClip, NotFetched, Queue};
use super::piece::{Made, Output, Piece, PieceRecords, PlannedClip, frames_of, whole};
use super::planned::PlannedPairs;
use super::progress::{Counters, Step};
use super::regions::{ProposeSetup, RegionPairs, RegionSetup, follow_rules};
use super::rounds::watch_over;
use super::watch::Watch;
use crate::decode::{self, DecodeError, Decoded};
use crate::engine::Opencv;
use crate::run::allowance;
use crate::run::entries::Entry;
use crate::run::faults::Faults;
use crate::sample::PairRule;
use crate::track::{self, TrackFrame};

/// An entry of the source, and the pieces of it that an earlier run has written.
#[derive(Clone)]
pub(super) struct Item {
    pub ordinal: u64,
    pub entry: Arc<Entry>,
    /// Number of written pieces at its start.
    pub skip_pieces: u32,
}

/// See [`PieceJob`].
pub(super) struct ExtractJob {
    pub pipeline: Pipeline,
    pub counters: Arc<Counters>,
    pub patience: Duration,
    pub opencv: Opencv,
    pub faults: Faults,
    /// Where clips come from that are in a store.
    pub queue: Option<Arc<Queue>>,
}

impl PieceJob for ExtractJob {
    type Item = Item;
    type Piece = Piece;
    type Output = Output;

    fn plan(&self, item: Item, heartbeat: &Arc<Heartbeat>) -> Planned<Piece, Output> {
        let Entry::Clip { clip, pinned } = &*item.entry else {
            return Planned::Done(whole(item.ordinal, Made::Listed));
        };
        let local = match self.local(item.ordinal, clip, heartbeat) {
            Ok(local) => local,
            Err(made) => return Planned::Done(whole(item.ordinal, made)),
        };
        if let Some(reason) = pinned
            .as_ref()
            .filter(|_| local.room.is_none())
            .and_then(|pinned| pinned.change_of(clip))
        {
            let made = Made::SetAside {
                outcome: Outcome::Refused,
                stage: Stage::Source,
                reason,
            };
            return Planned::Done(whole(item.ordinal, made));
        }
        heartbeat.allow(allowance::to_read(&local.clip.media, self.patience));
        let start = Instant::now();
        let files_xxh3 = item.entry.files_xxh3();
        let planned = self.plan_clip(item.ordinal, &local, files_xxh3, heartbeat);
        self.counters.add(Step::Index, start, 1);
        // What was planned without some of its files is no plan of the clip.
        if let Some(fault) = local.room.as_ref().and_then(|room| room.fault()) {
            return Planned::Done(whole(item.ordinal, Made::Fault(Box::new(fault))));
        }
        let (planned, pieces) = match planned {
            Ok(planned) => planned,
            Err(made) => return Planned::Done(whole(item.ordinal, made)),
        };
        if item.skip_pieces >= planned.num_pieces {
            return Planned::Done(whole(item.ordinal, changed(&planned)));
        }
        let planned = Arc::new(planned);
        let mut pieces: Vec<Piece> = pieces
            .into_iter()
            .zip(0..)
            .map(|(pairs, number)| Piece {
                planned: Arc::clone(&planned),
                number,
                pairs,
            })
            .skip(item.skip_pieces as usize)
            .collect();
        match (planned.num_pieces, pieces.pop()) {
            // Done at once: the file is in the cache of this thread.
            (1, Some(piece)) => Planned::Done(self.work(piece, heartbeat)),
            (_, last) => {
                pieces.extend(last);
                Planned::Pieces(pieces)
            }
        }
    }

    fn work(&self, piece: Piece, heartbeat: &Arc<Heartbeat>) -> Output {
        let to_use = allowance::to_use(piece.frames().len(), self.patience);
        let to_read = allowance::to_read(&piece.planned.clip.media, self.patience);
        heartbeat.allow(to_read.saturating_add(to_use));
        let made = match (&self.pipeline.pairs.rule, &self.pipeline.regions) {
            (PairRule::Regions(rule), Some(regions)) => {
                let kind = regions.tracker.name;
                let opencv = self.opencv;
                let start = move |frame: &TrackFrame<'_>, target| {
                    track::start(kind, frame, target, opencv.map(|opencv| opencv as _))
                };
                let setup = RegionSetup {
                    pipeline: &self.pipeline,
                    rule: *rule,
                    follow: &follow_rules(rule, &regions.tracker, &start),
                    tracker: kind.name(),
                    clip: &piece.planned.words,
                    propose: ProposeSetup::new(
                        rule,
                        &regions.proposals,
                        self.seed_of("propose", &piece.planned.clip),
                        self.opencv,
                    ),
                    counters: &self.counters,
                };
                self.follow_regions(&piece, setup, heartbeat)
            }
            _ => self.crop_planned(&piece, heartbeat),
        };
        match made {
            Ok(mut made) => {
                self.counters.add_pairs(made.records.len() as u64);
                piece.complete(&mut made);
                piece.output(Made::Records(Box::new(made)))
            }
            Err(fault) => piece.output(Made::Fault(fault)),
        }
    }

    fn lost_item(&self, item: Item, loss: Loss) -> Output {
        self.give_room_back(item.ordinal);
        let (stage, reason) = self.lost(loss);
        whole(
            item.ordinal,
            Made::SetAside {
                outcome: Outcome::Refused,
                stage,
                reason,
            },
        )
    }

    fn lost_piece(&self, piece: Piece, loss: Loss) -> Output {
        self.give_room_back(piece.planned.words.ordinal);
        let (stage, reason) = self.lost(loss);
        let mut made = piece.lost(stage, &reason);
        piece.complete(&mut made);
        piece.output(Made::Records(Box::new(made)))
    }
}

impl ExtractJob {
    /// A thread that hangs in a decoder keeps the files of its clip. Others must not wait for their room.
    fn give_room_back(&self, ordinal: u64) {
        if let Some(queue) = &self.queue {
            queue.give_back(ordinal);
        }
    }

    /// The clip on this machine: fetched, if it is in a store.
    fn local(
        &self,
        ordinal: u64,
        clip: &Clip,
        heartbeat: &Arc<Heartbeat>,
    ) -> Result<LocalClip, Made> {
        let Some(queue) = &self.queue else {
            return Ok(LocalClip {
                clip: clip.clone(),
                room: None,
            });
        };
        let start = Instant::now();
        let fetched = queue.take(ordinal, heartbeat);
        // It waited for the store and for other clips.
        heartbeat.allow(start.elapsed());
        self.counters.add(Step::Fetch, start, 1);
        fetched.map_err(|err| match err {
            NotFetched::Fault(fault) => Made::Fault(fault),
            // The output of a stopped run is not taken.
            NotFetched::Stopped => Made::Fault(Box::new(RunError::Stopped)),
            NotFetched::Refused(reason) => Made::SetAside {
                outcome: Outcome::Refused,
                stage: Stage::Source,
                reason,
            },
        })
    }

    /// Records of pairs whose boxes are known, or that have none.
    fn crop_planned(
        &self,
        piece: &Piece,
        heartbeat: &Arc<Heartbeat>,
    ) -> Result<PieceRecords, Box<RunError>> {
        self.in_rounds(piece, heartbeat, &mut |plans, known| {
            let mut pairs = PlannedPairs::new(&self.pipeline, plans, &self.counters);
            let mut watch = watch_over(&self.pipeline, plans);
            let spans = watch.spans().to_vec();
            let wanted = frames_of(plans);
            let decoded = self.decode(piece, (&wanted, &spans), heartbeat, &mut |frame| {
                self.look(&mut watch, &frame);
                // Others are only watched.
                if wanted.binary_search(&frame.index).is_ok() {
                    pairs.add(&frame);
                }
            })?;
            for (frame, err) in decoded.iter().flat_map(|decoded| &decoded.lost) {
                pairs.lose(*frame, err);
            }
            known.add(watch);
            Ok(pairs.into_round(&piece.planned.words, decoded, &known.ends()))
        })
    }

    /// Records of regions that were tracked to their positive.
    fn follow_regions(
        &self,
        piece: &Piece,
        setup: RegionSetup<'_>,
        heartbeat: &Arc<Heartbeat>,
    ) -> Result<PieceRecords, Box<RunError>> {
        self.in_rounds(piece, heartbeat, &mut |plans, known| {
            let mut pairs = RegionPairs::new(setup, plans);
            let mut watch = watch_over(&self.pipeline, plans);
            let wanted = frames_of(plans);
            // Every frame of the spans is wanted.
            let decoded = self.decode(piece, (&wanted, &[]), heartbeat, &mut |frame| {
                self.look(&mut watch, &frame);
                pairs.add(frame, heartbeat);
            })?;
            known.add(watch);
            Ok(pairs.into_round(decoded, &known.ends()))
        })
    }

    fn look(&self, watch: &mut Watch, frame: &Frame) {
        if !watch.spans().is_empty() {
            let start = Instant::now();
            watch.see(frame);
            self.counters.add(Step::Cuts, start, 1);
        }
    }

    /// Decodes frames of a piece and hands them to `each`. The time in `each` does not count as decoding.
    ///
    /// - `wanted`, `spans`: see [`decode::decode_watched`].
    ///
    /// # Errors
    /// The fault of the machine behind a frame that cannot be read.
    fn decode(
        &self,
        piece: &Piece,
        (wanted, spans): (&[u64], &[RangeInclusive<u64>]),
        heartbeat: &Arc<Heartbeat>,
        each: &mut dyn FnMut(Frame),
    ) -> Result<Result<Decoded, DecodeError>, Box<RunError>> {
        let planned = &*piece.planned;
        let start = Instant::now();
        let mut in_each = Duration::ZERO;
        let decoded = decode::decode_watched(
            &planned.clip.media,
            &planned.index,
            wanted,
            spans,
            heartbeat,
            &mut |frame| {
                let start = Instant::now();
                each(frame);
                heartbeat.beat();
                in_each += start.elapsed();
                match heartbeat.should_stop() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            },
        );
        let in_decode = start.elapsed() - in_each;
        let num_frames = decoded.as_ref().map_or(0, |decoded| decoded.num_frames);
        self.counters.add_time(Step::Decode, in_decode, num_frames);
        let path = planned.clip.media.path();
        let fault = match &decoded {
            Ok(decoded) => {
                let mut lost = decoded.lost.iter().map(|(_, err)| err);
                lost.find_map(|err| self.faults.behind(err, path))
            }
            Err(err) => self.faults.behind(err, path),
        };
        match fault {
            Some(fault) => Err(Box::new(fault)),
            None => Ok(decoded),
        }
    }

    pub(super) fn seed_of(&self, step: &str, clip: &Clip) -> Seed {
        Seed::of_run(self.pipeline.seed).for_step(step, &clip.id)
    }

    pub(super) fn refused(&self, clip: &Clip, stage: Stage, err: &(dyn Error + 'static)) -> Made {
        match self.faults.behind(err, clip.media.path()) {
            Some(fault) => Made::Fault(Box::new(fault)),
            None => Made::SetAside {
                outcome: Outcome::Refused,
                stage,
                reason: with_causes(err),
            },
        }
    }

    fn lost(&self, loss: Loss) -> (Stage, String) {
        let is_overrun = matches!(loss, Loss::Overran(_));
        let (stage, mut reason) = loss_reason(loss, self.patience);
        match (stage, is_overrun) {
            (Stage::Watchdog, true) => reason.push_str(OVERRUN),
            (Stage::Watchdog, false) => reason.push_str(" (extract.video_timeout_seconds)"),
            _ => {}
        }
        (stage, reason)
    }
}

const OVERRUN: &str = " (time budget: 30 times extract.video_timeout_seconds, 1 s per MiB of the file and a tenth of the timeout per \
                       wanted frame)";

/// Result of a clip that had more pieces when the run was stopped. Its files are the same: another FFmpeg reads them otherwise.
fn changed(planned: &PlannedClip) -> Made {
    let num_frames = planned.index.num_frames();
    Made::SetAside {
        outcome: Outcome::Partial,
        stage: Stage::Decode,
        reason: format!(
            "read otherwise than before the run was stopped, {num_frames} frames now: perhaps by another FFmpeg; the \
             pairs that it gave before are stored"
        ),
    }
}
