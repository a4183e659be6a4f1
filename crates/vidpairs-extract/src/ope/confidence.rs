//! What a tracker's word on itself is worth.

use serde::{Deserialize, Serialize};

/// Ranges of confidence that are counted apart.
const NUM_BINS: usize = 10;

/// An overlap above this is a hit: what a [confidence](crate::track::Estimate::confidence) is the chance of.
const HIT_ABOVE: f64 = 0.5;

/// Stated confidence beside true overlaps, counted so that sequences can be added up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    num_frames: u64,
    sum_squared_error: f64,
    bins: Vec<ConfidenceBin>,
}

/// The frames of one range of confidence; ten ranges of equal width fill 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ConfidenceBin {
    /// How many.
    pub frames: u64,
    /// Sum of what the tracker stated.
    pub sum_confidence: f64,
    /// Those whose overlap is above 0.5.
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
    /// Of one sequence, frame by frame. Frames without an overlap, and those whose confidence is no number (the
    /// tracker never saw them), are left out.
    pub fn of(confidence: &[f64], overlaps: &[Option<f64>]) -> Self {
        let mut counted = Self::default();
        for (&stated, overlap) in confidence.iter().zip(overlaps) {
            if let Some(overlap) = overlap.filter(|_| stated.is_finite()) {
                counted.add(stated.clamp(0.0, 1.0), overlap > HIT_ABOVE);
            }
        }
        counted
    }

    fn add(&mut self, stated: f64, is_hit: bool) {
        let error = stated - f64::from(u8::from(is_hit));
        self.num_frames += 1;
        self.sum_squared_error += error * error;
        let place = (stated * NUM_BINS as f64) as usize;
        if let Some(bin) = self.bins.get_mut(place.min(NUM_BINS - 1)) {
            bin.frames += 1;
            bin.sum_confidence += stated;
            bin.hits += u64::from(is_hit);
        }
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

    /// The Brier score: mean of `(confidence - hit)^2`, where a hit is 1 and a miss 0. 0 is perfect; who always
    /// says 0.5 has 0.25. `None` without a frame.
    ///
    /// # Source
    /// Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 1950.
    pub fn brier_score(&self) -> Option<f64> {
        (self.num_frames > 0).then(|| self.sum_squared_error / self.num_frames as f64)
    }

    /// The ten ranges, from the least confidence to the most.
    pub fn bins(&self) -> &[ConfidenceBin] {
        &self.bins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracker_that_knows_is_told_from_one_that_boasts() {
        let overlaps = [None, Some(0.9), Some(0.1), Some(0.5)];
        let knows = Confidence::of(&[1.0, 1.0, 0.0, 0.0], &overlaps);
        let boasts = Confidence::of(&[1.0, 1.0, 1.0, 1.0], &overlaps);
        assert_eq!(knows.brier_score(), Some(0.0));
        assert_eq!(boasts.brier_score(), Some(2.0 / 3.0));
        assert_eq!((boasts.bins()[9].frames, boasts.bins()[9].hits), (3, 1));
        assert_eq!(
            Confidence::of(&[f64::NAN; 4], &overlaps).brier_score(),
            None
        );
    }
}
