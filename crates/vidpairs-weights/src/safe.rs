//! Reads and writes safetensors: a JSON header with names, types, shapes and offsets, then the bytes.
//!
//! **Source**: <https://github.com/huggingface/safetensors#format>.

use std::cmp::Reverse;

use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};

use crate::error::WeightsError;
use crate::seal;
use crate::tensor::{ElementKind, HostTensor, TensorFault};
use crate::weights::{Skipped, Weights, check_name};

/// Key of the metadata in the header.
const METADATA: &str = "__metadata__";
/// Alignment of the header, bytes. The length of the header has as many bytes.
const ALIGNMENT: usize = 8;

/// Parses the bytes of a file, and compares them with their checksum if they have one. Tensors of unknown types are skipped.
pub(crate) fn parse(bytes: &[u8]) -> Result<Weights, WeightsError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(WeightsError::Safetensors)?;
    let file = SafeTensors::deserialize(bytes).map_err(WeightsError::Safetensors)?;
    let mut weights = Weights::new();
    for name in header.offset_keys() {
        let view = file.tensor(&name).map_err(WeightsError::Safetensors)?;
        check_name(&name)?;
        let Some(kind) = kind_of(view.dtype()) else {
            let found = view.dtype().to_string();
            weights.skip(Skipped {
                name,
                found,
                may_be_weights: true,
            });
            continue;
        };
        let tensor = copied(view.data())
            .and_then(|bytes| HostTensor::new(view.shape().to_vec(), kind, bytes))
            .map_err(|fault| WeightsError::tensor(&name, fault))?;
        weights.insert(name, tensor);
    }
    for (key, value) in header.metadata().iter().flatten() {
        if key == seal::KEY {
            seal::check(bytes, value)?;
        }
        weights.set_metadata(key, value);
    }
    if weights.is_empty() && !weights.skipped().is_empty() {
        return Err(WeightsError::nothing_read(weights.skipped()));
    }
    Ok(weights)
}

fn copied(bytes: &[u8]) -> Result<Vec<u8>, TensorFault> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len())
        .map_err(|_| TensorFault::Memory { bytes: bytes.len() })?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// Bytes of a safetensors file with `weights` and their metadata. Tensors with the widest elements come first, so that each
/// is aligned, otherwise in the order of `weights`. Equal weights give equal bytes. [`Weights::seal`] adds a checksum.
///
/// # Errors
/// [`WeightsError::Safetensors`] if the format cannot hold the weights: a header of more than 100 MB, or a tensor named
/// `__metadata__`.
pub fn safetensors_bytes(weights: &Weights) -> Result<Vec<u8>, WeightsError> {
    let mut ordered: Vec<(&str, &HostTensor)> = weights.iter().collect();
    ordered.sort_by_key(|(_, tensor)| Reverse(tensor.kind().size_bytes()));
    let mut header = Map::new();
    if !weights.metadata().is_empty() {
        let mut metadata = weights.metadata().clone();
        if let Some(checksum) = metadata.get_mut(seal::KEY) {
            seal::ZEROS.clone_into(checksum); // of other bytes, if they were read
        }
        header.insert(METADATA.to_owned(), json!(metadata));
    }
    let mut end = 0;
    for (name, tensor) in &ordered {
        let begin = end;
        end += tensor.bytes().len();
        let dtype = dtype_of(tensor.kind()).to_string();
        let entry = json!({"dtype": dtype, "shape": tensor.shape(), "data_offsets": [begin, end]});
        header.insert((*name).to_owned(), entry);
    }
    let mut header = Value::Object(header).to_string();
    let padded = header.len().next_multiple_of(ALIGNMENT);
    header.extend(std::iter::repeat_n(' ', padded - header.len()));
    let mut bytes = Vec::with_capacity(ALIGNMENT + padded + end);
    bytes.extend_from_slice(&(padded as u64).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    for (_, tensor) in &ordered {
        bytes.extend_from_slice(tensor.bytes());
    }
    if weights.is_sealed() {
        seal::stamp(&mut bytes);
    }
    // Never write what the reader of the format refuses.
    SafeTensors::deserialize(&bytes).map_err(WeightsError::Safetensors)?;
    Ok(bytes)
}

fn kind_of(dtype: Dtype) -> Option<ElementKind> {
    ElementKind::ALL
        .into_iter()
        .find(|&kind| dtype_of(kind) == dtype)
}

fn dtype_of(kind: ElementKind) -> Dtype {
    match kind {
        ElementKind::F64 => Dtype::F64,
        ElementKind::F32 => Dtype::F32,
        ElementKind::F16 => Dtype::F16,
        ElementKind::BF16 => Dtype::BF16,
        ElementKind::I64 => Dtype::I64,
        ElementKind::I32 => Dtype::I32,
        ElementKind::I16 => Dtype::I16,
        ElementKind::I8 => Dtype::I8,
        ElementKind::U8 => Dtype::U8,
        ElementKind::Bool => Dtype::BOOL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Weights {
        let mut weights = Weights::new();
        for (name, kind) in [
            ("a", ElementKind::U8),
            ("z", ElementKind::F32),
            ("b", ElementKind::I64),
        ] {
            let bytes = (0..3 * kind.size_bytes() as u8).collect();
            weights.insert(name, HostTensor::new(vec![3, 1], kind, bytes).unwrap());
        }
        weights.set_metadata("step", "100");
        weights.set_metadata("arch", "resnet18");
        weights
    }

    #[test]
    fn weights_and_metadata_are_read_as_they_were_written() {
        let weights = sample();
        assert_eq!(
            parse(&safetensors_bytes(&weights).unwrap()).unwrap(),
            weights
        );
    }

    #[test]
    fn equal_weights_give_equal_bytes() {
        let bytes = safetensors_bytes(&sample()).unwrap();
        assert!((0..20).all(|_| safetensors_bytes(&sample()).unwrap() == bytes));
    }

    #[test]
    fn a_tensor_named_like_the_metadata_is_an_error() {
        let mut weights = Weights::new();
        weights.insert(METADATA, HostTensor::from_f32(vec![1], &[1.0]).unwrap());
        assert!(matches!(
            safetensors_bytes(&weights),
            Err(WeightsError::Safetensors(_))
        ));
    }
}
