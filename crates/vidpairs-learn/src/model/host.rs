//! Copies tensors and views between libtorch and host memory.

use tch::{Device, Kind, Tensor};
use vidpairs_pipeline::NumberFormat;
use vidpairs_weights::{ElementKind, HostTensor};

/// Copy of `tensor` in host memory, row-major. `None` for an element kind that weight files do not hold.
pub fn to_host(tensor: &Tensor) -> Option<HostTensor> {
    let kind = match tensor.kind() {
        Kind::Double => ElementKind::F64,
        Kind::Float => ElementKind::F32,
        Kind::Half => ElementKind::F16,
        Kind::BFloat16 => ElementKind::BF16,
        Kind::Int64 => ElementKind::I64,
        Kind::Int => ElementKind::I32,
        Kind::Int16 => ElementKind::I16,
        Kind::Int8 => ElementKind::I8,
        Kind::Uint8 => ElementKind::U8,
        Kind::Bool => ElementKind::Bool,
        _ => return None,
    };
    let tensor = tensor.detach().to_device(Device::Cpu).contiguous();
    let shape: Vec<usize> = tensor.size().iter().map(|&side| side as usize).collect();
    let mut bytes = vec![0; tensor.numel() * kind.size_bytes()];
    tensor.copy_data_u8(&mut bytes, tensor.numel());
    Some(
        HostTensor::new(shape, kind, bytes)
            .expect("the buffer has one element for each of the tensor"),
    )
}

/// Copy of `host` as a tensor on the CPU.
pub fn from_host(host: &HostTensor) -> Tensor {
    let kind = match host.kind() {
        ElementKind::F64 => Kind::Double,
        ElementKind::F32 => Kind::Float,
        ElementKind::F16 => Kind::Half,
        ElementKind::BF16 => Kind::BFloat16,
        ElementKind::I64 => Kind::Int64,
        ElementKind::I32 => Kind::Int,
        ElementKind::I16 => Kind::Int16,
        ElementKind::I8 => Kind::Int8,
        ElementKind::U8 => Kind::Uint8,
        ElementKind::Bool => Kind::Bool,
    };
    let shape: Vec<i64> = host.shape().iter().map(|&side| side as i64).collect();
    Tensor::from_data_size(host.bytes(), &shape, kind)
}

/// Samples of a batch of views in host memory, `views x side x side x 3`, in the number format that the network takes.
#[derive(Debug, Clone)]
pub enum HostViews {
    /// Single precision.
    F32(Vec<f32>),
    /// Bits of `bfloat16`.
    Bf16(Vec<u16>),
}

impl HostViews {
    /// Buffer of `num_values` zeros.
    pub fn zeros(num_values: usize, precision: NumberFormat) -> Self {
        match precision {
            NumberFormat::F32 => Self::F32(vec![0.0; num_values]),
            NumberFormat::Bf16 => Self::Bf16(vec![0; num_values]),
        }
    }

    /// Keeps the first `num_values` only.
    pub fn truncate(&mut self, num_values: usize) {
        match self {
            Self::F32(values) => values.truncate(num_values),
            Self::Bf16(values) => values.truncate(num_values),
        }
    }

    /// Tensor of the views on the CPU, `views x 3 x side x side`, channels last.
    ///
    /// # Panics
    /// If the samples are not those of whole views.
    pub fn tensor(&self, side_px: u32) -> Tensor {
        self.tensor_of([side_px; 2])
    }

    /// Tensor of views of this height and width on the CPU, `views x 3 x height x width`, channels last.
    ///
    /// # Panics
    /// If the samples are not those of whole views.
    pub fn tensor_of(&self, sides_px: [u32; 2]) -> Tensor {
        let tensor = match self {
            Self::F32(values) => Tensor::from_slice(values),
            Self::Bf16(values) => {
                let bytes: Vec<u8> = values.iter().flat_map(|bits| bits.to_ne_bytes()).collect();
                Tensor::from_data_size(&bytes, &[values.len() as i64], Kind::BFloat16)
            }
        };
        let [height, width] = sides_px.map(i64::from);
        // Computed, as -1 is ambiguous for an empty batch.
        let num_views = tensor.numel() as i64 / (height * width * 3).max(1);
        tensor
            .view([num_views, height, width, 3])
            .permute([0, 3, 1, 2])
    }
}
