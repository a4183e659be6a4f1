//! Reads the lists of an annotation file of MSCOCO as they stand there.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::marker::PhantomData;
use std::path::Path;

use serde::Deserialize;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Unexpected, Visitor,
};
use vidpairs_types::{BoxXywh, printable};

use super::bounded::BoundedJson;
use crate::error::SourceError;
use crate::files::Files;

/// Largest file that is read, bytes; that of MSCOCO's largest split has 0.5 GB, larger data sets use its format.
const MAX_BYTES: u64 = 8 << 30;

/// Most images, annotations and classes of a file.
const MAX_IMAGES: usize = 4 << 20;
const MAX_ANNOTATIONS: usize = 16 << 20;
const MAX_CATEGORIES: usize = 1 << 16;

/// The three lists of a file, as they stand there.
#[derive(Default)]
pub(super) struct Raw {
    pub images: Option<Vec<RawImage>>,
    pub annotations: Option<Vec<RawAnnotation>>,
    pub categories: Option<Vec<RawCategory>>,
}

/// Reads the lists of a file.
///
/// # Errors
/// [`SourceError::BadJson`] if the file is damaged or of another kind, with the place; [`SourceError::Unreadable`] and
/// [`SourceError::TooLarge`] if it cannot be read. Stop.
pub(super) fn read(files: &dyn Files, path: &Path) -> Result<Raw, SourceError> {
    let unreadable = SourceError::unreadable(path);
    let (file, bytes) = files.open(path).map_err(&unreadable)?;
    if bytes > MAX_BYTES {
        return Err(SourceError::TooLarge {
            path: path.to_owned(),
            bytes,
            max_bytes: MAX_BYTES,
        });
    }
    let mut reader = BufReader::with_capacity(1 << 18, BoundedJson::new(file));
    if reader
        .fill_buf()
        .map_err(&unreadable)?
        .starts_with(b"\xEF\xBB\xBF")
    {
        reader.consume(3);
    }
    let mut json = serde_json::Deserializer::from_reader(reader);
    let mut raw = Raw::default();
    let parsed = RawFile(&mut raw).deserialize(&mut json);
    let found = parsed.and_then(|()| json.end());
    drop(json);
    let bad = |reason: String| bad_json(path, &reason);
    match found {
        Err(err) if err.is_io() => Err(unreadable(err.into())),
        Err(err) if err.is_eof() => Err(bad(format!(
            "{err}; if it was cut, unpack or download it again"
        ))),
        // Python's json writes NaN and Infinity, which are no JSON.
        Err(err) if err.is_syntax() && err.to_string().starts_with("expected value") => Err(bad(
            format!("{err}; if NaN or Infinity stands there, replace it by null"),
        )),
        Err(err) => Err(bad(err.to_string())),
        Ok(()) => Ok(raw),
    }
}

/// Error of the annotation file `path`.
pub(super) fn bad_json(path: &Path, reason: &str) -> SourceError {
    SourceError::BadJson {
        path: path.to_owned(),
        reason: printable(reason).into_owned(),
    }
}

#[derive(Deserialize)]
pub(super) struct RawImage {
    #[serde(deserialize_with = "id")]
    pub id: u64,
    pub file_name: String,
    #[serde(default)]
    pub width: RawSide,
    #[serde(default)]
    pub height: RawSide,
}

/// Side of an image, px; 0 if it is not known: null, or no whole number.
#[derive(Default)]
pub(super) struct RawSide(pub u32);

impl<'de> Deserialize<'de> for RawSide {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let side = Option::<f64>::deserialize(deserializer)?.unwrap_or_default();
        let is_whole = side.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&side);
        Ok(Self(if is_whole { side as u32 } else { 0 }))
    }
}

#[derive(Deserialize)]
pub(super) struct RawAnnotation {
    #[serde(deserialize_with = "id")]
    pub image_id: u64,
    #[serde(deserialize_with = "id")]
    pub category_id: u64,
    #[serde(default)]
    pub bbox: RawBox,
    #[serde(default)]
    pub iscrowd: RawFlag,
}

#[derive(Deserialize)]
pub(super) struct RawCategory {
    #[serde(deserialize_with = "id")]
    pub id: u64,
    pub name: String,
}

/// Number of an image or a class. Some programs write `1.0`.
fn id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Whole;
    impl Visitor<'_> for Whole {
        type Value = u64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number from 0 as an id")
        }
        fn visit_u64<E: Error>(self, id: u64) -> Result<u64, E> {
            Ok(id)
        }
        fn visit_f64<E: Error>(self, id: f64) -> Result<u64, E> {
            // Above this, doubles leave whole numbers out.
            let is_whole = id.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&id);
            let other = || Error::invalid_value(Unexpected::Float(id), &self);
            is_whole.then_some(id as u64).ok_or_else(other)
        }
    }
    deserializer.deserialize_any(Whole)
}

/// Valid box of four numbers; `None` for other numbers, for null and with null among them.
#[derive(Default)]
pub(super) struct RawBox(pub Option<BoxXywh>);

impl<'de> Deserialize<'de> for RawBox {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = RawBox;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of numbers: x, y, width, height")
            }
            fn visit_unit<E: Error>(self) -> Result<RawBox, E> {
                Ok(RawBox(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<RawBox, A::Error> {
                let (mut four, mut num) = ([0.0; 4], 0);
                while let Some(number) = numbers.next_element::<Option<f64>>()? {
                    if let Some(place) = four.get_mut(num) {
                        *place = number.unwrap_or(f64::NAN);
                    }
                    num += 1;
                }
                let bbox = (num == 4).then(|| BoxXywh::from(four));
                Ok(RawBox(bbox.filter(|bbox| bbox.is_valid())))
            }
        }
        deserializer.deserialize_any(Numbers)
    }
}

/// 0 or 1, or a boolean as some programs write it; null is 0.
#[derive(Default)]
pub(super) struct RawFlag(pub bool);

impl<'de> Deserialize<'de> for RawFlag {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Flag;
        impl Visitor<'_> for Flag {
            type Value = RawFlag;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("0 or 1")
            }
            fn visit_bool<E: Error>(self, flag: bool) -> Result<RawFlag, E> {
                Ok(RawFlag(flag))
            }
            fn visit_u64<E: Error>(self, flag: u64) -> Result<RawFlag, E> {
                Ok(RawFlag(flag != 0))
            }
            fn visit_f64<E: Error>(self, flag: f64) -> Result<RawFlag, E> {
                Ok(RawFlag(flag != 0.0))
            }
            fn visit_unit<E: Error>(self) -> Result<RawFlag, E> {
                Ok(RawFlag(false))
            }
        }
        deserializer.deserialize_any(Flag)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Images,
    Annotations,
    Categories,
    #[serde(other)]
    Other,
}

/// Reads the object at the top of a file.
struct RawFile<'a>(&'a mut Raw);

impl<'de> DeserializeSeed<'de> for RawFile<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RawFile<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with images, annotations and categories")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Raw {
            images,
            annotations,
            categories,
        } = self.0;
        while let Some(field) = map.next_key()? {
            match field {
                Field::Images => {
                    *images = Some(map.next_value_seed(AtMost::new("images", MAX_IMAGES))?);
                }
                Field::Annotations => {
                    let list = AtMost::new("annotations", MAX_ANNOTATIONS);
                    *annotations = Some(map.next_value_seed(list)?);
                }
                Field::Categories => {
                    let list = AtMost::new("categories", MAX_CATEGORIES);
                    *categories = Some(map.next_value_seed(list)?);
                }
                Field::Other => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Reads a list of at most `max` elements.
struct AtMost<T> {
    name: &'static str,
    max: usize,
    element: PhantomData<T>,
}

impl<T> AtMost<T> {
    fn new(name: &'static str, max: usize) -> Self {
        Self {
            name,
            max,
            element: PhantomData,
        }
    }
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for AtMost<T> {
    type Value = Vec<T>;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for AtMost<T> {
    type Value = Vec<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {}", self.name)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            if list.len() >= self.max {
                let Self { name, max, .. } = self;
                return Err(Error::custom(format_args!("more than {max} {name}")));
            }
            list.push(element);
        }
        Ok(list)
    }
}
