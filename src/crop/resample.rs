//! Scaling a region of each plane to the size of the image.

use fast_image_resize::images::{Image, TypedCroppedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U16};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::CropError;
use crate::types::{BoxXywh, Planes, SizePx};

/// The region of every plane at `target` size, 8 bits a sample, chroma as large as luma.
pub(super) fn planes_at(
    planes: &Planes,
    region: BoxXywh,
    target: SizePx,
) -> Result<Vec<Vec<u8>>, CropError> {
    let mut resizer = Resizer::new();
    (0..planes.layout.num_planes())
        .map(|plane| plane_at(planes, plane, region, target, &mut resizer))
        .collect()
}

fn plane_at(
    planes: &Planes,
    plane: usize,
    region: BoxXywh,
    target: SizePx,
    resizer: &mut Resizer,
) -> Result<Vec<u8>, CropError> {
    let size = planes.layout.plane_size(planes.stored_size, plane);
    let (x, w) = in_plane(region.x, region.w, planes.stored_size.width, size.width);
    let (y, h) = in_plane(region.y, region.h, planes.stored_size.height, size.height);
    let options = ResizeOptions::new()
        .crop(x, y, w, h)
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let rows = rows(planes, plane, size)?;
    let stride = planes.bytes.stride_bytes(plane);
    let failed = |err: &dyn std::fmt::Display| CropError::Library {
        action: "scale a plane",
        message: err.to_string(),
    };
    if planes.bit_depth == 8 {
        let padded = TypedImageRef::<U8>::from_buffer(stride as u32, size.height, rows)
            .map_err(|err| failed(&err))?;
        let view = TypedCroppedImage::from_ref(&padded, 0, 0, size.width, size.height)
            .map_err(|err| failed(&err))?;
        let mut output = Image::new(target.width, target.height, PixelType::U8);
        let mut output_view = output
            .typed_image_mut::<U8>()
            .ok_or_else(|| failed(&"8-bit view"))?;
        resizer
            .resize_typed(&view, &mut output_view, &options)
            .map_err(|err| failed(&err))?;
        return Ok(output.into_vec());
    }
    let padded = TypedImageRef::<U16>::from_buffer(stride as u32 / 2, size.height, rows)
        .map_err(|err| failed(&err))?;
    let view = TypedCroppedImage::from_ref(&padded, 0, 0, size.width, size.height)
        .map_err(|err| failed(&err))?;
    let mut output = Image::new(target.width, target.height, PixelType::U16);
    let mut output_view = output
        .typed_image_mut::<U16>()
        .ok_or_else(|| failed(&"16-bit view"))?;
    resizer
        .resize_typed(&view, &mut output_view, &options)
        .map_err(|err| failed(&err))?;
    Ok(narrowed(output.buffer(), planes.bit_depth))
}

/// A stretch of the frame in a plane's samples; kept inside the plane, whose side is rounded up.
fn in_plane(start: f64, len: f64, frame_side: u32, plane_side: u32) -> (f64, f64) {
    let step = if frame_side == plane_side { 1.0 } else { 2.0 };
    let side = f64::from(plane_side);
    let start = (start / step).clamp(0.0, side);
    (start, (len / step).min(side - start))
}

fn rows(planes: &Planes, plane: usize, size: SizePx) -> Result<&[u8], CropError> {
    let bytes = planes.bytes.plane(plane);
    let needed = planes.bytes.stride_bytes(plane) * size.height as usize;
    bytes.get(..needed).ok_or(CropError::ShortPlane {
        plane,
        frame: planes.stored_size,
        got: bytes.len(),
    })
}

/// Samples of `bit_depth` bits as 8 bits, rounded.
fn narrowed(samples: &[u8], bit_depth: u8) -> Vec<u8> {
    let shift = bit_depth - 8;
    let half = 1u32 << (shift - 1);
    let to_8_bits = |pair: &[u8]| {
        let sample = u32::from(u16::from_ne_bytes([pair[0], pair[1]])); // pairs by chunks_exact
        ((sample + half) >> shift).min(255) as u8
    };
    samples.chunks_exact(2).map(to_8_bits).collect()
}
