//! Blocks of one computation on many threads, put together in their order.

use std::sync::Arc;
use std::time::Duration;

use vidpairs_run::{Progress, RunError, Unit, Verbosity, stopped};
use vidpairs_types::parallel::{Cancel, Crew, Heartbeat, Job, Loss, Sink, run_ordered};

/// A block takes seconds.
const PATIENCE: Duration = Duration::from_secs(600);

/// Who works on blocks.
#[derive(Debug, Clone, Copy)]
pub struct BlockCrew<'a> {
    /// Threads.
    pub workers: usize,
    /// Ends the work without a result.
    pub cancel: &'a Arc<Cancel>,
    /// How much to tell of how far the work is.
    pub verbosity: Verbosity,
}

impl<'a> BlockCrew<'a> {
    /// Of `workers` threads, which show nothing.
    pub fn quiet(workers: usize, cancel: &'a Arc<Cancel>) -> Self {
        Self {
            workers,
            cancel,
            verbosity: Verbosity::Quiet,
        }
    }
}

/// Computes blocks `0..num_blocks` on the threads of `crew`, and gives the results to `take` in their order, so that sums are rounded the
/// same way for any number of threads. `what` is shown while it goes, and names the work should a block be lost.
///
/// # Errors
/// [`RunError`] if a thread cannot be started, a block was lost, or the work was cancelled.
pub(super) fn in_blocks<T: Send + 'static>(
    what: &'static str,
    num_blocks: usize,
    crew: BlockCrew<'_>,
    compute: impl Fn(usize) -> T + Send + Sync + 'static,
    take: impl FnMut(T),
) -> Result<(), RunError> {
    let unit = Unit::Things("block");
    let mut progress = Progress::new(unit, num_blocks as u64, 0, crew.verbosity);
    progress.set_note(what.to_owned());
    let threads = Crew {
        workers: crew.workers,
        window: crew.workers + 1, // a block of a covariance has D x D numbers
        patience: PATIENCE,
        cancel: Arc::clone(crew.cancel),
    };
    let mut blocks = Blocks {
        what,
        take,
        progress,
    };
    run_ordered(
        0..num_blocks,
        Arc::new(BlockJob(compute)),
        &threads,
        &mut blocks,
    )
    .map_err(stopped)
}

struct BlockJob<F>(F);

impl<T: Send + 'static, F: Fn(usize) -> T + Send + Sync + 'static> Job for BlockJob<F> {
    type Item = usize;
    type Output = Result<T, String>;

    fn work(&self, block: usize, _: &Arc<Heartbeat>) -> Self::Output {
        Ok((self.0)(block))
    }

    fn lost(&self, _: usize, loss: Loss) -> Self::Output {
        Err(match loss {
            Loss::Stalled => format!("a block took more than {} s", PATIENCE.as_secs()),
            Loss::Overran(allowed) => format!("a block took more than {} s", allowed.as_secs()),
            Loss::Panicked(message) => message,
        })
    }
}

struct Blocks<F> {
    what: &'static str,
    take: F,
    progress: Progress,
}

impl<T, F: FnMut(T)> Sink<Result<T, String>> for Blocks<F> {
    type Error = RunError;

    fn push(&mut self, block: Result<T, String>) -> Result<(), RunError> {
        let what = self.what;
        let block = block.map_err(|reason| RunError::Lost { what, reason })?;
        (self.take)(block);
        self.progress.advance(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squares(workers: usize, cancel: &Arc<Cancel>) -> Result<Vec<usize>, RunError> {
        let mut all = Vec::new();
        let crew = BlockCrew::quiet(workers, cancel);
        in_blocks("square", 50, crew, |at| at * at, |it| all.push(it)).map(|()| all)
    }

    #[test]
    fn blocks_come_in_their_order_from_any_number_of_workers() {
        let expected: Vec<usize> = (0..50).map(|at| at * at).collect();
        for workers in [1, 4] {
            assert_eq!(squares(workers, &Arc::default()).unwrap(), expected);
        }
    }

    #[test]
    fn a_block_that_panics_is_named_and_a_cancelled_computation_is_no_result() {
        let cancel = Arc::new(Cancel::default());
        let lost = in_blocks(
            "square",
            3,
            BlockCrew::quiet(1, &cancel),
            |_| panic!("no"),
            |_: ()| {},
        );
        let lost = lost.unwrap_err().to_string();
        assert!(
            lost.starts_with("square failed: no (vidpairs-invariance/"),
            "{lost}"
        );
        cancel.set();
        assert!(matches!(squares(2, &cancel), Err(RunError::Stopped)));
    }
}
