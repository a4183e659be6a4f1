//! Reads `annotations/instances_<split>.json`: the boxes of all images of a split.
//!
//! The file of 118,000 images has 450 MB. It is read as a stream, and only ids, file names, boxes and classes are kept: about 100
//! bytes for each box. Segmentations (polygons, run lengths) and licences are passed over.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use vidpairs_types::{AnnotatedObject, ImageObjects, ObjectMark, SizePx};

use super::raw::{self, Raw, RawCategory, RawImage, bad_json};
use crate::error::SourceError;
use crate::files::Files;

/// Most bytes of the path of a file, and of the name of a class.
const MAX_PATH_BYTES: usize = 1024;
const MAX_LABEL_BYTES: usize = 255;

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
pub(crate) fn read(files: &dyn Files, path: &Path) -> Result<Instances, SourceError> {
    joined(raw::read(files, path)?).map_err(|reason| bad_json(path, &reason))
}

/// Gives each image its objects.
fn joined(raw: Raw) -> Result<Instances, String> {
    let missing = |name| {
        format!(
            "it has no {name}; expected the images, annotations and categories of instances_<split>.json"
        )
    };
    let raw_images = raw.images.ok_or_else(|| missing("images"))?;
    let annotations = raw.annotations.ok_or_else(|| missing("annotations"))?;
    let classes = classes(raw.categories.ok_or_else(|| missing("categories"))?)?;
    let mut index_of = HashMap::with_capacity(raw_images.len());
    let mut images = Vec::with_capacity(raw_images.len());
    for RawImage {
        id,
        file_name,
        width,
        height,
    } in raw_images
    {
        if file_name.is_empty() || file_name.len() > MAX_PATH_BYTES {
            let len = file_name.len();
            return Err(format!(
                "the file name of image {id} has {len} bytes; expected 1 to {MAX_PATH_BYTES}"
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

/// Name of each class by its id. The ids have gaps.
fn classes(categories: Vec<RawCategory>) -> Result<HashMap<u64, Arc<str>>, String> {
    let mut classes: HashMap<u64, Arc<str>> = HashMap::new();
    for RawCategory { id, name } in categories {
        if name.is_empty() || name.len() > MAX_LABEL_BYTES {
            let len = name.len();
            return Err(format!(
                "the name of category {id} has {len} bytes; expected 1 to {MAX_LABEL_BYTES}"
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
