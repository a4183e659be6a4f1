//! One tensor as bytes: shape, kind of elements, little endian, row-major without gaps.

use std::fmt;

use super::error::TensorFault;

/// What the elements of a tensor are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ElementKind {
    /// 64-bit floating point.
    F64,
    /// 32-bit floating point.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of a 32-bit floating point number.
    BF16,
    /// Signed, 64 bits.
    I64,
    /// Signed, 32 bits.
    I32,
    /// Signed, 16 bits.
    I16,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 8 bits.
    U8,
    /// A byte that is 0 or 1.
    Bool,
}

impl ElementKind {
    /// All of them.
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

    /// Bytes of one element.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::BF16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// PyTorch's name of the kind, as in `torch.float32`.
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

    /// PyTorch's class of a storage of the kind, as in `torch.FloatStorage`.
    pub(super) fn torch_storage(self) -> &'static str {
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

/// A tensor in the memory of the host: little endian, row-major without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostTensor {
    shape: Vec<usize>,
    kind: ElementKind,
    bytes: Vec<u8>,
}

impl HostTensor {
    /// A tensor of `shape`, outermost first; no dimensions make a scalar.
    ///
    /// # Errors
    /// [`TensorFault::Size`] if `bytes` is not as long as shape and kind say, and
    /// [`TensorFault::Overflow`] if no memory could hold it.
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

    /// A tensor of 32-bit floating point numbers.
    ///
    /// # Errors
    /// As [`HostTensor::new`].
    pub fn from_f32(shape: Vec<usize>, values: &[f32]) -> Result<Self, TensorFault> {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        Self::new(shape, ElementKind::F32, bytes.collect())
    }

    /// Sizes, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// What the elements are.
    pub fn kind(&self) -> ElementKind {
        self.kind
    }

    /// The elements: little endian, row-major without gaps.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of elements.
    pub fn num_elements(&self) -> usize {
        self.bytes.len() / self.kind.size_bytes()
    }

    /// The values, if they are 32-bit floating point numbers; no other kind is converted.
    pub fn f32s(&self) -> Option<Vec<f32>> {
        let (values, _) = self.bytes.as_chunks::<4>();
        (self.kind == ElementKind::F32)
            .then(|| values.iter().copied().map(f32::from_le_bytes).collect())
    }

    /// The same numbers with 32 bits, if the elements are `bfloat16`, which numpy does not know.
    pub(super) fn widened_from_bf16(&self) -> Option<Self> {
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

/// Bytes of a tensor of `shape`.
pub(super) fn size_bytes(shape: &[usize], kind: ElementKind) -> Result<usize, TensorFault> {
    // Zero first: any number of empty rows is nothing, however long they are.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_do_not_fill_the_shape_are_refused() {
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
    fn a_shape_that_overflows_is_refused_and_an_empty_one_is_not() {
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
    fn bfloat16_widens_to_the_same_numbers() {
        let bytes = vec![0x80, 0x3f, 0x00, 0xc0]; // 1 and -2
        let halves = HostTensor::new(vec![2], ElementKind::BF16, bytes).unwrap();
        assert_eq!(
            halves.widened_from_bf16().unwrap().f32s().unwrap(),
            [1.0, -2.0]
        );
    }
}
