//! Runs asynchronous work for synchronous callers, and stops it when the caller says so.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{MissedTickBehavior, interval};

use crate::error::StoreError;

/// Time between two calls of a [`Watch`].
const TICK: Duration = Duration::from_millis(100);

/// Says whether an operation goes on. A closure `|num_bytes| true` is one.
pub trait Watch {
    /// Called when an operation begins, ten times a second while it runs, and at its end.
    ///
    /// - `num_bytes`: bytes moved since the last call. It may be 0 while a request is on its way or tried again.
    /// - Returns whether to go on. After `false` the operation ends with [`StoreError::Stopped`].
    fn goes_on(&self, num_bytes: u64) -> bool;
}

impl<F: Fn(u64) -> bool> Watch for F {
    fn goes_on(&self, num_bytes: u64) -> bool {
        self(num_bytes)
    }
}

/// Bytes moved since the watch was last told.
#[derive(Debug, Default)]
pub(crate) struct Moved(Cell<u64>);

impl Moved {
    pub(crate) fn add(&self, num_bytes: usize) {
        self.0.set(self.0.get() + num_bytes as u64);
    }
}

/// Two threads that do the network's work for all stores of the process. They are made at the first use and end with the process, which
/// never waits for them.
pub(crate) fn runtime() -> Result<&'static Runtime, StoreError> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let built = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("store")
        .enable_all()
        .build()
        .map_err(|source| StoreError::Local {
            path: "threads of the network".into(),
            source,
        })?;
    Ok(RUNTIME.get_or_init(|| built))
}

/// Runs `work` on the calling thread until it is done or `watch` says stop. What is then unfinished is dropped, and its connections
/// are closed.
pub(crate) fn run<T>(
    watch: &dyn Watch,
    moved: &Moved,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    runtime()?.block_on(async {
        let mut work = std::pin::pin!(work);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = ticks.tick() => {
                    if !watch.goes_on(moved.0.take()) {
                        return Err(StoreError::Stopped);
                    }
                }
                done = &mut work => {
                    watch.goes_on(moved.0.take());
                    return done;
                }
            }
        }
    })
}
