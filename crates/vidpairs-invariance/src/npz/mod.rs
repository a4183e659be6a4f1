//! Reads and writes NumPy arrays in `.npz` files: features of other programs, and our own.
//!
//! **Takes** a zip of `.npy` arrays, stored or deflated. **Gives** arrays by name ([`NpzArchive`]), and features of images with their sets
//! and classes ([`FeatureTable`]), or with their classes and splits ([`LabelledFeatures`]). **Fails** with [`NpzError`], which names the array and what is expected. A damaged or hostile file is an
//! error; memory is allocated only for what the file can hold. **Source**: NumPy's `numpy/lib/format.py`, versions 1.0 to 3.0.
//!
//! Headers are parsed here because npyz 0.9 allocates whatever header length a file states, multiplies shapes without an overflow check,
//! and parses headers recursively without a limit.

mod archive;
mod array;
mod error;
mod header;
mod labelled;
mod rounding;
mod table;
mod write;

pub use archive::{ArrayReader, NpzArchive};
pub use error::NpzError;
pub use header::{ArrayHeader, ElementType};
pub use labelled::{LabelledFeatures, TableClasses};
pub use table::FeatureTable;
pub use write::{ArrayValues, NamedArray, write_npz};

#[cfg(test)]
mod tests;
