//! How sure the tracker is: a chance, not a score.

/// What speaks for the place that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    /// The filter's answer there: about 0.5 if the target looks as learned, near 0 if nothing is there.
    pub filter: f64,
    /// The mean likeness of colours there, 0 to 1.
    pub color: f64,
    /// How well colours tell the target from its surroundings, 0 to 1.
    pub contrast: f64,
}

/// Weights of the filter's answer and of the colours, which count by their contrast, and the offset, of a logistic
/// regression on "overlaps the truth by more than half". Fitted on the tuning half of the rendered sequences and on real
/// clips, with their colours and without; `docs/TRACKER.md` shows what it says of the other half.
const FILTER_WEIGHT: f64 = 9.0;
const COLOR_WEIGHT: f64 = 7.8;
const OFFSET: f64 = -4.5;

/// Below this chance the target counts as lost.
const LOST: f64 = 0.2;
/// Below this answer of the filter nothing is learned: what is there is something else. A higher bar keeps a target through more
/// occlusions, and loses more that turn or bend.
const FOREIGN: f64 = 0.05;

impl Evidence {
    /// The chance that the box overlaps the target by more than half.
    pub fn confidence(self) -> f64 {
        let color = self.color * self.contrast;
        let logit = FILTER_WEIGHT * self.filter + COLOR_WEIGHT * color + OFFSET;
        1.0 / (1.0 + (-logit).exp())
    }

    /// Whether the target was not found.
    pub fn is_lost(self) -> bool {
        self.confidence() < LOST
    }

    /// Whether what is there looks enough like the target to learn from it.
    pub fn is_familiar(self) -> bool {
        self.filter >= FOREIGN
    }
}
