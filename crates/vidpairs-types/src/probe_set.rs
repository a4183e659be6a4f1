//! Labelled images for probes: classifiers and measures that use the classes of images.

use std::path::PathBuf;

use super::{BoxXywh, LeftOut};

/// Part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Split {
    /// Images that a classifier is fitted on.
    Train,
    /// Images that it is tested on.
    Test,
}

/// What an image shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeLabel {
    /// One class, as an index into [`ProbeSet::classes`].
    One(usize),
    /// Any number of classes (Pascal VOC), as ascending indices into [`ProbeSet::classes`]. The image is a negative of all others.
    Many {
        /// Classes of which the image is a positive.
        positive: Vec<usize>,
        /// Classes that do not count for the image, neither as a positive nor as a negative: all its objects of the class are difficult.
        ignored: Vec<usize>,
    },
    /// A class for each pixel, in a file beside the image (ADE20K).
    Pixels(PathBuf),
}

/// Image of a data set, or a region of an image, with its label.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeImage {
    /// Name of the image, or of the object in it, in its data set.
    pub id: String,
    /// File of the image.
    pub path: PathBuf,
    /// Region to use, px in the stored image, may reach beyond it; `None` for the whole image.
    pub region: Option<BoxXywh>,
    /// Part of the data set.
    pub split: Split,
    /// What it shows.
    pub label: ProbeLabel,
}

/// Labelled images of one data set.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeSet {
    /// Names of the classes, at least one.
    pub classes: Vec<String>,
    /// Images in a stable order. All labels are of the same variant.
    pub images: Vec<ProbeImage>,
    /// Parts of the data set that were left out, in a stable order.
    pub left_out: Vec<LeftOut>,
}
