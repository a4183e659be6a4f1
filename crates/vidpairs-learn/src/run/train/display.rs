//! What a run shows while it goes.

use indicatif::HumanCount;
use vidpairs_run::{LiveBar, Verbosity};

use super::metrics::{KnnFigures, StepFigures};

/// The bar, or a line now and then where there is no terminal.
#[derive(Debug)]
pub(super) struct Display(LiveBar);

impl Display {
    /// Of a run of `total_steps` that begins after `first_step` of them.
    pub fn new(total_steps: u64, first_step: u64, verbosity: Verbosity) -> Self {
        let bar = LiveBar::new(total_steps, "step", "{msg}{eta} left", verbosity);
        bar.begin_at(first_step);
        Self(bar)
    }

    /// Redraws.
    pub fn tick(&self) {
        self.0.tick();
    }

    /// Moves on to `step`.
    pub fn step(&mut self, step: u64, figures: Option<&StepFigures>) {
        let text = figures.map(|figures| {
            format!(
                "loss {:.3} (chance {:.3}), {:.0} images/s, {:.0} % waiting for data, ",
                figures.loss,
                figures.chance,
                figures.images_per_second,
                100.0 * figures.waiting
            )
        });
        self.0.move_to(step, text.as_deref());
        if let Some(text) = text {
            self.0.set_message(text);
        }
    }

    /// Tells what a kNN answered.
    pub fn knn(&self, figures: &KnnFigures) {
        self.0.say(&format!(
            "kNN after {} steps: {:.1} % right, nearest alone {:.1} %, chance {:.1} %",
            HumanCount(figures.step),
            100.0 * figures.knn,
            100.0 * figures.knn_nearest,
            100.0 * figures.knn_chance
        ));
    }

    /// Says what is unwise or wrong and no reason to stop.
    pub fn warn(&self, text: &str) {
        self.0.say(&format!("warning: {text}"));
    }

    /// Tells of a record that is not used, where every one is to be told.
    pub fn set_aside(&self, reason: &str) {
        if self.0.tells_all() {
            self.0.say(&format!("set aside: {reason}"));
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish();
    }
}
