//! Why arrays could not be read or written.

use std::io;
use std::path::{Path, PathBuf};

/// Why arrays could not be read or written. All are final for the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpzError {
    /// Something is wrong with a file.
    #[error("cannot use the arrays in {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<NpzError>,
    },
    /// The file cannot be read.
    #[error("cannot read it")]
    Read(#[source] io::Error),
    /// The bytes cannot be written.
    #[error("cannot write it")]
    Write(#[source] io::Error),
    /// The file is no zip, or its table is damaged.
    #[error(
        "no .npz: its zip archive is damaged or cut short; write it with numpy.savez(FILE, feat=..., instance=...)"
    )]
    Zip(#[source] zip::result::ZipError),
    /// One array alone.
    #[error("it is a single array (.npy); write it with numpy.savez(FILE, feat=..., instance=...)")]
    SingleArray,
    /// An array that is needed is not there.
    #[error("no array `{name}` in it; found {found}")]
    Missing {
        /// The array.
        name: String,
        /// The arrays that are there.
        found: String,
    },
    /// The bytes of an array cannot be read: damaged, or another checksum.
    #[error("array `{name}` is damaged")]
    Damaged {
        /// The array.
        name: String,
        /// The system's or the zip's word.
        #[source]
        source: io::Error,
    },
    /// The header of an array is not one that numpy writes.
    #[error("the header of array `{name}`: {reason}")]
    Header {
        /// The array.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// Shape and kind of an array need another number of bytes than there are.
    #[error("array `{name}` has {got} bytes; its shape and kind need {expected}")]
    Size {
        /// The array.
        name: String,
        /// By the header.
        expected: u128,
        /// In the file.
        got: u64,
    },
    /// An array states more than the file can hold.
    #[error(
        "array `{name}` states {stated} bytes, which its {stored} bytes in the file cannot unfold to"
    )]
    Unfolds {
        /// The array.
        name: String,
        /// After unpacking.
        stated: u64,
        /// In the file.
        stored: u64,
    },
    /// An array of numbers that are not read here.
    #[error("array `{name}` is of kind {got}; expected {expected}")]
    Kind {
        /// The array.
        name: String,
        /// numpy's word, as `<c16`.
        got: String,
        /// What would pass.
        expected: &'static str,
    },
    /// An array of another shape.
    #[error("array `{name}` has the shape {got:?}; expected {expected}")]
    Shape {
        /// The array.
        name: String,
        /// Its shape.
        got: Vec<usize>,
        /// What would pass.
        expected: String,
    },
    /// A feature that is no number.
    #[error(
        "`feat` is {value} in row {row}, unit {unit}; expected finite numbers of single precision"
    )]
    NotFinite {
        /// From 0.
        row: usize,
        /// From 0.
        unit: usize,
        /// As it is stored.
        value: f64,
    },
    /// A label that is no whole number.
    #[error("`{name}` is {value} in row {row}; expected whole numbers within 64 bits")]
    NotWhole {
        /// The array.
        name: String,
        /// From 0.
        row: usize,
        /// As it is stored.
        value: f64,
    },
    /// A text that is not UTF-8, or no Unicode.
    #[error(
        "`{name}` is no text of Unicode in row {row}; decode it first: numpy.char.decode({name}, ENCODING)"
    )]
    NotText {
        /// The array.
        name: String,
        /// From 0.
        row: usize,
    },
    /// A label without a name.
    #[error(
        "`{name}` is {value} in row {row}, and `{names}` has {num_names} names; expected 0 to below that"
    )]
    Unnamed {
        /// The labels.
        name: &'static str,
        /// From 0.
        row: usize,
        /// The label.
        value: i64,
        /// The names.
        names: &'static str,
        /// How many there are.
        num_names: usize,
    },
}

impl NpzError {
    /// The same, with the file that it is about.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Self {
        Self::File {
            path: path.to_owned(),
            source: Box::new(self),
        }
    }
}
