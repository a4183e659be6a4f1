//! Measures how well a tracker's stated confidence predicts hits.

use serde::{Deserialize, Serialize};

/// Number of confidence ranges.
const NUM_BINS: usize = 10;

/// Least overlap of a hit, exclusive. A [confidence](crate::track::Estimate::confidence) is the probability of a hit.
const HIT_ABOVE: f64 = 0.5;

/// Stated confidence compared with true overlaps. Counts of several sequences can be merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    num_frames: u64,
    sum_squared_error: f64,
    bins: Vec<ConfidenceBin>,
}

/// Frames of one confidence range. Ten ranges of equal width cover 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ConfidenceBin {
    /// Number of frames.
    pub frames: u64,
    /// Sum of the stated confidences.
    pub sum_confidence: f64,
    /// Frames with an overlap above 0.5.
    pub hits: u64,
}

impl Default for Confidence {
    fn default() -> Self {
        Self {
            num_frames: 0,
            sum_squared_error: 0.0,
            bins: vec![ConfidenceBin::default(); NUM_BINS],
        }
    }
}

impl Confidence {
    /// Counts one sequence, frame by frame. Frames without an overlap, and those without a finite confidence (not shown to the
    /// tracker), are excluded.
    pub fn of(confidence: &[f64], overlaps: &[Option<f64>]) -> Self {
        let mut counts = Self::default();
        for (&stated, overlap) in confidence.iter().zip(overlaps) {
            if let Some(overlap) = overlap.filter(|_| stated.is_finite()) {
                counts.add(stated.clamp(0.0, 1.0), overlap > HIT_ABOVE);
            }
        }
        counts
    }

    fn add(&mut self, stated: f64, is_hit: bool) {
        let error = stated - f64::from(u8::from(is_hit));
        self.num_frames += 1;
        self.sum_squared_error += error * error;
        let place = (stated * NUM_BINS as f64) as usize;
        let bin = &mut self.bins[place.min(NUM_BINS - 1)];
        bin.frames += 1;
        bin.sum_confidence += stated;
        bin.hits += u64::from(is_hit);
    }

    /// Adds the frames of another sequence.
    pub fn merge(&mut self, other: &Self) {
        self.num_frames += other.num_frames;
        self.sum_squared_error += other.sum_squared_error;
        for (ours, theirs) in self.bins.iter_mut().zip(&other.bins) {
            ours.frames += theirs.frames;
            ours.sum_confidence += theirs.sum_confidence;
            ours.hits += theirs.hits;
        }
    }

    /// Brier score: mean of `(confidence - hit)^2`, where a hit is 1 and a miss 0. 0 is perfect; a constant confidence of 0.5
    /// scores 0.25. `None` without frames.
    ///
    /// # Source
    /// Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 1950.
    pub fn brier_score(&self) -> Option<f64> {
        (self.num_frames > 0).then(|| self.sum_squared_error / self.num_frames as f64)
    }

    /// The ten ranges, lowest confidence first.
    pub fn bins(&self) -> &[ConfidenceBin] {
        &self.bins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calibrated_tracker_has_a_lower_brier_score_than_an_overconfident_one() {
        let overlaps = [None, Some(0.9), Some(0.1), Some(0.5)];
        let calibrated = Confidence::of(&[1.0, 1.0, 0.0, 0.0], &overlaps);
        let overconfident = Confidence::of(&[1.0, 1.0, 1.0, 1.0], &overlaps);
        assert_eq!(calibrated.brier_score(), Some(0.0));
        assert_eq!(overconfident.brier_score(), Some(2.0 / 3.0));
        let last = overconfident.bins()[9];
        assert_eq!((last.frames, last.hits), (3, 1));
        assert_eq!(
            Confidence::of(&[f64::NAN; 4], &overlaps).brier_score(),
            None
        );
    }
}
