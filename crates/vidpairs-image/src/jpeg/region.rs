//! A region of a JPEG to RGB, at a reduced size where less is asked for.

use std::ffi::{CStr, c_int};

use turbojpeg::raw;
use vidpairs_types::{RegionPx, SizePx};

use super::JpegError;

/// Bytes of a decoded pixel: R, G, B, and one without meaning.
pub const RGBX_BYTES: usize = 4;

/// libjpeg interpolates chroma from its neighbours: a region is decoded with so many px around it, and is
/// then what it would be in the whole picture.
const MARGIN_PX: u32 = 2;

/// How much smaller than stored a picture is decoded: by a smaller inverse DCT, so that a pixel is about the mean
/// of those it stands for, and costs less than all of them.
///
/// libjpeg-turbo has all eighths; only these have vector code, and each of the others takes longer than the next larger
/// of these (376 x 256 px: 255 us whole, 512, 396 and 319 us at 7, 6 and 5 eighths, 168 us by half, 185 us at 3 eighths).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reduction {
    /// As stored.
    Full,
    /// Half of each side.
    Half,
    /// A quarter of each side.
    Quarter,
    /// An eighth of each side: the blocks' means.
    Eighth,
}

impl Reduction {
    /// From the least to the greatest.
    pub const ALL: [Self; 4] = [Self::Full, Self::Half, Self::Quarter, Self::Eighth];

    /// Stored px in a decoded one, along a side: 1, 2, 4 or 8.
    pub fn divisor(self) -> u32 {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }
}

/// Part of a picture, reduced.
#[derive(Debug)]
pub struct DecodedRegion<'a> {
    /// `height x width x 4` u8, row-major, no padding: R, G, B, any.
    pub rgbx: &'a [u8],
    /// Of `rgbx`, px.
    pub size: SizePx,
    /// Column of the reduced picture at which `rgbx` begins.
    pub left: u32,
    /// Row of the reduced picture at which `rgbx` begins.
    pub top: u32,
}

/// Decodes regions; keeps the library's state and the pixels from one to the next.
#[derive(Debug)]
pub struct RegionDecoder {
    handle: Handle,
    /// Whether the last call failed. The library then goes on in the middle of the damaged file.
    is_spoiled: bool,
    rgbx: Vec<u8>,
}

impl RegionDecoder {
    /// A decoder without pixels yet.
    ///
    /// # Errors
    /// [`JpegError::Damaged`] with the library's word if it is out of memory.
    pub fn new() -> Result<Self, JpegError> {
        Ok(Self {
            handle: Handle::new()?,
            is_spoiled: false,
            rgbx: Vec::new(),
        })
    }

    /// The size that the header states. Sides from 1 px are read: a region of a frame may be small.
    ///
    /// # Errors
    /// [`JpegError::Damaged`] if there is no readable header; [`JpegError::TooLarge`] if a side is above
    /// [`SizePx::MAX_SIDE`] or the area above [`SizePx::MAX_AREA`]; [`JpegError::Cmyk`].
    pub fn read_size(&mut self, bytes: &[u8]) -> Result<SizePx, JpegError> {
        if self.is_spoiled {
            self.handle = Handle::new()?;
        }
        self.is_spoiled = true;
        self.handle.read_header(bytes)?;
        self.is_spoiled = false;
        let side = |param| self.handle.get(param).max(0).unsigned_abs();
        let size = SizePx {
            width: side(raw::TJPARAM_TJPARAM_JPEGWIDTH),
            height: side(raw::TJPARAM_TJPARAM_JPEGHEIGHT),
        };
        let is_too_large =
            size.width.max(size.height) > SizePx::MAX_SIDE || size.area() > SizePx::MAX_AREA;
        if is_too_large {
            return Err(JpegError::TooLarge(size));
        }
        // The library takes a file of tables alone, which an early end can make of any.
        if size.short_side() == 0 {
            let words = "no picture behind the tables".to_owned();
            return Err(JpegError::Damaged(turbojpeg::Error::TurboJpegError(words)));
        }
        let colorspace = self
            .handle
            .get(raw::TJPARAM_TJPARAM_COLORSPACE)
            .unsigned_abs();
        if [raw::TJCS_TJCS_CMYK, raw::TJCS_TJCS_YCCK].contains(&colorspace) {
            return Err(JpegError::Cmyk);
        }
        Ok(size)
    }

    /// Decodes at least `region` (px of the stored picture) of the JPEG, reduced. What lies below it is not
    /// read; beside and above it only the entropy code is.
    ///
    /// Pixels of `region` are the same bytes that the whole picture has there.
    ///
    /// # Errors
    /// [`JpegError::Damaged`] if what is read is damaged (a baseline file cut below the region is not);
    /// [`JpegError::Region`] if the region does not lie in the picture; and those of [`Self::read_size`].
    pub fn decode(
        &mut self,
        bytes: &[u8],
        region: RegionPx,
        reduction: Reduction,
    ) -> Result<DecodedRegion<'_>, JpegError> {
        let size = self.read_size(bytes)?;
        if !region.lies_in(size) {
            return Err(JpegError::Region { region, size });
        }
        let divisor = reduction.divisor();
        let imcu_width_px = self.imcu_width_px();
        let reduced = SizePx {
            width: size.width.div_ceil(divisor),
            height: size.height.div_ceil(divisor),
        };
        // A subsampling that the library has no name for is decoded whole.
        let (left, top, right, bottom) = match imcu_width_px {
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
        let decoded = SizePx {
            width: right - left,
            height: bottom - top,
        };
        self.is_spoiled = true;
        self.handle.set_scale(divisor)?;
        self.handle.set_region(if decoded == reduced {
            [0; 4]
        } else {
            [left, top, decoded.width, decoded.height]
        })?;
        let num_bytes = decoded.area() as usize * RGBX_BYTES;
        if self.rgbx.len() < num_bytes {
            self.rgbx.resize(num_bytes, 0);
        }
        let rgbx = &mut self.rgbx[..num_bytes];
        self.handle.decompress(bytes, rgbx, decoded)?;
        self.is_spoiled = false;
        Ok(DecodedRegion {
            rgbx,
            size: decoded,
            left,
            top,
        })
    }

    /// Width of the blocks that are coded together, px of the stored picture.
    fn imcu_width_px(&self) -> Option<u32> {
        let subsampling = self.handle.get(raw::TJPARAM_TJPARAM_SUBSAMP);
        match subsampling {
            raw::TJSAMP_TJSAMP_444
            | raw::TJSAMP_TJSAMP_GRAY
            | raw::TJSAMP_TJSAMP_440
            | raw::TJSAMP_TJSAMP_441 => Some(8),
            raw::TJSAMP_TJSAMP_422 | raw::TJSAMP_TJSAMP_420 => Some(16),
            raw::TJSAMP_TJSAMP_411 => Some(32),
            _ => None,
        }
    }
}

/// An instance of the library's decompressor: the safe crate cannot crop.
#[derive(Debug)]
struct Handle(raw::tjhandle);

// SAFETY: an instance is used by one thread at a time (every call that changes it takes `&mut self`, and there
// is no `Sync`), and the library keeps nothing of it in thread-local storage but the text of errors without an instance.
unsafe impl Send for Handle {}

impl Handle {
    fn new() -> Result<Self, JpegError> {
        // SAFETY: takes a number; gives null or an instance that `Drop` destroys.
        let handle = unsafe { raw::tj3Init(raw::TJINIT_TJINIT_DECOMPRESS as c_int) };
        if handle.is_null() {
            return Err(JpegError::Damaged(turbojpeg::Error::Null));
        }
        Ok(Self(handle))
    }

    fn get(&self, param: raw::TJPARAM) -> c_int {
        // SAFETY: the instance lives; reading a parameter changes nothing.
        unsafe { raw::tj3Get(self.0, param as c_int) }
    }

    fn read_header(&mut self, bytes: &[u8]) -> Result<(), JpegError> {
        // SAFETY: the instance lives; pointer and length are those of one slice, which is only read.
        let status =
            unsafe { raw::tj3DecompressHeader(self.0, bytes.as_ptr(), bytes.len() as raw::size_t) };
        self.checked(status)
    }

    fn set_scale(&mut self, divisor: u32) -> Result<(), JpegError> {
        let scale = raw::tjscalingfactor {
            num: 1,
            denom: divisor as c_int,
        };
        // SAFETY: the instance lives; the factor is passed by value.
        let status = unsafe { raw::tj3SetScalingFactor(self.0, scale) };
        self.checked(status)
    }

    /// Left, top, width and height, px of the reduced picture; four zeros for all of it.
    fn set_region(&mut self, region: [u32; 4]) -> Result<(), JpegError> {
        let [x, y, w, h] = region.map(|px| px as c_int); // at most `SizePx::MAX_SIDE`
        // SAFETY: the instance lives; the region is passed by value and checked against the header there.
        let status = unsafe { raw::tj3SetCroppingRegion(self.0, raw::tjregion { x, y, w, h }) };
        self.checked(status)
    }

    fn decompress(&mut self, bytes: &[u8], to: &mut [u8], size: SizePx) -> Result<(), JpegError> {
        assert_eq!(to.len(), size.area() as usize * RGBX_BYTES);
        let pitch = size.width as usize * RGBX_BYTES;
        // SAFETY: the instance lives; `bytes` is only read. The library writes `height` rows of `pitch` bytes, where
        // `height` and `width` are those of the region that `set_region` accepted for this header (or of the whole
        // reduced picture), which is `size`: checked above to be what `to` holds.
        let status = unsafe {
            raw::tj3Decompress8(
                self.0,
                bytes.as_ptr(),
                bytes.len() as raw::size_t,
                to.as_mut_ptr(),
                pitch as c_int,
                raw::TJPF_TJPF_RGBX,
            )
        };
        self.checked(status)
    }

    fn checked(&self, status: c_int) -> Result<(), JpegError> {
        if status == 0 {
            return Ok(());
        }
        // SAFETY: the instance lives, and gives a string that ends in zero and stays until the next call; it is copied.
        let words = unsafe { CStr::from_ptr(raw::tj3GetErrorStr(self.0)) };
        Err(JpegError::Damaged(turbojpeg::Error::TurboJpegError(
            words.to_string_lossy().into_owned(),
        )))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the instance lives, and nobody has it after this.
        unsafe { raw::tj3Destroy(self.0) };
    }
}

#[cfg(test)]
mod tests;
