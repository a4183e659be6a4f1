//! How a command runs: threads, verbosity, and the user's signal to stop.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::HumanCount;
use vidpairs_types::parallel::{Broken, Cancel, Crew, Loss};
use vidpairs_types::{Stage, printable};

use crate::{RunError, Verbosity};

/// Options that every command has.
#[derive(Debug, Clone)]
pub struct Control {
    /// Worker threads, at least 1.
    pub workers: usize,
    /// How much to print on stderr.
    pub verbosity: Verbosity,
    /// Stops the command from outside.
    pub cancel: Arc<Cancel>,
}

impl Control {
    /// `workers` quiet threads that nobody stops.
    pub fn quiet(workers: usize) -> Self {
        Self {
            workers,
            verbosity: Verbosity::Quiet,
            cancel: Arc::default(),
        }
    }

    /// Prints a line on stderr if every input is reported; for steps without a [`Progress`](crate::Progress).
    pub fn report(&self, line: &str) {
        if self.verbosity >= Verbosity::Verbose {
            drop(writeln!(io::stderr(), "{}", printable(line)));
        }
    }

    /// Prints a line on stderr unless only errors are printed: what the user waits for.
    pub fn notice(&self, line: &str) {
        if self.verbosity > Verbosity::Quiet {
            drop(writeln!(io::stderr(), "{}", printable(line)));
        }
    }

    /// Counts what takes long to be found.
    ///
    /// - `what`: what is done with it: `objects listed`.
    pub fn counting(&self, what: &'static str) -> Counting<'_> {
        Counting {
            control: self,
            what,
            num: 0,
            told: Instant::now(),
        }
    }

    /// The threads of a step, with two items in flight for each. An item without progress for `patience` is given up.
    pub fn crew(&self, patience: Duration) -> Crew {
        Crew {
            workers: self.workers,
            window: 2 * self.workers,
            patience,
            cancel: Arc::clone(&self.cancel),
        }
    }
}

/// Counts, and tells the number every half a minute.
#[derive(Debug)]
pub struct Counting<'a> {
    control: &'a Control,
    what: &'static str,
    num: u64,
    told: Instant,
}

impl Counting<'_> {
    const PERIOD: Duration = Duration::from_secs(30);

    /// Counts one more.
    pub fn add(&mut self) {
        self.num += 1;
        if self.told.elapsed() >= Self::PERIOD {
            self.told = Instant::now();
            self.control
                .notice(&format!("{} {}", HumanCount(self.num), self.what));
        }
    }
}

/// Why the work on a folder ended early, as an error that says what is safe.
///
/// - `safe`: the finished work in `out`: `12 pairs`.
pub fn broken(broken: Broken<RunError>, out: &Path, safe: &str) -> RunError {
    match broken {
        Broken::Cancelled => RunError::Interrupted {
            out: out.to_owned(),
            safe: safe.to_owned(),
        },
        broken => stopped(broken).named_if_full(out, safe),
    }
}

/// Why work that writes nothing ended early.
pub fn stopped<E: Into<RunError>>(broken: Broken<E>) -> RunError {
    match broken {
        Broken::Cancelled => RunError::Stopped,
        Broken::Sink(error) => error.into(),
        Broken::Thread(error) => RunError::Thread(error),
        Broken::Hung { num_threads } => RunError::Hung { num_threads },
    }
}

/// The stage and the reason that `refused.jsonl` gives for a lost input.
///
/// - `patience`: time without progress after which an input is given up.
pub fn loss_reason(loss: Loss, patience: Duration) -> (Stage, String) {
    match loss {
        Loss::Stalled => {
            let seconds = patience.as_secs();
            (
                Stage::Watchdog,
                format!("no progress for {seconds} seconds; given up"),
            )
        }
        Loss::Overran(allowed) => {
            let seconds = allowed.as_secs();
            (
                Stage::Watchdog,
                format!("not finished after {seconds} seconds; given up"),
            )
        }
        Loss::Panicked(message) => (
            Stage::Internal,
            format!("internal error, please report it with the file: {message}"),
        ),
    }
}
