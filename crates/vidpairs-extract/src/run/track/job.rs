//! Work of one worker: tracks one sequence with every tracker and scores the results.

use std::sync::Arc;

use vidpairs_run::{RunError, loss_reason};
use vidpairs_types::parallel::{Heartbeat, Job, Loss};
use vidpairs_types::{Outcome, Refusal, SizePx, Stage, with_causes};

use super::PATIENCE;
use super::data::{RETRY, Sequence};
use super::follow::{Followers, Track};
use super::journal::{Done, Scene, TrackerResult};
use super::truth::{NotUsable, Truth};
use crate::decode::{self, DecodeError};
use crate::engine::Opencv;
use crate::ope::{Confidence, Times, got10k, trackingnet};
use crate::run::allowance;
use crate::run::faults::Faults;
use crate::track::TrackerKind;

/// See [`Job`]. An item is the index of a sequence.
pub(super) struct TrackJob {
    pub sequences: Arc<[Sequence]>,
    pub trackers: Vec<TrackerKind>,
    pub opencv: Opencv,
    pub faults: Faults,
}

/// Result of a worker for the writer.
pub(super) struct Output {
    pub done: Done,
    /// Tracks of the trackers in `done.results`, in that order.
    pub tracks: Vec<Track>,
}

impl Job for TrackJob {
    type Item = usize;
    /// An error is a fault of the machine, which stops the run.
    type Output = Result<Output, RunError>;

    fn work(&self, ordinal: usize, heartbeat: &Arc<Heartbeat>) -> Result<Output, RunError> {
        let sequence = &self.sequences[ordinal];
        match self.track(ordinal, sequence, heartbeat) {
            Err(NotUsable::Refused(stage, reason)) => Ok(self.set_aside(ordinal, stage, reason)),
            Err(NotUsable::Fault(fault)) => Err(*fault),
            Ok(output) => Ok(output),
        }
    }

    fn lost(&self, ordinal: usize, loss: Loss) -> Result<Output, RunError> {
        let (stage, reason) = loss_reason(loss, PATIENCE);
        Ok(self.set_aside(ordinal, stage, reason))
    }
}

impl TrackJob {
    fn track(
        &self,
        ordinal: usize,
        sequence: &Sequence,
        heartbeat: &Arc<Heartbeat>,
    ) -> Result<Output, NotUsable> {
        let media = sequence.media();
        let undecodable =
            |err: DecodeError| NotUsable::of(Stage::Decode, &err, media.path(), &self.faults);
        let to_read = allowance::to_read(media, PATIENCE);
        heartbeat.allow(to_read);
        let index = decode::index(media, heartbeat).map_err(undecodable)?;
        let mut truth = Truth::read(sequence, index.num_frames(), &self.faults)?;
        let (first, end) = (
            truth.first_frame,
            truth.first_frame + truth.boxes.len() as u64,
        );
        let wanted: Vec<u64> = match index.present() {
            Some(present) => present
                .iter()
                .copied()
                .filter(|frame| (first..end).contains(frame))
                .collect(),
            None => (first..end).collect(),
        };
        heartbeat.allow(to_read.saturating_add(allowance::to_use(wanted.len(), PATIENCE)));
        let mut followers = Followers::new(&self.trackers, self.opencv, first, truth.start);
        let decoded = decode::decode_wanted(media, &index, &wanted, heartbeat, &mut |frame| {
            let flow = followers.see(frame.index, &frame.planes);
            heartbeat.beat();
            flow
        });
        let lost = decoded.map_err(undecodable)?.lost;
        let fault = lost
            .first()
            .and_then(|(_, err)| self.faults.behind(err, media.path()));
        if let Some(fault) = fault {
            return Err(NotUsable::Fault(Box::new(fault)));
        }
        let why = lost
            .first()
            .map(|(_, err)| format!(": {}", with_causes(err)));
        let why = why.unwrap_or_default();
        if !followers.are_started() {
            let reason = format!("frame {first}, the first, cannot be decoded{why}");
            return Err(NotUsable::Refused(Stage::Decode, reason));
        }
        followers.pass_over_until(end);
        let num_missing = followers.num_passed_over();
        if num_missing > 0 {
            truth.remarks.push(format!(
                "{num_missing} of {} frames cannot be decoded; the box before is taken there{why}",
                end - first
            ));
        }
        truth.remarks.extend(index.remark().map(str::to_owned));
        Ok(judged(
            ordinal,
            sequence,
            &truth,
            index.frame_size(),
            followers,
        ))
    }

    fn set_aside(&self, ordinal: usize, stage: Stage, reason: String) -> Output {
        let sequence = &self.sequences[ordinal];
        let id = sequence.full_id();
        let refusal = refusal(sequence, id, Outcome::Refused, stage, reason);
        Output {
            done: Done {
                ordinal,
                scene: None,
                results: Vec::new(),
                refused: vec![refusal],
            },
            tracks: Vec::new(),
        }
    }
}

/// Scores the results of the trackers.
fn judged(
    ordinal: usize,
    sequence: &Sequence,
    truth: &Truth,
    size: SizePx,
    followers: Followers,
) -> Output {
    let (mut results, mut tracks, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (tracker, said) in followers.finish() {
        match said {
            Ok(track) => {
                results.push(result(tracker, &track, truth, size));
                tracks.push(track);
            }
            Err((frame, err)) => {
                let id = format!("{} ({})", sequence.full_id(), tracker.name());
                let reason = format!("frame {frame} of the sequence: {}", with_causes(&err));
                refused.push(refusal(
                    sequence,
                    id,
                    Outcome::Refused,
                    Stage::Track,
                    reason,
                ));
            }
        }
    }
    if !truth.remarks.is_empty() && !results.is_empty() {
        let (id, reason) = (sequence.full_id(), truth.remarks.join("; "));
        refused.push(refusal(
            sequence,
            id,
            Outcome::Partial,
            Stage::Source,
            reason,
        ));
    }
    let scene = Scene {
        first_frame: truth.first_frame,
        frames: truth.boxes.len() as u64,
        frame_size: size,
        label: truth.label.clone(),
    };
    Output {
        done: Done {
            ordinal,
            scene: Some(scene),
            results,
            refused,
        },
        tracks,
    }
}

fn result(tracker: TrackerKind, track: &Track, truth: &Truth, size: SizePx) -> TrackerResult {
    let overlaps = got10k::overlaps(&track.boxes, &truth.boxes, size);
    let curves = trackingnet::curves(&track.boxes, &truth.boxes);
    TrackerResult {
        tracker,
        updates: track.num_updates(),
        lost: track.num_lost(),
        start_seconds: track.seconds.first().copied().unwrap_or_default(),
        overlaps: got10k::Tally::of(&overlaps),
        curves: curves.filter(|_| !truth.is_first_only),
        confidence: Confidence::of(&track.confidence, &overlaps),
        times: Times::of(track.seconds.get(1..).unwrap_or_default()),
    }
}

fn refusal(
    sequence: &Sequence,
    id: String,
    outcome: Outcome,
    stage: Stage,
    reason: String,
) -> Refusal {
    Refusal {
        id,
        path: sequence.media().path().display().to_string(),
        outcome,
        stage,
        reason,
        retry: RETRY.to_owned(),
    }
}
