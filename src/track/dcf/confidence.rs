//! How sure the tracker is: a chance, not a score.

/// What speaks for the place that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    /// The filter's answer there: about 1 if the target looks as learned, near 0 if nothing is there.
    pub filter: f64,
    /// The mean likeness of colours there, 0 to 1.
    pub color: f64,
    /// How well colours tell the target from its surroundings, 0 to 1.
    pub contrast: f64,
    /// Peak-to-sidelobe ratio of the filter's answer.
    pub psr: f64,
}

/// Below this the target counts as lost, and nothing is learned.
const LOST: f64 = 0.1;

impl Evidence {
    /// The chance that the box overlaps the target by more than half.
    pub fn confidence(self) -> f64 {
        self.color
    }

    /// Whether the target was not found.
    pub fn is_lost(self) -> bool {
        self.filter < LOST * 0.5
    }
}
