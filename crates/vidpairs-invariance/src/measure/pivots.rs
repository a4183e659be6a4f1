//! Where the tails of units begin, judged by a sample of the images.

use super::Features;
use super::tails::{Side, WIDTH, outwardness, value_of};

/// Images in the sample.
const NUM_SAMPLED: usize = 2048;
/// How many standard deviations of a random sample are allowed for.
const MARGIN: f64 = 4.0;

/// Which images tell of all, and which of their values is the pivot.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// Ascending.
    images: Vec<usize>,
    /// From the outermost of the sampled values; `None`: all images belong to the tail.
    rank: Option<usize>,
}

/// Values of neighbouring units; those in between belong to no tail.
#[derive(Debug, Clone)]
pub(super) struct Pivots {
    pub high: [f32; WIDTH],
    pub low: [f32; WIDTH],
}

impl Sample {
    /// For tails that should hold the `rank + 1` outermost values of `num_images`, and hardly more. A wrong guess costs time,
    /// never the result.
    pub fn new(num_images: usize, rank: usize) -> Self {
        if num_images <= NUM_SAMPLED {
            return Self {
                images: (0..num_images).collect(),
                rank: Some(rank),
            };
        }
        // Multiples of the golden ratio: even over the file, and out of step with any order in it.
        let spread = |step: u64| {
            let turn = step.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((u128::from(turn) * num_images as u128) >> 64) as usize
        };
        let mut images: Vec<usize> = (0..NUM_SAMPLED as u64).map(spread).collect();
        images.sort_unstable();
        let share = (rank + 1) as f64 / num_images as f64;
        let num = share * NUM_SAMPLED as f64;
        let enough = num + MARGIN * (num * (1.0 - share)).sqrt() + MARGIN;
        Self {
            images,
            rank: Some(enough as usize).filter(|&rank| rank < NUM_SAMPLED),
        }
    }

    /// The pivots of `num_units` units, at most [`WIDTH`], from `first_unit`.
    ///
    /// - `columns`: scratch.
    pub fn pivots(
        &self,
        features: &Features<'_>,
        first_unit: usize,
        num_units: usize,
        columns: &mut Vec<u32>,
    ) -> Pivots {
        let Some(rank) = self.rank else {
            return Pivots {
                high: [f32::NEG_INFINITY; WIDTH],
                low: [f32::INFINITY; WIDTH],
            };
        };
        let num_sampled = self.images.len();
        columns.clear();
        columns.resize(num_units * num_sampled, 0);
        for (place, image) in self.images.iter().enumerate() {
            let start = image * features.num_units() + first_unit;
            let row = features.values().iter().skip(start).take(num_units);
            let column = columns.iter_mut().skip(place).step_by(num_sampled);
            for (key, &value) in column.zip(row) {
                *key = outwardness(value, Side::Low);
            }
        }
        // Units that are not there have no tails.
        let mut pivots = Pivots {
            high: [f32::INFINITY; WIDTH],
            low: [f32::NEG_INFINITY; WIDTH],
        };
        let ends = pivots.high.iter_mut().zip(&mut pivots.low);
        for (column, (high, low)) in columns.chunks_exact_mut(num_sampled).zip(ends) {
            let rank = rank.min(num_sampled - 1);
            let (_, &mut key, _) = column.select_nth_unstable(rank);
            *low = value_of(key);
            let (_, &mut key, _) = column.select_nth_unstable(num_sampled - 1 - rank);
            *high = value_of(key);
        }
        pivots
    }
}
