//! Kinds of labelled data sets, with their names on the command line.

use std::str::FromStr;

use crate::kinds::{NamedKind, UnknownKind, kind_named};

/// Kind of a labelled data set that probes are fitted and tested on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProbeSetKind {
    /// Pascal VOC of one year, as distributed: `trainval` and `test`. Several classes an image.
    Voc07,
    /// The boxes of Pascal VOC of one year, each an image of one class.
    Voc07Boxes,
    /// ImageNet: `train/<wnid>/` and `val/<wnid>/`. One class an image.
    Imagenet,
    /// A user's own images, `<class>/<image>`, in one tree or in folders `train` and `val` or `test`. One class an image.
    Folders,
    /// ADE20K for scene parsing (`ADEChallengeData2016`), or a tree of the same layout: a class for each pixel.
    Ade20k,
}

impl NamedKind for ProbeSetKind {
    const ALL: &'static [Self] = &[
        Self::Voc07,
        Self::Voc07Boxes,
        Self::Imagenet,
        Self::Folders,
        Self::Ade20k,
    ];
    const WORD: &'static str = "kind of labelled data set";

    fn name(self) -> &'static str {
        match self {
            Self::Voc07 => "voc07",
            Self::Voc07Boxes => "voc07-boxes",
            Self::Imagenet => "imagenet",
            Self::Folders => "folders",
            Self::Ade20k => "ade20k",
        }
    }
}

impl FromStr for ProbeSetKind {
    type Err = UnknownKind<Self>;

    /// Parses a [name](NamedKind::name).
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        kind_named(name)
    }
}
