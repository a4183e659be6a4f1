//! Batches of views: their numbers in the memory of the host, and as a tensor.

use tch::{Kind, Tensor};

use super::Precision;

/// The numbers of views, `views x side x side x 3`, as networks of a [`Precision`] take them.
#[derive(Debug, Clone)]
pub enum HostViews {
    /// Single precision.
    F32(Vec<f32>),
    /// The bits of `bfloat16`.
    Bf16(Vec<u16>),
}

impl HostViews {
    /// Room for `num_values`, all zero.
    pub fn zeros(num_values: usize, precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32(vec![0.0; num_values]),
            Precision::Bf16 => Self::Bf16(vec![0; num_values]),
        }
    }

    /// Takes what is behind the first `num_values` off.
    pub fn truncate(&mut self, num_values: usize) {
        match self {
            Self::F32(values) => values.truncate(num_values),
            Self::Bf16(values) => values.truncate(num_values),
        }
    }

    /// `views x 3 x side x side` on the CPU, channels last.
    ///
    /// # Panics
    /// As `tch` does, if the numbers are not those of whole views.
    pub fn tensor(&self, side_px: u32) -> Tensor {
        let tensor = match self {
            Self::F32(values) => Tensor::from_slice(values),
            Self::Bf16(values) => {
                let bytes: Vec<u8> = values.iter().flat_map(|bits| bits.to_ne_bytes()).collect();
                Tensor::from_data_size(&bytes, &[values.len() as i64], Kind::BFloat16)
            }
        };
        let side = i64::from(side_px);
        // Not -1, which has no meaning for no views.
        let num_views = tensor.numel() as i64 / (side * side * 3).max(1);
        tensor
            .view([num_views, side, side, 3])
            .permute([0, 3, 1, 2])
    }
}
