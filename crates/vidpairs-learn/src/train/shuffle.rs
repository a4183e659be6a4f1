//! Shuffles a batch, so that its keys are grouped differently from its queries.
//!
//! Batch norm lets the images of a group see each other's statistics. If query and key of a pair were in the same group, the
//! encoder could learn to match them by these statistics.
//!
//! # Source
//! He et al. 2020, section 3.3 ("Shuffling BN").

use rand::RngExt;
use tch::{Device, Tensor};
use vidpairs_types::Seed;

/// A permutation of a batch, and its inverse.
#[derive(Debug)]
pub(super) struct Shuffle {
    order: Tensor,
    inverse: Tensor,
}

impl Shuffle {
    /// Random permutation of `len` rows.
    pub fn new(len: i64, seed: Seed, device: Device) -> Self {
        let mut rng = seed.rng();
        let mut order: Vec<i64> = (0..len).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, rng.random_range(0..=last));
        }
        let order = Tensor::from_slice(&order);
        Self {
            inverse: order.argsort(0, false).to_device(device),
            order: order.to_device(device),
        }
    }

    /// Rows in shuffled order.
    pub fn apply(&self, rows: &Tensor) -> Tensor {
        rows.index_select(0, &self.order)
    }

    /// Shuffled rows back in their original order.
    pub fn undo(&self, rows: &Tensor) -> Tensor {
        rows.index_select(0, &self.inverse)
    }
}
