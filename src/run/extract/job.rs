//! The work of one worker: a clip, or a piece of one, from media to encoded records.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::entries::Entry;
use super::pieces;
use super::progress::{Counters, Step};
use super::views::{ClipWords, LostPair, ViewMaker, bytes_per_pair};
use crate::decode::{self, ClipIndex};
use crate::parallel::{Heartbeat, Job, Loss, Planned};
use crate::pipeline::Pipeline;
use crate::run::with_causes;
use crate::sample::{ClipFrames, PairRule, plan_pairs};
use crate::source;
use crate::types::{BoxXywh, Clip, EncodedRecord, Outcome, PairPlan, Seed, Stage};

/// An entry of the source, and how much of it an earlier run has done.
#[derive(Clone)]
pub(super) struct Item {
    pub ordinal: u64,
    pub entry: Arc<Entry>,
    /// Pieces at its beginning that are written already.
    pub skip_pieces: u32,
}

/// A clip that was looked into and is worth decoding.
struct PlannedClip {
    clip: Clip,
    words: ClipWords,
    index: ClipIndex,
    plans: Vec<PairPlan>,
    num_pieces: u32,
    remarks: Vec<String>,
}

/// Consecutive pairs of one clip.
#[derive(Clone)]
pub(super) struct Piece {
    planned: Arc<PlannedClip>,
    number: u32,
    pairs: std::ops::Range<usize>,
}

/// What a worker hands to the writer.
pub(super) struct Output {
    pub ordinal: u64,
    pub piece: u32,
    pub num_pieces: u32,
    pub made: Made,
}

pub(super) enum Made {
    /// The records of a piece.
    Records(PieceRecords),
    /// The clip gives no pair at all.
    SetAside {
        outcome: Outcome,
        stage: Stage,
        reason: String,
    },
    /// Listing set the entry aside already.
    Listed,
}

pub(super) struct PieceRecords {
    pub records: Vec<EncodedRecord>,
    pub lost: Vec<LostPair>,
    pub frames_decoded: u64,
    /// About the clip as a whole, with its last piece only: there the clip is judged, and a resumed
    /// run may make no other.
    pub remarks: Vec<String>,
}

/// See [`Job`].
pub(super) struct ExtractJob {
    pub pipeline: Pipeline,
    pub counters: Arc<Counters>,
    pub patience: Duration,
}

impl Job for ExtractJob {
    type Item = Item;
    type Piece = Piece;
    type Output = Output;

    fn plan(&self, item: Item, heartbeat: &Arc<Heartbeat>) -> Planned<Piece, Output> {
        let Entry::Clip(clip) = &*item.entry else {
            return Planned::Done(whole(item.ordinal, Made::Listed));
        };
        let start = Instant::now();
        let planned = self.plan_clip(item.ordinal, clip, heartbeat);
        self.counters.add(Step::Index, start, 1);
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
            // Not worth another thread: the file is warm in this one.
            (1, Some(piece)) => Planned::Done(self.work(piece, heartbeat)),
            (_, last) => {
                pieces.extend(last);
                Planned::Pieces(pieces)
            }
        }
    }

    fn work(&self, piece: Piece, heartbeat: &Arc<Heartbeat>) -> Output {
        let planned = &*piece.planned;
        let plans = planned.plans.get(piece.pairs.clone()).unwrap_or(&[]);
        let mut wanted: Vec<u64> = plans.iter().flat_map(PairPlan::frames).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut views = ViewMaker::new(&self.pipeline, plans, &self.counters);
        let start = Instant::now();
        let mut in_views = Duration::ZERO;
        let decoded = decode::decode_wanted(
            &planned.clip.media,
            &planned.index,
            &wanted,
            heartbeat,
            &mut |frame| {
                let start = Instant::now();
                views.add(&frame);
                heartbeat.beat();
                in_views += start.elapsed();
                ControlFlow::Continue(())
            },
        );
        let in_decode = start.elapsed() - in_views;
        let frames_decoded = decoded.as_ref().map_or(0, |decoded| decoded.num_frames);
        self.counters
            .add_time(Step::Decode, in_decode, frames_decoded);
        for (frame, err) in decoded.iter().flat_map(|decoded| &decoded.lost) {
            views.lose(*frame, err);
        }
        let (records, mut lost) = views.into_records(&planned.words);
        if let Err(err) = decoded {
            let reason = with_causes(&err);
            lost.iter_mut()
                .for_each(|pair| pair.reason.clone_from(&reason));
        }
        self.counters.add_pairs(records.len() as u64);
        piece.output(records, lost, frames_decoded)
    }

    fn lost_item(&self, item: Item, loss: Loss) -> Output {
        let (stage, reason) = self.words_of(loss);
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
        let (stage, reason) = self.words_of(loss);
        let lost = piece
            .pairs
            .clone()
            .map(|_| LostPair {
                stage,
                reason: reason.clone(),
            })
            .collect();
        piece.output(Vec::new(), lost, 0)
    }
}

impl ExtractJob {
    /// Looks into a clip and plans its pairs; what it becomes instead if there are none.
    fn plan_clip(
        &self,
        ordinal: u64,
        clip: &Clip,
        heartbeat: &Arc<Heartbeat>,
    ) -> Result<(PlannedClip, Vec<std::ops::Range<usize>>), Made> {
        let index =
            decode::index(&clip.media, heartbeat).map_err(|err| refused(Stage::Decode, &err))?;
        let num_frames = index.num_frames();
        let mut known = match self.pipeline.pairs.rule {
            PairRule::Tracks(_) => Known::of_boxes(clip, num_frames)?,
            _ => Known::default(),
        };
        known.remarks.extend(index.remark().map(str::to_owned));
        let frames = ClipFrames {
            num_frames,
            present: index.present(),
            frame_size: index.frame_size(),
            boxes: &known.boxes,
        };
        let seed = Seed::of_run(self.pipeline.seed).for_step("sample", &clip.id);
        let pairs = &self.pipeline.pairs;
        let plans = plan_pairs(&frames, &pairs.rule, pairs.anchors, seed).map_err(|err| {
            // A damaged file may have held what the rule asks for.
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
        })?;
        let bytes = bytes_per_pair(&self.pipeline, index.frame_size());
        let pieces = pieces::cut(&plans, &index, bytes);
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
                num_pieces,
                remarks: known.remarks,
            },
            pieces,
        ))
    }

    fn words_of(&self, loss: Loss) -> (Stage, String) {
        match loss {
            Loss::Stalled => {
                let seconds = self.patience.as_secs();
                let reason = format!(
                    "no progress for {seconds} seconds (extract.video_timeout_seconds); given up"
                );
                (Stage::Watchdog, reason)
            }
            Loss::Panicked(message) => {
                let reason = format!("internal error, please report it with the file: {message}");
                (Stage::Internal, reason)
            }
        }
    }
}

/// What the annotations of a clip say.
#[derive(Default)]
struct Known {
    boxes: Vec<Option<BoxXywh>>,
    label: Option<String>,
    remarks: Vec<String>,
}

impl Known {
    /// The boxes of all frames in which the object is there as a whole.
    fn of_boxes(clip: &Clip, num_frames: u64) -> Result<Self, Made> {
        let found = source::annotations(clip).map_err(|err| refused(Stage::Source, &err))?;
        let is_whole = |found: &source::TrackBox| !found.absent && !found.cut_by_image;
        let whole_box = |found: Option<source::TrackBox>| found.filter(is_whole);
        let num_boxes = found.boxes.len();
        let mut remarks = found.remarks;
        if num_boxes > 1 && (num_boxes as u64) < num_frames {
            remarks.push(format!(
                "{num_boxes} lines of boxes for {num_frames} frames"
            ));
        }
        let boxes = found.boxes.into_iter();
        Ok(Self {
            boxes: boxes
                .map(|found| Some(whole_box(found)?.bbox))
                .take(usize::try_from(num_frames).unwrap_or(usize::MAX))
                .collect(),
            label: found.label,
            remarks,
        })
    }
}

impl Piece {
    fn output(
        &self,
        records: Vec<EncodedRecord>,
        lost: Vec<LostPair>,
        frames_decoded: u64,
    ) -> Output {
        let planned = &*self.planned;
        let is_last = self.number + 1 >= planned.num_pieces;
        let remarks = if is_last {
            planned.remarks.clone()
        } else {
            Vec::new()
        };
        Output {
            ordinal: planned.words.ordinal,
            piece: self.number,
            num_pieces: planned.num_pieces,
            made: Made::Records(PieceRecords {
                records,
                lost,
                frames_decoded,
                remarks,
            }),
        }
    }
}

fn whole(ordinal: u64, made: Made) -> Output {
    Output {
        ordinal,
        piece: 0,
        num_pieces: 1,
        made,
    }
}

/// A clip that had more pieces when the run was stopped.
fn changed(planned: &PlannedClip) -> Made {
    let num_frames = planned.index.num_frames();
    Made::SetAside {
        outcome: Outcome::Partial,
        stage: Stage::Decode,
        reason: format!(
            "changed while the run was stopped, {num_frames} frames now; the pairs that it gave \
             before are stored"
        ),
    }
}

fn refused(stage: Stage, err: &dyn std::error::Error) -> Made {
    Made::SetAside {
        outcome: Outcome::Refused,
        stage,
        reason: with_causes(err),
    }
}
