//! Another grouping of a batch for its keys than for its queries.
//!
//! Batch norm lets the images of a group see each other's statistics. Were query and key of a pair in the same group, the
//! encoder could tell by the statistics which key belongs to which query, and would learn that.
//!
//! # Source
//! He et al. 2020, section 3.3 ("Shuffling BN").

use rand::RngExt;
use tch::{Device, Tensor};
use vidpairs_types::Seed;

/// A permutation of a batch, and its way back.
#[derive(Debug)]
pub struct Shuffle {
    order: Tensor,
    back: Tensor,
}

impl Shuffle {
    /// A random permutation of `len` places.
    pub fn new(len: i64, seed: Seed, device: Device) -> Self {
        let mut rng = seed.rng();
        let mut order: Vec<i64> = (0..len).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, rng.random_range(0..=last));
        }
        let mut back = vec![0i64; order.len()];
        for (place, &from) in (0i64..).zip(&order) {
            if let Some(slot) = usize::try_from(from)
                .ok()
                .and_then(|from| back.get_mut(from))
            {
                *slot = place;
            }
        }
        let to_tensor = |indices: &[i64]| Tensor::from_slice(indices).to_device(device);
        Self {
            order: to_tensor(&order),
            back: to_tensor(&back),
        }
    }

    /// The rows in shuffled order.
    pub fn apply(&self, rows: &Tensor) -> Tensor {
        rows.index_select(0, &self.order)
    }

    /// Shuffled rows in their order again.
    pub fn undo(&self, rows: &Tensor) -> Tensor {
        rows.index_select(0, &self.back)
    }
}
