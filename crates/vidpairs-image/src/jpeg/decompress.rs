//! Decodes JPEG bytes to planes, as stored.

use turbojpeg::raw;
use vidpairs_types::{
    ColorMatrix, ColorRange, Orientation, PlaneBytes, PlaneLayout, Planes, RegionPx, RgbImage,
    SizePx,
};

use super::handle::{Handle, Picture, PlaneRoom};
use super::{JpegError, RGBX_BYTES};

/// Reads the size of the upright picture from the header, without decoding the picture.
///
/// # Errors
/// [`JpegError::Damaged`] if there is no readable header, [`JpegError::Size`] if the size is not accepted, [`JpegError::Process`].
pub fn frame_size(bytes: &[u8]) -> Result<SizePx, JpegError> {
    Ok(open(bytes)?.1.upright_size())
}

/// Decodes a JPEG to its planes: gray, 4:2:0, 4:2:2 and 4:4:4 as stored; other subsamplings, RGB and CMYK
/// become G, B, R. Its Exif or XMP states the orientation.
///
/// # Errors
/// [`JpegError`] if any part of the file is damaged (a truncated scan too), or it is of a size or kind that is not accepted.
pub fn decompress(bytes: &[u8]) -> Result<Planes, JpegError> {
    let (mut handle, picture) = open(bytes)?;
    let layout = match (picture.colorspace, picture.subsampling) {
        (raw::TJCS_TJCS_GRAY, _) => PlaneLayout::Gray,
        (raw::TJCS_TJCS_YCbCr, raw::TJSAMP_TJSAMP_420) => PlaneLayout::Yuv420,
        (raw::TJCS_TJCS_YCbCr, raw::TJSAMP_TJSAMP_422) => PlaneLayout::Yuv422,
        (raw::TJCS_TJCS_YCbCr, raw::TJSAMP_TJSAMP_444) => PlaneLayout::Yuv444,
        _ => {
            return Ok(planes_of(
                &decompress_rgb(&mut handle, &picture)?,
                picture.orientation,
            ));
        }
    };
    let mut planes = OwnedPlanes::new(layout, picture.size);
    handle.decompress_planes(&picture, &mut planes.rooms(layout))?;
    Ok(Planes {
        stored_size: picture.size,
        layout,
        bit_depth: 8,
        range: ColorRange::Full,
        matrix: ColorMatrix::Bt601,
        orientation: picture.orientation,
        bytes: Box::new(planes),
    })
}

/// Decodes a JPEG to upright RGB. Sides from 1 px are accepted.
///
/// # Errors
/// [`JpegError`] if any part of the file is damaged, or it is of a size or kind that is not accepted.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, JpegError> {
    let (stored, orientation) = decode_with_orientation(bytes)?;
    Ok(RgbImage {
        size: orientation.applied_to(stored.size),
        pixels: orientation.upright::<3>(stored.pixels, stored.size),
    })
}

/// Decodes a JPEG to RGB as it is stored, whatever its orientation. Sides from 1 px are accepted.
///
/// # Errors
/// As [`decode`].
pub fn decode_stored(bytes: &[u8]) -> Result<RgbImage, JpegError> {
    Ok(decode_with_orientation(bytes)?.0)
}

fn decode_with_orientation(bytes: &[u8]) -> Result<(RgbImage, Orientation), JpegError> {
    let mut handle = Handle::new()?;
    let picture = handle.read_header(bytes)?;
    if crate::is_too_large(picture.size) {
        return Err(JpegError::TooLarge(picture.size));
    }
    let stored = decompress_rgb(&mut handle, &picture)?;
    Ok((stored, picture.orientation))
}

/// An image as planes of G, B and R.
///
/// - `orientation`: transformation from `stored` to the upright picture.
pub(crate) fn planes_of(stored: &RgbImage, orientation: Orientation) -> Planes {
    let layout = PlaneLayout::Gbr;
    let mut planes = OwnedPlanes::new(layout, stored.size);
    for (plane, channel) in planes.rooms(layout).into_iter().zip([1, 2, 0]) {
        let samples = stored.pixels.iter().skip(channel).step_by(3);
        let places = plane.samples.iter_mut();
        places.zip(samples).for_each(|(to, &from)| *to = from);
    }
    Planes {
        stored_size: stored.size,
        layout,
        bit_depth: 8,
        range: ColorRange::Full,
        matrix: ColorMatrix::Bt601,
        orientation,
        bytes: Box::new(planes),
    }
}

/// Planes one after the other in one buffer.
struct OwnedPlanes {
    samples: Vec<u8>,
    /// Start and row length of each plane, bytes.
    starts: [(usize, usize); 3],
}

impl PlaneBytes for OwnedPlanes {
    fn plane(&self, plane: usize) -> &[u8] {
        &self.samples[self.starts[plane].0..]
    }

    fn stride_bytes(&self, plane: usize) -> usize {
        self.starts[plane].1
    }
}

impl OwnedPlanes {
    /// Zeroed planes of a picture of `size`, padded to whole samples of subsampled chroma, which the library writes.
    fn new(layout: PlaneLayout, size: SizePx) -> Self {
        let (across, down) = match layout {
            PlaneLayout::Yuv420 => (2, 2),
            PlaneLayout::Yuv422 => (2, 1),
            PlaneLayout::Gray | PlaneLayout::Yuv444 | PlaneLayout::Gbr => (1, 1),
        };
        let padded = SizePx {
            width: size.width.next_multiple_of(across),
            height: size.height.next_multiple_of(down),
        };
        let mut starts = [(0, 0); 3];
        let mut end = 0;
        for (plane, start) in starts.iter_mut().enumerate().take(layout.num_planes()) {
            let plane_size = layout.plane_size(padded, plane);
            *start = (end, plane_size.width as usize);
            end += plane_size.area() as usize;
        }
        Self {
            samples: vec![0; end],
            starts,
        }
    }

    /// The planes, to be written.
    fn rooms(&mut self, layout: PlaneLayout) -> Vec<PlaneRoom<'_>> {
        let mut rest = self.samples.as_mut_slice();
        let mut rooms = Vec::with_capacity(layout.num_planes());
        for plane in (0..layout.num_planes()).rev() {
            let (start, stride) = self.starts[plane];
            let (before, samples) = rest.split_at_mut(start);
            rooms.push(PlaneRoom { samples, stride });
            rest = before;
        }
        rooms.reverse();
        rooms
    }
}

/// Reads the header and checks the size.
fn open(bytes: &[u8]) -> Result<(Handle, Picture<'_>), JpegError> {
    let mut handle = Handle::new()?;
    let picture = handle.read_header(bytes)?;
    if picture.size.is_accepted() {
        Ok((handle, picture))
    } else {
        Err(JpegError::Size(picture.size))
    }
}

/// Decodes the stored picture to RGB.
fn decompress_rgb(handle: &mut Handle, picture: &Picture<'_>) -> Result<RgbImage, JpegError> {
    let size = picture.size;
    let mut rgbx = vec![0; size.area() as usize * RGBX_BYTES];
    let whole = RegionPx {
        x: 0,
        y: 0,
        width: size.width,
        height: size.height,
    };
    handle.decompress_rgbx(picture, 1, whole, &mut rgbx)?;
    let (pixels, _) = rgbx.as_chunks::<RGBX_BYTES>();
    let rgb = pixels.iter().flat_map(|&[r, g, b, _]| [r, g, b]);
    Ok(RgbImage {
        size,
        pixels: rgb.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jpeg::compress;

    fn two_colors(width: u32, height: u32) -> RgbImage {
        let pixel = |x| {
            if x < width / 2 {
                [200, 30, 30]
            } else {
                [20, 40, 220]
            }
        };
        let pixels = (0..height)
            .flat_map(|_| (0..width).flat_map(pixel))
            .collect();
        RgbImage {
            size: SizePx { width, height },
            pixels,
        }
    }

    #[test]
    fn planes_hold_the_luma_of_bt601_at_full_range() {
        let jpeg = compress(&two_colors(64, 48), 95).unwrap();
        let planes = decompress(&jpeg).unwrap();
        assert_eq!(
            (planes.stored_size, planes.layout),
            (
                SizePx {
                    width: 64,
                    height: 48
                },
                PlaneLayout::Yuv420
            )
        );
        let luma = |r: f64, g: f64, b: f64| 0.299 * r + 0.587 * g + 0.114 * b;
        let row = &planes.bytes.plane(0)[20 * planes.bytes.stride_bytes(0)..];
        assert!(
            (f64::from(row[10]) - luma(200.0, 30.0, 30.0)).abs() < 3.0,
            "{}",
            row[10]
        );
        assert!(
            (f64::from(row[50]) - luma(20.0, 40.0, 220.0)).abs() < 3.0,
            "{}",
            row[50]
        );
    }

    #[test]
    fn a_jpeg_truncated_anywhere_is_an_error_not_a_gray_picture() {
        let jpeg = compress(&two_colors(64, 48), 95).unwrap();
        for end in 0..jpeg.len() - 2 {
            assert!(
                decompress(&jpeg[..end]).is_err(),
                "truncated at {end} of {}",
                jpeg.len()
            );
        }
    }

    #[test]
    fn a_picture_with_a_side_above_the_limit_is_refused_with_its_size() {
        let jpeg = compress(&two_colors(20_000, 10), 50).unwrap();
        let err = decompress(&jpeg).err().unwrap().to_string();
        assert!(
            err.contains("20000 x 10 px") && err.contains("16384"),
            "{err}"
        );
    }
}
