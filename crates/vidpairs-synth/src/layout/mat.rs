//! Writes MATLAB level 5 files with numbers, texts and nested structs.
//!
//! The crate `matrw` is not used: its files contain the date, it writes to paths only, and it ignores a full disk. It
//! reads the files written here, and so does `scipy.io` (`tests/synth/layouts.rs`).
//!
//! Source: "MAT-File Format", The MathWorks, chapter "Level 5 MAT-File Format". Numbers are 8-byte doubles, texts are
//! ASCII, nothing is compressed, everything is little-endian.

/// Value of a variable or field.
#[derive(Debug, Clone, PartialEq)]
pub enum Mat {
    /// 0 x 0 array, `[]` in MATLAB.
    Empty,
    /// 1 x 1 array.
    Number(f64),
    /// 1 x N array.
    Row(Vec<f64>),
    /// 1 x N characters; 0 x 0 for an empty text, as `''` in MATLAB.
    Text(String),
    /// 1 x N array of structs with the same fields in the same order.
    Structs(Vec<Fields>),
}

/// Names and values of the fields of a struct, in order.
pub type Fields = Vec<(&'static str, Mat)>;

impl Mat {
    /// A single struct.
    pub fn structure(fields: Fields) -> Self {
        Self::Structs(vec![fields])
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A logical value, stored as the number 0 or 1.
    pub fn flag(is_set: bool) -> Self {
        Self::Number(f64::from(u8::from(is_set)))
    }
}

/// A value that the format cannot store. Leave the file out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatError {
    /// A text contains characters outside ASCII, which programs read differently.
    #[error("text {0:?}; expected ASCII")]
    NotAscii(String),
    /// A name is not valid in MATLAB.
    #[error("name {0:?}; expected 1 to 31 letters, digits and underscores, a letter first")]
    Name(String),
    /// The structs of an array have different fields.
    #[error("struct {index} has the fields {got:?}; expected {expected:?}, as the first has")]
    UnlikeFields {
        /// Index of the struct.
        index: usize,
        /// Fields of the first struct.
        expected: Vec<&'static str>,
        /// Fields of this struct.
        got: Vec<&'static str>,
    },
    /// A length does not fit into 31 bits.
    #[error("{0} bytes or elements; expected less than 2 GiB")]
    TooLarge(usize),
}

/// Maximum length of a name; 32 bytes with its final NUL.
const MAX_NAME: usize = 31;

/// Text at the start of the header, padded to 116 bytes. Only its first words are fixed; MATLAB adds a date.
const HEADER_TEXT: &str = "MATLAB 5.0 MAT-file, written by vidpairs";

// Types of data elements.
const MI_INT8: u32 = 1;
const MI_INT32: u32 = 5;
const MI_UINT32: u32 = 6;
const MI_DOUBLE: u32 = 9;
const MI_MATRIX: u32 = 14;
const MI_UTF8: u32 = 16;

// Classes of arrays.
const MX_STRUCT: u32 = 2;
const MX_CHAR: u32 = 4;
const MX_DOUBLE: u32 = 6;

/// Bytes of a file that holds one variable; equal values give equal bytes.
///
/// # Errors
/// [`MatError`] if the format cannot store the value.
///
/// # Examples
/// ```
/// use vidpairs_synth::layout::mat::{Mat, to_bytes};
///
/// let size = Mat::structure(vec![("width", Mat::Number(640.0)), ("height", Mat::Number(480.0))]);
/// let bytes = to_bytes("size", &size)?;
/// assert!(bytes.starts_with(b"MATLAB 5.0 MAT-file"));
/// # Ok::<(), vidpairs_synth::layout::mat::MatError>(())
/// ```
pub fn to_bytes(variable: &str, value: &Mat) -> Result<Vec<u8>, MatError> {
    let mut bytes = format!("{HEADER_TEXT:<116}").into_bytes();
    // No subsystem data, version 1.0, and "MI" as a little-endian number.
    bytes.extend([0; 8]);
    bytes.extend([0x00, 0x01, b'I', b'M']);
    check_name(variable)?;
    write_array(&mut bytes, variable, value)?;
    Ok(bytes)
}

fn check_name(name: &str) -> Result<(), MatError> {
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if starts_well && name.len() <= MAX_NAME && name.chars().all(is_word) {
        Ok(())
    } else {
        Err(MatError::Name(name.to_owned()))
    }
}

/// Appends an array; `name` is empty for fields of a struct.
fn write_array(bytes: &mut Vec<u8>, name: &str, value: &Mat) -> Result<(), MatError> {
    let mut array = Vec::new();
    match value {
        Mat::Empty => {
            write_array_head(&mut array, MX_DOUBLE, [0, 0], name)?;
            write_element(&mut array, MI_DOUBLE, &[])?;
        }
        Mat::Number(number) => write_row(&mut array, name, &[*number])?,
        Mat::Row(numbers) => write_row(&mut array, name, numbers)?,
        Mat::Text(text) => {
            if !text.is_ascii() {
                return Err(MatError::NotAscii(text.clone()));
            }
            let rows = usize::from(!text.is_empty());
            write_array_head(&mut array, MX_CHAR, [rows, text.len()], name)?;
            write_element(&mut array, MI_UTF8, text.as_bytes())?;
        }
        Mat::Structs(structs) => write_structs(&mut array, name, structs)?,
    }
    write_element(bytes, MI_MATRIX, &array)
}

fn write_row(array: &mut Vec<u8>, name: &str, numbers: &[f64]) -> Result<(), MatError> {
    write_array_head(array, MX_DOUBLE, [1, numbers.len()], name)?;
    let doubles: Vec<u8> = numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    write_element(array, MI_DOUBLE, &doubles)
}

fn write_structs(array: &mut Vec<u8>, name: &str, structs: &[Fields]) -> Result<(), MatError> {
    let names_of = |fields: &Fields| fields.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let names = structs.first().map(names_of).unwrap_or_default();
    write_array_head(array, MX_STRUCT, [1, structs.len()], name)?;
    write_element(array, MI_INT32, &length(MAX_NAME + 1)?.to_le_bytes())?;
    let mut padded_names = Vec::new();
    for name in &names {
        check_name(name)?;
        padded_names.extend(name.as_bytes());
        padded_names.resize(padded_names.len().next_multiple_of(MAX_NAME + 1), 0);
    }
    write_element(array, MI_INT8, &padded_names)?;
    for (index, fields) in structs.iter().enumerate() {
        let got = names_of(fields);
        if got != names {
            let expected = names;
            return Err(MatError::UnlikeFields {
                index,
                expected,
                got,
            });
        }
        for (_, value) in fields {
            write_array(array, "", value)?;
        }
    }
    Ok(())
}

fn write_array_head(
    array: &mut Vec<u8>,
    class: u32,
    dimensions: [usize; 2],
    name: &str,
) -> Result<(), MatError> {
    let flags = [class.to_le_bytes(), [0; 4]].concat();
    write_element(array, MI_UINT32, &flags)?;
    let [rows, columns] = dimensions;
    let dimensions = [length(rows)?.to_le_bytes(), length(columns)?.to_le_bytes()].concat();
    write_element(array, MI_INT32, &dimensions)?;
    write_element(array, MI_INT8, name.as_bytes())
}

/// Appends type, length and content, padded with zeros to a multiple of 8. Contents of 1 to 4 bytes share 8 bytes with
/// type and length.
fn write_element(bytes: &mut Vec<u8>, kind: u32, content: &[u8]) -> Result<(), MatError> {
    let len = length(content.len())?;
    if (1..=4).contains(&len) {
        bytes.extend((len << 16 | kind).to_le_bytes());
    } else {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(len.to_le_bytes());
    }
    bytes.extend(content);
    // All earlier elements are padded too, so padding the whole pads this element.
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    Ok(())
}

/// Length as the format stores it. Refuses lengths that a reader with signed numbers would misread.
fn length(length: usize) -> Result<u32, MatError> {
    match i32::try_from(length) {
        Ok(length) => Ok(length.unsigned_abs()),
        Err(_) => Err(MatError::TooLarge(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_stored_in_the_bytes_that_matlab_writes() {
        let bytes = to_bytes("a", &Mat::Number(std::f64::consts::PI)).unwrap();
        assert_eq!(bytes.len(), 128 + 8 + 56);
        assert_eq!(&bytes[116..128], b"\0\0\0\0\0\0\0\0\x00\x01IM");
        let array: [[u8; 8]; 7] = [
            *b"\x0e\0\0\0\x38\0\0\0", // a matrix of 56 bytes
            *b"\x06\0\0\0\x08\0\0\0", // flags
            *b"\x06\0\0\0\0\0\0\0",   // of class double
            *b"\x05\0\0\0\x08\0\0\0", // dimensions
            *b"\x01\0\0\0\x01\0\0\0", // 1 x 1
            *b"\x01\0\x01\0a\0\0\0",  // name
            *b"\x09\0\0\0\x08\0\0\0", // a double
        ];
        assert_eq!(bytes[128..184], array.concat());
        assert_eq!(bytes[184..], std::f64::consts::PI.to_le_bytes());
    }

    #[test]
    fn another_program_reads_back_nested_structs() {
        let view = |azimuth| Mat::structure(vec![("azimuth", Mat::Number(azimuth))]);
        let object = |class: &str, azimuth| {
            vec![
                ("class", Mat::text(class)),
                ("bbox", Mat::Row(vec![1.0, 2.0, 30.5, 40.0])),
                ("viewpoint", view(azimuth)),
                ("anchors", Mat::Empty),
            ]
        };
        let record = Mat::structure(vec![
            ("filename", Mat::text("n1_2.JPEG")),
            (
                "objects",
                Mat::Structs(vec![object("car", 10.25), object("bus", -1.0)]),
            ),
        ]);
        let bytes = to_bytes("record", &record).unwrap();
        let read = matrw::load_matfile_from_u8(&bytes).unwrap();
        let objects = &read["record"]["objects"];
        assert_eq!(objects.dim(), [1, 2]);
        assert_eq!(
            objects[0]["viewpoint"]["azimuth"].to_vec_f64(),
            Some(vec![10.25])
        );
        assert_eq!(
            objects[1]["viewpoint"]["azimuth"].to_vec_f64(),
            Some(vec![-1.0])
        );
        assert_eq!(
            objects[1]["bbox"].to_vec_f64(),
            Some(vec![1.0, 2.0, 30.5, 40.0])
        );
        assert_eq!(objects[1]["anchors"].dim(), [0, 0]);
        assert_eq!(
            read["record"]["filename"].to_vec_char(),
            Some("n1_2.JPEG".chars().collect())
        );
    }

    #[test]
    fn values_that_the_format_cannot_store_are_refused() {
        let refused = |value| to_bytes("a", &value).unwrap_err();
        let text = "caf\u{e9}".to_owned();
        assert_eq!(refused(Mat::text(&*text)), MatError::NotAscii(text));
        let long = "a234567890123456789012345678901_";
        for name in ["", "1a", "a b", long] {
            let error = to_bytes(name, &Mat::Empty).unwrap_err();
            assert_eq!(error, MatError::Name(name.to_owned()));
        }
        assert!(to_bytes(&long[..31], &Mat::Empty).is_ok());
        let unlike = Mat::Structs(vec![vec![("a", Mat::Empty)], vec![("b", Mat::Empty)]]);
        assert!(matches!(
            refused(unlike),
            MatError::UnlikeFields { index: 1, .. }
        ));
    }
}
