//! Measures the time of training and of waiting for data.

use std::time::{Duration, Instant};

/// Time of a run: training steps, waiting for data, and other work.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    /// End of the last batch.
    idle_since: Instant,
    waited: Duration,
    /// Time of other work: kNN, checkpoints.
    aside: Duration,
    steps: u64,
    /// State at the last line of the log.
    at_line: (Instant, Duration, Duration, u64),
}

impl Clock {
    /// Starts now.
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

    /// Steps per second and the share of time waiting for data, since the last line.
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

    /// A batch arrived: the time since the last batch was waiting.
    pub fn batch_arrived(&mut self) {
        self.waited += self.idle_since.elapsed();
    }

    /// The batch is finished.
    pub fn batch_done(&mut self) {
        self.idle_since = Instant::now();
    }

    /// A step was taken.
    pub fn step_taken(&mut self) {
        self.steps += 1;
    }

    /// Excludes the time since `start` from training.
    pub fn exclude_since(&mut self, start: Instant) {
        self.aside += start.elapsed();
    }
}
