//! Estimates the confidence of the tracker, as a probability.

/// Evidence for the estimated position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    /// Response of the filter there: about 0.5 if the target looks as learned, near 0 if the target is absent.
    pub filter: f64,
    /// Mean likeness of colours there, 0 to 1.
    pub color: f64,
    /// How well colours separate the target from its surroundings, 0 to 1.
    pub contrast: f64,
}

/// Logistic regression on "overlaps the truth by more than half": weights of the filter's response and of the colours
/// (times their contrast), and the offset. Fitted on the tuning half of the rendered sequences and on real
/// clips, with and without colour; `docs/TRACKER.md` shows the calibration on the other half.
const FILTER_WEIGHT: f64 = 9.0;
const COLOR_WEIGHT: f64 = 7.8;
const OFFSET: f64 = -4.5;

/// Least confidence of a target that is not lost.
const LOST: f64 = 0.2;
/// Least response of the filter at which the tracker learns; below, another object is there. A higher bar keeps targets through
/// more occlusions, but loses more targets that turn or bend.
const FOREIGN: f64 = 0.05;

impl Evidence {
    /// Probability that the box overlaps the target by more than half.
    pub fn confidence(self) -> f64 {
        let color = self.color * self.contrast;
        let logit = FILTER_WEIGHT * self.filter + COLOR_WEIGHT * color + OFFSET;
        1.0 / (1.0 + (-logit).exp())
    }

    /// Whether the target was not found.
    pub fn is_lost(self) -> bool {
        self.confidence() < LOST
    }

    /// Whether the window looks similar enough to the target to learn from it.
    pub fn is_familiar(self) -> bool {
        self.filter >= FOREIGN
    }
}
