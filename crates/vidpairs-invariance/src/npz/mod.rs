//! Arrays of numpy in `.npz` files: features of images, those that other programs made and ours.
//!
//! **Takes** a zip of `.npy` arrays, stored or deflated. **Gives** arrays by name ([`NpzArchive`]), and out of them the
//! features of images with their sets and classes ([`FeatureTable`]). **Fails** with [`NpzError`], which names the array and
//! what it would have to be; a damaged or a hostile file is an error, and memory is taken only for what the file can hold.
//! **Source**: numpy's `numpy/lib/format.py`, versions 1.0 to 3.0.
//!
//! The header of an array is read here: the crate that reads them (npyz 0.9) overflows on shapes that a hostile file may state.

mod archive;
mod array;
mod error;
mod header;
mod table;
mod write;

pub use archive::{ArrayReader, NpzArchive};
pub use error::NpzError;
pub use header::{ArrayHeader, ElementType};
pub use table::FeatureTable;
pub use write::{ArrayValues, NamedArray, write_npz};

#[cfg(test)]
mod tests;
