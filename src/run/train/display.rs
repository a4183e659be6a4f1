//! What a run shows while it goes.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use super::metrics::{KnnFigures, StepFigures};
use crate::run::Verbosity;

/// How often a line is printed where there is no terminal.
const LINE_PERIOD: Duration = Duration::from_secs(30);

/// The bar, or a line now and then where there is no terminal.
#[derive(Debug)]
pub(super) struct Display {
    bar: ProgressBar,
    verbosity: Verbosity,
    next_line: Instant,
    total_steps: u64,
}

impl Display {
    /// Of a run of `total_steps` that begins after `first_step` of them.
    pub fn new(total_steps: u64, first_step: u64, verbosity: Verbosity) -> Self {
        let bar = match verbosity {
            Verbosity::Quiet => ProgressBar::hidden(),
            _ => ProgressBar::new(total_steps),
        };
        let style = ProgressStyle::with_template(
            "{wide_bar} step {human_pos} of {human_len}, {msg}{eta} left",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_position(first_step);
        bar.reset_eta();
        Self {
            bar,
            verbosity,
            next_line: Instant::now() + LINE_PERIOD,
            total_steps,
        }
    }

    /// Redraws.
    pub fn tick(&self) {
        self.bar.tick();
    }

    /// Moves on to `step`.
    pub fn step(&mut self, step: u64, figures: Option<&StepFigures>) {
        self.bar.set_position(step);
        let Some(figures) = figures else {
            return;
        };
        let text = format!(
            "loss {:.3} (chance {:.3}), {:.0} images/s, {:.0} % waiting for data, ",
            figures.loss,
            figures.chance,
            figures.images_per_second,
            100.0 * figures.waiting
        );
        let is_due = Instant::now() >= self.next_line;
        if is_due && !io::stderr().is_terminal() {
            self.next_line = Instant::now() + LINE_PERIOD;
            let left = HumanDuration(self.bar.eta());
            let (step, total) = (HumanCount(step), HumanCount(self.total_steps));
            self.say(&format!("step {step} of {total}, {text}{left} left"));
        }
        self.bar.set_message(text);
    }

    /// Tells what a kNN answered.
    pub fn knn(&self, figures: &KnnFigures) {
        self.say(&format!(
            "kNN after {} steps: {:.1} % right, nearest alone {:.1} %, chance {:.1} %",
            HumanCount(figures.step),
            100.0 * figures.knn,
            100.0 * figures.knn_nearest,
            100.0 * figures.knn_chance
        ));
    }

    /// Says what is unwise or wrong and no reason to stop.
    pub fn warn(&self, text: &str) {
        self.say(&format!("warning: {text}"));
    }

    /// Tells of a record that is not used, where every one is to be told.
    pub fn set_aside(&self, reason: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.say(&format!("set aside: {reason}"));
        }
    }

    /// One line on stderr.
    fn say(&self, text: &str) {
        if self.verbosity != Verbosity::Quiet {
            self.bar.suspend(|| {
                let _ = writeln!(io::stderr(), "{text}");
            });
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
