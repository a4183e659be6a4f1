//! Arrays: numbers, texts, structs.

use super::MatError;
use super::element::{ByteOrder, Elements, Kind};

/// The most structs of an array, far beyond the objects of an image; each view of a field takes more than the field may.
const MAX_STRUCTS: u64 = 1024;

/// The most fields of a struct.
const MAX_FIELDS: usize = 256;

/// What an array is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Struct,
    Text,
    /// Floating point, integers, truth values.
    Numbers,
    /// Cells, objects, functions, sparse matrices.
    Other,
}

/// A view of an array.
#[derive(Debug, Clone)]
pub(in super::super) struct Array<'a> {
    /// Empty for what lies in a struct.
    pub(super) name: &'a [u8],
    class: Class,
    num_items: u64,
    /// What comes after the name.
    body: Elements<'a>,
}

/// The fields of one struct, in the order of the file.
pub(in super::super) struct Fields<'a>(Vec<(&'a [u8], Array<'a>)>);

impl<'a> Array<'a> {
    /// Of a `miMATRIX` element's content. No content is an empty array, which MATLAB writes for a field never set.
    pub(super) fn parse(content: &'a [u8], order: ByteOrder) -> Result<Self, MatError> {
        let mut body = Elements::new(content, order);
        let Some(flags) = body.next()? else {
            return Ok(Self::nothing(body));
        };
        let flags = flags.numbers().next();
        let flags = flags.ok_or(MatError::Unlike("an array's head"))?;
        let class = match flags as u32 & 0xFF {
            2 => Class::Struct,
            4 => Class::Text,
            6..=15 => Class::Numbers,
            17 => return Ok(Self::nothing(body)), // opaque: an array's size is not in it
            _ => Class::Other,
        };
        let sides = body.expect("an array's size")?;
        let num_items = sides.numbers().try_fold(1u64, |product, side| {
            (side >= 0.0).then(|| product.saturating_mul(side as u64))
        });
        Ok(Self {
            name: body.expect("an array's name")?.content,
            class,
            num_items: num_items.ok_or(MatError::Unlike("an array's size"))?,
            body,
        })
    }

    fn nothing(body: Elements<'a>) -> Self {
        Self {
            name: &[],
            class: Class::Other,
            num_items: 0,
            body,
        }
    }

    /// The numbers, column by column; none where it holds something else.
    pub(in super::super) fn numbers(&self) -> Result<impl Iterator<Item = f64> + 'a, MatError> {
        let real = match self.class {
            Class::Numbers if self.num_items > 0 => Some(self.body.clone().expect("numbers")?),
            _ => None,
        };
        Ok(real.into_iter().flat_map(|real| real.numbers()))
    }

    /// The text, at most `max_chars` of it; `None` where it is empty or holds something else.
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
            // One number a character: no name that is looked for lies beyond the first plane of Unicode.
            _ => text
                .numbers()
                .take(max_chars)
                .map(|code| char::from_u32(code as u32).unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect(),
        };
        Ok(Some(text))
    }

    /// The structs, in order; none where it holds something else.
    pub(in super::super) fn structs(&self) -> Result<Vec<Fields<'a>>, MatError> {
        let mut structs = Vec::new();
        if self.class != Class::Struct {
            return Ok(structs);
        }
        let mut body = self.body.clone();
        let names = field_names(&mut body)?;
        // Without fields a struct takes no bytes, and their number could be anything.
        let num_structs = if names.is_empty() { 0 } else { self.num_items };
        if num_structs > MAX_STRUCTS {
            return Err(MatError::TooMany("structs"));
        }
        for _ in 0..num_structs {
            let mut fields = Vec::new();
            for &name in &names {
                let field = body.expect("a struct")?;
                if field.kind != Kind::Matrix {
                    return Err(MatError::Unlike("a field"));
                }
                fields.push((name, Array::parse(field.content, body.order())?));
            }
            structs.push(Fields(fields));
        }
        Ok(structs)
    }
}

impl<'a> Fields<'a> {
    /// The field `name`, if there is one.
    pub(in super::super) fn get(&self, name: &str) -> Option<&Array<'a>> {
        let mut fields = self.0.iter();
        let field = fields.find(|(it, _)| *it == name.as_bytes());
        field.map(|(_, array)| array)
    }
}

/// The names of a struct's fields, each as long as it is, without the zeros after it.
fn field_names<'a>(body: &mut Elements<'a>) -> Result<Vec<&'a [u8]>, MatError> {
    const UNLIKE: MatError = MatError::Unlike("the length of a field's name");
    let length = body.expect("a struct's head")?.numbers().next();
    let length = length.filter(|length| *length >= 1.0).ok_or(UNLIKE)? as usize;
    let names = body.expect("the names of a struct's fields")?.content;
    if names.len() / length > MAX_FIELDS {
        return Err(MatError::TooMany("fields"));
    }
    let name = |padded: &'a [u8]| {
        let end = padded.iter().position(|&byte| byte == 0);
        padded
            .get(..end.unwrap_or(padded.len()))
            .unwrap_or_default()
    };
    Ok(names.chunks_exact(length).map(name).collect())
}
