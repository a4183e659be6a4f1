//! Pixels of a stored image, no more of them than a view needs.

use vidpairs_image::jpeg::{RGBX_BYTES, Reduction, RegionDecoder};
use vidpairs_image::png;
use vidpairs_types::{RegionPx, RgbImage, SizePx};

use super::AugmentError;

/// Start of image, and the marker of whatever segment is first.
const JPEG_BEGINNING: &[u8] = b"\xff\xd8\xff";

/// An image as it is stored.
#[derive(Debug, Clone, Copy)]
pub enum StoredImage<'a> {
    /// JPEG bytes.
    Jpeg(&'a [u8]),
    /// PNG bytes.
    Png(&'a [u8]),
    /// `height x width x 3` u8 under zstd, and its size.
    RgbZstd(&'a [u8], SizePx),
    /// Pixels.
    Rgb(&'a RgbImage),
}

impl<'a> StoredImage<'a> {
    /// The image in a file: JPEG or PNG, as its first bytes say; its name does not matter.
    ///
    /// # Errors
    /// [`AugmentError::UnknownFormat`] if it is neither.
    pub fn of_file(bytes: &'a [u8]) -> Result<Self, AugmentError> {
        if png::is_png(bytes) {
            return Ok(Self::Png(bytes));
        }
        if bytes.starts_with(JPEG_BEGINNING) {
            return Ok(Self::Jpeg(bytes));
        }
        let first: Vec<String> = bytes
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Err(AugmentError::UnknownFormat {
            beginning: match first.is_empty() {
                true => "nothing: the file is empty".to_owned(),
                false => first.join(" "),
            },
        })
    }
}

/// Rows of pixels, R first.
#[derive(Debug)]
pub(super) struct Pixels<'a> {
    bytes: &'a [u8],
    /// 3, or 4 with one that means nothing.
    pub bytes_per_pixel: usize,
    /// Of `bytes`, px.
    pub size: SizePx,
    /// Column of the reduced image at which they begin.
    pub left: u32,
    /// Row of the reduced image at which they begin.
    pub top: u32,
}

impl<'a> Pixels<'a> {
    /// Bytes of `count` rows from `row`, one behind the other.
    pub fn rows(&self, row: usize, count: usize) -> &'a [u8] {
        let row_len = self.size.width as usize * self.bytes_per_pixel;
        &self.bytes[row * row_len..][..count * row_len]
    }
}

/// Opens images; keeps what decoders need again.
#[derive(Default)]
pub(super) struct Opener {
    jpeg: Option<RegionDecoder>,
    zstd: Option<zstd::bulk::Decompressor<'static>>,
    /// What zstd or PNG gave.
    rgb: Vec<u8>,
}

impl Opener {
    /// The image's size; of a JPEG its header is read.
    ///
    /// # Errors
    /// [`AugmentError::Jpeg`] if the header is damaged, of CMYK or states too many pixels; [`AugmentError::Png`] likewise;
    /// [`AugmentError::Size`], [`AugmentError::WrongLength`].
    pub fn size(&mut self, image: StoredImage<'_>) -> Result<SizePx, AugmentError> {
        let size = match image {
            StoredImage::Jpeg(bytes) => return Ok(self.jpeg()?.read_size(bytes)?),
            StoredImage::Png(bytes) => png::read_size(bytes)?,
            StoredImage::RgbZstd(_, size) => size,
            StoredImage::Rgb(image) => image.size,
        };
        check_size(size)?;
        if let StoredImage::Rgb(image) = image {
            check_length(size, image.pixels.len())?;
        }
        Ok(size)
    }

    /// At least the pixels of `region`. Only a JPEG can be reduced by `reduction`, and is.
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
                });
            }
            StoredImage::Png(bytes) => {
                let image = png::decode(bytes)?;
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

/// Sides from 1 px: a region of a frame may be small.
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
