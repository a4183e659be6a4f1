//! Retrieval on many threads.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::super::RunError;
use crate::invariance::Features;
use crate::invariance::retrieval::{Retrieval, RetrievalTally};
use crate::parallel::{Cancel, Crew, Ended, Heartbeat, Job, Loss, Planned, Sink, run_ordered};

/// A block of 256 queries among 100,000 images takes seconds.
const PATIENCE: Duration = Duration::from_secs(600);

/// Asks about all queries of `retrieval` on `workers` threads. The answers are the same for any number of them.
///
/// - `features`: those that `retrieval` was made from.
///
/// # Errors
/// [`RunError`] if a thread cannot be started, a block was lost, or `cancel` was set.
pub fn retrieve(
    features: Arc<Features<'static>>,
    retrieval: Arc<Retrieval>,
    workers: usize,
    cancel: &Arc<Cancel>,
) -> Result<RetrievalTally, RunError> {
    let crew = Crew {
        workers,
        window: 2 * workers,
        patience: PATIENCE,
        cancel: Arc::clone(cancel),
    };
    let blocks = 0..retrieval.num_blocks();
    let job = RetrieveJob {
        features,
        retrieval,
    };
    let mut sum = Sum::default();
    let ended = run_ordered(blocks, Arc::new(job), &crew, &mut sum);
    match (ended.map_err(RunError::Thread)?, sum.lost) {
        (_, Some(reason)) => Err(RunError::Measuring {
            what: "retrieval",
            reason,
        }),
        (Ended::Complete, None) => Ok(sum.tally),
        (Ended::Cancelled | Ended::Broken, None) => Err(RunError::Stopped),
    }
}

struct RetrieveJob {
    features: Arc<Features<'static>>,
    retrieval: Arc<Retrieval>,
}

impl Job for RetrieveJob {
    type Item = usize;
    type Piece = usize;
    type Output = Result<RetrievalTally, String>;

    fn plan(&self, block: usize, heartbeat: &Arc<Heartbeat>) -> Planned<usize, Self::Output> {
        Planned::Done(self.work(block, heartbeat))
    }

    fn work(&self, block: usize, _: &Arc<Heartbeat>) -> Self::Output {
        let tally = self.retrieval.ask(&self.features, block);
        tally.map_err(|err| err.to_string())
    }

    fn lost_item(&self, _: usize, loss: Loss) -> Self::Output {
        Err(match loss {
            Loss::Stalled => format!("a block took more than {} s", PATIENCE.as_secs()),
            Loss::Panicked(message) => message,
        })
    }

    fn lost_piece(&self, block: usize, loss: Loss) -> Self::Output {
        self.lost_item(block, loss)
    }
}

/// The answers so far. They come in the order of the blocks, so that sums are rounded the same way for any number of threads.
#[derive(Default)]
struct Sum {
    tally: RetrievalTally,
    lost: Option<String>,
}

impl Sink<Result<RetrievalTally, String>> for Sum {
    fn push(&mut self, answers: Result<RetrievalTally, String>) -> ControlFlow<()> {
        match answers {
            Ok(tally) => {
                self.tally += tally;
                ControlFlow::Continue(())
            }
            Err(reason) => {
                self.lost = Some(reason);
                ControlFlow::Break(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariance::retrieval::RetrievalOptions;
    use crate::types::{Condition, NearView};

    fn retrieval(num_images: usize) -> (Arc<Features<'static>>, Arc<Retrieval>) {
        let values: Vec<f32> = (0..3 * num_images)
            .map(|at| ((at * 7919 + 13) % 1009) as f32 - 504.0)
            .collect();
        let features = Features::new(values, 3).unwrap();
        let targets: Vec<u32> = (0..num_images as u32).map(|image| image % 50).collect();
        let conditions = vec![Condition::Unknown; num_images];
        let options = RetrievalOptions::new(NearView::Itself);
        let retrieval = Retrieval::new(&features, &targets, &conditions, options).unwrap();
        (Arc::new(features), Arc::new(retrieval))
    }

    #[test]
    fn answers_are_the_same_for_any_number_of_workers() {
        let (features, retrieval) = retrieval(1100);
        let alone = retrieval.ask_all(&features).unwrap();
        assert_eq!(alone.num_queries, 1100);
        for workers in [1, 4] {
            let cancel = Arc::new(Cancel::default());
            let (features, retrieval) = (Arc::clone(&features), Arc::clone(&retrieval));
            assert_eq!(
                retrieve(features, retrieval, workers, &cancel).unwrap(),
                alone
            );
        }
    }

    #[test]
    fn a_search_that_is_cancelled_or_has_other_features_gives_no_figure() {
        let ((features, retrieval), (others, _)) = (retrieval(1100), retrieval(1000));
        let cancel = Arc::new(Cancel::default());
        let err = retrieve(others, Arc::clone(&retrieval), 2, &cancel).unwrap_err();
        assert_eq!(
            err.to_string(),
            "retrieval failed: 1000 rows of features for 1100 images"
        );
        cancel.set();
        let err = retrieve(features, retrieval, 2, &cancel).unwrap_err();
        assert!(matches!(err, RunError::Stopped));
    }
}
