//! The elements of an array as numbers or texts.

use std::io::{self, Read};

use super::archive::ArrayReader;
use super::error::NpzError;

/// Bytes that are decoded at once: a multiple of every size of a number.
const CHUNK_BYTES: usize = 1 << 20;

impl<R: Read> ArrayReader<'_, R> {
    /// The elements as single precision, in the order in which they are stored: `f8` is rounded to the nearest, `f2` and `f4` are
    /// exact. What is too large for single precision becomes infinite.
    ///
    /// # Errors
    /// [`NpzError::Kind`] for other kinds, [`NpzError::Damaged`].
    pub fn into_f32s(self) -> Result<Vec<f32>, NpzError> {
        let element = self.header.element;
        match (element.letter, element.size) {
            ('f', 2) => self.elements(|bytes: [u8; 2]| half::f16::from_le_bytes(bytes).to_f32()),
            ('f', 4) => self.elements(f32::from_le_bytes),
            ('f', 8) => self.elements(|bytes| f64::from_le_bytes(bytes) as f32),
            _ => Err(self.kind("f4, f8 or f2 (numpy.float32, float64, float16)")),
        }
    }

    /// Element `place` of those of `f8`, in the order in which they are stored.
    pub(super) fn element_f64(mut self, place: usize) -> Result<f64, NpzError> {
        let mut bytes = [0; 8];
        let mut before = Read::by_ref(&mut self.elements).take(8 * place as u64);
        let read = io::copy(&mut before, &mut io::sink());
        let read = read.and_then(|_| self.elements.read_exact(&mut bytes));
        read.map_err(|source| NpzError::Damaged {
            name: self.name.clone(),
            source,
        })?;
        if self.header.element.is_big_endian {
            bytes.reverse();
        }
        Ok(f64::from_le_bytes(bytes))
    }

    /// The elements as integers: those of any width, bools (0 and 1), or floating-point numbers that are whole.
    ///
    /// # Errors
    /// [`NpzError::NotWhole`] names the first that is none, or beyond 64 bits; [`NpzError::Kind`], [`NpzError::Damaged`].
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
                let all = self.elements(u64::from_le_bytes)?.into_iter().enumerate();
                let whole = all.map(|(row, value)| {
                    i64::try_from(value).map_err(|_| NpzError::NotWhole {
                        name: name.clone(),
                        row,
                        value: value as f64,
                    })
                });
                return whole.collect();
            }
            ('f', 2) => self.elements(|bytes| half::f16::from_le_bytes(bytes).to_f64())?,
            ('f', 4) => self.elements(|bytes| f64::from(f32::from_le_bytes(bytes)))?,
            ('f', 8) => self.elements(f64::from_le_bytes)?,
            _ => return Err(self.kind("integers, floating-point numbers that are whole, or texts (.astype(str) makes them)")),
        };
        let all = floats.into_iter().enumerate();
        let whole = all.map(|(row, value)| {
            // Up to 2^53 every whole number is one of 64-bit floating point, and no other is rounded to it.
            let is_whole = value.fract() == 0.0 && value.abs() <= (1u64 << 53) as f64;
            is_whole
                .then_some(value as i64)
                .ok_or_else(|| NpzError::NotWhole {
                    name: name.clone(),
                    row,
                    value,
                })
        });
        whole.collect()
    }

    /// The elements as texts, zeros at their ends taken off.
    ///
    /// # Errors
    /// [`NpzError::NotText`] names the first that is none; [`NpzError::Kind`], [`NpzError::Damaged`].
    pub fn into_texts(mut self) -> Result<Vec<String>, NpzError> {
        let element = self.header.element;
        if !element.is_text() {
            return Err(self.kind("texts (numpy.str_ or bytes_)"));
        }
        let count = self.header.num_elements().unwrap_or_default();
        let size = element.num_bytes().unwrap_or_default();
        if size == 0 {
            return Ok(vec![String::new(); count.min(1 << 20)]);
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
        let texts = bytes.chunks_exact(size).enumerate().map(|(row, bytes)| {
            let text = text(bytes).ok_or_else(|| NpzError::NotText {
                name: self.name.clone(),
                row,
            })?;
            Ok(text.trim_end_matches('\0').to_owned())
        });
        texts.collect()
    }

    /// The elements as they are stored: for arrays of single bytes.
    ///
    /// # Errors
    /// [`NpzError::Kind`] for other kinds, [`NpzError::Damaged`].
    pub fn into_bytes(mut self) -> Result<Vec<u8>, NpzError> {
        match (self.header.element.letter, self.header.element.size) {
            ('u', 1) => self.all_bytes(),
            _ => Err(self.kind("u1 (numpy.uint8)")),
        }
    }

    fn all_bytes(&mut self) -> Result<Vec<u8>, NpzError> {
        let mut bytes = Vec::new();
        let read = self.elements.read_to_end(&mut bytes);
        read.map_err(|source| NpzError::Damaged {
            name: self.name.clone(),
            source,
        })?;
        Ok(bytes)
    }

    /// Decodes the elements a chunk at a time, so that they lie in memory once. That the file holds as many was checked
    /// when the array was opened.
    fn elements<const N: usize, T>(
        mut self,
        decode: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>, NpzError> {
        let mut left = self.header.num_elements().unwrap_or_default();
        let mut values = Vec::with_capacity(left);
        let mut chunk = vec![0; CHUNK_BYTES.min(left.saturating_mul(N))];
        let damaged = |source| NpzError::Damaged {
            name: self.name.clone(),
            source,
        };
        while left > 0 {
            let count = left.min(CHUNK_BYTES / N);
            let part = chunk.get_mut(..count * N).unwrap_or_default();
            self.elements.read_exact(part).map_err(damaged)?;
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
        // The checksum is looked at behind the last byte.
        let rest = self.elements.read(&mut [0]).map_err(damaged)?;
        debug_assert_eq!(rest, 0);
        Ok(values)
    }
}
