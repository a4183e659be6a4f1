//! What encoding shows while it goes.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use crate::run::Verbosity;

/// How often a line is printed where there is no terminal.
const LINE_PERIOD: Duration = Duration::from_secs(30);

/// The bar, or a line now and then where there is no terminal.
#[derive(Debug)]
pub(super) struct Display {
    bar: ProgressBar,
    verbosity: Verbosity,
    next_line: Instant,
}

impl Display {
    /// Of `num_images` to be encoded.
    pub fn new(num_images: u64, verbosity: Verbosity) -> Self {
        let bar = match verbosity {
            Verbosity::Quiet => ProgressBar::hidden(),
            _ => ProgressBar::new(num_images),
        };
        let style = ProgressStyle::with_template(
            "{wide_bar} image {human_pos} of {human_len}, {per_sec}, {eta} left",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            bar,
            verbosity,
            next_line: Instant::now() + LINE_PERIOD,
        }
    }

    /// Redraws.
    pub fn tick(&self) {
        self.bar.tick();
    }

    /// Moves on by `num_images`.
    pub fn advance(&mut self, num_images: u64) {
        self.bar.inc(num_images);
        if Instant::now() >= self.next_line && !io::stderr().is_terminal() {
            self.next_line = Instant::now() + LINE_PERIOD;
            let done = HumanCount(self.bar.position());
            let all = HumanCount(self.bar.length().unwrap_or_default());
            let left = HumanDuration(self.bar.eta());
            self.say(&format!("image {done} of {all}, {left} left"));
        }
    }

    /// Tells of an image that is left out, where every one is to be told.
    pub fn left_out(&self, path: &Path, reason: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.say(&format!("left out: {reason}: {}", path.display()));
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
