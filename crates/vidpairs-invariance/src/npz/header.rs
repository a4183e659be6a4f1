//! Parses the header of an array: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.

use std::fmt;

use serde::Deserialize;

/// First bytes of every array.
const MAGIC: &[u8] = b"\x93NUMPY";
/// Largest number of dimensions, as in NumPy.
const MAX_DIMENSIONS: usize = 64;
/// Longest accepted header; headers of a few dimensions need a hundred bytes.
const MAX_HEADER_BYTES: usize = 1 << 16;

/// Element type of an array, in NumPy's notation: `<f4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementType {
    /// Byte order.
    pub is_big_endian: bool,
    /// NumPy's letter: `f`, `i`, `u`, `b`, `U`, `S` or another one.
    pub letter: char,
    /// Number after the letter: bytes of an element, or characters of a `U` text.
    pub size: usize,
}

impl ElementType {
    /// Bytes of one element; a character of `U` has four. `None` for Python objects and on overflow.
    pub fn num_bytes(self) -> Option<usize> {
        match self.letter {
            'O' => None,
            'U' => self.size.checked_mul(4),
            _ => Some(self.size),
        }
    }

    /// Whether elements are texts: `U` or `S`.
    pub fn is_text(self) -> bool {
        ['U', 'S'].contains(&self.letter)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut chars = text.chars();
        let is_big_endian = match chars.next()? {
            '<' | '|' => false,
            '>' => true,
            _ => return None,
        };
        let letter = chars.next().filter(char::is_ascii_alphabetic)?;
        let size = match chars.as_str() {
            "" if letter == 'O' => 8,
            digits if digits.starts_with(|c: char| c.is_ascii_digit()) => digits.parse().ok()?,
            _ => return None,
        };
        Some(Self {
            is_big_endian,
            letter,
            size,
        })
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match (self.is_big_endian, self.num_bytes()) {
            (true, _) => '>',
            (false, Some(1)) => '|',
            (false, _) => '<',
        };
        write!(f, "{order}{}{}", self.letter, self.size)
    }
}

/// Element type, shape and memory order of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayHeader {
    /// Element type.
    pub element: ElementType,
    /// Sizes, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// Whether the first index varies fastest.
    pub is_fortran: bool,
}

impl ArrayHeader {
    /// Number of elements; `None` on overflow.
    pub fn num_elements(&self) -> Option<usize> {
        // An array with a size of 0 is empty, however large the other sizes are.
        if self.shape.contains(&0) {
            return Some(0);
        }
        let mut sizes = self.shape.iter();
        sizes.try_fold(1usize, |product, &size| product.checked_mul(size))
    }

    /// Bytes of all elements; `None` for Python objects and on overflow.
    pub(super) fn num_bytes(&self) -> Option<u128> {
        Some(self.num_elements()? as u128 * self.element.num_bytes()? as u128)
    }

    /// Parses the text of a header. The error is the reason.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        /// NumPy's header as JSON.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Dict {
            descr: serde_json::Value,
            fortran_order: bool,
            shape: Vec<usize>,
        }
        // NumPy writes a Python literal without nested quotes. White space has no meaning in it.
        let mut json: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '\0')
            .collect();
        for (python, json_token) in [
            ("'", "\""),
            ("(", "["),
            (")", "]"),
            ("False", "false"),
            ("True", "true"),
            (",]", "]"),
            (",}", "}"),
        ] {
            json = json.replace(python, json_token);
        }
        let Dict {
            descr,
            fortran_order,
            shape,
        } = serde_json::from_str(&json).map_err(|err| format!("not a NumPy header: {err}"))?;
        let descr = descr
            .as_str()
            .ok_or("records of fields are not supported")?;
        if shape.len() > MAX_DIMENSIONS {
            let num = shape.len();
            return Err(format!(
                "{num} dimensions; expected at most {MAX_DIMENSIONS}"
            ));
        }
        let element =
            ElementType::parse(descr).ok_or_else(|| format!("unknown element type '{descr}'"))?;
        Ok(Self {
            element,
            shape,
            is_fortran: fortran_order,
        })
    }
}

/// Offset and length of the text of a header, from the first 12 bytes of an array.
pub(super) fn text_place(beginning: [u8; 12]) -> Result<(usize, usize), String> {
    if !beginning.starts_with(MAGIC) {
        return Err("not a NumPy array".to_owned());
    }
    let [.., major, _, a, b, c, d] = beginning;
    let (offset, len) = match major {
        1 => (10, usize::from(u16::from_le_bytes([a, b]))),
        2 | 3 => (12, u32::from_le_bytes([a, b, c, d]) as usize),
        other => return Err(format!("unknown format version {other}")),
    };
    if len > MAX_HEADER_BYTES {
        return Err(format!(
            "{len} bytes long; expected at most {MAX_HEADER_BYTES}"
        ));
    }
    Ok((offset, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_with_its_keys_in_any_order() {
        let header =
            ArrayHeader::parse("{'shape': (3, 4), 'fortran_order': True, 'descr': '>f8'}").unwrap();
        assert_eq!((header.shape, header.is_fortran), (vec![3, 4], true));
        assert_eq!(header.element.to_string(), ">f8");
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }        \n";
        let header = ArrayHeader::parse(text).unwrap();
        assert_eq!(
            (header.num_elements(), header.num_bytes()),
            (Some(7), Some(28))
        );
        let scalar = ArrayHeader::parse("{'descr': '|b1', 'fortran_order': False, 'shape': (), }");
        assert_eq!(scalar.unwrap().num_elements(), Some(1));
    }

    #[test]
    fn headers_that_numpy_does_not_write_are_refused_with_a_reason() {
        let with = |descr: &str, order: &str, shape: &str| {
            format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}")
        };
        assert!(ArrayHeader::parse(&with("'<f4'", "True", "(1,)")).is_ok());
        for (text, reason) in [
            (String::new(), "EOF"),
            ("{}".to_owned(), "missing field `descr`"),
            (
                "{'descr': '<f4', 'shape': (1,)}".to_owned(),
                "missing field `fortran_order`",
            ),
            (
                with("[('a', '<f4')]", "False", "(1,)"),
                "records of fields are not supported",
            ),
            (with("'f4'", "False", "(1,)"), "unknown element type 'f4'"),
            (with("'<f+4'", "False", "(1,)"), "unknown element type"),
            (with("'<f4'", "False", "(-1,)"), "`-1`, expected usize"),
            (with("'<f4'", "False", "(1"), "line 1"),
            (with("'<f4'", "False", "1"), "expected a sequence"),
            (with("'<f4'", "1", "(1,)"), "expected a boolean"),
            ("{'shape' (1,)}".to_owned(), "expected `:`"),
            ("{'else': 1}".to_owned(), "unknown field `else`"),
            ("{'é".to_owned(), "EOF"),
            ("{é}".to_owned(), "line 1"),
            ("[".repeat(10_000), "recursion limit"),
        ] {
            let err = ArrayHeader::parse(&text).unwrap_err();
            assert!(err.contains(reason), "{text}: {err}");
        }
    }

    #[test]
    fn the_size_of_a_shape_that_overflows_is_unknown() {
        let text = format!(
            "{{'descr': '<f4', 'fortran_order': False, 'shape': ({0}, {0})}}",
            usize::MAX
        );
        assert_eq!(ArrayHeader::parse(&text).unwrap().num_bytes(), None);
    }

    #[test]
    fn the_length_of_a_header_is_limited() {
        let beginning = |major: u8, len: [u8; 4]| {
            let mut bytes = *b"\x93NUMPY\0\0....";
            bytes[6] = major;
            bytes[8..].copy_from_slice(&len);
            text_place(bytes)
        };
        assert_eq!(beginning(1, [118, 0, 9, 9]), Ok((10, 118)));
        assert_eq!(beginning(2, [118, 0, 0, 0]), Ok((12, 118)));
        assert!(beginning(2, [0, 0, 0, 200]).is_err());
        assert!(beginning(4, [0; 4]).is_err());
        assert!(text_place(*b"PK........ab").is_err());
    }
}
