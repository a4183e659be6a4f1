//! How far a long step is: a bar on a terminal, elsewhere a line now and then.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use crate::Verbosity;

/// How often a line is printed where there is no terminal.
const LINE_PERIOD: Duration = Duration::from_secs(30);

/// A bar on stderr, or a line now and then where that is no terminal. Taken away when it is dropped.
#[derive(Debug)]
pub struct LiveBar {
    bar: ProgressBar,
    verbosity: Verbosity,
    /// What is counted: `step`.
    noun: String,
    next_line: Instant,
}

impl LiveBar {
    /// Of `len` things called `noun`. `rest` is what a terminal shows behind their count: a template of indicatif.
    pub fn new(len: u64, noun: &str, rest: &str, verbosity: Verbosity) -> Self {
        let bar = match verbosity {
            Verbosity::Quiet => ProgressBar::hidden(),
            _ => ProgressBar::new(len),
        };
        let template = format!("{{wide_bar}} {noun} {{human_pos}} of {{human_len}}, {rest}");
        let style = ProgressStyle::with_template(&template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            bar,
            verbosity,
            noun: noun.to_owned(),
            next_line: Instant::now() + LINE_PERIOD,
        }
    }

    /// Begins at `position`, with nothing done by this call.
    pub fn begin_at(&self, position: u64) {
        self.bar.set_position(position);
        self.bar.reset_eta();
    }

    /// Redraws.
    pub fn tick(&self) {
        self.bar.tick();
    }

    /// Moves to `position`. Where there is no terminal a line tells of it now and then, with `text` in it; without `text` it waits for
    /// the next move.
    pub fn move_to(&mut self, position: u64, text: Option<&str>) {
        self.bar.set_position(position);
        let Some(text) = text else {
            return;
        };
        if Instant::now() >= self.next_line && !io::stderr().is_terminal() {
            self.next_line = Instant::now() + LINE_PERIOD;
            let (done, all) = (HumanCount(position), self.bar.length().unwrap_or_default());
            let left = HumanDuration(self.bar.eta());
            let (noun, all) = (&self.noun, HumanCount(all));
            self.say(&format!("{noun} {done} of {all}, {text}{left} left"));
        }
    }

    /// Moves on by `num`.
    pub fn advance(&mut self, num: u64, text: &str) {
        self.move_to(self.bar.position() + num, Some(text));
    }

    /// What `{msg}` of the template stands for from now on.
    pub fn set_message(&self, text: String) {
        self.bar.set_message(text);
    }

    /// Whether every single thing is to be told.
    pub fn tells_all(&self) -> bool {
        self.verbosity >= Verbosity::Verbose
    }

    /// One line on stderr, unless all is to be quiet.
    pub fn say(&self, text: &str) {
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

impl Drop for LiveBar {
    fn drop(&mut self) {
        self.finish();
    }
}
