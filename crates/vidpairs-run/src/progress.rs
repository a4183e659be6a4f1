//! Progress of a long step: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{
    HumanBytes, HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget,
    ProgressStyle,
};
use vidpairs_types::{Refusal, printable};

use crate::Verbosity;

/// Time from one line to the next where there is no terminal.
const LINE_PERIOD: Duration = Duration::from_secs(30);
/// Steps of the bar for each thing, so that a long one moves it while it is at work.
const PARTS: u64 = 1000;

/// Unit of a step's progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things of this name, singular: `image`.
    Things(&'static str),
    /// Bytes.
    Bytes,
}

/// The progress of one long step on stderr. The bar is removed when this is dropped.
#[derive(Debug)]
pub struct Progress {
    verbosity: Verbosity,
    unit: Unit,
    total: u64,
    done: u64,
    /// `done` when the step began.
    before: u64,
    start: Instant,
    /// Further figures, behind the count.
    note: String,
    bars: Option<Bars>,
    next_line: Instant,
}

#[derive(Debug)]
struct Bars {
    all: MultiProgress,
    main: ProgressBar,
    details: Vec<ProgressBar>,
}

impl Progress {
    /// Of a step over `total` things, `done` of which an earlier run has finished.
    pub fn new(unit: Unit, total: u64, done: u64, verbosity: Verbosity) -> Self {
        let has_terminal = !ProgressDrawTarget::stderr().is_hidden();
        let start = Instant::now();
        let bars = (verbosity >= Verbosity::Normal && has_terminal).then(|| {
            let all = MultiProgress::new();
            let main = all.add(ProgressBar::new(total.saturating_mul(PARTS)));
            main.set_style(style("{wide_bar} {msg}, {eta} left"));
            main.set_position(done * PARTS);
            main.reset_eta();
            Bars {
                all,
                main,
                details: Vec::new(),
            }
        });
        let mut progress = Self {
            verbosity,
            unit,
            total,
            done,
            before: done,
            start,
            note: String::new(),
            bars,
            next_line: start + LINE_PERIOD,
        };
        progress.set(done, 0.0);
        progress
    }

    /// Moves to `done` things, and the share `part`, 0 to 1, of the next one.
    pub fn set(&mut self, done: u64, part: f64) {
        self.done = done;
        let text = self.text();
        if let Some(bars) = &self.bars {
            let part = (part * PARTS as f64) as u64;
            bars.main.set_position(done.saturating_mul(PARTS) + part);
            bars.main.set_message(text);
        } else if self.verbosity >= Verbosity::Normal && Instant::now() >= self.next_line {
            self.next_line = Instant::now() + LINE_PERIOD;
            let left = self
                .left()
                .map(|left| format!(", {} left", HumanDuration(left)));
            self.say(&format!("{text}{}", left.unwrap_or_default()));
        }
    }

    /// Moves on by `num` things.
    pub fn advance(&mut self, num: u64) {
        self.set(self.done + num, 0.0);
    }

    /// Redraws.
    pub fn tick(&self) {
        if let Some(bars) = &self.bars {
            bars.main.tick();
        }
    }

    /// Figures behind the count from now on: `loss 5.2`.
    pub fn set_note(&mut self, note: String) {
        self.note = note;
    }

    /// Lines below the bar. Without a terminal they stand behind the count.
    pub fn set_details(&mut self, lines: &[String]) {
        let Some(bars) = &mut self.bars else {
            self.note = lines.join("; ");
            return;
        };
        while bars.details.len() < lines.len() {
            let line = bars.all.add(ProgressBar::no_length());
            line.set_style(style("{wide_msg}"));
            bars.details.push(line);
        }
        for (bar, line) in bars.details.iter().zip(lines) {
            bar.set_message(printable(line).into_owned());
        }
    }

    /// Whether every single input is reported.
    pub fn is_verbose(&self) -> bool {
        self.verbosity >= Verbosity::Verbose
    }

    /// Prints one line, unless the run is quiet; names of strangers in it are made [`printable`].
    /// If stderr is closed, the run continues all the same.
    pub fn say(&self, line: &str) {
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        let line = printable(line);
        match &self.bars {
            Some(bars) => drop(bars.all.println(line)),
            None => drop(writeln!(io::stderr(), "{line}")),
        }
    }

    /// Prints a warning.
    pub fn warn(&self, text: &str) {
        self.say(&format!("warning: {text}"));
    }

    /// Reports an input that was refused, skipped or used in part, if every one is reported.
    pub fn refused(&self, refusal: &Refusal) {
        if self.is_verbose() {
            let (outcome, id) = (refusal.outcome.name(), &refusal.id);
            self.say(&format!("{outcome}: {id}: {}", refusal.reason));
        }
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        if let Some(bars) = self.bars.take() {
            for bar in bars.details.iter().rev().chain([&bars.main]) {
                bar.finish_and_clear();
            }
            let _ = bars.all.clear();
        }
    }

    /// `12 of 40 images, 3.1/s, loss 5.2`.
    fn text(&self) -> String {
        let (done, total) = (self.done, self.total);
        let count = match self.unit {
            Unit::Things(noun) => {
                let plural = if total == 1 { "" } else { "s" };
                format!(
                    "{} of {} {noun}{plural}",
                    HumanCount(done),
                    HumanCount(total)
                )
            }
            Unit::Bytes => format!("{} of {}", HumanBytes(done), HumanBytes(total)),
        };
        let rate = self.rate().map(|rate| match self.unit {
            Unit::Things(_) if rate < 10.0 => format!(", {rate:.1}/s"),
            Unit::Things(_) => format!(", {}/s", HumanCount(rate as u64)),
            Unit::Bytes => format!(", {}/s", HumanBytes(rate as u64)),
        });
        let comma = if self.note.is_empty() { "" } else { ", " };
        format!("{count}{}{comma}{}", rate.unwrap_or_default(), self.note)
    }

    /// Things a second in this run.
    fn rate(&self) -> Option<f64> {
        let seconds = self.start.elapsed().as_secs_f64();
        let done = self.done.saturating_sub(self.before);
        (done > 0 && seconds > 0.5).then(|| done as f64 / seconds)
    }

    fn left(&self) -> Option<Duration> {
        let left = self.total.saturating_sub(self.done) as f64;
        Duration::try_from_secs_f64(left / self.rate()?).ok()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("templates are constants of this file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_names_its_unit_and_carries_the_note() {
        let mut progress = Progress::new(Unit::Things("image"), 1200, 3, Verbosity::Quiet);
        progress.set_note("loss 5.2".to_owned());
        assert_eq!(progress.text(), "3 of 1,200 images, loss 5.2");
        let bytes = Progress::new(Unit::Bytes, 2048, 1024, Verbosity::Quiet);
        assert_eq!(bytes.text(), "1.00 KiB of 2.00 KiB");
    }

    #[test]
    fn things_that_an_earlier_run_finished_do_not_count_as_speed() {
        let mut progress = Progress::new(Unit::Things("step"), 100, 50, Verbosity::Quiet);
        progress.start = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
        assert_eq!(progress.rate(), None);
        progress.set(70, 0.0);
        let rate = progress.rate().unwrap();
        assert!((1.9..=2.0).contains(&rate), "{rate}");
        let left = progress.left().unwrap().as_secs_f64();
        assert!((14.9..=15.9).contains(&left), "{left}");
    }
}
