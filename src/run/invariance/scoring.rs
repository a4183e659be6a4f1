//! The threads that score blocks of units.

use std::io;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::invariance::{
    Combiner, Features, NUM_UNITS_AT_ONCE, Plan, Score, ScoreError, ScoredUnits, Scratch,
};
use crate::parallel::{Cancel, Crew, Ended, Heartbeat, Job, Loss, Planned, Sink, run_ordered};

/// A block takes milliseconds, seconds where the features lie on a disk.
const PATIENCE: Duration = Duration::from_secs(600);

/// Why features could not be scored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScoringError {
    /// Features and labels do not fit. Stop.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// A thread was lost over some units. A bug of this program: stop.
    #[error("units {} to {} could not be scored: {reason}", .units.start, .units.end - 1)]
    Lost {
        /// Which.
        units: Range<usize>,
        /// What happened to the thread.
        reason: String,
    },
    /// A thread could not be started. Stop.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// Somebody asked to stop.
    #[error("interrupted")]
    Stopped,
}

/// Scores `features` by `plan` on `workers` threads. The result is the same for any number of them, bit for bit.
///
/// Beside the features and the result (`D x C` numbers of 8 bytes for each version) each worker holds the outermost values of 64 units: for few
/// firing images about 1 KiB for each image that fires on either side, 2 KiB for each image at the very most.
///
/// # Errors
/// [`ScoringError`].
pub fn score_features(
    features: &Arc<Features<'static>>,
    plan: &Arc<Plan>,
    workers: usize,
    cancel: &Arc<Cancel>,
) -> Result<Vec<Score>, ScoringError> {
    let num_units = features.num_units();
    let blocks = (0..num_units).step_by(NUM_UNITS_AT_ONCE);
    let blocks = blocks.map(move |first| first..num_units.min(first + NUM_UNITS_AT_ONCE));
    let job = BlockJob {
        features: Arc::clone(features),
        plan: Arc::clone(plan),
        scratches: Mutex::default(),
    };
    let crew = Crew {
        workers,
        window: 2 * workers,
        patience: PATIENCE,
        cancel: Arc::clone(cancel),
    };
    let mut blocks_done = Blocks {
        combiner: Combiner::new(plan, num_units),
        error: None,
    };
    let ended = run_ordered(blocks, Arc::new(job), &crew, &mut blocks_done);
    match (ended.map_err(ScoringError::Thread)?, blocks_done.error) {
        (_, Some(err)) => Err(err),
        (Ended::Complete, None) => Ok(blocks_done.combiner.finish(plan)?),
        (Ended::Cancelled | Ended::Broken, None) => Err(ScoringError::Stopped),
    }
}

struct BlockJob {
    features: Arc<Features<'static>>,
    plan: Arc<Plan>,
    /// One for each thread that is between two blocks.
    scratches: Mutex<Vec<Scratch>>,
}

impl BlockJob {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        self.scratches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job for BlockJob {
    type Item = Range<usize>;
    type Piece = ();
    type Output = Result<ScoredUnits, ScoringError>;

    fn plan(&self, units: Range<usize>, _: &Arc<Heartbeat>) -> Planned<(), Self::Output> {
        let mut scratch = self.idle().pop().unwrap_or_default();
        let scored = self.plan.score_units(&self.features, units, &mut scratch);
        self.idle().push(scratch);
        Planned::Done(scored.map_err(ScoringError::Score))
    }

    fn work(&self, (): (), _: &Arc<Heartbeat>) -> Self::Output {
        Err(lost(0..self.features.num_units(), "a block is one piece"))
    }

    fn lost_item(&self, units: Range<usize>, loss: Loss) -> Self::Output {
        Err(lost(units, &format!("{loss:?}")))
    }

    fn lost_piece(&self, (): (), loss: Loss) -> Self::Output {
        Err(lost(0..self.features.num_units(), &format!("{loss:?}")))
    }
}

fn lost(units: Range<usize>, reason: &str) -> ScoringError {
    ScoringError::Lost {
        units,
        reason: reason.to_owned(),
    }
}

struct Blocks {
    combiner: Combiner,
    error: Option<ScoringError>,
}

impl Sink<Result<ScoredUnits, ScoringError>> for Blocks {
    fn push(&mut self, block: Result<ScoredUnits, ScoringError>) -> ControlFlow<()> {
        let pushed = block.and_then(|block| Ok(self.combiner.push(block)?));
        match pushed {
            Ok(()) => ControlFlow::Continue(()),
            Err(err) => {
                self.error = Some(err);
                ControlFlow::Break(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariance::{Labels, ScoreOptions};

    /// Numbers that look drawn.
    fn drawn(len: usize) -> Vec<f32> {
        let number = |at: u32| {
            let mixed = at.wrapping_mul(0x9e37_79b1);
            let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
            (mixed >> 16) as f32 / 32768.0 - 1.0
        };
        (0..).take(len).map(number).collect()
    }

    fn scored(workers: usize) -> Vec<Score> {
        let features = Features::new(drawn(600 * 200), 200).unwrap();
        let instance: Vec<u32> = (0..600).map(|image| image / 5).collect();
        let class: Vec<u32> = instance.iter().map(|set| set % 12).collect();
        let labels = Labels::new(&instance, &class).unwrap();
        let plan = Plan::new(labels, ScoreOptions::default()).unwrap();
        let cancel = Arc::default();
        score_features(&Arc::new(features), &Arc::new(plan), workers, &cancel).unwrap()
    }

    #[test]
    fn scores_are_the_same_for_one_and_for_five_workers() {
        let one = scored(1);
        assert_eq!(one, scored(5));
        assert_eq!(one.len(), 3);
        assert_eq!(one[0].units.num_units(), 200);
    }

    #[test]
    fn features_of_other_images_than_the_labels_are_refused() {
        let features = Arc::new(Features::new(drawn(12), 3).unwrap());
        let labels = Labels::of_instances(&[1, 1, 2]).unwrap();
        let plan = Arc::new(Plan::new(labels, ScoreOptions::default()).unwrap());
        let err = score_features(&features, &plan, 2, &Arc::default()).unwrap_err();
        assert_eq!(err.to_string(), "features of 4 images, labels of 3");
    }

    #[test]
    fn a_cancelled_run_is_no_result() {
        let cancel = Arc::new(Cancel::default());
        cancel.set();
        let features = Arc::new(Features::new(drawn(12), 3).unwrap());
        let labels = Labels::of_instances(&[1, 1, 2, 2]).unwrap();
        let plan = Arc::new(Plan::new(labels, ScoreOptions::default()).unwrap());
        let err = score_features(&features, &plan, 2, &cancel).unwrap_err();
        assert!(matches!(err, ScoringError::Stopped));
    }
}
