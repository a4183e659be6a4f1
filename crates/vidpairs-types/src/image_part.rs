//! An image, or a region of one, of which features are computed.

use std::path::PathBuf;

use super::{BoxXywh, ProbeImage, SetImage};

/// An image, or a region of one, of which features are computed.
#[derive(Debug, Clone, PartialEq)]
pub struct ImagePart {
    /// File of the image.
    pub path: PathBuf,
    /// Region to use, px in the stored image; `None` for the whole image.
    pub region: Option<BoxXywh>,
}

/// What becomes of a region that leaves its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// The part outside is cut off.
    Cut,
    /// The part outside is filled with the mean colour of ImageNet, whose normalised samples are 0 up to the rounding to 8 bits.
    Padded,
}

impl ImagePart {
    /// Bits of the coordinates of the region. Two parts of a file are the same if these are equal.
    pub fn region_bits(&self) -> Option<[u64; 4]> {
        self.region
            .map(|region| <[f64; 4]>::from(region).map(f64::to_bits))
    }
}

impl From<&SetImage> for ImagePart {
    fn from(image: &SetImage) -> Self {
        Self {
            path: image.path.clone(),
            region: image.region,
        }
    }
}

impl From<&ProbeImage> for ImagePart {
    fn from(image: &ProbeImage) -> Self {
        Self {
            path: image.path.clone(),
            region: image.region,
        }
    }
}
