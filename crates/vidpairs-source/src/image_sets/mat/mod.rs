//! MATLAB's level 5 `.mat` files: one variable of a file, and in it numbers, texts and structs.
//!
//! - **Takes** the bytes of a file, as MATLAB, Octave or scipy writes them: either byte order, compressed or not.
//! - **Gives** [`Variable`], and views of its parts; an array of a kind that was not asked for (a cell, a function) is
//!   stepped over, never an error.
//! - **Fails** with [`MatError`] where lengths do not fit together. Nothing recurses, and no length in a file decides what is
//!   allocated: what is compressed may grow to [`MAX_INFLATED_BYTES`], all else are views.
//! - **Source**: MathWorks, "MAT-File Format".
//!
//! Own code, since of the readers tried in Rust matrw 0.1.4 refuses the heads that scipy writes and panics on damaged files
//! (2,141 of 2,172 copies of a compressed one with a flipped bit), and matreader 0.1.0 allocates what a length in the file says.

mod array;
mod element;

use std::io::Read;

use flate2::read::ZlibDecoder;

pub(super) use array::{Array, Fields};
use element::{ByteOrder, Elements, Kind};

/// The most that a compressed variable may hold, bytes: masks of the largest images.
const MAX_INFLATED_BYTES: u64 = 64 << 20;

/// Bytes before the first element.
const HEAD_BYTES: usize = 128;

/// Why a variable could not be read. Skip the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum MatError {
    /// Another format, HDF5 among them, which MATLAB 7.3 writes.
    #[error("not a MATLAB 5 file")]
    NotLevel5,
    /// Something ends before it is whole.
    #[error("the file ends inside {0}")]
    Cut(&'static str),
    /// A part is not what the format has in its place.
    #[error("{0} is not what the format has there")]
    Unlike(&'static str),
    /// More structs or fields than an annotation could have.
    #[error("more {0} than are read")]
    TooMany(&'static str),
    /// The compressed bytes are damaged.
    #[error("its compressed part is damaged: {0}")]
    Compressed(std::io::Error),
    /// More than [`MAX_INFLATED_BYTES`].
    #[error("its compressed part holds more than {MAX_INFLATED_BYTES} bytes")]
    TooLarge,
}

/// One variable, with all that is in it.
#[derive(Debug)]
pub(super) struct Variable {
    /// The content of its `miMATRIX` element.
    content: Vec<u8>,
    order: ByteOrder,
}

impl Variable {
    /// The variable `name` of a file; `None` if the file has others only.
    ///
    /// # Errors
    /// [`MatError`] for a file that is not whole, up to the end of the variable.
    pub(super) fn read(file: &[u8], name: &str) -> Result<Option<Self>, MatError> {
        let head = file.get(..HEAD_BYTES).ok_or(MatError::NotLevel5)?;
        let order = match head.get(124..) {
            Some([0x00, 0x01, b'I', b'M']) => ByteOrder::Little,
            Some([0x01, 0x00, b'M', b'I']) => ByteOrder::Big,
            _ => return Err(MatError::NotLevel5),
        };
        let mut elements = Elements::new(file.get(HEAD_BYTES..).unwrap_or_default(), order);
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

    /// The variable as an array.
    pub(super) fn array(&self) -> Result<Array<'_>, MatError> {
        Array::parse(&self.content, self.order)
    }
}

/// The content of the matrix in a compressed element, if it holds one.
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
