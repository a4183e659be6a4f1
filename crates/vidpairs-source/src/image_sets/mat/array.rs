//! Views of arrays: numbers, texts and structs.

use super::element::{ByteOrder, Elements, Kind, MatError};

/// Largest number of structs of an array, far above the number of objects of an image. It bounds the memory, since a view
/// of a field may take more than the field itself.
const MAX_STRUCTS: u64 = 1024;

/// Largest number of fields of a struct.
const MAX_FIELDS: usize = 256;

/// Class of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Struct,
    Text,
    /// Floating-point numbers, integers and booleans.
    Numbers,
    /// Cells, objects, functions and sparse matrices.
    Other,
}

/// View of an array.
#[derive(Debug, Clone)]
pub(in super::super) struct Array<'a> {
    /// Name of the variable; empty in a struct.
    pub(super) name: &'a [u8],
    class: Class,
    num_items: u64,
    /// Elements after the name.
    body: Elements<'a>,
}

/// Fields of one struct, in the order of the file.
pub(in super::super) struct Fields<'a>(Vec<(&'a [u8], Array<'a>)>);

impl<'a> Array<'a> {
    /// Parses the content of a `miMATRIX` element. Empty content is an empty array, which MATLAB writes for unset fields.
    pub(super) fn parse(content: &'a [u8], order: ByteOrder) -> Result<Self, MatError> {
        let mut body = Elements::new(content, order);
        let Some(flags) = body.next()? else {
            return Ok(Self::empty(body));
        };
        let mut flags = flags.numbers();
        let class = flags
            .next()
            .ok_or(MatError::Malformed("the header of an array"))?;
        let class = match class as u32 & 0xFF {
            2 => Class::Struct,
            4 => Class::Text,
            6..=15 => Class::Numbers,
            17 => return Ok(Self::empty(body)), // opaque: without the size of an array
            _ => Class::Other,
        };
        let sides = body.expect("the size of an array")?;
        let num_items = sides.numbers().try_fold(1u64, |product, side| {
            (side >= 0.0).then(|| product.saturating_mul(side as u64))
        });
        Ok(Self {
            name: body.expect("the name of an array")?.content,
            class,
            num_items: num_items.ok_or(MatError::Malformed("the size of an array"))?,
            body,
        })
    }

    fn empty(body: Elements<'a>) -> Self {
        Self {
            name: &[],
            class: Class::Other,
            num_items: 0,
            body,
        }
    }

    /// Numbers, column by column; none if the array holds something else.
    pub(in super::super) fn numbers(&self) -> Result<impl Iterator<Item = f64> + 'a, MatError> {
        let real = match self.class {
            Class::Numbers if self.num_items > 0 => Some(self.body.clone().expect("numbers")?),
            _ => None,
        };
        Ok(real.into_iter().flat_map(|real| real.numbers()))
    }

    /// Text, at most `max_chars` characters; `None` if the array is empty or holds something else.
    pub(in super::super) fn text(&self, max_chars: usize) -> Result<Option<String>, MatError> {
        if self.class != Class::Text || self.num_items == 0 {
            return Ok(None);
        }
        let text = self.body.clone().expect("a text")?;
        let text: String = match text.kind {
            Kind::Utf8 => String::from_utf8_lossy(text.content)
                .chars()
                .take(max_chars)
                .collect(),
            // One number per character: no relevant name lies outside the first plane of Unicode.
            _ => text
                .numbers()
                .take(max_chars)
                .map(|code| char::from_u32(code as u32).unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect(),
        };
        Ok(Some(text))
    }

    /// Structs, in order; none if the array holds something else.
    pub(in super::super) fn structs(&self) -> Result<Vec<Fields<'a>>, MatError> {
        let mut structs = Vec::new();
        if self.class != Class::Struct {
            return Ok(structs);
        }
        let mut body = self.body.clone();
        let names = field_names(&mut body)?;
        // Structs without fields take no bytes, so the file could state any number of them.
        let num_structs = if names.is_empty() { 0 } else { self.num_items };
        if num_structs > MAX_STRUCTS {
            return Err(MatError::TooMany("structs"));
        }
        for _ in 0..num_structs {
            let mut fields = Vec::new();
            for &name in &names {
                let field = body.expect("a struct")?;
                if field.kind != Kind::Matrix {
                    return Err(MatError::Malformed("a field"));
                }
                fields.push((name, Array::parse(field.content, body.order())?));
            }
            structs.push(Fields(fields));
        }
        Ok(structs)
    }
}

impl<'a> Fields<'a> {
    /// Field `name`; `None` if there is none.
    pub(in super::super) fn get(&self, name: &str) -> Option<&Array<'a>> {
        let mut fields = self.0.iter();
        fields
            .find(|(field, _)| *field == name.as_bytes())
            .map(|(_, array)| array)
    }
}

/// Names of the fields of a struct, without the zeros that pad them.
fn field_names<'a>(body: &mut Elements<'a>) -> Result<Vec<&'a [u8]>, MatError> {
    let mut header = body.expect("the header of a struct")?.numbers();
    let length = match header.next() {
        Some(length) if length >= 1.0 => length as usize,
        _ => return Err(MatError::Malformed("the length of a field name")),
    };
    let names = body.expect("the field names of a struct")?.content;
    if names.len() / length > MAX_FIELDS {
        return Err(MatError::TooMany("fields"));
    }
    let name = |padded: &'a [u8]| {
        let mut parts = padded.split(|&byte| byte == 0);
        parts.next().expect("`split` yields at least one part")
    };
    Ok(names.chunks_exact(length).map(name).collect())
}
