//! Scaling a region of each plane to the size of the image.

use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U16};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use vidpairs_types::{BoxXywh, Planes, SizePx};

use super::CropError;

/// Buffers that are used again for every image.
#[derive(Default)]
pub(super) struct Scratch {
    resizer: Resizer,
    /// Of each plane: the region at target size, 8 bits a sample.
    samples: [Vec<u8>; 3],
    /// A plane at target size, 16 bits a sample; allocators align more than bytes need.
    wide: Vec<u8>,
}

/// The region of every plane at `target` size, 8 bits a sample, chroma as large as luma.
pub(super) fn planes_at<'s>(
    planes: &Planes,
    region: BoxXywh,
    target: SizePx,
    scratch: &'s mut Scratch,
) -> Result<&'s [Vec<u8>], CropError> {
    let num_planes = planes.layout.num_planes();
    for plane in 0..num_planes {
        resample(planes, plane, region, target, scratch)?;
    }
    Ok(scratch.samples.get(..num_planes).unwrap_or(&[]))
}

fn resample(
    planes: &Planes,
    plane: usize,
    region: BoxXywh,
    target: SizePx,
    scratch: &mut Scratch,
) -> Result<(), CropError> {
    let size = planes.layout.plane_size(planes.stored_size, plane);
    let (x, w) = in_plane(region.x, region.w, planes.stored_size.width, size.width);
    let (y, h) = in_plane(region.y, region.h, planes.stored_size.height, size.height);
    let options = ResizeOptions::new()
        .crop(x, y, w, h)
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let rows = rows(planes, plane, size)?;
    let stride = planes.bytes.stride_bytes(plane) as u32;
    let area = target.area() as usize;
    let Scratch {
        resizer,
        samples,
        wide,
    } = scratch;
    let Some(samples) = samples.get_mut(plane) else {
        return Ok(());
    };
    samples.resize(area, 0);
    if planes.bit_depth == 8 {
        let rows = Rows {
            bytes: rows,
            stride,
            size,
        };
        return resize::<U8>(resizer, &rows, samples, target, &options);
    }
    wide.resize(2 * area, 0);
    let rows = Rows {
        bytes: rows,
        stride: stride / 2,
        size,
    };
    resize::<U16>(resizer, &rows, wide, target, &options)?;
    narrow(wide, planes.bit_depth, samples);
    Ok(())
}

/// The rows of a plane.
struct Rows<'a> {
    bytes: &'a [u8],
    /// Samples from one row to the next.
    stride: u32,
    size: SizePx,
}

fn resize<P: PixelTrait>(
    resizer: &mut Resizer,
    rows: &Rows<'_>,
    output: &mut [u8],
    target: SizePx,
    options: &ResizeOptions,
) -> Result<(), CropError> {
    let failed = |err: &dyn std::fmt::Display| CropError::Library {
        action: "scale a plane",
        message: err.to_string(),
    };
    let size = rows.size;
    let padded = TypedImageRef::<P>::from_buffer(rows.stride, size.height, rows.bytes)
        .map_err(|err| failed(&err))?;
    let view = TypedCroppedImage::from_ref(&padded, 0, 0, size.width, size.height)
        .map_err(|err| failed(&err))?;
    let mut output = TypedImage::<P>::from_buffer(target.width, target.height, output)
        .map_err(|err| failed(&err))?;
    resizer
        .resize_typed(&view, &mut output, options)
        .map_err(|err| failed(&err))
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
fn narrow(wide: &[u8], bit_depth: u8, samples: &mut [u8]) {
    let shift = bit_depth - 8;
    let half = 1u32 << (shift - 1);
    let to_8_bits = |pair: &[u8]| {
        let sample = u32::from(u16::from_ne_bytes([pair[0], pair[1]])); // pairs by chunks_exact
        ((sample + half) >> shift).min(255) as u8
    };
    let pairs = wide.chunks_exact(2);
    samples
        .iter_mut()
        .zip(pairs)
        .for_each(|(sample, pair)| *sample = to_8_bits(pair));
}
