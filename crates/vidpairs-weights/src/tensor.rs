//! Tensors in host memory.

use std::fmt;

/// Type of the elements of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ElementKind {
    /// 64-bit floating point.
    F64,
    /// 32-bit floating point.
    F32,
    /// 16-bit floating point, IEEE half precision.
    F16,
    /// 16-bit floating point, the upper half of a 32-bit number.
    BF16,
    /// 64-bit signed integer.
    I64,
    /// 32-bit signed integer.
    I32,
    /// 16-bit signed integer.
    I16,
    /// 8-bit signed integer.
    I8,
    /// 8-bit unsigned integer.
    U8,
    /// Boolean, a byte that is 0 or 1.
    Bool,
}

impl ElementKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::F64,
        Self::F32,
        Self::F16,
        Self::BF16,
        Self::I64,
        Self::I32,
        Self::I16,
        Self::I8,
        Self::U8,
        Self::Bool,
    ];

    /// Size of an element, bytes.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::BF16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// Name of the PyTorch dtype, such as `float32`.
    pub fn torch_dtype(self) -> &'static str {
        match self {
            Self::F64 => "float64",
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::BF16 => "bfloat16",
            Self::I64 => "int64",
            Self::I32 => "int32",
            Self::I16 => "int16",
            Self::I8 => "int8",
            Self::U8 => "uint8",
            Self::Bool => "bool",
        }
    }

    /// Name of the PyTorch storage class, such as `FloatStorage`.
    pub(crate) fn torch_storage(self) -> &'static str {
        match self {
            Self::F64 => "DoubleStorage",
            Self::F32 => "FloatStorage",
            Self::F16 => "HalfStorage",
            Self::BF16 => "BFloat16Storage",
            Self::I64 => "LongStorage",
            Self::I32 => "IntStorage",
            Self::I16 => "ShortStorage",
            Self::I8 => "CharStorage",
            Self::U8 => "ByteStorage",
            Self::Bool => "BoolStorage",
        }
    }
}

impl fmt::Display for ElementKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.torch_dtype())
    }
}

/// Tensor in host memory: little endian, row-major, without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostTensor {
    shape: Vec<usize>,
    kind: ElementKind,
    bytes: Vec<u8>,
}

impl HostTensor {
    /// Tensor with the given shape, outermost dimension first. An empty shape is a scalar.
    ///
    /// # Errors
    /// [`TensorFault::Size`] if the length of `bytes` does not match shape and kind; [`TensorFault::Overflow`] if no memory
    /// could hold the tensor.
    ///
    /// # Examples
    /// ```
    /// use vidpairs_weights::{ElementKind, HostTensor};
    /// assert!(HostTensor::new(vec![2, 3], ElementKind::F16, vec![0; 12]).is_ok());
    /// assert!(HostTensor::new(vec![2, 3], ElementKind::F32, vec![0; 12]).is_err());
    /// ```
    pub fn new(shape: Vec<usize>, kind: ElementKind, bytes: Vec<u8>) -> Result<Self, TensorFault> {
        let expected = size_bytes(&shape, kind)?;
        if bytes.len() != expected {
            return Err(TensorFault::Size {
                expected,
                got: bytes.len(),
            });
        }
        Ok(Self { shape, kind, bytes })
    }

    /// Tensor of 32-bit floating-point numbers.
    ///
    /// # Errors
    /// Those of [`HostTensor::new`].
    pub fn from_f32(shape: Vec<usize>, values: &[f32]) -> Result<Self, TensorFault> {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        Self::new(shape, ElementKind::F32, bytes.collect())
    }

    /// Sizes of the dimensions, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Type of the elements.
    pub fn kind(&self) -> ElementKind {
        self.kind
    }

    /// Elements: little endian, row-major, without gaps.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of elements.
    pub fn num_elements(&self) -> usize {
        self.bytes.len() / self.kind.size_bytes()
    }

    /// Values of a tensor of kind [`F32`](ElementKind::F32); `None` for other kinds.
    pub fn f32s(&self) -> Option<Vec<f32>> {
        let (values, _) = self.bytes.as_chunks::<4>();
        (self.kind == ElementKind::F32)
            .then(|| values.iter().copied().map(f32::from_le_bytes).collect())
    }

    /// Tensor with the same numbers in 32 bits, if its kind is [`BF16`](ElementKind::BF16); `None` for other kinds.
    pub(crate) fn widened_from_bf16(&self) -> Option<Self> {
        let (halves, _) = self.bytes.as_chunks::<2>();
        (self.kind == ElementKind::BF16).then(|| Self {
            shape: self.shape.clone(),
            kind: ElementKind::F32,
            bytes: halves
                .iter()
                .flat_map(|&[low, high]| [0, 0, low, high])
                .collect(),
        })
    }
}

/// Size of a tensor, bytes.
pub(crate) fn size_bytes(shape: &[usize], kind: ElementKind) -> Result<usize, TensorFault> {
    // Zero first: a tensor without elements is empty, however large its other dimensions are.
    if shape.contains(&0) {
        return Ok(0);
    }
    shape
        .iter()
        .try_fold(kind.size_bytes(), |size, &dim| size.checked_mul(dim))
        .filter(|&size| isize::try_from(size).is_ok())
        .ok_or_else(|| TensorFault::Overflow {
            shape: shape.to_vec(),
        })
}

/// Problem of a tensor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorFault {
    /// The number of bytes does not match shape and kind.
    #[error("{got} bytes; expected {expected} for its shape and kind")]
    Size {
        /// Number of bytes for shape and kind.
        expected: usize,
        /// Number of bytes given.
        got: usize,
    },
    /// No memory could hold the tensor.
    #[error("shape {shape:?} is larger than any memory")]
    Overflow {
        /// Shape of the tensor.
        shape: Vec<usize>,
    },
    /// There is not enough memory for the tensor.
    #[error("it needs {bytes} bytes of memory, more than there is")]
    Memory {
        /// Size of the tensor, bytes.
        bytes: usize,
    },
    /// Shape and strides reach beyond the storage.
    #[error(
        "shape {shape:?} with strides {strides:?} from element {offset} reaches beyond the {length} \
         elements of storage {key}"
    )]
    OutOfStorage {
        /// Shape of the tensor.
        shape: Vec<usize>,
        /// Stride of each dimension, elements.
        strides: Vec<usize>,
        /// Index of the first element in the storage.
        offset: usize,
        /// Number of elements of the storage.
        length: usize,
        /// Key of the storage.
        key: String,
    },
    /// The file does not hold the storage.
    #[error("its storage {key} is not in the file")]
    NoStorage {
        /// Key of the storage.
        key: String,
    },
    /// The length of the storage is not that stated by the pickle.
    #[error("its storage {key} has {got} bytes; expected {expected}")]
    StorageSize {
        /// Key of the storage.
        key: String,
        /// Length stated by the pickle, bytes.
        expected: usize,
        /// Length in the file, bytes.
        got: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_bytes_that_does_not_match_the_shape_is_an_error() {
        let fault = HostTensor::new(vec![2, 2], ElementKind::F32, vec![0; 15]).unwrap_err();
        assert!(
            matches!(
                fault,
                TensorFault::Size {
                    expected: 16,
                    got: 15
                }
            ),
            "{fault}"
        );
    }

    #[test]
    fn a_shape_that_overflows_is_an_error_unless_it_is_empty() {
        let huge = vec![usize::MAX, 2];
        assert!(HostTensor::new(huge, ElementKind::U8, Vec::new()).is_err());
        assert!(HostTensor::new(vec![usize::MAX, 2, 0], ElementKind::U8, Vec::new()).is_ok());
    }

    #[test]
    fn a_scalar_has_one_element() {
        let scalar = HostTensor::from_f32(Vec::new(), &[1.5]).unwrap();
        assert_eq!(
            (scalar.num_elements(), scalar.f32s().unwrap()),
            (1, vec![1.5])
        );
    }

    #[test]
    fn bfloat16_converts_to_the_same_numbers_in_32_bits() {
        let bytes = vec![0x80, 0x3f, 0x00, 0xc0]; // 1 and -2
        let halves = HostTensor::new(vec![2], ElementKind::BF16, bytes).unwrap();
        assert_eq!(
            halves.widened_from_bf16().unwrap().f32s().unwrap(),
            [1.0, -2.0]
        );
    }
}
