//! The steps of an update one by one, so that `benches/track.rs` can tell where the time goes.

use vidpairs_types::BoxXywh;

use super::window::with_window;
use super::{Dcf, Rates};
use crate::track::{TrackError, TrackFrame};

/// A target of `dcf` whose update is done step by step; each works on what the step before left on this thread.
pub struct Steps(Dcf);

impl Steps {
    /// Learns the target.
    ///
    /// # Errors
    /// [`TrackError::ShortPlane`].
    pub fn start(frame: &TrackFrame<'_>, target: BoxXywh) -> Result<Self, TrackError> {
        Dcf::start(frame, target).map(Self)
    }

    /// Reads the window: levels, gradients, colours.
    ///
    /// # Errors
    /// [`TrackError::ShortPlane`].
    pub fn read(&self, frame: &TrackFrame<'_>) -> Result<(), TrackError> {
        with_window(|window| window.read(frame.planes(), self.0.center, self.0.cell_px()))
    }

    /// Transforms its features.
    pub fn transform(&self) {
        with_window(|window| window.transform_features());
    }

    /// Finds the target's place in it.
    pub fn find(&mut self) {
        let (center, cell_px) = (self.0.center, self.0.cell_px());
        with_window(|window| self.0.find(window, cell_px));
        self.0.center = center;
    }

    /// Finds the target's size and shape in it.
    pub fn resize(&mut self) {
        let (sides, center, cell_px) = (self.0.sides, self.0.center, self.0.cell_px());
        with_window(|window| self.0.resize(window, center, cell_px));
        self.0.sides = sides;
    }

    /// Learns from it.
    pub fn learn(&mut self) {
        let cell_px = self.0.cell_px();
        with_window(|window| self.0.learn(window, [0.0; 2], cell_px, Rates::LATER));
    }
}
