//! Elements of a file: type, length, content, padding.

/// Largest size of a decompressed variable, bytes: masks of the largest images.
pub(super) const MAX_INFLATED_BYTES: u64 = 64 << 20;

/// Error of reading a variable. Skip the file.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum MatError {
    /// Another format.
    #[error("not a MATLAB 5 file, as save(FILE, '-v7') writes")]
    NotLevel5,
    /// HDF5, which MATLAB writes with `-v7.3`.
    #[error(
        "a MATLAB 7.3 (HDF5) file; in MATLAB, save it again: S = load(FILE); save(FILE, '-struct', 'S', '-v7')"
    )]
    Hdf5,
    /// The file ends early.
    #[error("the file ends inside {0}")]
    Cut(&'static str),
    /// A part of the file does not follow the format.
    #[error("{0} does not follow the format")]
    Malformed(&'static str),
    /// More structs or fields than an annotation can have.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// The compressed data is damaged.
    #[error("its compressed data is damaged: {0}")]
    Compressed(std::io::Error),
    /// More than [`MAX_INFLATED_BYTES`].
    #[error("its compressed data holds more than {MAX_INFLATED_BYTES} bytes")]
    TooLarge,
}

/// Byte order of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    /// Converts `bytes` to little endian.
    fn little<const N: usize>(self, mut bytes: [u8; N]) -> [u8; N] {
        if self == Self::Big {
            bytes.reverse();
        }
        bytes
    }
}

/// Kind of an element's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
    I64,
    U64,
    /// Array, which consists of elements.
    Matrix,
    /// Element compressed with zlib.
    Compressed,
    Utf8,
    Utf16,
    Utf32,
    Other,
}

impl Kind {
    fn of(number: u32) -> Self {
        match number {
            1 => Self::I8,
            2 => Self::U8,
            3 => Self::I16,
            4 => Self::U16,
            5 => Self::I32,
            6 => Self::U32,
            7 => Self::F32,
            9 => Self::F64,
            12 => Self::I64,
            13 => Self::U64,
            14 => Self::Matrix,
            15 => Self::Compressed,
            16 => Self::Utf8,
            17 => Self::Utf16,
            18 => Self::Utf32,
            _ => Self::Other,
        }
    }
}

/// Element of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) kind: Kind,
    pub(super) content: &'a [u8],
    order: ByteOrder,
}

impl<'a> Element<'a> {
    /// Numbers of the content; none for other kinds of content.
    pub(super) fn numbers(self) -> Box<dyn Iterator<Item = f64> + 'a> {
        match self.kind {
            Kind::I8 => self.numbers_of(|[byte]| f64::from(byte as i8)),
            Kind::U8 | Kind::Utf8 => self.numbers_of(|[byte]| f64::from(byte)),
            Kind::I16 => self.numbers_of(|bytes| f64::from(i16::from_le_bytes(bytes))),
            Kind::U16 | Kind::Utf16 => {
                self.numbers_of(|bytes| f64::from(u16::from_le_bytes(bytes)))
            }
            Kind::I32 => self.numbers_of(|bytes| f64::from(i32::from_le_bytes(bytes))),
            Kind::U32 | Kind::Utf32 => {
                self.numbers_of(|bytes| f64::from(u32::from_le_bytes(bytes)))
            }
            Kind::F32 => self.numbers_of(|bytes| f64::from(f32::from_le_bytes(bytes))),
            Kind::F64 => self.numbers_of(f64::from_le_bytes),
            Kind::I64 => self.numbers_of(|bytes| i64::from_le_bytes(bytes) as f64),
            Kind::U64 => self.numbers_of(|bytes| u64::from_le_bytes(bytes) as f64),
            Kind::Matrix | Kind::Compressed | Kind::Other => Box::new(std::iter::empty()),
        }
    }

    fn numbers_of<const N: usize>(
        self,
        number: impl Fn([u8; N]) -> f64 + 'a,
    ) -> Box<dyn Iterator<Item = f64> + 'a> {
        let (chunks, _) = self.content.as_chunks::<N>();
        let order = self.order;
        Box::new(chunks.iter().map(move |bytes| number(order.little(*bytes))))
    }
}

/// Sequence of elements.
#[derive(Debug, Clone)]
pub(super) struct Elements<'a> {
    rest: &'a [u8],
    order: ByteOrder,
}

impl<'a> Elements<'a> {
    pub(super) fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self { rest: bytes, order }
    }

    /// Reads the next element; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Element<'a>>, MatError> {
        let Some((first, after_first)) = self.rest.split_first_chunk() else {
            return match self.rest {
                [] => Ok(None),
                _ => Err(MatError::Cut("the header of an element")),
            };
        };
        let first = self.order.u32(*first);
        // Contents of up to four bytes are in the second half of the header; their length is then in the first half.
        let small_length = first >> 16;
        let (kind, length, content) = if small_length > 0 {
            (first & 0xFFFF, small_length, after_first.get(..4))
        } else {
            let (length, content) = after_first
                .split_first_chunk()
                .ok_or(MatError::Cut("the header of an element"))?;
            (first, self.order.u32(*length), Some(content))
        };
        let kind = Kind::of(kind);
        let content = content
            .zip(usize::try_from(length).ok())
            .and_then(|(content, length)| content.get(..length))
            .ok_or(MatError::Cut("an element"))?;
        let size = 8 + if small_length > 0 { 0 } else { content.len() };
        let padded_size = match kind {
            Kind::Compressed => size,
            _ => size.next_multiple_of(8),
        };
        // Some writers leave out the padding of the last element.
        self.rest = self.rest.get(padded_size..).unwrap_or_default();
        Ok(Some(Element {
            kind,
            content,
            order: self.order,
        }))
    }

    /// Reads the next element; fails at the end.
    pub(super) fn expect(&mut self, what: &'static str) -> Result<Element<'a>, MatError> {
        self.next()?.ok_or(MatError::Cut(what))
    }

    pub(super) fn order(&self) -> ByteOrder {
        self.order
    }
}
