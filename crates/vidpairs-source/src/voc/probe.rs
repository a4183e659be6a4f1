//! Lists the labelled images of Pascal VOC for probes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vidpairs_types::{
    BoxXywh, ImageObjects, LeftOut, ProbeImage, ProbeLabel, ProbeSet, SizePx, Split,
    UnusableObject, with_causes,
};

use super::layout::{self, Year};
use super::{annotation, years_without};
use crate::ImageParts;
use crate::disk::{self, Disk};
use crate::error::SourceError;
use crate::files::Entry;
use crate::probe_sets::{checked, unknown_class};

/// Shortest side of a box in its image, px.
const MIN_BOX_PX: u32 = 1;

/// Size that bounds no box, where neither the annotation nor the image states one. Such an image is left out when it is read.
const UNBOUNDED: SizePx = SizePx {
    width: u32::MAX,
    height: u32::MAX,
};

/// Lists the labelled images of one year: `trainval` to fit on, `test` to test on. Opens annotations, and for boxes the headers of images.
///
/// An image is a positive of the classes of its objects, and a negative of all others. A class all of whose objects in the image are
/// difficult is ignored. These are the values 1, -1 and 0 of the lists `ImageSets/Main/<class>_<split>.txt`. Classes are those of the
/// objects of both splits, in the order of their names.
///
/// With [`ImageParts::Boxes`], each [usable](vidpairs_types::AnnotatedObject::usable_box) object is an image of one class. Its region is the
/// part of its box in the image, with sides of at least 1 px. Classes are those of the objects of `trainval`.
///
/// - `root`: folder of the year; or `VOCdevkit` or its parent, if they hold a single year.
///
/// # Errors
/// [`SourceError`] if the root has another layout or several years, if it lacks one of the splits, if no image of a split is left, if no
/// class (for boxes, fewer than two) has a training image, or if there is no test image. An image is left out if it is missing, if its annotation cannot be
/// read, or for boxes, if the annotation states another size.
///
/// # Source
/// Everingham et al., "The PASCAL Visual Object Classes Challenge 2007 (VOC2007) Development Kit", section 4.1. VISSL
/// (`extra_scripts/datasets/create_voc_data_files.py`) reads the same values from the lists. As there, an image whose value is 0 is a
/// negative in training and does not count in the test.
pub fn voc_probe_set(root: &Path, of: ImageParts) -> Result<ProbeSet, SourceError> {
    let years = layout::years(&Disk, root)?;
    let [year] = years.as_slice() else {
        return Err(SourceError::SeveralYears {
            root: root.to_owned(),
            years: years.into_iter().map(|year| year.name).collect(),
        });
    };
    let files = year.images(&Disk)?;
    let (mut images, mut left_out) = (Vec::new(), Vec::new());
    for (split, name) in [(Split::Train, "trainval"), (Split::Test, "test")] {
        if !year.has(&Disk, name) {
            return Err(years_without(&Disk, root, name, &years));
        }
        let (num_images, num_left_out) = (images.len(), left_out.len());
        for id in year.image_ids(&Disk, &[name.to_owned()], &files)? {
            match labelled(year, &files, &id, of) {
                Ok((path, objects)) => images.push(Image {
                    id,
                    path,
                    split,
                    objects,
                }),
                Err(reason) => left_out.push(LeftOut { what: id, reason }),
            }
        }
        if images.len() == num_images {
            return Err(SourceError::NoSets {
                root: year.path.clone(),
                looked_for: match split {
                    Split::Train => {
                        "JPEGImages/<image>.jpg and Annotations/<image>.xml of the images in ImageSets/Main/trainval.txt"
                    }
                    Split::Test => {
                        "JPEGImages/<image>.jpg and Annotations/<image>.xml of the images in ImageSets/Main/test.txt"
                    }
                },
                left_out: left_out.split_off(num_left_out),
            });
        }
    }
    let set = match of {
        ImageParts::Whole => whole_images(images, left_out),
        ImageParts::Boxes => boxes(&images, left_out),
    };
    checked(&year.path, set)
}

/// Image of a split, with its objects.
struct Image {
    id: String,
    path: PathBuf,
    split: Split,
    objects: ImageObjects,
}

/// File and objects of an image, or the reason to leave it out. With [`ImageParts::Boxes`], the size of the objects is that of the image.
fn labelled(
    year: &Year,
    files: &BTreeMap<String, Entry>,
    id: &str,
    of: ImageParts,
) -> Result<(PathBuf, ImageObjects), String> {
    let file = files.get(id).ok_or("no image of that name in JPEGImages")?;
    if let Some(reason) = file.kind.problem_as_file() {
        return Err(reason);
    }
    let found = annotation::read(&year.annotation(id));
    let mut objects = found.map_err(|err| with_causes(&err))?;
    if of == ImageParts::Boxes
        && let Some(stored) = disk::stored_size(&file.path)
    {
        objects.check_size(stored).map_err(|err| err.to_string())?;
        objects.image_size = Some(stored);
    }
    Ok((file.path.clone(), objects))
}

fn whole_images(images: Vec<Image>, left_out: Vec<LeftOut>) -> ProbeSet {
    let objects = images.iter().flat_map(|image| &image.objects.objects);
    let names: BTreeSet<Arc<str>> = objects.map(|object| Arc::clone(&object.label)).collect();
    let class_of: BTreeMap<Arc<str>, usize> = names.iter().cloned().zip(0..).collect();
    let images = images.into_iter().map(|image| whole(image, &class_of));
    ProbeSet {
        images: images.collect(),
        classes: names.iter().map(|name| (**name).to_owned()).collect(),
        left_out,
    }
}

fn whole(image: Image, class_of: &BTreeMap<Arc<str>, usize>) -> ProbeImage {
    let (mut positive, mut difficult) = (BTreeSet::new(), BTreeSet::new());
    for object in &image.objects.objects {
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

/// Object that becomes an image.
struct Crop<'a> {
    id: String,
    image: &'a Image,
    region: BoxXywh,
    class: &'a str,
}

/// The usable objects of the images. Their ids end in their ordinals in the annotation, from 1.
fn boxes(images: &[Image], mut left_out: Vec<LeftOut>) -> ProbeSet {
    let (mut crops, mut num_difficult) = (Vec::new(), 0u64);
    for image in images {
        let size = image.objects.image_size.unwrap_or(UNBOUNDED);
        for (number, object) in (1..).zip(&image.objects.objects) {
            let id = format!("{}/{number}", image.id);
            match object.usable_box(size, MIN_BOX_PX) {
                Ok(region) => crops.push(Crop {
                    id,
                    image,
                    region,
                    class: &object.label,
                }),
                Err(UnusableObject::Difficult) => num_difficult += 1,
                Err(reason) => left_out.push(LeftOut {
                    what: id,
                    reason: reason.to_string(),
                }),
            }
        }
    }
    let is_training = |crop: &&Crop<'_>| crop.image.split == Split::Train;
    let trained = crops.iter().filter(is_training).map(|crop| crop.class);
    let names: BTreeSet<&str> = trained.collect();
    let class_of: BTreeMap<&str, usize> = names.iter().copied().zip(0..).collect();
    let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for crop in crops {
        match class_of.get(crop.class) {
            Some(class) => found.push(ProbeImage {
                id: crop.id,
                path: crop.image.path.clone(),
                region: Some(crop.region),
                split: crop.image.split,
                label: ProbeLabel::One(*class),
            }),
            None => *unknown.entry(crop.class).or_default() += 1,
        }
    }
    let unknown = unknown.into_iter();
    left_out.extend(unknown.map(|(class, num)| unknown_class(class, num)));
    if num_difficult > 0 {
        left_out.push(LeftOut {
            what: format!("{num_difficult} difficult objects"),
            reason: "difficult objects do not count, as in VOC's own evaluation".to_owned(),
        });
    }
    ProbeSet {
        classes: names.into_iter().map(str::to_owned).collect(),
        images: found,
        left_out,
    }
}
