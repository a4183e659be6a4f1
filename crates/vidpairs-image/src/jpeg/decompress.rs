//! Decodes JPEG bytes to planes, as stored.

use turbojpeg::{
    Colorspace, DecompressHeader, Decompressor, Image, PixelFormat, Subsamp, YuvImage,
};
use vidpairs_types::{
    ColorMatrix, ColorRange, Orientation, PlaneBytes, PlaneLayout, Planes, SizePx,
};

use super::JpegError;

/// Reads the size in the header, without decoding the picture.
///
/// # Errors
/// [`JpegError::Damaged`] if there is no readable header, [`JpegError::Size`] if the size is not accepted.
pub fn frame_size(bytes: &[u8]) -> Result<SizePx, JpegError> {
    Ok(open(bytes)?.2)
}

/// Decodes a JPEG to its planes: gray, 4:2:0, 4:2:2 and 4:4:4 as stored; other subsamplings and RGB
/// become G, B, R.
///
/// # Errors
/// [`JpegError`] if any part of the file is damaged (a truncated scan too), or it is CMYK or of a size that is
/// not accepted.
pub fn decompress(bytes: &[u8]) -> Result<Planes, JpegError> {
    let (mut decompressor, header, stored_size) = open(bytes)?;
    let layout = match (header.colorspace, header.subsamp) {
        (Colorspace::CMYK | Colorspace::YCCK, _) => return Err(JpegError::Cmyk),
        (Colorspace::Gray, _) => PlaneLayout::Gray,
        (Colorspace::YCbCr, Subsamp::Sub2x2) => PlaneLayout::Yuv420,
        (Colorspace::YCbCr, Subsamp::Sub2x1) => PlaneLayout::Yuv422,
        (Colorspace::YCbCr, Subsamp::None) => PlaneLayout::Yuv444,
        _ => PlaneLayout::Gbr,
    };
    let mut planes = OwnedPlanes::new(layout, stored_size);
    if layout == PlaneLayout::Gbr {
        decompress_gbr(&mut decompressor, bytes, stored_size, &mut planes)?;
    } else {
        let image = YuvImage {
            pixels: planes.samples.as_mut_slice(),
            width: header.width,
            align: 1,
            height: header.height,
            subsamp: header.subsamp,
        };
        decompressor
            .decompress_to_yuv(bytes, image)
            .map_err(JpegError::Damaged)?;
    }
    Ok(Planes {
        stored_size,
        layout,
        bit_depth: 8,
        range: ColorRange::Full,
        matrix: ColorMatrix::Bt601,
        orientation: Orientation::default(),
        bytes: Box::new(planes),
    })
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
    /// Zeroed planes of a picture of `size`.
    fn new(layout: PlaneLayout, size: SizePx) -> Self {
        let mut starts = [(0, 0); 3];
        let mut end = 0;
        for (plane, start) in starts.iter_mut().enumerate().take(layout.num_planes()) {
            let plane_size = layout.plane_size(size, plane);
            *start = (end, plane_size.width as usize);
            end += plane_size.area() as usize;
        }
        Self {
            samples: vec![0; end],
            starts,
        }
    }
}

/// Reads the header and checks the size.
fn open(bytes: &[u8]) -> Result<(Decompressor, DecompressHeader, SizePx), JpegError> {
    let mut decompressor = Decompressor::new().map_err(JpegError::Damaged)?;
    let header = decompressor
        .read_header(bytes)
        .map_err(JpegError::Damaged)?;
    // JPEG states sides as 16-bit numbers.
    let size = SizePx {
        width: header.width as u32,
        height: header.height as u32,
    };
    if size.is_accepted() {
        Ok((decompressor, header, size))
    } else {
        Err(JpegError::Size(size))
    }
}

/// Decodes to RGB, then splits the channels into planes.
fn decompress_gbr(
    decompressor: &mut Decompressor,
    bytes: &[u8],
    size: SizePx,
    planes: &mut OwnedPlanes,
) -> Result<(), JpegError> {
    let (width, height) = (size.width as usize, size.height as usize);
    let mut rgb = vec![0; 3 * width * height];
    let image = Image {
        pixels: rgb.as_mut_slice(),
        width,
        pitch: 3 * width,
        height,
        format: PixelFormat::RGB,
    };
    decompressor
        .decompress(bytes, image)
        .map_err(JpegError::Damaged)?;
    let planes = planes.samples.chunks_exact_mut(width * height);
    for (plane, channel) in planes.zip([1, 2, 0]) {
        let samples = rgb.iter().skip(channel).step_by(3);
        plane
            .iter_mut()
            .zip(samples)
            .for_each(|(to, &from)| *to = from);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use vidpairs_types::RgbImage;

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
