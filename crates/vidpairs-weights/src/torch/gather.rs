//! Copies tensors from the storages of which they are views.

use std::collections::HashMap;

use vidpairs_types::printable;

use crate::pickle::{Node, NodeId, StorageType, Tensor, Tree};
use crate::tensor::{ElementKind, HostTensor, TensorFault, size_bytes};

/// Bytes of the storages of a file.
pub struct Storages<'a> {
    pub by_key: HashMap<&'a str, &'a [u8]>,
    pub file_bytes: usize,
}

/// Result of copying a tensor.
pub enum Gathered {
    Tensor(HostTensor),
    /// It is not supported, for this reason: its elements, such as `torch.float8_e4m3fn`.
    Unsupported(String),
    /// It would take more than the allowed number of bytes.
    TooLarge,
}

/// Copies a tensor, row-major without gaps, if it takes at most `max_bytes`.
pub fn gather(
    tree: &Tree<'_>,
    tensor: &Tensor,
    storages: &Storages<'_>,
    max_bytes: usize,
) -> Result<Gathered, TensorFault> {
    let unsupported = |what: &str| Ok(Gathered::Unsupported(what.to_owned()));
    let Node::Storage(storage) = tree.node(tensor.storage) else {
        return unsupported("a tensor without storage");
    };
    let kind = match (storage.kind, tensor.dtype) {
        (StorageType::Of(kind), None) => kind,
        (StorageType::Untyped, Some(dtype)) => match tree.element_kind(dtype) {
            Some(kind) => kind,
            None => return Ok(Gathered::Unsupported(tree.describe(dtype))),
        },
        (StorageType::Other(_), _) => return unsupported("complex or quantised"),
        _ => return unsupported("a tensor whose elements have no type"),
    };
    if let Some(what) = changed_value(tree, tensor) {
        return Ok(Gathered::Unsupported(what));
    }
    let size = size_bytes(&tensor.shape, kind)?;
    if size > max_bytes {
        return Ok(Gathered::TooLarge);
    }
    let key = storage.key;
    let Some(bytes) = storages.by_key.get(key) else {
        let key = key.to_owned();
        return Err(TensorFault::NoStorage { key });
    };
    let stated = storage
        .length
        .saturating_mul(storage.kind.element_bytes() as u64);
    if bytes.len() as u64 != stated {
        return Err(TensorFault::StorageSize {
            key: key.to_owned(),
            expected: usize::try_from(stated).unwrap_or(usize::MAX),
            got: bytes.len(),
        });
    }
    let view = View {
        kind,
        offset: usize::try_from(storage.first)
            .unwrap_or(usize::MAX)
            .saturating_add(tensor.offset),
        shape: &tensor.shape,
        strides: &tensor.strides,
    };
    let mut elements = Vec::new();
    elements
        .try_reserve_exact(size)
        .map_err(|_| TensorFault::Memory { bytes: size })?;
    view.copy(bytes, size, &mut elements)
        .ok_or_else(|| TensorFault::OutOfStorage {
            shape: tensor.shape.clone(),
            strides: tensor.strides.clone(),
            offset: view.offset,
            length: bytes.len() / kind.size_bytes(),
            key: key.to_owned(),
        })?;
    HostTensor::new(tensor.shape.clone(), kind, elements).map(Gathered::Tensor)
}

/// Why the value of a tensor is not the stored one: a bit that negates or conjugates it, or a state that replaces it.
fn changed_value(tree: &Tree<'_>, tensor: &Tensor) -> Option<String> {
    if tensor.is_replaced {
        return Some("a tensor with a state of its own".to_owned());
    }
    let is_set = |&&(_, value): &&(NodeId, NodeId)| {
        !matches!(tree.node(value), Node::None | Node::Bool(false))
    };
    match tree.node(tensor.metadata?) {
        Node::None => None,
        Node::Dict(bits) => {
            let (bit, _) = bits.iter().find(is_set)?;
            let bit = printable(tree.text(*bit).unwrap_or("unknown"));
            Some(format!("a tensor whose bit `{bit}` is set"))
        }
        _ => Some("a tensor with unknown metadata".to_owned()),
    }
}

struct View<'a> {
    kind: ElementKind,
    /// Index of the first element in the storage.
    offset: usize,
    shape: &'a [usize],
    strides: &'a [usize],
}

impl View<'_> {
    /// Appends the elements in order to `bytes`; `None` if one of them lies outside `storage`.
    ///
    /// - `size`: size of the elements, bytes.
    fn copy(&self, storage: &[u8], size: usize, bytes: &mut Vec<u8>) -> Option<()> {
        if size == 0 {
            return Some(());
        }
        let element = self.kind.size_bytes();
        let dims = || self.shape.iter().zip(self.strides);
        let last = dims().try_fold(self.offset, |last, (&dim, &stride)| {
            last.checked_add(stride.checked_mul(dim - 1)?)
        })?;
        let end = last.checked_add(1)?.checked_mul(element)?;
        storage.get(..end)?;
        let start = self.offset * element;
        if self.is_contiguous() {
            bytes.extend_from_slice(storage.get(start..start + size)?);
            return Some(());
        }
        let mut index = vec![0usize; self.shape.len()];
        while bytes.len() < size {
            let steps = index.iter().zip(self.strides);
            let step: usize = steps.map(|(&position, &stride)| position * stride).sum();
            let at = (self.offset + step) * element;
            bytes.extend_from_slice(storage.get(at..at + element)?);
            for (position, &dim) in index.iter_mut().zip(self.shape).rev() {
                *position += 1;
                if *position < dim {
                    break;
                }
                *position = 0;
            }
        }
        Some(())
    }

    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.shape
            .iter()
            .zip(self.strides)
            .rev()
            .all(|(&dim, &stride)| {
                let fits = dim == 1 || stride == expected;
                expected *= dim;
                fits
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(shape: &[usize], strides: &[usize], offset: usize) -> Option<Vec<u8>> {
        let storage: Vec<u8> = (0..12).collect();
        let size = shape.iter().product();
        let view = View {
            kind: ElementKind::U8,
            offset,
            shape,
            strides,
        };
        let mut bytes = Vec::new();
        view.copy(&storage, size, &mut bytes).map(|()| bytes)
    }

    #[test]
    fn a_transposed_view_is_copied_row_by_row() {
        assert_eq!(
            copied(&[4, 3], &[1, 4], 0).unwrap(),
            [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]
        );
        assert_eq!(copied(&[2, 2], &[8, 2], 1).unwrap(), [1, 3, 9, 11]);
        assert_eq!(copied(&[2, 3], &[0, 1], 5).unwrap(), [5, 6, 7, 5, 6, 7]);
    }

    #[test]
    fn a_view_may_end_at_the_end_of_its_storage_but_not_beyond() {
        assert_eq!(copied(&[3], &[1], 9).unwrap(), [9, 10, 11]);
        assert_eq!(copied(&[3], &[1], 10), None);
        assert_eq!(copied(&[2], &[usize::MAX], 0), None);
        assert_eq!(copied(&[1], &[usize::MAX], 11).unwrap(), [11]);
    }
}
