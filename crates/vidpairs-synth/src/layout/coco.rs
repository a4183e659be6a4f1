//! Layout of MSCOCO 2017: a folder of JPEGs per split, and a JSON file with all its boxes and masks.
//!
//! From the release (its format page, and `pycocotools`, which reads it): the folders and names; `info`, `licenses`, `images`,
//! `annotations`, `categories` and their fields; boxes as `[x, y, width, height]` from 0; ids from 1 that are unique over all splits.
//! Our choice: every segmentation is an uncompressed RLE, the form in which the release stores crowds, as a mask may have holes and
//! parts; boxes and areas are those of the mask, in whole pixels; no annotation is a crowd; classes are numbered in the order of their
//! names; the one licence points to `credits.jsonl`; URLs and dates are left out.

use std::io::{self, Write};

use serde::Serialize;
use vidpairs_types::SizePx;

use crate::render::PixelMask;

/// Folder of the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// `train2017`.
    Train,
    /// `val2017`.
    Val,
}

impl Split {
    /// Name of the folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train2017",
            Self::Val => "val2017",
        }
    }

    /// Path of its annotations below the root: `annotations/instances_train2017.json`.
    pub fn annotations_path(self) -> String {
        format!("annotations/instances_{}.json", self.name())
    }

    /// Path of image `id` below the root: `train2017/000000000001.jpg`.
    pub fn image_path(self, id: u32) -> String {
        format!("{}/{id:012}.jpg", self.name())
    }

    /// Id of the image with path `path`, if it belongs to this split; the inverse of [`image_path`](Self::image_path).
    pub fn image_id(self, path: &str) -> Option<u32> {
        let name = path.strip_prefix(self.name())?.strip_prefix('/')?;
        name.strip_suffix(".jpg")?.parse().ok()
    }
}

/// A class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Category {
    /// Group of the class: `Vehicles`.
    pub supercategory: String,
    /// Number, from 1.
    pub id: u32,
    /// Name: `car`.
    pub name: String,
}

/// An object in an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Id of the image.
    pub image_id: u32,
    /// Id of the class.
    pub category_id: u32,
    /// Visible pixels; at least one.
    pub mask: PixelMask,
}

#[derive(Serialize)]
struct Info<'a> {
    description: &'a str,
    version: &'a str,
    year: u32,
    contributor: &'a str,
}

#[derive(Serialize)]
struct Licence<'a> {
    url: &'a str,
    id: u32,
    name: &'a str,
}

#[derive(Serialize)]
struct Image<'a> {
    license: u32,
    file_name: &'a str,
    height: u32,
    width: u32,
    id: u32,
}

#[derive(Serialize)]
struct Annotation<'a> {
    segmentation: &'a PixelMask,
    area: u64,
    iscrowd: u8,
    image_id: u32,
    bbox: [u32; 4],
    category_id: u32,
    id: u64,
}

/// File of the annotations of a split.
#[derive(Debug, Clone, Copy)]
pub struct Instances<'a> {
    /// The split.
    pub split: Split,
    /// Size of all images, px.
    pub size: SizePx,
    /// Classes, the same in every split.
    pub categories: &'a [Category],
    /// Id of the first annotation, from 1.
    pub first_id: u64,
}

impl Instances<'_> {
    /// Writes the file, one image or object at a time; returns the id after the last one used.
    ///
    /// - `images`: ids of the images.
    /// - `objects`: their objects, in the order of the images.
    ///
    /// # Errors
    /// Errors of `file` and of `objects`.
    pub fn write(
        &self,
        mut file: impl Write,
        images: impl IntoIterator<Item = u32>,
        objects: impl IntoIterator<Item = io::Result<Object>>,
    ) -> io::Result<u64> {
        write_head(&mut file)?;
        write!(file, ",\n\"images\":[")?;
        for (place, id) in images.into_iter().enumerate() {
            let path = self.split.image_path(id);
            let (_, file_name) = path.rsplit_once('/').unwrap_or(("", &path));
            let image = Image {
                license: 1,
                file_name,
                height: self.size.height,
                width: self.size.width,
                id,
            };
            write_element(&mut file, place == 0, &image)?;
        }
        write!(file, "],\n\"annotations\":[")?;
        let mut id = self.first_id;
        for object in objects {
            let Object {
                image_id,
                category_id,
                mask,
            } = object?;
            let annotation = Annotation {
                area: mask.area_px(),
                bbox: mask.bounds_px().unwrap_or_default(),
                segmentation: &mask,
                iscrowd: 0,
                image_id,
                category_id,
                id,
            };
            write_element(&mut file, id == self.first_id, &annotation)?;
            id += 1;
        }
        write!(file, "],\n\"categories\":")?;
        serde_json::to_writer(&mut file, self.categories)?;
        writeln!(file, "}}")?;
        Ok(id)
    }
}

/// Writes the lists that are the same in every file.
fn write_head(file: &mut impl Write) -> io::Result<()> {
    let info = Info {
        description: "Rendered by vidpairs synth in the layout of COCO 2017",
        version: "1.0",
        year: 2017,
        contributor: "vidpairs synth",
    };
    let licences = [Licence {
        url: "",
        id: 1,
        name: "See credits.jsonl for the author and licence of each object",
    }];
    write!(file, "{{\"info\":")?;
    serde_json::to_writer(&mut *file, &info)?;
    write!(file, ",\n\"licenses\":")?;
    Ok(serde_json::to_writer(file, &licences)?)
}

/// Writes an element of a list on a line of its own.
fn write_element(
    file: &mut impl Write,
    is_first: bool,
    element: &impl Serialize,
) -> io::Result<()> {
    file.write_all(if is_first { b"\n" } else { b",\n" })?;
    Ok(serde_json::to_writer(file, element)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instances(first_id: u64) -> Instances<'static> {
        Instances {
            split: Split::Val,
            size: SizePx {
                width: 4,
                height: 3,
            },
            categories: &[],
            first_id,
        }
    }

    #[test]
    fn the_id_of_an_image_comes_back_from_its_path_in_its_own_split() {
        let path = Split::Val.image_path(139);
        assert_eq!(path, "val2017/000000000139.jpg");
        assert_eq!(Split::Val.image_id(&path), Some(139));
        assert_eq!(Split::Train.image_id(&path), None);
        assert_eq!(
            Split::Train.annotations_path(),
            "annotations/instances_train2017.json"
        );
    }

    #[test]
    fn a_split_without_objects_has_empty_lists() {
        let mut json = Vec::new();
        let next = instances(7).write(&mut json, [], []).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(next, 7);
        for list in ["images", "annotations", "categories"] {
            assert_eq!(read[list], serde_json::json!([]), "{list}");
        }
    }

    #[test]
    fn an_error_among_the_objects_ends_the_file() {
        let broken = [Err(io::Error::other("torn line"))];
        let written = instances(1).write(Vec::new(), [1], broken);
        assert_eq!(written.unwrap_err().to_string(), "torn line");
    }
}
