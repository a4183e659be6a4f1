//! Tensors of libtorch from and to bytes.

use tch::{Device, Kind, Tensor};
use vidpairs_weights::{ElementKind, HostTensor};

/// The values of `tensor` as bytes, row-major; `None` for a kind of numbers that files of weights do not hold.
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
    let sizes = tensor.size();
    let shape: Vec<usize> = (sizes.iter())
        .map(|&side| usize::try_from(side).ok())
        .collect::<Option<_>>()?;
    let mut bytes = vec![0; tensor.numel() * kind.size_bytes()];
    tensor.copy_data_u8(&mut bytes, tensor.numel());
    HostTensor::new(shape, kind, bytes).ok()
}

/// A tensor on the CPU with the values of `host`.
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
