//! What encoding shows while it goes.

use std::path::Path;

use vidpairs_run::{LiveBar, Verbosity};

/// The bar, or a line now and then where there is no terminal.
#[derive(Debug)]
pub(super) struct Display(LiveBar);

impl Display {
    /// Of `num_images` to be encoded.
    pub fn new(num_images: u64, verbosity: Verbosity) -> Self {
        let rest = "{per_sec}, {eta} left";
        Self(LiveBar::new(num_images, "image", rest, verbosity))
    }

    /// Redraws.
    pub fn tick(&self) {
        self.0.tick();
    }

    /// Moves on by `num_images`.
    pub fn advance(&mut self, num_images: u64) {
        self.0.advance(num_images, "");
    }

    /// Tells of an image that is left out, where every one is to be told.
    pub fn left_out(&self, path: &Path, reason: &str) {
        if self.0.tells_all() {
            self.0
                .say(&format!("left out: {reason}: {}", path.display()));
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish();
    }
}
