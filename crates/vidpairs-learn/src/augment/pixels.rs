//! Decodes the part of a stored image that a view needs.

use vidpairs_image::jpeg::{RGBX_BYTES, Reduction, RegionDecoder};
use vidpairs_image::still::{self, StillFormat};
use vidpairs_types::{Orientation, RegionPx, RgbImage, SizePx};

use super::error::AugmentError;

/// Image in one of the stored forms.
#[derive(Debug, Clone, Copy)]
pub enum StoredImage<'a> {
    /// Bytes of a JPEG.
    Jpeg(&'a [u8]),
    /// Bytes of a still image of another format.
    Still(&'a [u8]),
    /// Pixels, `height x width x 3` u8, compressed by zstd, and the size of the image.
    RgbZstd(&'a [u8], SizePx),
    /// Decoded pixels.
    Rgb(&'a RgbImage),
}

impl<'a> StoredImage<'a> {
    /// Image in the `bytes` of a file, whose first bytes decide its format.
    ///
    /// # Errors
    /// [`AugmentError::Still`] if it is no image of a known format.
    pub fn of_file(bytes: &'a [u8]) -> Result<Self, AugmentError> {
        Ok(match StillFormat::of(bytes)? {
            StillFormat::Jpeg => Self::Jpeg(bytes),
            _ => Self::Still(bytes),
        })
    }
}

/// Decoded rows of pixels, red first.
#[derive(Debug)]
pub(super) struct Pixels<'a> {
    bytes: &'a [u8],
    /// 3, or 4 with an unused one.
    pub bytes_per_pixel: usize,
    /// Size of the decoded part, px.
    pub size: SizePx,
    /// First column of the part in the reduced image.
    pub left: u32,
    /// First row of the part in the reduced image.
    pub top: u32,
    /// Px of the image for each px of the reduced image, along a side.
    pub divisor: u32,
}

impl<'a> Pixels<'a> {
    /// Bytes of `count` contiguous rows from `row` on.
    pub fn rows(&self, row: usize, count: usize) -> &'a [u8] {
        let row_len = self.size.width as usize * self.bytes_per_pixel;
        &self.bytes[row * row_len..][..count * row_len]
    }
}

/// Opens images, and keeps decoders and buffers for the next.
#[derive(Default)]
pub(super) struct Opener {
    jpeg: Option<RegionDecoder>,
    zstd: Option<zstd::bulk::Decompressor<'static>>,
    /// Pixels from zstd, or of a still image that is no JPEG.
    rgb: Vec<u8>,
}

impl Opener {
    /// Size of an upright image, from its header if it has one.
    ///
    /// # Errors
    /// [`AugmentError::Jpeg`] if the header is damaged, of an unknown process or states too many pixels; [`AugmentError::Still`]
    /// likewise; [`AugmentError::Size`]; [`AugmentError::WrongLength`].
    pub fn size(&mut self, image: StoredImage<'_>) -> Result<SizePx, AugmentError> {
        let size = match image {
            StoredImage::Jpeg(bytes) => return Ok(self.jpeg()?.read_size(bytes)?),
            StoredImage::Still(bytes) => still::read_size(bytes)?,
            StoredImage::RgbZstd(_, size) => size,
            StoredImage::Rgb(image) => image.size,
        };
        check_size(size)?;
        if let StoredImage::Rgb(image) = image {
            check_length(size, image.pixels.len())?;
        }
        Ok(size)
    }

    /// Size of the stored image, and its transformation to the upright one.
    ///
    /// # Errors
    /// As [`Self::size`].
    pub fn orientation(
        &mut self,
        image: StoredImage<'_>,
    ) -> Result<(SizePx, Orientation), AugmentError> {
        match image {
            StoredImage::Jpeg(bytes) => Ok(self.jpeg()?.read_orientation(bytes)?),
            StoredImage::Still(bytes) => Ok(still::read_orientation(bytes)?),
            _ => Ok((self.size(image)?, Orientation::default())),
        }
    }

    /// Decodes at least the pixels of `region`. A JPEG is decoded at the scale of `reduction`, unless it is
    /// stored turned or mirrored; other formats ignore it.
    ///
    /// # Errors
    /// [`AugmentError`] if the image cannot be decoded.
    pub fn read<'a>(
        &'a mut self,
        image: StoredImage<'a>,
        region: RegionPx,
        reduction: Reduction,
    ) -> Result<Pixels<'a>, AugmentError> {
        let (bytes, size) = match image {
            StoredImage::Jpeg(bytes) => {
                let part = self.jpeg()?.decode(bytes, region, reduction)?;
                return Ok(Pixels {
                    bytes: part.rgbx,
                    bytes_per_pixel: RGBX_BYTES,
                    size: part.size,
                    left: part.left,
                    top: part.top,
                    divisor: part.reduction.divisor(),
                });
            }
            StoredImage::Still(bytes) => {
                let image = still::decode(bytes)?;
                self.rgb = image.pixels;
                (self.rgb.as_slice(), image.size)
            }
            StoredImage::RgbZstd(bytes, size) => (self.unpack(bytes, size)?, size),
            StoredImage::Rgb(image) => (image.pixels.as_slice(), image.size),
        };
        Ok(Pixels {
            bytes,
            bytes_per_pixel: 3,
            size,
            left: 0,
            top: 0,
            divisor: 1,
        })
    }

    fn jpeg(&mut self) -> Result<&mut RegionDecoder, AugmentError> {
        match &mut self.jpeg {
            Some(decoder) => Ok(decoder),
            none => Ok(none.insert(RegionDecoder::new()?)),
        }
    }

    fn unpack(&mut self, bytes: &[u8], size: SizePx) -> Result<&[u8], AugmentError> {
        let decompressor = match &mut self.zstd {
            Some(decompressor) => decompressor,
            none => none.insert(zstd::bulk::Decompressor::new().map_err(AugmentError::Zstd)?),
        };
        let expected = 3 * size.area() as usize;
        if self.rgb.len() < expected {
            self.rgb.resize(expected, 0);
        }
        let to = &mut self.rgb[..expected];
        let got = decompressor
            .decompress_to_buffer(bytes, to)
            .map_err(AugmentError::Zstd)?;
        check_length(size, got)?;
        Ok(&self.rgb[..expected])
    }
}

/// Checks the size of an image. Sides may be as short as 1 px, since regions of frames may be small.
pub(super) fn check_size(size: SizePx) -> Result<(), AugmentError> {
    let is_too_large =
        size.width.max(size.height) > SizePx::MAX_SIDE || size.area() > SizePx::MAX_AREA;
    if is_too_large || size.short_side() == 0 {
        return Err(AugmentError::Size(size));
    }
    Ok(())
}

fn check_length(size: SizePx, got: usize) -> Result<(), AugmentError> {
    let expected = 3 * size.area() as usize;
    if got == expected {
        return Ok(());
    }
    Err(AugmentError::WrongLength {
        size,
        expected,
        got,
    })
}
