//! Writes arrays to a `.npz` file as `numpy.savez` does: uncompressed, little endian, C order.

use std::io::{self, Seek, Write};

use vidpairs_types::ArchiveOutput;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::archive::ENDING;
use super::error::NpzError;

/// Alignment of the elements for memory maps, bytes.
const ALIGNMENT: usize = 64;
/// Bytes before the text of a header in version 1.0.
const BEFORE_TEXT: usize = 10;
/// Values that are encoded at a time.
const CHUNK: usize = 1 << 16;

/// The values of an array, row-major.
#[derive(Debug, Clone, Copy)]
pub enum ArrayValues<'a> {
    /// Element type `<f4`.
    F32(&'a [f32]),
    /// Element type `<i8`.
    I64(&'a [i64]),
    /// Element type `|u1`.
    U8(&'a [u8]),
}

/// An array to write.
#[derive(Debug, Clone, Copy)]
pub struct NamedArray<'a> {
    /// Name of the array, as NumPy shows it.
    pub name: &'a str,
    /// Sizes, outermost first; their product is the number of values.
    pub shape: &'a [usize],
    /// Values, row-major.
    pub values: ArrayValues<'a>,
}

/// Writes a `.npz` file to `to` and returns `to`. The same arrays give the same bytes.
///
/// # Errors
/// [`NpzError::Write`] with the error of the system; [`NpzError::Size`] if a shape does not match the number of values.
///
/// # Examples
/// ```
/// use std::io::Cursor;
/// use vidpairs_invariance::npz::{ArrayValues, FeatureTable, NamedArray, NpzArchive, write_npz};
///
/// let arrays = [
///     NamedArray { name: "feat", shape: &[2, 3], values: ArrayValues::F32(&[1., 2., 3., 4., 5., 6.]) },
///     NamedArray { name: "instance", shape: &[2], values: ArrayValues::I64(&[7, 7]) },
/// ];
/// let file = write_npz(Cursor::new(Vec::new()), &arrays)?;
/// let table = FeatureTable::from_archive(&mut NpzArchive::new(file)?)?;
/// assert_eq!((table.num_rows(), table.num_units), (2, 3));
/// # Ok::<(), vidpairs_invariance::npz::NpzError>(())
/// ```
pub fn write_npz<W: Write + Seek>(to: W, arrays: &[NamedArray<'_>]) -> Result<W, NpzError> {
    let (output, in_use) = ArchiveOutput::new(to);
    let mut zip = ZipWriter::new(output);
    if let Err(err) = write_arrays(&mut zip, arrays) {
        drop(in_use); // the archive is not completed
        return Err(err);
    }
    let output = zip.finish().map_err(|err| NpzError::Write(err.into()))?;
    Ok(output.into_inner())
}

fn write_arrays<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    arrays: &[NamedArray<'_>],
) -> Result<(), NpzError> {
    for array in arrays {
        let len = array.values.len();
        if array.shape.iter().product::<usize>() != len {
            return Err(NpzError::Size {
                name: array.name.to_owned(),
                expected: array.shape.iter().map(|&size| size as u128).product(),
                got: len as u64,
            });
        }
        write_array(zip, array).map_err(NpzError::Write)?;
    }
    Ok(())
}

impl ArrayValues<'_> {
    fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::U8(values) => values.len(),
        }
    }

    /// Element type in NumPy's notation, and bytes of an element.
    fn kind(&self) -> (&'static str, usize) {
        match self {
            Self::F32(_) => ("<f4", 4),
            Self::I64(_) => ("<i8", 8),
            Self::U8(_) => ("|u1", 1),
        }
    }
}

fn write_array<W: Write + Seek>(zip: &mut ZipWriter<W>, array: &NamedArray<'_>) -> io::Result<()> {
    let header = header(array);
    let num_bytes = array.values.len() * array.values.kind().1 + header.len();
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(u32::try_from(num_bytes).is_err());
    zip.start_file(format!("{}{ENDING}", array.name), options)?;
    zip.write_all(&header)?;
    match array.values {
        ArrayValues::F32(values) => write_values(zip, values, |value| value.to_le_bytes()),
        ArrayValues::I64(values) => write_values(zip, values, |value| value.to_le_bytes()),
        ArrayValues::U8(values) => zip.write_all(values),
    }
}

fn write_values<T: Copy, const N: usize>(
    to: &mut impl Write,
    values: &[T],
    encode: impl Fn(T) -> [u8; N],
) -> io::Result<()> {
    for values in values.chunks(CHUNK) {
        let bytes: Vec<u8> = values.iter().flat_map(|&value| encode(value)).collect();
        to.write_all(&bytes)?;
    }
    Ok(())
}

fn header(array: &NamedArray<'_>) -> Vec<u8> {
    let sizes: String = array.shape.iter().map(|size| format!("{size}, ")).collect();
    let sizes = match array.shape {
        [_] => sizes.trim_end(),
        _ => sizes.trim_end_matches(", "),
    };
    let kind = array.values.kind().0;
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sizes}), }}");
    let len = (BEFORE_TEXT + text.len() + 1).next_multiple_of(ALIGNMENT) - BEFORE_TEXT;
    let padding = " ".repeat(len - text.len() - 1);
    text.push_str(&padding);
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let len = u16::try_from(len).expect("the header of a few dimensions is short");
    bytes.extend(len.to_le_bytes());
    bytes.extend(text.bytes());
    bytes
}
