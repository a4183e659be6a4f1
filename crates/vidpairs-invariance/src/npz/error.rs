//! Errors of reading and writing arrays.

use std::io;
use std::path::{Path, PathBuf};

/// Error of reading or writing arrays. All are final for the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpzError {
    /// Another error, with the file that it is about.
    #[error("cannot use the arrays in {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The other error.
        #[source]
        source: Box<NpzError>,
    },
    /// The file cannot be read.
    #[error("cannot read it")]
    Read(#[source] io::Error),
    /// The bytes cannot be written.
    #[error("cannot write it")]
    Write(#[source] io::Error),
    /// The file is not a zip, or its directory is damaged.
    #[error(
        "not a .npz file, or its zip archive is damaged or incomplete; write it with numpy.savez(FILE, feat=..., and an array for each label)"
    )]
    Zip(#[source] zip::result::ZipError),
    /// The file is a `.npy`.
    #[error(
        "it is a single array (.npy); write it with numpy.savez(FILE, feat=..., and an array for each label)"
    )]
    SingleArray,
    /// A required array is missing.
    #[error("no array `{name}` in it; found {found}")]
    Missing {
        /// Name of the array.
        name: String,
        /// Names of the arrays in the file.
        found: String,
    },
    /// The bytes of an array cannot be read, or their checksum is wrong.
    #[error("array `{name}` is damaged")]
    Damaged {
        /// Name of the array.
        name: String,
        /// Error of the system or of the zip.
        #[source]
        source: io::Error,
    },
    /// The header of an array is not valid.
    #[error("the header of array `{name}`: {reason}")]
    Header {
        /// Name of the array.
        name: String,
        /// Reason.
        reason: String,
    },
    /// Shape and element type do not match the number of bytes.
    #[error("array `{name}` has {got} bytes; its shape and element type need {expected}")]
    Size {
        /// Name of the array.
        name: String,
        /// Bytes by the header.
        expected: u128,
        /// Bytes in the file.
        got: u64,
    },
    /// An array unpacks to far more than arrays of features do.
    #[error(
        "array `{name}` would unpack from {stored} to {stated} bytes, more than arrays of features do; \
         if that is right, write it with numpy.savez, uncompressed"
    )]
    Ratio {
        /// Name of the array.
        name: String,
        /// Stated bytes after decompression.
        stated: u64,
        /// Compressed bytes.
        stored: u64,
    },
    /// There is not enough memory for an array.
    #[error("array `{name}` needs {bytes} bytes of memory, more than there is")]
    Memory {
        /// Name of the array.
        name: String,
        /// Memory that is needed, bytes.
        bytes: u128,
    },
    /// The element type of an array is not supported.
    #[error("array `{name}` has element type {got}; expected {expected}")]
    Kind {
        /// Name of the array.
        name: String,
        /// Element type in NumPy's notation, such as `<c16`.
        got: String,
        /// Accepted types.
        expected: &'static str,
    },
    /// The shape of an array does not fit.
    #[error("array `{name}` has the shape {got:?}; expected {expected}")]
    Shape {
        /// Name of the array.
        name: String,
        /// Shape in the file.
        got: Vec<usize>,
        /// Accepted shape.
        expected: String,
    },
    /// A feature is NaN, infinite, or too large for single precision.
    #[error(
        "`feat` is {value} in row {row}, unit {unit}; expected finite single-precision numbers"
    )]
    NotFinite {
        /// Row, from 0.
        row: usize,
        /// Unit, from 0.
        unit: usize,
        /// Value in the file.
        value: f64,
    },
    /// The values of a unit differ by too little to be told apart in single precision.
    #[error(
        "`feat` in unit {unit} has the mean {mean} and the standard deviation {deviation}, which single precision cannot hold; subtract \
         the mean of each unit before saving (which changes retrieval: cosines are then those about the mean)"
    )]
    Precision {
        /// Unit, from 0.
        unit: usize,
        /// Mean of the unit.
        mean: f64,
        /// Standard deviation of the unit.
        deviation: f64,
    },
    /// A label is not a whole number.
    #[error("`{name}` is {value} in row {row}; expected whole numbers within 64 bits")]
    NotWhole {
        /// Name of the array.
        name: String,
        /// Row, from 0.
        row: usize,
        /// Value in the file.
        value: f64,
    },
    /// A text is not valid Unicode.
    #[error(
        "`{name}` is not Unicode text in row {row}; decode it first: numpy.char.decode({name}, ENCODING)"
    )]
    NotText {
        /// Name of the array.
        name: String,
        /// Row, from 0.
        row: usize,
    },
    /// A label is none of the accepted ones.
    #[error("`{name}` is {value} in row {row}; expected {expected}")]
    Label {
        /// Name of the array.
        name: &'static str,
        /// Row, from 0.
        row: usize,
        /// Label in the file.
        value: String,
        /// Accepted labels.
        expected: &'static str,
    },
    /// A label has no name.
    #[error(
        "`{name}` is {value} in row {row}, but `{names}` has {num_names} names; expected labels from 0 to {num_names} - 1"
    )]
    Unnamed {
        /// Array of the labels.
        name: &'static str,
        /// Row, from 0.
        row: usize,
        /// Label.
        value: i64,
        /// Array of the names.
        names: &'static str,
        /// Number of names.
        num_names: usize,
    },
}

impl NpzError {
    /// This error, with the file that it is about.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Self {
        Self::File {
            path: path.to_owned(),
            source: Box::new(self),
        }
    }
}
