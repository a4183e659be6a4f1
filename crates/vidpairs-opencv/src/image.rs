//! Converts a frame's planes to the upright BGR image that OpenCV works on.

use std::borrow::Cow;

use opencv::core::{CV_8UC3, Mat, MatTraitConst, MatTraitManual, Scalar, Size};
use opencv::imgproc;
use vidpairs_image::color::{ChannelOrder, ColorPlanes};
use vidpairs_types::{LibraryError, Plane, Planes, ShortPlane, SizePx, rounded_to_8_bits};

use super::{failed, use_one_thread};

/// An upright image in OpenCV's format: B, G, R, 8 bits each.
pub(super) struct BgrImage {
    pub mat: Mat,
}

impl BgrImage {
    /// Converts the whole frame.
    ///
    /// # Errors
    /// [`ShortPlane`] for a damaged frame; [`LibraryError`] if OpenCV is out of memory.
    pub fn from_planes<E>(planes: &Planes) -> Result<Self, E>
    where
        E: From<ShortPlane> + From<LibraryError>,
    {
        use_one_thread();
        let samples =
            (0..planes.layout.num_planes()).map(|plane| Ok(in_8_bits(planes.plane(plane)?)));
        let stored = ColorPlanes {
            size: planes.stored_size,
            layout: planes.layout,
            range: planes.range,
            matrix: planes.matrix,
            planes: samples.collect::<Result<_, ShortPlane>>()?,
        };
        let packed = stored.packed(ChannelOrder::Bgr)?;
        let pixels = planes.orientation.upright::<3>(packed, stored.size);
        let (SizePx { width, height }, black) = (planes.size(), Scalar::all(0.0));
        let mut mat = Mat::new_rows_cols_with_default(height as i32, width as i32, CV_8UC3, black)
            .map_err(failed("make an image"))?;
        mat.data_bytes_mut()
            .map_err(failed("make an image"))?
            .copy_from_slice(&pixels);
        Ok(Self { mat })
    }

    /// Shrinks the image to a short side of at most `short_side_px`; each pixel becomes the mean of those that it covers.
    ///
    /// # Errors
    /// [`LibraryError`] if OpenCV is out of memory.
    pub fn shrunk_to_short_side(self, short_side_px: u32) -> Result<Self, LibraryError> {
        let size = self.size();
        let small = size.shrunk_to_short_side(short_side_px);
        if small == size {
            return Ok(self);
        }
        let mut mat = Mat::default();
        let target = Size::new(small.width as i32, small.height as i32);
        imgproc::resize(&self.mat, &mut mat, target, 0.0, 0.0, imgproc::INTER_AREA)
            .map_err(failed("shrink an image"))?;
        Ok(Self { mat })
    }

    /// Size of the image.
    pub fn size(&self) -> SizePx {
        SizePx {
            width: self.mat.cols().unsigned_abs(),
            height: self.mat.rows().unsigned_abs(),
        }
    }
}

/// Samples of a plane, rounded to 8 bits if they have more, and samples from one row to the next.
fn in_8_bits(plane: Plane<'_>) -> (Cow<'_, [u8]>, u32) {
    if plane.bit_depth == 8 {
        return (Cow::Borrowed(plane.bytes), plane.stride_bytes as u32);
    }
    let SizePx { width, height } = plane.size;
    let rows = (0..height as usize).map(|row| plane.row(row, 0..width as usize));
    let samples = rows.flat_map(|row| rounded_to_8_bits(row, plane.bit_depth));
    (Cow::Owned(samples.collect()), width)
}

#[cfg(test)]
mod tests;
