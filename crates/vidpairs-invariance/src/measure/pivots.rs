//! Estimates where the tails of units begin, from a sample of the images.

use super::Features;

/// Units that are processed side by side: four cache lines.
pub(super) const WIDTH: usize = 64;
/// Images in the sample.
const NUM_SAMPLED: usize = 2048;
/// Safety margin of the estimate, in standard deviations of a random sample.
const MARGIN: f64 = 4.0;

/// One tail of the distribution of a unit's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Largest values: positive sign.
    High,
    /// Smallest values: negative sign.
    Low,
}

/// Sort key by which the outermost value of a side is the smallest: it increases with the value for [`Side::Low`] and decreases for
/// [`Side::High`]. Both zeros have the same key.
#[inline(always)]
pub(super) fn outwardness(value: f32, side: Side) -> u32 {
    let bits = (value + 0.0).to_bits();
    let ascending = bits ^ ((((bits as i32) >> 31) as u32) | 0x8000_0000);
    match side {
        Side::High => !ascending,
        Side::Low => ascending,
    }
}

/// Inverse of [`outwardness`] for [`Side::Low`].
pub(super) fn value_of(ascending: u32) -> f32 {
    f32::from_bits(if ascending >> 31 == 1 {
        ascending ^ 0x8000_0000
    } else {
        !ascending
    })
}

/// Sampled images, and the rank of the pivot among their values.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// Indices, ascending.
    images: Vec<usize>,
    /// Rank from the outermost sampled value; `None` if all images belong to the tail.
    rank: Option<usize>,
}

/// Bounds of the tails of up to [`WIDTH`] units: values between the two pivots of a unit belong to neither tail.
#[derive(Debug, Clone)]
pub(super) struct Pivots {
    pub high: [f32; WIDTH],
    pub low: [f32; WIDTH],
}

impl Sample {
    /// A sample for tails that hold the `rank + 1` outermost of `num_images` values and few more. A wrong estimate costs time but does
    /// not change results.
    pub fn new(num_images: usize, rank: usize) -> Self {
        if num_images <= NUM_SAMPLED {
            return Self {
                images: (0..num_images).collect(),
                rank: Some(rank),
            };
        }
        // Multiples of the golden ratio: evenly spread, and independent of any period in the order of the images.
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
        // Lanes beyond `num_units` keep empty tails.
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
