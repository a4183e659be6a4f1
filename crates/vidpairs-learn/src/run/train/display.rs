//! Progress of training on stderr.

use indicatif::HumanCount;
use vidpairs_run::{Progress, Unit, Verbosity, counted};

use super::metrics::{KnnFigures, StepFigures};

/// Progress of training on stderr.
#[derive(Debug)]
pub(super) struct Display(Progress);

impl Display {
    /// Of a run of `total_steps` that begins after `first_step` of them.
    pub fn new(total_steps: u64, first_step: u64, verbosity: Verbosity) -> Self {
        let unit = Unit::Things("step");
        Self(Progress::new(unit, total_steps, first_step, verbosity))
    }

    /// Redraws.
    pub fn tick(&self) {
        self.0.tick();
    }

    /// Moves on to `step`.
    pub fn step(&mut self, step: u64, figures: Option<&StepFigures>) {
        if let Some(figures) = figures {
            self.0.set_note(format!(
                "loss {:.3} (chance {:.3}), {:.0} images/s, {:.0} % waiting for data",
                figures.loss,
                figures.chance,
                figures.images_per_second,
                100.0 * figures.waiting
            ));
        }
        self.0.set(step, 0.0);
    }

    /// Prints the kNN accuracy.
    pub fn knn(&self, figures: &KnnFigures) {
        let left_out = match figures.knn_left_out {
            0 => String::new(),
            images => format!(", {} left out", counted(images, "image")),
        };
        self.0.say(&format!(
            "kNN after {} steps: accuracy {:.1} %, nearest neighbour {:.1} %, chance {:.1} %{left_out}",
            HumanCount(figures.step),
            100.0 * figures.knn,
            100.0 * figures.knn_nearest,
            100.0 * figures.knn_chance
        ));
    }

    /// Prints a line.
    pub fn note(&self, text: &str) {
        self.0.say(text);
    }

    /// Prints a warning.
    pub fn warn(&self, text: &str) {
        self.0.warn(text);
    }

    /// Reports a record that is not used, if every one is reported.
    pub fn set_aside(&self, reason: &str) {
        if self.0.is_verbose() {
            self.0.say(&format!("set aside: {reason}"));
        }
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        self.0.finish();
    }
}
