//! A frame as trackers and proposers see it.

#[cfg(feature = "opencv")]
use std::cell::OnceCell;

#[cfg(feature = "opencv")]
use super::TrackError;
#[cfg(feature = "opencv")]
use crate::cv::BgrImage;
use crate::types::{Planes, SizePx};

/// A frame's planes, and whatever is made of them once for all the targets in it.
pub struct TrackFrame<'a> {
    planes: &'a Planes,
    #[cfg(feature = "opencv")]
    bgr: OnceCell<BgrImage>,
}

impl<'a> TrackFrame<'a> {
    /// Wraps the planes; nothing is read yet.
    pub fn new(planes: &'a Planes) -> Self {
        Self {
            planes,
            #[cfg(feature = "opencv")]
            bgr: OnceCell::new(),
        }
    }

    /// The planes as the decoder left them.
    pub fn planes(&self) -> &'a Planes {
        self.planes
    }

    /// Size of the upright frame, the space in which boxes live.
    pub fn size(&self) -> SizePx {
        self.planes.size()
    }

    /// The upright picture for OpenCV's trackers, made when the first of them asks.
    #[cfg(feature = "opencv")]
    pub(super) fn bgr(&self) -> Result<&BgrImage, TrackError> {
        if let Some(image) = self.bgr.get() {
            return Ok(image);
        }
        let image = BgrImage::from_planes(self.planes)?;
        Ok(self.bgr.get_or_init(|| image))
    }
}
