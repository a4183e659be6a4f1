//! Decodes a region of a JPEG to RGB, at full or reduced size.

use std::ffi::{CStr, c_int};

use turbojpeg::raw;
use vidpairs_types::{RegionPx, SizePx};

use super::JpegError;

/// Bytes per decoded pixel: R, G, B, and one undefined.
pub const RGBX_BYTES: usize = 4;

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

/// A decoded region of a picture.
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
}

/// Decodes regions; reuses the library's state and the pixel buffer between calls.
#[derive(Debug)]
pub struct RegionDecoder {
    handle: Handle,
    /// Whether the last call failed. The handle must then be replaced: the library would continue inside the damaged file.
    is_spoiled: bool,
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
            is_spoiled: false,
            rgbx: Vec::new(),
        })
    }

    /// Reads the size in the header. Sides from 1 px are accepted: a region of a frame may be small.
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
        if crate::is_too_large(size) {
            return Err(JpegError::TooLarge(size));
        }
        // The library accepts a file that holds tables alone, as a truncated file may.
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

    /// Decodes at least `region` (px of the stored picture). Data below the region are not read; above and beside it only the
    /// entropy code is decoded.
    ///
    /// The pixels of `region` have the same bytes as in the whole picture.
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
        // A picture with a subsampling unknown to the library is decoded whole.
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

    /// Width of the blocks coded together (iMCU), px of the stored picture; `None` for an unknown subsampling.
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

/// An instance of the library's decompressor. The safe crate has no cropping.
#[derive(Debug)]
struct Handle(raw::tjhandle);

// SAFETY: one thread at a time uses an instance (every call that changes it takes `&mut self`, and it is not `Sync`), and the
// library keeps no state of it in thread-local storage, except error texts of calls without an instance.
unsafe impl Send for Handle {}

impl Handle {
    fn new() -> Result<Self, JpegError> {
        // SAFETY: takes a number; returns null or an instance that `Drop` destroys.
        let handle = unsafe { raw::tj3Init(raw::TJINIT_TJINIT_DECOMPRESS as c_int) };
        if handle.is_null() {
            return Err(JpegError::Damaged(turbojpeg::Error::Null));
        }
        Ok(Self(handle))
    }

    fn get(&self, param: raw::TJPARAM) -> c_int {
        // SAFETY: the instance is alive; reading a parameter changes nothing.
        unsafe { raw::tj3Get(self.0, param as c_int) }
    }

    fn read_header(&mut self, bytes: &[u8]) -> Result<(), JpegError> {
        // SAFETY: the instance is alive; pointer and length belong to one slice, which is only read.
        let status =
            unsafe { raw::tj3DecompressHeader(self.0, bytes.as_ptr(), bytes.len() as raw::size_t) };
        self.checked(status)
    }

    fn set_scale(&mut self, divisor: u32) -> Result<(), JpegError> {
        let scale = raw::tjscalingfactor {
            num: 1,
            denom: divisor as c_int,
        };
        // SAFETY: the instance is alive; the factor is passed by value.
        let status = unsafe { raw::tj3SetScalingFactor(self.0, scale) };
        self.checked(status)
    }

    /// Sets left, top, width and height, px of the reduced picture; four zeros select the whole picture.
    fn set_region(&mut self, region: [u32; 4]) -> Result<(), JpegError> {
        let [x, y, w, h] = region.map(|px| px as c_int); // at most `SizePx::MAX_SIDE`
        // SAFETY: the instance is alive; the region is passed by value, and the library checks it against the header.
        let status = unsafe { raw::tj3SetCroppingRegion(self.0, raw::tjregion { x, y, w, h }) };
        self.checked(status)
    }

    fn decompress(&mut self, bytes: &[u8], to: &mut [u8], size: SizePx) -> Result<(), JpegError> {
        assert_eq!(to.len(), size.area() as usize * RGBX_BYTES);
        let pitch = size.width as usize * RGBX_BYTES;
        // SAFETY: the instance is alive; `bytes` is only read. The library writes `height` rows of `pitch` bytes, where
        // `height` and `width` are those of the region that `set_region` accepted for this header (or of the whole
        // reduced picture). That is `size`; the assertion checks that `to` holds it.
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
        // SAFETY: the instance is alive; its NUL-terminated string stays valid until the next call, and is copied here.
        let words = unsafe { CStr::from_ptr(raw::tj3GetErrorStr(self.0)) };
        Err(JpegError::Damaged(turbojpeg::Error::TurboJpegError(
            words.to_string_lossy().into_owned(),
        )))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the instance is alive, and not used after this.
        unsafe { raw::tj3Destroy(self.0) };
    }
}

#[cfg(test)]
mod tests;
