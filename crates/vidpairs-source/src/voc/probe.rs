//! Lists the labelled images of Pascal VOC for probes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vidpairs_types::{
    AnnotatedObject, LeftOut, ProbeImage, ProbeLabel, ProbeSet, Split, with_causes,
};

use super::layout::{self, Year};
use super::{annotation, years_without};
use crate::ImageParts;
use crate::disk::Entry;
use crate::error::SourceError;

/// Lists the labelled images of one year: `trainval` to fit on, `test` to test on. Opens annotations, but no image.
///
/// An image is a positive of the classes of its objects, and a negative of all others. A class all of whose objects in the image are
/// difficult is ignored. These are the values 1, -1 and 0 of the lists `ImageSets/Main/<class>_<split>.txt`. Classes are those of the
/// objects of both splits, in the order of their names.
///
/// With [`ImageParts::Boxes`], each object that is not difficult is an image of one class, and its region is its box, without padding.
///
/// - `root`: folder of the year; or `VOCdevkit` or its parent, if they hold a single year.
///
/// # Errors
/// [`SourceError`] if the root has another layout or several years, or lacks one of the splits, or if no image is left. An image that
/// is missing, or whose annotation cannot be read, is left out.
///
/// # Source
/// Everingham et al., "The PASCAL Visual Object Classes Challenge 2007 (VOC2007) Development Kit", section 4.1. VISSL
/// (`extra_scripts/datasets/create_voc_data_files.py`) reads the same values from the lists, and leaves images of value 0 out.
pub fn voc_probe_set(root: &Path, of: ImageParts) -> Result<ProbeSet, SourceError> {
    let years = layout::years(root)?;
    let [year] = years.as_slice() else {
        return Err(SourceError::SeveralYears {
            root: root.to_owned(),
            years: years.into_iter().map(|year| year.name).collect(),
        });
    };
    let files = year.images()?;
    let (mut images, mut left_out) = (Vec::new(), Vec::new());
    for (split, name) in [(Split::Train, "trainval"), (Split::Test, "test")] {
        if !year.has(name) {
            return Err(years_without(root, name, &years));
        }
        for id in year.image_ids(&[name.to_owned()])? {
            match labelled(year, &files, &id) {
                Ok((path, objects)) => images.push(Image {
                    id,
                    path,
                    split,
                    objects,
                }),
                Err(reason) => left_out.push(LeftOut { what: id, reason }),
            }
        }
    }
    let set = probe_set(images, of, left_out);
    if set.images.is_empty() {
        return Err(SourceError::NoSets {
            root: root.to_owned(),
            looked_for: "JPEGImages/<image>.jpg with Annotations/<image>.xml",
            left_out: set.left_out,
        });
    }
    Ok(set)
}

/// Image of a split, with its objects.
struct Image {
    id: String,
    path: PathBuf,
    split: Split,
    objects: Vec<AnnotatedObject>,
}

/// File and objects of an image, or the reason to leave it out.
fn labelled(
    year: &Year,
    files: &BTreeMap<String, Entry>,
    id: &str,
) -> Result<(PathBuf, Vec<AnnotatedObject>), String> {
    let file = files.get(id).ok_or("no image of that name in JPEGImages")?;
    if let Some(reason) = file.kind.problem_as_file() {
        return Err(reason);
    }
    match annotation::read(&year.annotation(id)) {
        Ok(found) => Ok((file.path.clone(), found.objects)),
        Err(err) => Err(with_causes(&err)),
    }
}

fn probe_set(images: Vec<Image>, of: ImageParts, mut left_out: Vec<LeftOut>) -> ProbeSet {
    let objects = images.iter().flat_map(|image| &image.objects);
    let names: BTreeSet<Arc<str>> = objects.map(|object| Arc::clone(&object.label)).collect();
    let class_of: BTreeMap<Arc<str>, usize> = names.iter().cloned().zip(0..).collect();
    let mut num_difficult = 0;
    let images = images.into_iter().flat_map(|image| match of {
        ImageParts::Whole => vec![whole(image, &class_of)],
        ImageParts::Boxes => boxes(&image, &class_of, &mut left_out, &mut num_difficult),
    });
    let images = images.collect();
    if num_difficult > 0 {
        left_out.push(LeftOut {
            what: format!("{num_difficult} difficult objects"),
            reason: "difficult objects do not count, as in VOC's own evaluation".to_owned(),
        });
    }
    ProbeSet {
        classes: names.iter().map(|name| (**name).to_owned()).collect(),
        images,
        left_out,
    }
}

fn whole(image: Image, class_of: &BTreeMap<Arc<str>, usize>) -> ProbeImage {
    let (mut positive, mut difficult) = (BTreeSet::new(), BTreeSet::new());
    for object in &image.objects {
        match object.mark {
            None => positive.insert(class_of[&object.label]),
            Some(_) => difficult.insert(class_of[&object.label]),
        };
    }
    ProbeImage {
        id: image.id,
        path: image.path,
        region: None,
        split: image.split,
        label: ProbeLabel::Many {
            ignored: difficult.difference(&positive).copied().collect(),
            positive: positive.into_iter().collect(),
        },
    }
}

/// The objects of an image that are not difficult. Their ids end in their ordinals in the annotation, from 1.
fn boxes(
    image: &Image,
    class_of: &BTreeMap<Arc<str>, usize>,
    left_out: &mut Vec<LeftOut>,
    num_difficult: &mut u64,
) -> Vec<ProbeImage> {
    let mut found = Vec::new();
    for (number, object) in (1..).zip(&image.objects) {
        let id = format!("{}/{number}", image.id);
        match (object.mark, object.bbox) {
            (Some(_), _) => *num_difficult += 1,
            (None, None) => left_out.push(LeftOut {
                what: id,
                reason: "its annotation has no valid box".to_owned(),
            }),
            (None, Some(bbox)) => found.push(ProbeImage {
                id,
                path: image.path.clone(),
                region: Some(bbox),
                split: image.split,
                label: ProbeLabel::One(class_of[&object.label]),
            }),
        }
    }
    found
}
