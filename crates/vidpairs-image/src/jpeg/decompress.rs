//! JPEG bytes to planes, as they are stored.

use turbojpeg::{
    Colorspace, DecompressHeader, Decompressor, Image, PixelFormat, Subsamp, YuvImage,
};
use vidpairs_types::{
    ColorMatrix, ColorRange, Orientation, PlaneBytes, PlaneLayout, Planes, SizePx,
};

use super::JpegError;

/// The size that the header states, without decoding the picture.
///
/// # Errors
/// [`JpegError::Damaged`] if there is no readable header, [`JpegError::Size`] if the size is not accepted.
pub fn frame_size(bytes: &[u8]) -> Result<SizePx, JpegError> {
    let mut decompressor = Decompressor::new().map_err(JpegError::Damaged)?;
    accepted_size(
        &decompressor
            .read_header(bytes)
            .map_err(JpegError::Damaged)?,
    )
}

/// Decodes a JPEG to its planes: gray, 4:2:0, 4:2:2 and 4:4:4 as stored; other subsamplings and RGB
/// come as G, B, R.
///
/// # Errors
/// [`JpegError`] if the bytes are damaged anywhere (a truncated scan too), CMYK, or of a size that is
/// not accepted.
pub fn decompress(bytes: &[u8]) -> Result<Planes, JpegError> {
    let mut decompressor = Decompressor::new().map_err(JpegError::Damaged)?;
    let header = decompressor
        .read_header(bytes)
        .map_err(JpegError::Damaged)?;
    let size = accepted_size(&header)?;
    let layout = match (header.colorspace, header.subsamp) {
        (Colorspace::CMYK | Colorspace::YCCK, _) => return Err(JpegError::Cmyk),
        (Colorspace::Gray, _) => PlaneLayout::Gray,
        (Colorspace::YCbCr, Subsamp::Sub2x2) => PlaneLayout::Yuv420,
        (Colorspace::YCbCr, Subsamp::Sub2x1) => PlaneLayout::Yuv422,
        (Colorspace::YCbCr, Subsamp::None) => PlaneLayout::Yuv444,
        _ => PlaneLayout::Gbr,
    };
    let bytes = if layout == PlaneLayout::Gbr {
        decompress_gbr(&mut decompressor, bytes, size)?
    } else {
        decompress_yuv(&mut decompressor, bytes, &header, layout)?
    };
    Ok(Planes {
        stored_size: size,
        layout,
        bit_depth: 8,
        range: ColorRange::Full,
        matrix: ColorMatrix::Bt601,
        orientation: Orientation::default(),
        bytes: Box::new(bytes),
    })
}

/// Planes one after the other in one buffer.
struct OwnedPlanes {
    samples: Vec<u8>,
    /// Of each plane: where it starts, and its row length.
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

fn accepted_size(header: &DecompressHeader) -> Result<SizePx, JpegError> {
    // JPEG states sides as 16-bit numbers.
    let size = SizePx {
        width: header.width as u32,
        height: header.height as u32,
    };
    if size.is_accepted() {
        Ok(size)
    } else {
        Err(JpegError::Size(size))
    }
}

fn decompress_yuv(
    decompressor: &mut Decompressor,
    bytes: &[u8],
    header: &DecompressHeader,
    layout: PlaneLayout,
) -> Result<OwnedPlanes, JpegError> {
    let size = SizePx {
        width: header.width as u32,
        height: header.height as u32,
    };
    let mut planes = OwnedPlanes::new(layout, size);
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
    Ok(planes)
}

fn decompress_gbr(
    decompressor: &mut Decompressor,
    bytes: &[u8],
    size: SizePx,
) -> Result<OwnedPlanes, JpegError> {
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
    let mut planes = OwnedPlanes::new(PlaneLayout::Gbr, size);
    for (plane, channel) in [1, 2, 0].into_iter().enumerate() {
        let from = rgb.iter().skip(channel).step_by(3);
        let to = &mut planes.samples[planes.starts[plane].0..][..width * height];
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
    }
    Ok(planes)
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
    fn a_jpeg_cut_anywhere_is_an_error_not_a_grey_picture() {
        let jpeg = compress(&two_colors(64, 48), 95).unwrap();
        for end in 0..jpeg.len() - 2 {
            assert!(
                decompress(&jpeg[..end]).is_err(),
                "cut at {end} of {}",
                jpeg.len()
            );
        }
    }

    #[test]
    fn a_picture_too_long_and_thin_is_refused_with_its_size() {
        let jpeg = compress(&two_colors(20_000, 10), 50).unwrap();
        let err = decompress(&jpeg).err().unwrap().to_string();
        assert!(
            err.contains("20000 x 10 px") && err.contains("16384"),
            "{err}"
        );
    }
}
