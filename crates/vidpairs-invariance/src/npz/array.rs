//! Decodes the elements of an array as numbers or texts.

use std::io::{self, Read};

use super::archive::{ArrayReader, room};
use super::error::NpzError;

/// Bytes that are decoded at a time; a multiple of every element size.
const CHUNK_BYTES: usize = 1 << 20;
/// Largest integer up to which every integer is a 64-bit floating-point number.
const MAX_WHOLE: f64 = (1u64 << 53) as f64;
/// Largest number of texts of length 0.
const MAX_EMPTY_TEXTS: usize = 1 << 20;
const SIZE_IS_CHECKED: &str = "an array is opened only if the file holds all its elements";

impl<R: Read> ArrayReader<'_, R> {
    /// The elements in single precision, in the order in the file. `f8` is rounded to nearest; values too large for single precision become
    /// infinite.
    ///
    /// # Errors
    /// [`NpzError::Kind`] for other element types, [`NpzError::Memory`], [`NpzError::Damaged`].
    pub fn into_f32s(self) -> Result<Vec<f32>, NpzError> {
        self.into_rounded(|_, value| value as f32)
    }

    /// Like [`into_f32s`](Self::into_f32s), but `round` converts the elements of `f8`, by their index.
    pub(super) fn into_rounded(
        self,
        mut round: impl FnMut(usize, f64) -> f32,
    ) -> Result<Vec<f32>, NpzError> {
        let element = self.header.element;
        match (element.letter, element.size) {
            ('f', 2) => self.elements(|bytes| half::f16::from_le_bytes(bytes).to_f32()),
            ('f', 4) => self.elements(f32::from_le_bytes),
            ('f', 8) => {
                let mut indices = 0..;
                self.elements(|bytes| {
                    let index = indices.next().unwrap_or_default();
                    round(index, f64::from_le_bytes(bytes))
                })
            }
            _ => Err(self.kind("f4, f8 or f2 (numpy.float32, float64, float16)")),
        }
    }

    /// Element `index` of an `f8` array, in the order in the file.
    pub(super) fn element_f64(mut self, index: usize) -> Result<f64, NpzError> {
        let mut bytes = [0; 8];
        let mut before = Read::by_ref(&mut self.elements).take(8 * index as u64);
        io::copy(&mut before, &mut io::sink())
            .and_then(|_| self.elements.read_exact(&mut bytes))
            .map_err(|source| self.damaged(source))?;
        Ok(match self.header.element.is_big_endian {
            true => f64::from_be_bytes(bytes),
            false => f64::from_le_bytes(bytes),
        })
    }

    /// The elements as integers: integers of any width, bools (0 and 1), or whole floating-point numbers.
    ///
    /// # Errors
    /// [`NpzError::NotWhole`] for the first element that is not whole or exceeds 64 bits; [`NpzError::Kind`], [`NpzError::Damaged`].
    pub fn into_integers(self) -> Result<Vec<i64>, NpzError> {
        let (name, element) = (self.name.clone(), self.header.element);
        let floats = match (element.letter, element.size) {
            ('i', 1) => return self.elements(|bytes| i64::from(i8::from_le_bytes(bytes))),
            ('i', 2) => return self.elements(|bytes| i64::from(i16::from_le_bytes(bytes))),
            ('i', 4) => return self.elements(|bytes| i64::from(i32::from_le_bytes(bytes))),
            ('i', 8) => return self.elements(i64::from_le_bytes),
            ('u' | 'b', 1) => return self.elements(|bytes| i64::from(u8::from_le_bytes(bytes))),
            ('u', 2) => return self.elements(|bytes| i64::from(u16::from_le_bytes(bytes))),
            ('u', 4) => return self.elements(|bytes| i64::from(u32::from_le_bytes(bytes))),
            ('u', 8) => {
                let whole = |value: u64| i64::try_from(value).map_err(|_| value as f64);
                return converted(&name, self.elements(u64::from_le_bytes)?, whole);
            }
            ('f', 2) => self.elements(|bytes| half::f16::from_le_bytes(bytes).to_f64())?,
            ('f', 4) => self.elements(|bytes| f64::from(f32::from_le_bytes(bytes)))?,
            ('f', 8) => self.elements(f64::from_le_bytes)?,
            _ => {
                return Err(self.kind(
                    "integers, whole floating-point numbers, or texts (convert with .astype(str))",
                ));
            }
        };
        converted(&name, floats, |value| {
            match value.fract() == 0.0 && value.abs() <= MAX_WHOLE {
                true => Ok(value as i64),
                false => Err(value),
            }
        })
    }

    /// The elements as texts, without zeros at their ends.
    ///
    /// # Errors
    /// [`NpzError::NotText`] for the first element that is not Unicode; [`NpzError::Kind`], [`NpzError::Damaged`].
    pub fn into_texts(mut self) -> Result<Vec<String>, NpzError> {
        let element = self.header.element;
        if !element.is_text() {
            return Err(self.kind("texts (numpy.str_ or bytes_)"));
        }
        let count = (self.header.num_elements()).expect(SIZE_IS_CHECKED);
        let size = element.num_bytes().expect(SIZE_IS_CHECKED);
        let mut texts = room(&self.name, count)?;
        if size == 0 {
            // A few bytes of the file could state any number of empty texts.
            if count > MAX_EMPTY_TEXTS {
                return Err(self.shape(format!("at most {MAX_EMPTY_TEXTS} empty texts")));
            }
            texts.resize(count, String::new());
            return Ok(texts);
        }
        let bytes = self.all_bytes()?;
        let text = |bytes: &[u8]| match element.letter {
            'U' => {
                let (codes, _) = bytes.as_chunks::<4>();
                let codes = codes.iter().map(|&code| match element.is_big_endian {
                    true => u32::from_be_bytes(code),
                    false => u32::from_le_bytes(code),
                });
                codes.map(char::from_u32).collect::<Option<String>>()
            }
            _ => std::str::from_utf8(bytes).ok().map(str::to_owned),
        };
        for (row, bytes) in bytes.chunks_exact(size).enumerate() {
            let text = text(bytes).ok_or_else(|| NpzError::NotText {
                name: self.name.clone(),
                row,
            })?;
            texts.push(text.trim_end_matches('\0').to_owned());
        }
        Ok(texts)
    }

    /// The elements of an array of bytes.
    ///
    /// # Errors
    /// [`NpzError::Kind`] for other element types, [`NpzError::Damaged`].
    pub fn into_bytes(mut self) -> Result<Vec<u8>, NpzError> {
        match (self.header.element.letter, self.header.element.size) {
            ('u', 1) => self.all_bytes(),
            _ => Err(self.kind("u1 (numpy.uint8)")),
        }
    }

    fn all_bytes(&mut self) -> Result<Vec<u8>, NpzError> {
        let len = usize::try_from(self.elements.size()).unwrap_or(usize::MAX);
        // The file may hold more or fewer bytes than it states.
        let mut bytes = room(&self.name, len)?;
        let stated = self.elements.size();
        let mut elements = Read::by_ref(&mut self.elements).take(stated);
        let read = elements.read_to_end(&mut bytes);
        read.map_err(|source| self.damaged(source))?;
        self.check_end()?;
        Ok(bytes)
    }

    /// Decodes the elements chunk by chunk, so that only the decoded elements are in memory as a whole.
    fn elements<const N: usize, T>(
        mut self,
        mut decode: impl FnMut([u8; N]) -> T,
    ) -> Result<Vec<T>, NpzError> {
        let mut left = (self.header.num_elements()).expect(SIZE_IS_CHECKED);
        let mut values = room(&self.name, left)?;
        let mut chunk = vec![0; CHUNK_BYTES.min(left * N)];
        while left > 0 {
            let count = left.min(CHUNK_BYTES / N);
            let part = &mut chunk[..count * N];
            self.elements
                .read_exact(part)
                .map_err(|source| self.damaged(source))?;
            let (elements, _) = part.as_chunks::<N>();
            values.extend(elements.iter().map(|&bytes| {
                let mut bytes = bytes;
                if self.header.element.is_big_endian {
                    bytes.reverse();
                }
                decode(bytes)
            }));
            left -= count;
        }
        self.check_end()?;
        Ok(values)
    }

    /// Reads past the last byte, which checks the checksum.
    fn check_end(&mut self) -> Result<(), NpzError> {
        match self.elements.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.damaged(io::Error::other("it is longer than it states"))),
            Err(source) => Err(self.damaged(source)),
        }
    }

    fn damaged(&self, source: io::Error) -> NpzError {
        NpzError::Damaged {
            name: self.name.clone(),
            source,
        }
    }
}

/// Converts all values of the array `name`; `whole` returns a value that is not whole as its error.
fn converted<T>(
    name: &str,
    values: Vec<T>,
    whole: impl Fn(T) -> Result<i64, f64>,
) -> Result<Vec<i64>, NpzError> {
    let mut integers = room(name, values.len())?;
    for (row, value) in values.into_iter().enumerate() {
        integers.push(whole(value).map_err(|value| NpzError::NotWhole {
            name: name.to_owned(),
            row,
            value,
        })?);
    }
    Ok(integers)
}
