//! Reads one variable of a MATLAB level 5 `.mat` file: numbers, texts and structs.
//!
//! - **Takes** the bytes of a file as written by MATLAB, Octave or scipy, in either byte order, compressed or not.
//! - **Gives** a [`Variable`] and views of its parts. Arrays of other kinds (cells, functions) are skipped.
//! - **Fails** with [`MatError`] if lengths do not match. Nothing recurses, and no length in a file decides an allocation:
//!   compressed data may grow to [`MAX_INFLATED_BYTES`], everything else is a view.
//! - **Source**: MathWorks, "MAT-File Format".
//!
//! This is our own code because matrw 0.1.4 refuses headers that scipy writes and panics on damaged files (2,141 of 2,172
//! copies of a compressed file with one flipped bit), and matreader 0.1.0 allocates memory by lengths in the file.

mod array;
mod element;

use std::io::Read;

use flate2::read::ZlibDecoder;

pub(super) use array::{Array, Fields};
pub(super) use element::MatError;
use element::{ByteOrder, Elements, Kind, MAX_INFLATED_BYTES};

/// Size of the file header, bytes.
const HEADER_BYTES: usize = 128;

/// First bytes of an HDF5 file.
const HDF5_SIGNATURE: &[u8] = b"\x89HDF\r\n\x1A\n";

/// Variable of a file.
#[derive(Debug)]
pub(super) struct Variable {
    /// Content of the `miMATRIX` element of the variable.
    content: Vec<u8>,
    order: ByteOrder,
}

impl Variable {
    /// Reads the variable `name`; `None` if the file has no such variable.
    ///
    /// # Errors
    /// [`MatError`] if the file is damaged before the end of the variable.
    pub(super) fn read(file: &[u8], name: &str) -> Result<Option<Self>, MatError> {
        if file.starts_with(HDF5_SIGNATURE) {
            return Err(MatError::Hdf5);
        }
        let header = file.split_first_chunk::<HEADER_BYTES>();
        let (header, body) = header.ok_or(MatError::NotLevel5)?;
        let order = match header[124..] {
            [0x00, 0x01, b'I', b'M'] => ByteOrder::Little,
            [0x01, 0x00, b'M', b'I'] => ByteOrder::Big,
            // MATLAB's own header, before the HDF5 file.
            [0x00, 0x02, b'I', b'M'] | [0x02, 0x00, b'M', b'I'] => return Err(MatError::Hdf5),
            _ => return Err(MatError::NotLevel5),
        };
        let mut elements = Elements::new(body, order);
        while let Some(element) = elements.next()? {
            let content = match element.kind {
                Kind::Matrix => element.content.to_vec(),
                Kind::Compressed => match inflated_matrix(element.content, order)? {
                    Some(content) => content,
                    None => continue,
                },
                _ => continue,
            };
            if Array::parse(&content, order)?.name == name.as_bytes() {
                return Ok(Some(Self { content, order }));
            }
        }
        Ok(None)
    }

    /// View of the variable as an array.
    pub(super) fn array(&self) -> Result<Array<'_>, MatError> {
        Array::parse(&self.content, self.order)
    }
}

/// Content of the matrix in a compressed element; `None` if the element holds no matrix.
fn inflated_matrix(compressed: &[u8], order: ByteOrder) -> Result<Option<Vec<u8>>, MatError> {
    let mut inflated = Vec::new();
    let mut decoder = ZlibDecoder::new(compressed).take(MAX_INFLATED_BYTES + 1);
    decoder
        .read_to_end(&mut inflated)
        .map_err(MatError::Compressed)?;
    if inflated.len() as u64 > MAX_INFLATED_BYTES {
        return Err(MatError::TooLarge);
    }
    let element = Elements::new(&inflated, order).next()?;
    let matrix = element.filter(|element| element.kind == Kind::Matrix);
    Ok(matrix.map(|matrix| matrix.content.to_vec()))
}

#[cfg(test)]
mod tests;
