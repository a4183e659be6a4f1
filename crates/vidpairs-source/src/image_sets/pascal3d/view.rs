//! One object that takes part.

use std::path::Path;

use vidpairs_types::{Condition, SizePx};

use super::super::found::FoundImage;
use super::record::Object;

/// An object, cut out of its image.
pub(super) struct View {
    /// As it is named where it is left out.
    pub(super) id: String,
    pub(super) image: FoundImage,
    pub(super) azimuth_bin: usize,
    /// `None` where the annotation does not tell.
    pub(super) elevation_bin: Option<usize>,
}

impl View {
    /// Of an object in the image at `path`, which has `size`; or why it cannot take part.
    pub(super) fn of(
        object: &Object,
        id: &str,
        path: &Path,
        size: SizePx,
    ) -> Result<Self, &'static str> {
        const NO_AZIMUTH: &str = "its azimuth_coarse is empty";
        let viewpoint = object.viewpoint.ok_or("its viewpoint is empty")?;
        let azimuth_bin = viewpoint.azimuth_bin().ok_or(NO_AZIMUTH)?;
        let (azimuth, elevation) = viewpoint.angles().ok_or(NO_AZIMUTH)?;
        let bbox = object.bbox().ok_or("its box is empty or not valid")?;
        let region = bbox.clipped(size).ok_or("its box lies outside the image")?;
        Ok(Self {
            id: id.to_owned(),
            image: FoundImage {
                path: path.to_owned(),
                region: Some(region),
                condition: Condition::View { azimuth, elevation },
            },
            azimuth_bin,
            elevation_bin: viewpoint.elevation_bin(),
        })
    }
}
