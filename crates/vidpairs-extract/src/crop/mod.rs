//! Cropping: a region of a frame's planes as an upright RGB image.
//!
//! **Takes** [`Planes`], a box in the upright frame or none for all of it, a short side. **Gives** an
//! [`RgbImage`], never enlarged. **Fails** with [`CropError`]: leave the image out. **Source**:
//! resampling is a triangle filter widened by the scale, as Pillow's BILINEAR; colours by the matrices
//! of BT.601, BT.709 and BT.2020. Only the region is read and only the small image converted.
//! Chroma is taken as sited in the middle of its luma samples, as in JPEG; MPEG-2 and later mostly
//! site it half a luma sample further left, which a scaled image does not show.

mod color;
mod resample;
mod upright;

use vidpairs_types::{BoxXywh, Planes, RgbImage, SizePx};

/// Why a region could not be cropped. Leave the image out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CropError {
    /// Nothing of the box is in the frame.
    #[error("box [{}, {}, {}, {}] lies outside a frame of {frame}", .bbox.x, .bbox.y, .bbox.w, .bbox.h)]
    Outside {
        /// The box, px.
        bbox: BoxXywh,
        /// Size of the upright frame.
        frame: SizePx,
    },
    /// Planes shorter than they claim to be: a bug in a decoder.
    #[error("plane {plane} of a frame of {frame} has {got} bytes, fewer than its rows need")]
    ShortPlane {
        /// Which.
        plane: usize,
        /// Size of the stored frame.
        frame: SizePx,
        /// Its length.
        got: usize,
    },
    /// A library refused sizes that we checked: a bug.
    #[error("cannot {action}: {message}")]
    Library {
        /// What was asked of it.
        action: &'static str,
        /// Its word.
        message: String,
    },
}

/// Crops images, one after the other; keeps its buffers from one to the next.
#[derive(Default)]
pub struct Cropper {
    scratch: resample::Scratch,
}

impl Cropper {
    /// Crops `region` (all of the frame if `None`), shrinks it until its short side is `short_side_px`
    /// at most, converts it to RGB and turns it upright.
    ///
    /// - `region`: px in the upright frame; its part outside the frame is cut off.
    /// - Returns an image whose sides are those of the region, rounded, times the scale; at least 1 px.
    ///
    /// # Errors
    /// [`CropError::Outside`] if nothing of the region is in the frame.
    pub fn crop(
        &mut self,
        planes: &Planes,
        region: Option<BoxXywh>,
        short_side_px: u32,
    ) -> Result<RgbImage, CropError> {
        let frame = planes.size();
        let whole = BoxXywh {
            x: 0.0,
            y: 0.0,
            w: f64::from(frame.width),
            h: f64::from(frame.height),
        };
        let bbox = region.unwrap_or(whole);
        let inside = bbox
            .clipped(frame)
            .ok_or(CropError::Outside { bbox, frame })?;
        let upright_size = SizePx {
            width: (inside.w.round() as u32).max(1),
            height: (inside.h.round() as u32).max(1),
        }
        .shrunk_to_short_side(short_side_px);
        let stored_box = planes.orientation.box_in_stored(inside, frame);
        let stored_size = planes.orientation.applied_to(upright_size); // a turn swaps sides either way
        let samples = resample::planes_at(planes, stored_box, stored_size, &mut self.scratch)?;
        let image = color::to_rgb(samples, planes, stored_size)?;
        Ok(upright::turned(image, planes.orientation))
    }
}

/// One image with [`Cropper::crop`], its buffers made for it alone.
///
/// # Errors
/// As [`Cropper::crop`].
pub fn crop(
    planes: &Planes,
    region: Option<BoxXywh>,
    short_side_px: u32,
) -> Result<RgbImage, CropError> {
    Cropper::default().crop(planes, region, short_side_px)
}

#[cfg(test)]
mod tests;
