//! The header of an array: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.

use std::fmt;

/// What every array begins with.
const MAGIC: &[u8] = b"\x93NUMPY";
/// Longest header that is read: shapes of a few dimensions need a hundred bytes.
pub(super) const MAX_HEADER_BYTES: usize = 1 << 16;

/// What the elements of an array are, as numpy writes it: `<f4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementType {
    /// Highest byte first.
    pub is_big_endian: bool,
    /// numpy's letter: `f`, `i`, `u`, `b`, `U`, `S` and others.
    pub letter: char,
    /// The number behind it: bytes of an element, or characters of a text.
    pub size: usize,
}

impl ElementType {
    /// Bytes of one element; `U` has four for each character. `None` for no memory could hold it, or Python's objects.
    pub fn num_bytes(self) -> Option<usize> {
        match self.letter {
            'O' => None,
            'U' => self.size.checked_mul(4),
            _ => Some(self.size),
        }
    }

    /// Whether it is a text: `U` of characters, `S` of bytes.
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
            digits => number(digits)?,
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

/// Kind, shape and order of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayHeader {
    /// What its elements are.
    pub element: ElementType,
    /// Sizes, outermost first; none for a scalar.
    pub shape: Vec<usize>,
    /// Whether the first index runs fastest.
    pub is_fortran: bool,
}

impl ArrayHeader {
    /// Elements; `None` if no memory could hold them.
    pub fn num_elements(&self) -> Option<usize> {
        // Zero first: any number of empty rows is nothing, however long they are.
        if self.shape.contains(&0) {
            return Some(0);
        }
        let mut sizes = self.shape.iter();
        sizes.try_fold(1usize, |product, &size| product.checked_mul(size))
    }

    /// Bytes of all elements.
    pub(super) fn num_bytes(&self) -> Option<u128> {
        Some(self.num_elements()? as u128 * self.element.num_bytes()? as u128)
    }

    /// Of the text of a header.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let inner = text
            .trim_end_matches(['\n', ' ', '\0'])
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .ok_or("no dict")?;
        let (mut element, mut shape, mut is_fortran) = (None, None, None);
        let mut rest = inner.trim();
        while !rest.is_empty() {
            let (key, after) = quoted(rest).ok_or("no key in quotes")?;
            let after = after.trim_start().strip_prefix(':');
            let value = after.ok_or("no colon behind a key")?.trim_start();
            rest = match key {
                "descr" => {
                    // A list is a record of several fields.
                    let (text, after) = quoted(value).ok_or("records of fields are not read")?;
                    let parsed = ElementType::parse(text);
                    element = Some(parsed.ok_or_else(|| format!("unknown kind '{text}'"))?);
                    after
                }
                "fortran_order" => {
                    let (is_true, after) = match value.strip_prefix("True") {
                        Some(after) => (true, after),
                        None => {
                            let after = value.strip_prefix("False");
                            (false, after.ok_or("fortran_order is no bool")?)
                        }
                    };
                    is_fortran = Some(is_true);
                    after
                }
                "shape" => {
                    let inner = value
                        .strip_prefix('(')
                        .and_then(|rest| rest.split_once(')'));
                    let (sizes, after) = inner.ok_or("shape is no tuple")?;
                    let sizes = sizes.trim().trim_end_matches(',');
                    let parsed = match sizes {
                        "" => Some(Vec::new()),
                        sizes => sizes.split(',').map(|size| number(size.trim())).collect(),
                    };
                    shape = Some(parsed.ok_or("shape is no tuple of whole numbers")?);
                    after
                }
                other => return Err(format!("unknown key '{other}'")),
            };
            let after = rest.trim_start();
            rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        }
        Ok(Self {
            element: element.ok_or("no descr")?,
            shape: shape.ok_or("no shape")?,
            is_fortran: is_fortran.ok_or("no fortran_order")?,
        })
    }
}

/// Bytes before the text of a header, and of the text, by the first 12 bytes of an array.
pub(super) fn text_place(beginning: [u8; 12]) -> Result<(usize, usize), String> {
    if !beginning.starts_with(MAGIC) {
        return Err("no array of numpy".to_owned());
    }
    let [.., major, _, a, b, c, d] = beginning;
    let place = match major {
        1 => (10, usize::from(u16::from_le_bytes([a, b]))),
        2 | 3 => (12, u32::from_le_bytes([a, b, c, d]) as usize),
        other => return Err(format!("version {other} of the format is not known")),
    };
    match place.1 {
        len if len <= MAX_HEADER_BYTES => Ok(place),
        len => Err(format!(
            "{len} bytes long; at most {MAX_HEADER_BYTES} are read"
        )),
    }
}

/// The text in quotes that comes first, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text
        .chars()
        .next()
        .filter(|first| ['\'', '"'].contains(first))?;
    text.get(1..)?.split_once(quote)
}

/// Digits alone; no sign, no underscores.
fn number(digits: &str) -> Option<usize> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_whatever_the_order_of_its_keys() {
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
    fn what_numpy_does_not_write_is_refused_with_a_reason() {
        for (text, reason) in [
            ("", "no dict"),
            ("{}", "no descr"),
            ("{'descr': '<f4', 'shape': (1,)}", "no fortran_order"),
            ("{'descr': [('a', '<f4')], 'shape': (1,)}", "records"),
            ("{'descr': 'f4'}", "unknown kind 'f4'"),
            ("{'shape': (-1,)}", "whole numbers"),
            ("{'shape': (1", "no dict"),
            ("{'shape': 1}", "no tuple"),
            ("{'shape' (1,)}", "no colon"),
            ("{'fortran_order': 1}", "no bool"),
            ("{'else': 1}", "unknown key 'else'"),
            ("{'é", "no dict"),
            ("{é}", "no key"),
        ] {
            let err = ArrayHeader::parse(text).unwrap_err();
            assert!(err.contains(reason), "{text}: {err}");
        }
    }

    #[test]
    fn a_shape_larger_than_any_memory_has_no_size() {
        let text = format!(
            "{{'descr': '<f4', 'fortran_order': False, 'shape': ({0}, {0})}}",
            usize::MAX
        );
        assert_eq!(ArrayHeader::parse(&text).unwrap().num_bytes(), None);
    }

    #[test]
    fn the_place_of_the_text_is_checked_against_a_limit() {
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
