//! An RGB image to JPEG bytes.

use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};
use vidpairs_types::RgbImage;

use super::JpegError;

/// Compresses `image` to a baseline JFIF file with 4:2:0 chroma.
///
/// - `quality`: 1 to 100, as libjpeg counts it.
///
/// # Errors
/// [`JpegError::Compress`] if a side is above 65,535 px or memory is short.
pub fn compress(image: &RgbImage, quality: u8) -> Result<Vec<u8>, JpegError> {
    let size = image.size;
    let failed = |source| JpegError::Compress { size, source };
    let mut compressor = Compressor::new().map_err(failed)?;
    compressor.set_quality(i32::from(quality)).map_err(failed)?;
    compressor.set_subsamp(Subsamp::Sub2x2).map_err(failed)?;
    let width = size.width as usize;
    let pixels = Image {
        pixels: image.pixels.as_slice(),
        width,
        pitch: width * 3,
        height: size.height as usize,
        format: PixelFormat::RGB,
    };
    compressor.compress_to_vec(pixels).map_err(failed)
}
