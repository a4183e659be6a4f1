//! Blocks of one computation on many threads, put together in their order.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use vidpairs_run::{Progress, RunError, Unit, Verbosity, stopped};
use vidpairs_types::parallel::{Cancel, Crew, Heartbeat, Job, Loss, Sink, run_ordered};

/// Blocks compute and wait for nothing that could hang, but a great one may take hours.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Threads that work on blocks.
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
    over_items((what, "block"), 0..num_blocks, crew, compute, take)
}

/// As [`in_blocks`], for items that are made one after another. `items` is asked for the next one when a thread is free.
///
/// - `noun`: what an item is, in the singular.
///
/// # Errors
/// As [`in_blocks`].
pub(super) fn over_items<I: Clone + Send + 'static, T: Send + 'static>(
    (what, noun): (&'static str, &'static str),
    items: impl ExactSizeIterator<Item = I> + Send + 'static,
    crew: BlockCrew<'_>,
    compute: impl Fn(I) -> T + Send + Sync + 'static,
    take: impl FnMut(T),
) -> Result<(), RunError> {
    let mut progress = Progress::new(Unit::Things(noun), items.len() as u64, 0, crew.verbosity);
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
    let job = BlockJob {
        compute,
        item: PhantomData,
    };
    run_ordered(items, Arc::new(job), &threads, &mut blocks).map_err(stopped)
}

struct BlockJob<I, F> {
    compute: F,
    item: PhantomData<fn(I)>,
}

impl<I, T, F> Job for BlockJob<I, F>
where
    I: Clone + Send + 'static,
    T: Send + 'static,
    F: Fn(I) -> T + Send + Sync + 'static,
{
    type Item = I;
    type Output = Result<T, String>;

    fn work(&self, item: I, _: &Arc<Heartbeat>) -> Self::Output {
        Ok((self.compute)(item))
    }

    fn lost(&self, _: I, loss: Loss) -> Self::Output {
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
        in_blocks(
            "square",
            50,
            crew,
            |block| block * block,
            |square| all.push(square),
        )
        .map(|()| all)
    }

    #[test]
    fn blocks_come_in_their_order_from_any_number_of_workers() {
        let expected: Vec<usize> = (0..50).map(|block| block * block).collect();
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
