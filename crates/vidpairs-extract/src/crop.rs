//! Crops a region of a frame as an upright RGB image.
//!
//! **Takes** [`Planes`], a box in the upright frame (or none for the whole frame), a short side. **Gives** an
//! [`RgbImage`], never enlarged. **Fails** with [`CropError`]: leave the image out. **Source**: the resampling filter is a triangle
//! widened by the scale, as Pillow's BILINEAR; colours by the matrices of BT.601, BT.709 and BT.2020.
//!
//! Only the region is read, and only the small image is converted to RGB. Chroma is taken as sited in the middle of its luma
//! samples, as in JPEG. MPEG-2 and later mostly site it half a luma sample further left, a difference that a scaled image does not
//! show.

use std::borrow::Cow;

use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U16};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use vidpairs_image::color::{ChannelOrder, ColorPlanes};
use vidpairs_types::{
    BoxXywh, LibraryError, Plane, PlaneLayout, Planes, RgbImage, ShortPlane, SizePx,
    rounded_to_8_bits,
};

/// Why a region could not be cropped. Leave the image out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CropError {
    /// The box has no part inside the frame.
    #[error("box [{}, {}, {}, {}] lies outside a frame of {frame}", .bbox.x, .bbox.y, .bbox.w, .bbox.h)]
    Outside {
        /// The box, px.
        bbox: BoxXywh,
        /// Size of the upright frame.
        frame: SizePx,
    },
    /// A plane is too short: a bug in a decoder.
    #[error(transparent)]
    ShortPlane(#[from] ShortPlane),
    /// A library rejected sizes that were checked before: a bug.
    #[error(transparent)]
    Library(#[from] LibraryError),
}

/// Colour of the part of a region outside the image: the mean of ImageNet, 0.485, 0.456 and 0.406 of 255.
///
/// # Source
/// Girshick et al., "Rich feature hierarchies for accurate object detection and semantic segmentation", CVPR 2014, appendix A: context
/// that lies outside the image is replaced by the image mean.
pub const OUTSIDE_RGB: [u8; 3] = [124, 116, 104];

/// Crops images; reuses its buffers between calls.
#[derive(Default)]
pub struct Cropper {
    resizer: Resizer,
    /// A plane at target size, 16 bits per sample. Allocators align it for u16.
    wide: Vec<u8>,
    /// Each plane at target size, 8 bits per sample.
    samples: [Vec<u8>; 3],
}

impl Cropper {
    /// Crops `region` (the whole frame if `None`), shrinks it to a short side of at most `short_side_px`, converts it
    /// to RGB and turns it upright.
    ///
    /// - `region`: px in the upright frame; its part outside the frame is cut off.
    /// - Returns an image whose sides are the region's, rounded, times the scale; at least 1 px.
    ///
    /// # Errors
    /// [`CropError::Outside`] if no part of the region lies in the frame.
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
        let upright_size = rounded_size(inside).shrunk_to_short_side(short_side_px);
        self.crop_to(planes, inside, upright_size)
    }

    /// As [`Self::crop`], but of the whole region: its part outside the frame has the colour [`OUTSIDE_RGB`].
    ///
    /// # Errors
    /// [`CropError::Outside`] if no part of the region lies in the frame.
    pub fn crop_padded(
        &mut self,
        planes: &Planes,
        region: BoxXywh,
        short_side_px: u32,
    ) -> Result<RgbImage, CropError> {
        let frame = planes.size();
        let bbox = region;
        let inside = region
            .clipped(frame)
            .ok_or(CropError::Outside { bbox, frame })?;
        let size = rounded_size(region).shrunk_to_short_side(short_side_px);
        let across = Placed::of((region.x, region.w), (inside.x, inside.w), size.width);
        let down = Placed::of((region.y, region.h), (inside.y, inside.h), size.height);
        let source = BoxXywh {
            x: across.source_start,
            y: down.source_start,
            w: across.source_len,
            h: down.source_len,
        };
        let part_size = SizePx {
            width: across.len,
            height: down.len,
        };
        let part = self.crop_to(planes, source, part_size)?;
        if part_size == size {
            return Ok(part);
        }
        let mut pixels = OUTSIDE_RGB.repeat(size.area() as usize);
        let row_bytes = 3 * size.width as usize;
        let (left, part_bytes) = (3 * across.start as usize, 3 * across.len as usize);
        let rows = pixels.chunks_exact_mut(row_bytes).skip(down.start as usize);
        for (row, part_row) in rows.zip(part.pixels.chunks_exact(part_bytes)) {
            row[left..left + part_bytes].copy_from_slice(part_row);
        }
        Ok(RgbImage { size, pixels })
    }

    /// Scales `inside`, a box inside the upright frame, to `upright_size`, converts it to RGB and turns it upright.
    fn crop_to(
        &mut self,
        planes: &Planes,
        inside: BoxXywh,
        upright_size: SizePx,
    ) -> Result<RgbImage, CropError> {
        let frame = planes.size();
        let stored_box = planes.orientation.box_in_stored(inside, frame);
        let stored_size = planes.orientation.applied_to(upright_size); // a turn swaps sides either way
        for plane in 0..planes.layout.num_planes() {
            self.resample(planes, plane, stored_box, stored_size)?;
        }
        let pixels = self.packed(planes, stored_size)?;
        Ok(RgbImage {
            size: upright_size,
            pixels: planes.orientation.upright::<3>(pixels, stored_size),
        })
    }

    /// Scales `region` of a plane to `target` size.
    fn resample(
        &mut self,
        planes: &Planes,
        plane: usize,
        region: BoxXywh,
        target: SizePx,
    ) -> Result<(), CropError> {
        let rows = planes.plane(plane)?;
        let frame = planes.stored_size;
        let (x, w) = in_plane(region.x, region.w, frame.width, rows.size.width);
        let (y, h) = in_plane(region.y, region.h, frame.height, rows.size.height);
        let options = ResizeOptions::new()
            .crop(x, y, w, h)
            .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        let (resizer, samples) = (&mut self.resizer, &mut self.samples[plane]);
        let area = target.area() as usize;
        if rows.bit_depth == 8 {
            samples.resize(area, 0);
            return resize::<U8>(resizer, &rows, samples, target, &options);
        }
        self.wide.resize(2 * area, 0);
        resize::<U16>(resizer, &rows, &mut self.wide, target, &options)?;
        samples.clear();
        samples.extend(rounded_to_8_bits(&self.wide, rows.bit_depth));
        Ok(())
    }

    /// Converts the scaled planes to RGB.
    fn packed(&self, planes: &Planes, size: SizePx) -> Result<Vec<u8>, CropError> {
        let layout = match planes.layout {
            PlaneLayout::Gray | PlaneLayout::Gbr => planes.layout,
            _ => PlaneLayout::Yuv444, // chroma was scaled to the size of luma
        };
        let samples = &self.samples[..layout.num_planes()];
        let scaled = ColorPlanes {
            size,
            layout,
            range: planes.range,
            matrix: planes.matrix,
            planes: samples
                .iter()
                .map(|plane| (Cow::from(plane), size.width))
                .collect(),
        };
        Ok(scaled.packed(ChannelOrder::Rgb)?)
    }
}

/// Size of a box in whole pixels, at least 1.
fn rounded_size(bbox: BoxXywh) -> SizePx {
    SizePx {
        width: (bbox.w.round() as u32).max(1),
        height: (bbox.h.round() as u32).max(1),
    }
}

/// Pixels of an image of a region that lie in the frame, along one side.
struct Placed {
    /// First pixel.
    start: u32,
    /// Number of pixels, at least 1.
    len: u32,
    /// Start of what these pixels show, px of the frame.
    source_start: f64,
    /// Length of what they show.
    source_len: f64,
}

impl Placed {
    /// - `region`, `inside`: start and length of the region, and of its part in the frame, px of the frame.
    /// - `side`: length of the image of the whole region, px.
    fn of((start, len): (f64, f64), inside: (f64, f64), side: u32) -> Self {
        /// Far less than a pixel, far more than the rounding of a sum of coordinates.
        const ROUNDING: f64 = 1e-6;
        let scale = f64::from(side) / len;
        let (inside_start, inside_end) = (inside.0, inside.0 + inside.1);
        // Only pixels that lie in the frame as a whole.
        let first = ((inside_start - start) * scale - ROUNDING).ceil().max(0.0) as u32;
        let first = first.min(side - 1);
        let end = ((inside_end - start) * scale + ROUNDING).floor() as u32;
        let end = end.clamp(first + 1, side);
        let source_start = (start + f64::from(first) / scale).clamp(inside_start, inside_end);
        let source_end = (start + f64::from(end) / scale).clamp(inside_start, inside_end);
        let (source_start, source_len) = match source_end > source_start {
            true => (source_start, source_end - source_start),
            // Less than a pixel of the region lies in the frame.
            false => inside,
        };
        Self {
            start: first,
            len: end - first,
            source_start,
            source_len,
        }
    }
}

/// Crops one image as [`Cropper::crop`], with buffers of its own.
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

fn resize<P: PixelTrait>(
    resizer: &mut Resizer,
    plane: &Plane<'_>,
    output: &mut [u8],
    target: SizePx,
    options: &ResizeOptions,
) -> Result<(), CropError> {
    let SizePx { width, height } = plane.size;
    let stride = (plane.stride_bytes / P::size()) as u32;
    let padded =
        TypedImageRef::<P>::from_buffer(stride, height, plane.bytes).map_err(cannot_scale)?;
    let view = TypedCroppedImage::from_ref(&padded, 0, 0, width, height).map_err(cannot_scale)?;
    let mut output =
        TypedImage::<P>::from_buffer(target.width, target.height, output).map_err(cannot_scale)?;
    let resized = resizer.resize_typed(&view, &mut output, options);
    Ok(resized.map_err(cannot_scale)?)
}

fn cannot_scale(err: impl ToString) -> LibraryError {
    LibraryError::new("scale a plane", err)
}

/// Maps an interval of the frame to the samples of a plane; kept inside the plane, whose side is rounded up.
fn in_plane(start: f64, len: f64, frame_side: u32, plane_side: u32) -> (f64, f64) {
    let step = if frame_side == plane_side { 1.0 } else { 2.0 };
    let side = f64::from(plane_side);
    let start = (start / step).clamp(0.0, side);
    (start, (len / step).min(side - start))
}

#[cfg(test)]
mod tests;
