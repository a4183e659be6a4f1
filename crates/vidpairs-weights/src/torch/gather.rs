//! Copies tensors from the storages of which they are views.

use std::collections::HashMap;

use crate::pickle::{Node, StorageType, Tensor, Tree};
use crate::tensor::{ElementKind, HostTensor, TensorFault, size_bytes};

/// Bytes of the storages of a file.
pub struct Storages<'a> {
    pub by_key: HashMap<&'a str, &'a [u8]>,
    pub file_bytes: usize,
}

/// Result of copying a tensor.
pub enum Gathered {
    Tensor(HostTensor),
    /// The kind of its elements is not supported.
    OtherKind,
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
    let Node::Storage(storage) = tree.node(tensor.storage) else {
        return Ok(Gathered::OtherKind);
    };
    let kind = match (storage.kind, tensor.kind) {
        (StorageType::Of(kind), None) => kind,
        (StorageType::Untyped, Some(kind)) => kind,
        _ => return Ok(Gathered::OtherKind),
    };
    let size = size_bytes(&tensor.shape, kind)?;
    if size > max_bytes {
        return Ok(Gathered::TooLarge);
    }
    let key = tree.text_at(&storage.key);
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
    let elements = view
        .copied(bytes, size)
        .ok_or_else(|| TensorFault::OutOfStorage {
            shape: tensor.shape.clone(),
            strides: tensor.strides.clone(),
            offset: view.offset,
            length: bytes.len() / kind.size_bytes(),
            key: key.to_owned(),
        })?;
    HostTensor::new(tensor.shape.clone(), kind, elements).map(Gathered::Tensor)
}

struct View<'a> {
    kind: ElementKind,
    /// Index of the first element in the storage.
    offset: usize,
    shape: &'a [usize],
    strides: &'a [usize],
}

impl View<'_> {
    /// Elements in order; `None` if one of them lies outside `storage`.
    ///
    /// - `size`: size of the elements, bytes.
    fn copied(&self, storage: &[u8], size: usize) -> Option<Vec<u8>> {
        if size == 0 {
            return Some(Vec::new());
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
            return storage.get(start..start + size).map(<[u8]>::to_vec);
        }
        let mut bytes = Vec::with_capacity(size);
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
        Some(bytes)
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
        view.copied(&storage, size)
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
