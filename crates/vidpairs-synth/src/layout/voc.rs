//! Layout of Pascal VOC 2007: JPEGs, an XML file with the objects of each image, and lists of images.
//!
//! From the release and its development kit: the folders and names; corners counted from 1 and inclusive; poses; a list of images per
//! split, and one per class with 1 (the image shows the class), 0 (it shows difficult objects of the class only) or -1. Our choice:
//! `truncated` and `difficult` follow the rules of [`is_truncated`] and [`is_difficult`]; `trainval` alternates between `train` and
//! `val`; the numbers of test images follow those of `trainval`; `flickrid` and `owner` are left out.

use std::fmt::Write as _;

use vidpairs_types::SizePx;

use crate::truth::Truth;

/// Folder of the data set below the root.
pub const FOLDER: &str = "VOCdevkit/VOC2007";

/// Share of the box of the whole object that the box of its visible part must contain: the annotators' guidelines of 2007 mark an
/// object as truncated if more than 15 to 20 % of it lies outside its box.
const TRUNCATED_BELOW: f64 = 0.85;
/// Visible share below which an object is difficult.
const DIFFICULT_BELOW: f64 = 0.3;
/// Shorter side of the box below which an object is difficult, as a share of the shorter side of the image.
const DIFFICULT_SIDE: f64 = 0.05;

/// List of images in `ImageSets/Main`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageSet {
    /// Images to train on.
    Train,
    /// Images to choose settings on.
    Val,
    /// Both.
    Trainval,
    /// Images to evaluate on.
    Test,
}

impl ImageSet {
    /// Name of the list.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Trainval => "trainval",
            Self::Test => "test",
        }
    }
}

/// Id of image `number`, from 1: `000001`.
pub fn image_id(number: u32) -> String {
    format!("{number:06}")
}

/// Path of an image below the root: `VOCdevkit/VOC2007/JPEGImages/000001.jpg`.
pub fn image_path(id: &str) -> String {
    format!("{FOLDER}/JPEGImages/{id}.jpg")
}

/// Path of an annotation below the root: `VOCdevkit/VOC2007/Annotations/000001.xml`.
pub fn annotation_path(id: &str) -> String {
    format!("{FOLDER}/Annotations/{id}.xml")
}

/// Id of the image with path `path`; `None` for other files.
pub fn id_of_image(path: &str) -> Option<&str> {
    let name = path.strip_prefix(FOLDER)?.strip_prefix("/JPEGImages/")?;
    name.strip_suffix(".jpg")
}

/// Path of the list of a set's images, or of those that show `class`.
pub fn image_set_path(class: Option<&str>, set: ImageSet) -> String {
    let set = set.name();
    match class {
        None => format!("{FOLDER}/ImageSets/Main/{set}.txt"),
        Some(class) => format!("{FOLDER}/ImageSets/Main/{class}_{set}.txt"),
    }
}

/// Content of the list of a set's images: an id per line.
pub fn image_set_text<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    ids.into_iter().map(|id| format!("{id}\n")).collect()
}

/// Whether an image shows a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// -1: no object of the class.
    Absent,
    /// 0: difficult objects of the class only.
    Difficult,
    /// 1: an object of the class that is not difficult.
    Present,
}

/// Content of the list of a class: the id of each image, and whether it shows the class.
pub fn class_text<'a>(images: impl IntoIterator<Item = (&'a str, Presence)>) -> String {
    let mut text = String::new();
    for (id, presence) in images {
        let value = match presence {
            Presence::Absent => "-1",
            Presence::Difficult => " 0",
            Presence::Present => " 1",
        };
        text += id;
        text.push(' ');
        text += value;
        text.push('\n');
    }
    text
}

/// Whether the box of the visible part leaves out much of the whole object.
pub fn is_truncated(truth: &Truth) -> bool {
    match (truth.box_xywh, truth.full_box_xywh) {
        (Some(part), Some(whole)) => part.area() < TRUNCATED_BELOW * whole.area(),
        _ => false,
    }
}

/// Whether an object is hard to recognize, because little of it is visible or because it is small.
///
/// - `size`: size of the image, px.
pub fn is_difficult(truth: &Truth, size: SizePx) -> bool {
    let least = DIFFICULT_SIDE * f64::from(size.short_side());
    let side = truth.box_xywh.map_or(0.0, |bounds| bounds.w.min(bounds.h));
    truth.visible_share < DIFFICULT_BELOW || side < least
}

/// Pose of an object, from the azimuth of the camera in degrees.
fn pose(azimuth: f64) -> &'static str {
    match ((azimuth.rem_euclid(360.0) + 45.0) / 90.0) as u32 {
        1 => "Left",
        2 => "Rear",
        3 => "Right",
        _ => "Frontal",
    }
}

/// Annotation of image `id`.
///
/// - `size`: size of the image, px.
/// - `objects`: ground truth of its annotated objects. An object without visible pixels is left out.
pub fn annotation_text<'a>(
    id: &str,
    size: SizePx,
    objects: impl IntoIterator<Item = &'a Truth>,
) -> String {
    let SizePx { width, height } = size;
    let mut text = format!(
        "<annotation>\n\t<folder>VOC2007</folder>\n\t<filename>{id}.jpg</filename>\n\t<source>\n\t\t<database>vidpairs synth</database>\n\
         \t\t<annotation>vidpairs synth</annotation>\n\t\t<image>rendered</image>\n\t</source>\n\t<size>\n\t\t<width>{width}</width>\n\
         \t\t<height>{height}</height>\n\t\t<depth>3</depth>\n\t</size>\n\t<segmented>0</segmented>\n"
    );
    for object in objects {
        let bounds = object.mask.as_ref().and_then(|mask| mask.bounds_px());
        let Some([left, top, width, height]) = bounds else {
            continue;
        };
        let (class, pose) = (&object.category, pose(object.azimuth));
        let (truncated, difficult) = (
            u8::from(is_truncated(object)),
            u8::from(is_difficult(object, size)),
        );
        let (xmin, ymin, xmax, ymax) = (left + 1, top + 1, left + width, top + height);
        write!(
            text,
            "\t<object>\n\t\t<name>{class}</name>\n\t\t<pose>{pose}</pose>\n\t\t<truncated>{truncated}</truncated>\n\
             \t\t<difficult>{difficult}</difficult>\n\t\t<bndbox>\n\t\t\t<xmin>{xmin}</xmin>\n\t\t\t<ymin>{ymin}</ymin>\n\
             \t\t\t<xmax>{xmax}</xmax>\n\t\t\t<ymax>{ymax}</ymax>\n\t\t</bndbox>\n\t</object>\n"
        )
        .expect("writing to a string cannot fail");
    }
    text + "</annotation>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pose_is_the_side_that_the_object_faces_in_the_image() {
        let poses = [
            (0.0, "Frontal"),
            (44.0, "Frontal"),
            (316.0, "Frontal"),
            (359.99, "Frontal"),
        ];
        // At 90 degrees the camera sees the object's own left side: the object faces the left of the image.
        let poses = poses
            .into_iter()
            .chain([(90.0, "Left"), (180.0, "Rear"), (270.0, "Right")]);
        for (azimuth, expected) in poses {
            assert_eq!(pose(azimuth), expected, "{azimuth}");
        }
    }

    #[test]
    fn values_of_a_class_list_are_aligned_as_in_the_release() {
        let presences = [Presence::Absent, Presence::Difficult, Presence::Present];
        let images = ["000005", "000007", "000009"].into_iter().zip(presences);
        assert_eq!(class_text(images), "000005 -1\n000007  0\n000009  1\n");
    }

    #[test]
    fn only_the_path_of_an_image_has_its_id() {
        let path = image_path(&image_id(12));
        assert_eq!(path, "VOCdevkit/VOC2007/JPEGImages/000012.jpg");
        assert_eq!(id_of_image(&path), Some("000012"));
        assert_eq!(id_of_image(&annotation_path("000012")), None);
    }
}
