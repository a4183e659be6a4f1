//! Decodes a region of a JPEG to RGB, at full or reduced size.

use turbojpeg::raw;
use vidpairs_types::{Orientation, RegionPx, SizePx};

use super::handle::{Handle, Header, Picture};
use super::{JpegError, RGBX_BYTES};

/// Margin decoded around a region, px. libjpeg interpolates chroma from neighbouring px; with this margin the region has
/// the same bytes as in the whole picture.
const MARGIN_PX: u32 = 2;

/// Reduction of a picture while it is decoded. A smaller inverse DCT makes each decoded pixel about the mean of the stored
/// pixels it replaces, and is faster than decoding all of them.
///
/// libjpeg-turbo supports every eighth, but only these sizes have vector code; each other size takes longer than the next larger
/// one of these (376 x 256 px: 255 us at full size, 512, 396 and 319 us at 7, 6 and 5 eighths, 168 us at half, 185 us at 3 eighths).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reduction {
    /// Stored size.
    Full,
    /// Half of each side.
    Half,
    /// A quarter of each side.
    Quarter,
    /// An eighth of each side: one pixel per block.
    Eighth,
}

impl Reduction {
    /// All reductions, least first.
    pub const ALL: [Self; 4] = [Self::Full, Self::Half, Self::Quarter, Self::Eighth];

    /// Stored px per decoded px, along a side: 1, 2, 4 or 8.
    pub fn divisor(self) -> u32 {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }
}

/// A decoded region of a picture, upright.
#[derive(Debug)]
pub struct DecodedRegion<'a> {
    /// `height x width x 4` u8, row-major, no padding: R, G, B, undefined.
    pub rgbx: &'a [u8],
    /// Size of `rgbx`, px.
    pub size: SizePx,
    /// First column, px of the reduced picture.
    pub left: u32,
    /// First row, px of the reduced picture.
    pub top: u32,
    /// Reduction of the picture: that of the request, or none.
    pub reduction: Reduction,
}

/// Decodes regions; reuses the library's state and the pixel buffer between calls.
#[derive(Debug)]
pub struct RegionDecoder {
    handle: Handle,
    rgbx: Vec<u8>,
}

impl RegionDecoder {
    /// Creates a decoder.
    ///
    /// # Errors
    /// [`JpegError::Damaged`] if the library is out of memory.
    pub fn new() -> Result<Self, JpegError> {
        Ok(Self {
            handle: Handle::new()?,
            rgbx: Vec::new(),
        })
    }

    /// Reads the size of the upright picture from the header. Sides from 1 px are accepted: a region of a frame may be small.
    ///
    /// # Errors
    /// [`JpegError::Damaged`] if there is no readable header; [`JpegError::TooLarge`] if a side is above
    /// [`SizePx::MAX_SIDE`] or the area above [`SizePx::MAX_AREA`]; [`JpegError::Process`].
    pub fn read_size(&mut self, bytes: &[u8]) -> Result<SizePx, JpegError> {
        Ok(self.read_header(bytes)?.upright_size())
    }

    /// Reads the size of the stored picture, and its transformation to the upright one, from the header.
    ///
    /// # Errors
    /// As [`Self::read_size`].
    pub fn read_orientation(&mut self, bytes: &[u8]) -> Result<(SizePx, Orientation), JpegError> {
        let header = self.read_header(bytes)?;
        Ok((header.size, header.orientation))
    }

    fn read_header<'b>(&mut self, bytes: &'b [u8]) -> Result<Picture<'b>, JpegError> {
        let picture = self.handle.read_header(bytes)?;
        if crate::is_too_large(picture.size) {
            return Err(JpegError::TooLarge(picture.size));
        }
        Ok(picture)
    }

    /// Decodes at least `region` (px of the upright picture). Data below the region in the stored picture are not read; above and
    /// beside it only the entropy code is decoded.
    ///
    /// The pixels of `region` have the same bytes as in the whole picture. A picture that is stored turned or mirrored is not
    /// reduced: the reduced pixels would lie on another grid where a side is no multiple of the divisor.
    ///
    /// # Errors
    /// [`JpegError::Damaged`] if the data that are read are damaged (a baseline file may be truncated below the region);
    /// [`JpegError::Region`] if the region lies outside the picture; and the errors of [`Self::read_size`].
    pub fn decode(
        &mut self,
        bytes: &[u8],
        region: RegionPx,
        reduction: Reduction,
    ) -> Result<DecodedRegion<'_>, JpegError> {
        let picture = self.read_header(bytes)?;
        let size = picture.upright_size();
        if !region.lies_in(size) {
            return Err(JpegError::Region { region, size });
        }
        if picture.orientation == Orientation::default() {
            let stored = self.decode_stored(&picture, region, reduction)?;
            return Ok(DecodedRegion {
                rgbx: &self.rgbx[..num_bytes(stored.size())],
                size: stored.size(),
                left: stored.x,
                top: stored.y,
                reduction,
            });
        }
        let reduction = Reduction::Full;
        let wanted = picture.orientation.region_in_stored(region, size);
        let stored = self.decode_stored(&picture, wanted, reduction)?;
        let mut turned = std::mem::take(&mut self.rgbx);
        turned.truncate(num_bytes(stored.size()));
        self.rgbx = (picture.orientation).upright::<RGBX_BYTES>(turned, stored.size());
        let upright = (picture.orientation).region_in_upright(stored, picture.size);
        Ok(DecodedRegion {
            rgbx: &self.rgbx,
            size: upright.size(),
            left: upright.x,
            top: upright.y,
            reduction,
        })
    }

    /// Decodes at least `region` (px of the stored picture) to the start of `self.rgbx`, and gives what was decoded, px of the reduced picture.
    fn decode_stored(
        &mut self,
        picture: &Picture<'_>,
        region: RegionPx,
        reduction: Reduction,
    ) -> Result<RegionPx, JpegError> {
        let divisor = reduction.divisor();
        let reduced = picture.reduced_size(divisor);
        // A picture with a subsampling unknown to the library is decoded whole.
        let (left, top, right, bottom) = match imcu_width_px(picture) {
            None => (0, 0, reduced.width, reduced.height),
            Some(imcu_width_px) => {
                let left = (region.x / divisor).saturating_sub(MARGIN_PX);
                let step = imcu_width_px.div_ceil(divisor);
                let right = (region.x + region.width).div_ceil(divisor) + MARGIN_PX;
                (
                    left / step * step,
                    region.y / divisor,
                    right.min(reduced.width),
                    (region.y + region.height).div_ceil(divisor),
                )
            }
        };
        let decoded = RegionPx {
            x: left,
            y: top,
            width: right - left,
            height: bottom - top,
        };
        let num_bytes = num_bytes(decoded.size());
        if self.rgbx.len() < num_bytes {
            self.rgbx.resize(num_bytes, 0);
        }
        let rgbx = &mut self.rgbx[..num_bytes];
        (self.handle).decompress_rgbx(picture, divisor, decoded, rgbx)?;
        Ok(decoded)
    }
}

fn num_bytes(size: SizePx) -> usize {
    size.area() as usize * RGBX_BYTES
}

/// Width of the blocks coded together (iMCU), px of the stored picture; `None` for an unknown subsampling.
fn imcu_width_px(header: &Header) -> Option<u32> {
    match header.subsampling {
        raw::TJSAMP_TJSAMP_444
        | raw::TJSAMP_TJSAMP_GRAY
        | raw::TJSAMP_TJSAMP_440
        | raw::TJSAMP_TJSAMP_441 => Some(8),
        raw::TJSAMP_TJSAMP_422 | raw::TJSAMP_TJSAMP_420 => Some(16),
        raw::TJSAMP_TJSAMP_411 => Some(32),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
