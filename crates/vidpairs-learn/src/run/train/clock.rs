//! Where the time of a run goes.

use std::time::{Duration, Instant};

/// Where the time goes: steps, waiting for data, and what is neither.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    /// When the last batch was done with.
    idle_since: Instant,
    waited: Duration,
    /// Spent on what is not training: kNN, checkpoints.
    aside: Duration,
    steps: u64,
    /// The same three at the last line of the log.
    at_line: (Instant, Duration, Duration, u64),
}

impl Clock {
    /// Nothing has happened yet.
    pub fn start() -> Self {
        let now = Instant::now();
        Self {
            start: now,
            idle_since: now,
            waited: Duration::ZERO,
            aside: Duration::ZERO,
            steps: 0,
            at_line: (now, Duration::ZERO, Duration::ZERO, 0),
        }
    }

    /// Steps a second and the share of time waited for data, since the last line.
    pub fn since_line(&mut self) -> (f64, f64) {
        let (then, waited, aside, steps) = self.at_line;
        let found = Self::rates(
            then.elapsed().saturating_sub(self.aside - aside),
            self.waited - waited,
            self.steps - steps,
        );
        self.at_line = (Instant::now(), self.waited, self.aside, self.steps);
        found
    }

    /// The same since the start. Waiting for the first batch is part of it.
    pub fn overall(&self) -> (f64, f64) {
        let training = self.start.elapsed().saturating_sub(self.aside);
        Self::rates(training, self.waited, self.steps)
    }

    fn rates(elapsed: Duration, waited: Duration, steps: u64) -> (f64, f64) {
        let seconds = elapsed.as_secs_f64().max(1e-9);
        (steps as f64 / seconds, waited.as_secs_f64() / seconds)
    }

    /// What happened since the last batch was done with is waiting.
    pub fn batch_came(&mut self) {
        self.waited += self.idle_since.elapsed();
    }

    /// The batch is done with.
    pub fn batch_done(&mut self) {
        self.idle_since = Instant::now();
    }

    /// A step was taken.
    pub fn step_taken(&mut self) {
        self.steps += 1;
    }

    /// The time since `start` was not training.
    pub fn was_aside_since(&mut self, start: Instant) {
        self.aside += start.elapsed();
    }
}
