//! Blocks of one computation on many threads, put together in their order.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::super::RunError;
use crate::parallel::{Cancel, Crew, Ended, Heartbeat, Job, Loss, Planned, Sink, run_ordered};

/// A block takes seconds.
const PATIENCE: Duration = Duration::from_secs(600);

/// Computes blocks `0..num_blocks` on `workers` threads, and gives the results to `take` in their order, so that sums are rounded the
/// same way for any number of threads. `what` is for the error, should one be lost.
///
/// # Errors
/// [`RunError`] if a thread cannot be started, a block was lost, or `cancel` was set.
pub(super) fn in_blocks<T: Send + 'static>(
    what: &'static str,
    num_blocks: usize,
    (workers, cancel): (usize, &Arc<Cancel>),
    compute: impl Fn(usize) -> T + Send + Sync + 'static,
    take: impl FnMut(T),
) -> Result<(), RunError> {
    let crew = Crew {
        workers,
        window: workers + 1, // a block of a covariance has D x D numbers
        patience: PATIENCE,
        cancel: Arc::clone(cancel),
    };
    let mut taken = Taken { take, lost: None };
    let ended = run_ordered(
        0..num_blocks,
        Arc::new(BlockJob(compute)),
        &crew,
        &mut taken,
    );
    match (ended.map_err(RunError::Thread)?, taken.lost) {
        (_, Some(reason)) => Err(RunError::Measuring { what, reason }),
        (Ended::Complete, None) => Ok(()),
        (Ended::Cancelled | Ended::Broken, None) => Err(RunError::Stopped),
    }
}

struct BlockJob<F>(F);

impl<T: Send + 'static, F: Fn(usize) -> T + Send + Sync + 'static> Job for BlockJob<F> {
    type Item = usize;
    type Piece = usize;
    type Output = Result<T, String>;

    fn plan(&self, block: usize, heartbeat: &Arc<Heartbeat>) -> Planned<usize, Self::Output> {
        Planned::Done(self.work(block, heartbeat))
    }

    fn work(&self, block: usize, _: &Arc<Heartbeat>) -> Self::Output {
        Ok((self.0)(block))
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

struct Taken<F> {
    take: F,
    lost: Option<String>,
}

impl<T, F: FnMut(T)> Sink<Result<T, String>> for Taken<F> {
    fn push(&mut self, block: Result<T, String>) -> ControlFlow<()> {
        match block {
            Ok(block) => {
                (self.take)(block);
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

    fn sum(workers: usize, cancel: &Arc<Cancel>) -> Result<Vec<usize>, RunError> {
        let mut all = Vec::new();
        let squares = in_blocks(
            "squares",
            50,
            (workers, cancel),
            |at| at * at,
            |it| all.push(it),
        );
        squares.map(|()| all)
    }

    #[test]
    fn blocks_come_in_their_order_from_any_number_of_workers() {
        let expected: Vec<usize> = (0..50).map(|at| at * at).collect();
        for workers in [1, 4] {
            assert_eq!(sum(workers, &Arc::default()).unwrap(), expected);
        }
    }

    #[test]
    fn a_block_that_panics_is_named_and_a_cancelled_computation_is_no_result() {
        let none = |_: ()| {};
        let cancel = Arc::new(Cancel::default());
        let lost = in_blocks("squares", 3, (1, &cancel), |_| panic!("no"), none);
        assert_eq!(lost.unwrap_err().to_string(), "squares failed: no");
        cancel.set();
        assert!(matches!(sum(2, &cancel), Err(RunError::Stopped)));
    }
}
