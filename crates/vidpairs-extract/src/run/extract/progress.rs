//! Progress of an extraction: counts, the rate of every step, the step that limits it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount};
use vidpairs_run::{Control, Progress, Unit, counted};
use vidpairs_types::{Outcome, Refusal};

use super::journal::Extracted;

/// Steps whose time is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Fetch,
    Index,
    Decode,
    Cuts,
    Propose,
    Track,
    Crop,
    Encode,
    Write,
}

const NUM_STEPS: usize = 9;

const STEPS: [(Step, &str, &str); NUM_STEPS] = [
    (Step::Fetch, "fetch", "clips/s"),
    (Step::Index, "index", "clips/s"),
    (Step::Decode, "decode", "frames/s"),
    (Step::Cuts, "cuts", "frames/s"),
    (Step::Propose, "propose", "frames/s"),
    (Step::Track, "track", "updates/s"),
    (Step::Crop, "crop", "images/s"),
    (Step::Encode, "encode", "images/s"),
    (Step::Write, "write", ""),
];

/// Counters that the workers update and the display reads.
#[derive(Debug, Default)]
pub(super) struct Counters {
    nanos: [AtomicU64; NUM_STEPS],
    done: [AtomicU64; NUM_STEPS],
    pairs: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    /// Adds the time since `start` to `step`, and `done` units of work.
    pub fn add(&self, step: Step, start: Instant, done: u64) {
        self.add_time(step, start.elapsed(), done);
    }

    pub fn add_time(&self, step: Step, time: Duration, done: u64) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanos[step as usize].fetch_add(nanos, Ordering::Relaxed);
        self.done[step as usize].fetch_add(done, Ordering::Relaxed);
    }

    pub fn add_pairs(&self, pairs: u64) {
        self.pairs.fetch_add(pairs, Ordering::Relaxed);
    }

    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Time of all workers in `step`, seconds.
    fn seconds(&self, step: Step) -> f64 {
        self.nanos[step as usize].load(Ordering::Relaxed) as f64 * 1e-9
    }

    /// Throughput of every step per thread while it runs.
    pub fn rates(&self) -> String {
        let rate = |&(step, name, unit): &(Step, &str, &str)| {
            let (done, seconds) = (
                self.done[step as usize].load(Ordering::Relaxed),
                self.seconds(step),
            );
            (done > 0 && seconds > 0.0).then(|| {
                let per_second = (done as f64 / seconds).round() as u64;
                match step {
                    Step::Write => format!("{name} {}/s", HumanBytes(per_second)),
                    _ => format!("{name} {} {unit}", HumanCount(per_second)),
                }
            })
        };
        let rates: Vec<String> = STEPS.iter().filter_map(rate).collect();
        rates.join(", ")
    }

    /// The step that takes most of the time. Writing runs on one thread; it is the limit when that thread is never idle.
    ///
    /// - `elapsed`, `workers`: time and number of workers of the run.
    pub fn limit(&self, elapsed: Duration, workers: usize) -> String {
        let elapsed = elapsed.as_secs_f64().max(1e-9);
        let share = |&(step, name, _): &(Step, &'static str, &str)| {
            let threads = if step == Step::Write {
                1.0
            } else {
                workers as f64
            };
            (name, self.seconds(step) / (elapsed * threads))
        };
        let shares = STEPS.iter().map(share);
        let most = shares.max_by(|a, b| a.1.total_cmp(&b.1));
        match most {
            Some((name, share)) if share >= 0.05 => {
                let percent = 100.0 * share.min(1.0);
                format!("limited by {name} ({percent:.0} % of the time)")
            }
            _ => "no step limits the run".to_owned(),
        }
    }
}

/// Progress of an extraction on stderr.
pub(super) struct Display {
    workers: usize,
    start: Instant,
    progress: Progress,
}

impl Display {
    /// A display for a run over `num_entries` clips, `num_done` of which are done.
    pub fn new(control: &Control, num_entries: u64, num_done: u64) -> Self {
        let unit = Unit::Things("clip");
        Self {
            workers: control.workers,
            start: Instant::now(),
            progress: Progress::new(unit, num_entries, num_done, control.verbosity),
        }
    }

    /// Reports an input that was set aside, if every one is reported.
    pub fn refused(&self, refusal: &Refusal) {
        self.progress.refused(refusal);
    }

    /// Redraws.
    pub fn show(&mut self, done: &Extracted, counters: &Counters) {
        let num_refused = done.num(Outcome::Refused);
        let pairs = counted(done.pairs, "pair");
        self.progress
            .set_note(format!("{num_refused} refused, {pairs}"));
        self.progress.set_details(&[
            counters.rates(),
            counters.limit(self.start.elapsed(), self.workers),
        ]);
        self.progress.set(done.entries_done, done.entry_share);
    }

    /// Shows from now on how many of `num_records` records are divided over shards.
    pub fn begin_division(&mut self, num_records: u64, control: &Control) {
        self.progress.finish();
        self.progress = Progress::new(Unit::Things("record"), num_records, 0, control.verbosity);
        self.progress.set_note("divided over the shards".to_owned());
    }

    /// Redraws after `num_records` records are divided.
    pub fn divided(&mut self, num_records: u64) {
        self.progress.set(num_records, 0.0);
    }

    /// Takes the bars away and prints the rates.
    pub fn end(&mut self, counters: &Counters) {
        self.progress.finish();
        let rates = counters.rates();
        if !rates.is_empty() {
            let limit = counters.limit(self.start.elapsed(), self.workers);
            self.progress.say(&format!("{rates}; {limit}"));
        }
    }
}
