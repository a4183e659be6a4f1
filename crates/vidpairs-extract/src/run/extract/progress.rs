//! What a run shows of itself: counts, the rate of every step, what limits it, the time left.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{
    HumanBytes, HumanCount, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle,
};
use vidpairs_run::Verbosity;
use vidpairs_types::{Outcome, Refusal};

use super::journal::Progress;

/// How often a line is printed where there is no terminal.
const LINE_PERIOD: Duration = Duration::from_secs(30);
/// Steps of the bar that one clip is worth: a long video moves it while it is at work.
const PARTS: u64 = 1000;

/// The steps whose time is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Index,
    Decode,
    Propose,
    Track,
    Crop,
    Encode,
    Write,
}

const NUM_STEPS: usize = 7;

const STEPS: [(Step, &str, &str); NUM_STEPS] = [
    (Step::Index, "index", "clips/s"),
    (Step::Decode, "decode", "frames/s"),
    (Step::Propose, "propose", "frames/s"),
    (Step::Track, "track", "updates/s"),
    (Step::Crop, "crop", "images/s"),
    (Step::Encode, "encode", "images/s"),
    (Step::Write, "write", ""),
];

/// Counted by the workers, read by the display.
#[derive(Debug, Default)]
pub(super) struct Counters {
    nanos: [AtomicU64; NUM_STEPS],
    done: [AtomicU64; NUM_STEPS],
    pairs: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    /// Adds the time since `start` to `step`, and `done` of its unit.
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

    /// Seconds spent in `step`, by all workers together.
    fn seconds(&self, step: Step) -> f64 {
        self.nanos[step as usize].load(Ordering::Relaxed) as f64 * 1e-9
    }

    /// The rate of every step while it is at work, one thread.
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

    /// The step that takes most of the time. Writing is one thread's work; it limits when that
    /// thread is never idle.
    ///
    /// `elapsed`, `workers`: of the run.
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
            _ => "limited by nothing that is measured".to_owned(),
        }
    }
}

/// The bars, or the lines where there is no terminal.
pub(super) struct Display {
    verbosity: Verbosity,
    workers: usize,
    start: Instant,
    bars: Option<Bars>,
    next_line: Instant,
    num_entries: u64,
}

struct Bars {
    all: MultiProgress,
    clips: ProgressBar,
    pairs: ProgressBar,
    rates: ProgressBar,
    limit: ProgressBar,
}

impl Display {
    /// A display for a run over `num_entries` clips, of which some are done.
    pub fn new(verbosity: Verbosity, workers: usize, num_entries: u64, num_done: u64) -> Self {
        let start = Instant::now();
        let has_terminal = !ProgressDrawTarget::stderr().is_hidden();
        let bars = (verbosity >= Verbosity::Normal && has_terminal)
            .then(|| Bars::new(num_entries, num_done));
        Self {
            verbosity,
            workers,
            start,
            bars,
            next_line: start + LINE_PERIOD,
            num_entries,
        }
    }

    /// Tells of an input that was set aside, where every one is to be told.
    pub fn refused(&self, refusal: &Refusal) {
        if self.verbosity >= Verbosity::Verbose {
            let outcome = match refusal.outcome {
                Outcome::Refused => "refused",
                Outcome::Skipped => "skipped",
                Outcome::Partial => "partial",
            };
            self.print(&format!("{outcome}: {}: {}", refusal.id, refusal.reason));
        }
    }

    /// Redraws.
    pub fn show(&mut self, progress: &Progress, counters: &Counters) {
        let elapsed = self.start.elapsed();
        let num_refused = progress.num(Outcome::Refused);
        if let Some(bars) = &self.bars {
            let done = progress.entries_done;
            let share = (progress.entry_share * PARTS as f64) as u64;
            bars.clips.set_position(done * PARTS + share);
            let of_all = format!("{done} of {}, {num_refused} refused", self.num_entries);
            bars.clips.set_message(of_all);
            bars.pairs.set_position(progress.pairs);
            bars.rates.set_message(counters.rates());
            bars.limit
                .set_message(counters.limit(elapsed, self.workers));
        } else if self.verbosity >= Verbosity::Normal && Instant::now() >= self.next_line {
            self.next_line = Instant::now() + LINE_PERIOD;
            self.print(&format!(
                "{} of {} clips, {num_refused} refused, {} pairs; {}; {}",
                progress.entries_done,
                self.num_entries,
                progress.pairs,
                counters.rates(),
                counters.limit(elapsed, self.workers)
            ));
        }
    }

    /// Takes the bars away and, unless all is to be quiet, says the rates.
    pub fn end(&mut self, counters: &Counters) {
        if let Some(bars) = self.bars.take() {
            bars.clear();
        }
        if self.verbosity >= Verbosity::Normal {
            let limit = counters.limit(self.start.elapsed(), self.workers);
            let rates = counters.rates();
            if !rates.is_empty() {
                self.print(&format!("{rates}; {limit}"));
            }
        }
    }

    /// To stderr; where nobody reads that any more, the run goes on all the same.
    fn print(&self, line: &str) {
        match &self.bars {
            Some(bars) => drop(bars.all.println(line)),
            None => drop(writeln!(io::stderr(), "{line}")),
        }
    }
}

impl Bars {
    fn new(num_entries: u64, num_done: u64) -> Self {
        let style = |template: &str| {
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
        };
        let all = MultiProgress::new();
        let clips = all.add(ProgressBar::new(num_entries * PARTS));
        clips.set_style(style("videos {wide_bar} {msg}, {eta} left"));
        clips.set_position(num_done * PARTS);
        clips.reset_eta();
        let pairs = all.add(ProgressBar::no_length());
        pairs.set_style(style("pairs  {human_pos}, {per_sec}"));
        let line = || {
            let line = all.add(ProgressBar::no_length());
            line.set_style(style("{wide_msg}"));
            line
        };
        let (rates, limit) = (line(), line());
        Self {
            all,
            clips,
            pairs,
            rates,
            limit,
        }
    }

    fn clear(&self) {
        self.limit.finish_and_clear();
        self.rates.finish_and_clear();
        self.pairs.finish_and_clear();
        self.clips.finish_and_clear();
        let _ = self.all.clear();
    }
}
