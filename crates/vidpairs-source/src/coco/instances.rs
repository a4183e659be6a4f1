//! Reads `annotations/instances_<split>.json`: the boxes of all images of a split.
//!
//! The file of 118,000 images has 450 MB. It is read as a stream, and only ids, file names, boxes and classes are kept: about 100
//! bytes for each box. Segmentations (polygons, run lengths) and licences are passed over.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use vidpairs_types::{
    AnnotatedObject, BoxXywh, ImageObjects, ObjectMark, SizePx, open_regular, printable,
};

use super::bounded::BoundedJson;
use crate::error::SourceError;

/// Largest file that is read, bytes; that of MSCOCO's largest split has 0.5 GB, larger data sets use its format.
const MAX_BYTES: u64 = 8 << 30;

/// Most images, annotations and classes of a file.
const MAX_IMAGES: usize = 4 << 20;
const MAX_ANNOTATIONS: usize = 16 << 20;
const MAX_CATEGORIES: usize = 1 << 16;

/// Most bytes of the name of a file or a class.
const MAX_NAME_BYTES: usize = 255;

/// Contents of an annotation file.
#[derive(Debug, Default)]
pub(crate) struct Instances {
    /// Images, sorted by the names of their files, which are unique.
    pub images: Vec<ListedImage>,
    /// Annotations that cannot be used, in words; `None` if there is none.
    pub unusable: Option<String>,
}

/// Image of an annotation file.
#[derive(Debug)]
pub(crate) struct ListedImage {
    pub file_name: String,
    pub objects: Arc<ImageObjects>,
}

/// Reads the annotations of a split.
///
/// # Errors
/// [`SourceError::BadJson`] if the file is damaged or of another kind, with the place; [`SourceError::Unreadable`] and
/// [`SourceError::TooLarge`] if it cannot be read. Stop.
pub(crate) fn read(path: &Path) -> Result<Instances, SourceError> {
    let unreadable = SourceError::unreadable(path);
    let file = open_regular(path).map_err(&unreadable)?;
    let bytes = file.metadata().map_err(&unreadable)?.len();
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
    let bad = |reason: String| SourceError::BadJson {
        path: path.to_owned(),
        reason: printable(&reason).into_owned(),
    };
    match found {
        Err(err) if err.is_io() => Err(unreadable(err.into())),
        Err(err) if err.is_eof() => Err(bad(format!(
            "{err}; if it was cut, unpack or download it again"
        ))),
        // Python's json writes NaN and Infinity, which are no JSON.
        Err(err) if err.is_syntax() => Err(bad(format!(
            "{err}; if NaN or Infinity stands there, replace it by null"
        ))),
        Err(err) => Err(bad(err.to_string())),
        Ok(()) => raw.joined().map_err(bad),
    }
}

#[derive(Deserialize)]
struct RawImage {
    id: u64,
    file_name: String,
    #[serde(default)]
    width: RawSide,
    #[serde(default)]
    height: RawSide,
}

/// Side of an image, px; 0 if it is not known: null, or no whole number.
#[derive(Default)]
struct RawSide(u32);

impl<'de> Deserialize<'de> for RawSide {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let side = Option::<f64>::deserialize(deserializer)?.unwrap_or_default();
        let is_whole = side.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&side);
        Ok(Self(if is_whole { side as u32 } else { 0 }))
    }
}

#[derive(Deserialize)]
struct RawAnnotation {
    image_id: u64,
    category_id: u64,
    #[serde(default)]
    bbox: RawBox,
    #[serde(default)]
    iscrowd: RawFlag,
}

#[derive(Deserialize)]
struct RawCategory {
    id: u64,
    name: String,
}

/// Valid box of four numbers; `None` for other numbers, for null and with null among them.
#[derive(Default)]
struct RawBox(Option<BoxXywh>);

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
struct RawFlag(bool);

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

/// The three lists of a file, as they stand there.
#[derive(Default)]
struct Raw {
    images: Option<Vec<RawImage>>,
    annotations: Option<Vec<RawAnnotation>>,
    categories: Option<Vec<RawCategory>>,
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

impl Raw {
    /// Gives each image its objects.
    fn joined(self) -> Result<Instances, String> {
        let missing = |name| {
            format!(
                "it has no {name}; expected the images, annotations and categories of instances_<split>.json"
            )
        };
        let raw_images = self.images.ok_or_else(|| missing("images"))?;
        let annotations = self.annotations.ok_or_else(|| missing("annotations"))?;
        let classes = classes(self.categories.ok_or_else(|| missing("categories"))?)?;
        let mut index_of = HashMap::with_capacity(raw_images.len());
        let mut images = Vec::with_capacity(raw_images.len());
        for RawImage {
            id,
            file_name,
            width,
            height,
        } in raw_images
        {
            if file_name.is_empty() || file_name.len() > MAX_NAME_BYTES {
                let len = file_name.len();
                return Err(format!(
                    "the file name of image {id} has {len} bytes; expected 1 to {MAX_NAME_BYTES}"
                ));
            }
            if index_of.insert(id, images.len()).is_some() {
                return Err(format!("two images have the id {id}"));
            }
            let size = SizePx {
                width: width.0,
                height: height.0,
            };
            let objects = ImageObjects {
                image_size: Some(size).filter(|size| size.area() > 0),
                objects: Vec::new(),
            };
            images.push((file_name, objects));
        }
        let mut unusable = Unusable::default();
        for annotation in annotations {
            let image = index_of.get(&annotation.image_id);
            let Some((_, image)) = image.and_then(|index| images.get_mut(*index)) else {
                unusable.add("image_id", annotation.image_id);
                continue;
            };
            match classes.get(&annotation.category_id) {
                Some(label) => image.objects.push(AnnotatedObject {
                    bbox: annotation.bbox.0,
                    label: Arc::clone(label),
                    mark: annotation.iscrowd.0.then_some(ObjectMark::Crowd),
                }),
                None => unusable.add("category_id", annotation.category_id),
            }
        }
        images.sort_by(|(a, _), (b, _)| a.cmp(b));
        let is_same = |two: &&[(String, _)]| matches!(two, [a, b] if a.0 == b.0);
        if let Some([(name, _), ..]) = images.windows(2).find(is_same) {
            return Err(format!("two images have the file name {name:?}"));
        }
        let listed = |(file_name, mut objects): (String, ImageObjects)| {
            objects.objects.shrink_to_fit();
            ListedImage {
                file_name,
                objects: Arc::new(objects),
            }
        };
        Ok(Instances {
            images: images.into_iter().map(listed).collect(),
            unusable: unusable.in_words(),
        })
    }
}

/// Name of each class by its id. The ids have gaps.
fn classes(categories: Vec<RawCategory>) -> Result<HashMap<u64, Arc<str>>, String> {
    let mut classes: HashMap<u64, Arc<str>> = HashMap::new();
    for RawCategory { id, name } in categories {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            let len = name.len();
            return Err(format!(
                "the name of category {id} has {len} bytes; expected 1 to {MAX_NAME_BYTES}"
            ));
        }
        if classes.insert(id, name.into()).is_some() {
            return Err(format!("two categories have the id {id}"));
        }
    }
    Ok(classes)
}

/// Annotations whose image or class is not listed, by the field that leads nowhere.
#[derive(Default)]
struct Unusable {
    /// Number of annotations, and the first id.
    by_field: BTreeMap<&'static str, (u64, u64)>,
}

impl Unusable {
    fn add(&mut self, field: &'static str, id: u64) {
        self.by_field.entry(field).or_insert((0, id)).0 += 1;
    }

    fn in_words(self) -> Option<String> {
        let words = self.by_field.into_iter().map(|(field, (num, first))| {
            let annotations = match num {
                1 => "1 annotation has".to_owned(),
                num => format!("{num} annotations have"),
            };
            format!("{annotations} no listed {field} (the first: {first})")
        });
        Some(words.collect::<Vec<_>>().join("; ")).filter(|words| !words.is_empty())
    }
}

#[cfg(test)]
mod tests;
