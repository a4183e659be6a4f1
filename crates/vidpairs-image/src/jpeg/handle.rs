//! Calls libjpeg-turbo's decompressor. The safe crate has no cropping.

use std::ffi::{CStr, c_int};
use std::ops::Deref;

use turbojpeg::raw;
use vidpairs_types::{Orientation, RegionPx, SizePx};

use super::{JpegError, RGBX_BYTES};
use crate::orientation;

/// Maximum number of scans of a progressive JPEG: the limit that libjpeg-turbo's own programs and fuzzers use. Encoders write about
/// 10; a small file may state tens of thousands, each of which takes a pass over the whole picture.
const MAX_SCANS: c_int = 500;

/// What a JPEG's header states.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// Size of the stored picture.
    pub size: SizePx,
    /// Transformation to the upright picture.
    pub orientation: Orientation,
    /// The library's number of the chroma subsampling; `TJSAMP_UNKNOWN` for an unusual one.
    pub subsampling: raw::TJSAMP,
    /// The library's number of the colour space.
    pub colorspace: raw::TJCS,
}

/// The bytes of a JPEG together with what their header states. Only [`Handle::read_header`] makes one, and nothing changes it: the
/// sizes by which memory is set aside are those that the library reads again when it decodes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picture<'b> {
    bytes: &'b [u8],
    header: Header,
}

impl Deref for Picture<'_> {
    type Target = Header;

    fn deref(&self) -> &Header {
        &self.header
    }
}

impl Header {
    /// Whether the picture has four channels: cyan, magenta, yellow, black.
    pub fn is_cmyk(&self) -> bool {
        [raw::TJCS_TJCS_CMYK, raw::TJCS_TJCS_YCCK].contains(&self.colorspace)
    }

    /// Size of the stored picture at the scale `1 / divisor`.
    pub fn reduced_size(&self, divisor: u32) -> SizePx {
        SizePx {
            width: self.size.width.div_ceil(divisor),
            height: self.size.height.div_ceil(divisor),
        }
    }

    /// Size of the upright picture.
    pub fn upright_size(&self) -> SizePx {
        self.orientation.applied_to(self.size)
    }
}

/// A plane of samples to decode to.
pub(super) struct PlaneRoom<'a> {
    /// Rows, `stride` apart.
    pub samples: &'a mut [u8],
    pub stride: usize,
}

/// An instance of the library's decompressor.
#[derive(Debug)]
pub(super) struct Handle {
    instance: raw::tjhandle,
    /// Whether the last call failed. The instance must then be replaced: the library would continue inside the damaged file.
    is_spoiled: bool,
}

// SAFETY: one thread at a time uses an instance (every call that changes it takes `&mut self`, and it is not `Sync`), and the
// library keeps no state of it in thread-local storage, except error texts of calls without an instance.
unsafe impl Send for Handle {}

impl Handle {
    /// # Errors
    /// [`JpegError::Damaged`] if the library is out of memory.
    pub fn new() -> Result<Self, JpegError> {
        // SAFETY: takes a number; returns null or an instance that `Drop` destroys.
        let instance = unsafe { raw::tj3Init(raw::TJINIT_TJINIT_DECOMPRESS as c_int) };
        if instance.is_null() {
            return Err(JpegError::Damaged(turbojpeg::Error::Null));
        }
        let mut handle = Self {
            instance,
            is_spoiled: false,
        };
        handle.set(raw::TJPARAM_TJPARAM_SCANLIMIT, MAX_SCANS)?;
        // A warning is damage, such as data that end too early: what would follow is not needed.
        handle.set(raw::TJPARAM_TJPARAM_STOPONWARNING, 1)?;
        Ok(handle)
    }

    /// Reads the header.
    ///
    /// # Errors
    /// [`JpegError::Damaged`] if there is no readable header, [`JpegError::Process`] if the picture is coded in a way that is not
    /// supported.
    pub fn read_header<'b>(&mut self, bytes: &'b [u8]) -> Result<Picture<'b>, JpegError> {
        if self.is_spoiled {
            *self = Self::new()?;
        }
        self.is_spoiled = true;
        // SAFETY: the instance is alive; pointer and length belong to one slice, which is only read.
        let status = unsafe {
            raw::tj3DecompressHeader(self.instance, bytes.as_ptr(), bytes.len() as raw::size_t)
        };
        self.checked(status)?;
        self.is_spoiled = false;
        let side = |param| self.get(param).max(0).unsigned_abs();
        let size = SizePx {
            width: side(raw::TJPARAM_TJPARAM_JPEGWIDTH),
            height: side(raw::TJPARAM_TJPARAM_JPEGHEIGHT),
        };
        // The library accepts a file that holds tables alone, as a truncated file may.
        if size.short_side() == 0 {
            let words = "no picture behind the tables".to_owned();
            return Err(JpegError::Damaged(turbojpeg::Error::TurboJpegError(words)));
        }
        if self.get(raw::TJPARAM_TJPARAM_LOSSLESS) != 0 {
            return Err(JpegError::Process("lossless"));
        }
        if self.get(raw::TJPARAM_TJPARAM_PRECISION) != 8 {
            return Err(JpegError::Process("12-bit"));
        }
        let header = Header {
            size,
            orientation: orientation::of_jpeg(bytes),
            subsampling: self.get(raw::TJPARAM_TJPARAM_SUBSAMP),
            colorspace: self.get(raw::TJPARAM_TJPARAM_COLORSPACE).unsigned_abs(),
        };
        Ok(Picture { bytes, header })
    }

    /// Sets the scale `1 / divisor`.
    fn set_scale(&mut self, divisor: u32) -> Result<(), JpegError> {
        let scale = raw::tjscalingfactor {
            num: 1,
            denom: divisor as c_int,
        };
        // SAFETY: the instance is alive; the factor is passed by value.
        let status = unsafe { raw::tj3SetScalingFactor(self.instance, scale) };
        self.checked(status)
    }

    /// Sets left, top, width and height, px of the reduced picture; four zeros select the whole picture.
    fn set_region(&mut self, region: [u32; 4]) -> Result<(), JpegError> {
        let [x, y, w, h] = region.map(|px| px as c_int); // at most `SizePx::MAX_SIDE`
        let region = raw::tjregion { x, y, w, h };
        // SAFETY: the instance is alive; the region is passed by value, and the library checks it against the header.
        let status = unsafe { raw::tj3SetCroppingRegion(self.instance, region) };
        self.checked(status)
    }

    /// Decodes `region` (px of the picture at the scale `1 / divisor`) to `to`: R, G, B and an undefined byte per pixel.
    ///
    /// CMYK becomes RGB as by Pillow's `convert("RGB")`, which takes the samples as inverted, like Adobe's programs.
    ///
    /// - `picture`: from the last call of [`Self::read_header`].
    ///
    /// # Errors
    /// [`JpegError::Damaged`]; `to` then holds arbitrary pixels.
    pub fn decompress_rgbx(
        &mut self,
        picture: &Picture<'_>,
        divisor: u32,
        region: RegionPx,
        to: &mut [u8],
    ) -> Result<(), JpegError> {
        let Picture { bytes, header } = picture;
        let reduced = header.reduced_size(divisor);
        assert!(region.lies_in(reduced));
        assert_eq!(to.len(), region.size().area() as usize * RGBX_BYTES);
        self.set_scale(divisor)?;
        self.set_region(match region.size() == reduced {
            true => [0; 4],
            false => [region.x, region.y, region.width, region.height],
        })?;
        let pitch = region.width as usize * RGBX_BYTES;
        let format = match header.is_cmyk() {
            true => raw::TJPF_TJPF_CMYK,
            false => raw::TJPF_TJPF_RGBX,
        };
        self.is_spoiled = true;
        // SAFETY: the instance is alive; `bytes` is only read. The library writes `height` rows of `pitch` bytes, where
        // `height` and `width` are those of `region`, which was set above (or of the whole reduced picture, whose size the header of
        // these `bytes` gives), 4 bytes per pixel in both formats. The assertions check that `to` holds them.
        let status = unsafe {
            raw::tj3Decompress8(
                self.instance,
                bytes.as_ptr(),
                bytes.len() as raw::size_t,
                to.as_mut_ptr(),
                pitch as c_int,
                format,
            )
        };
        self.checked(status)?;
        self.is_spoiled = false;
        if header.is_cmyk() {
            to.as_chunks_mut::<RGBX_BYTES>()
                .0
                .iter_mut()
                .for_each(rgb_of_inverted_cmyk);
        }
        Ok(())
    }

    /// Decodes the whole picture to its planes, without colour conversion.
    ///
    /// - `picture`: from the last call of [`Self::read_header`]; one or three channels, of a known subsampling.
    ///
    /// # Errors
    /// [`JpegError::Damaged`]; `planes` then hold arbitrary samples.
    pub fn decompress_planes(
        &mut self,
        picture: &Picture<'_>,
        planes: &mut [PlaneRoom<'_>],
    ) -> Result<(), JpegError> {
        let Picture { bytes, header } = picture;
        let [width, height] = [header.size.width, header.size.height].map(|side| side as c_int);
        let num_planes = match header.subsampling {
            raw::TJSAMP_TJSAMP_GRAY => 1,
            _ => 3,
        };
        assert_eq!(planes.len(), num_planes);
        let (mut starts, mut strides) = ([std::ptr::null_mut(); 3], [0; 3]);
        for (number, plane) in planes.iter_mut().enumerate() {
            let stride = plane.stride as c_int;
            // SAFETY: computes with the numbers that it is given.
            let needed = unsafe {
                raw::tj3YUVPlaneSize(number as c_int, width, stride, height, header.subsampling)
            };
            assert!(needed > 0 && plane.samples.len() as u64 >= needed);
            starts[number] = plane.samples.as_mut_ptr();
            strides[number] = stride;
        }
        self.set_scale(1)?;
        self.is_spoiled = true;
        // SAFETY: the instance is alive; `bytes` is only read. The library writes rows at the given strides to as many planes as
        // the header states; the assertions check that each slice holds its rows.
        let status = unsafe {
            raw::tj3DecompressToYUVPlanes8(
                self.instance,
                bytes.as_ptr(),
                bytes.len() as raw::size_t,
                starts.as_mut_ptr(),
                strides.as_mut_ptr(),
            )
        };
        self.checked(status)?;
        self.is_spoiled = false;
        Ok(())
    }

    fn get(&self, param: raw::TJPARAM) -> c_int {
        // SAFETY: the instance is alive; reading a parameter changes nothing.
        unsafe { raw::tj3Get(self.instance, param as c_int) }
    }

    fn set(&mut self, param: raw::TJPARAM, value: c_int) -> Result<(), JpegError> {
        // SAFETY: the instance is alive; the library checks the value.
        let status = unsafe { raw::tj3Set(self.instance, param as c_int, value) };
        self.checked(status)
    }

    fn checked(&self, status: c_int) -> Result<(), JpegError> {
        if status == 0 {
            return Ok(());
        }
        // SAFETY: the instance is alive; its NUL-terminated string stays valid until the next call, and is copied here.
        let words = unsafe { CStr::from_ptr(raw::tj3GetErrorStr(self.instance)) };
        Err(JpegError::Damaged(turbojpeg::Error::TurboJpegError(
            words.to_string_lossy().into_owned(),
        )))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the instance is alive, and not used after this.
        unsafe { raw::tj3Destroy(self.instance) };
    }
}

/// Converts a pixel from inverted CMYK (255 is no ink) to RGB, with Pillow's rounding.
fn rgb_of_inverted_cmyk(pixel: &mut [u8; RGBX_BYTES]) {
    let [c, m, y, white] = *pixel;
    let level = |sample: u8| {
        let covered = u32::from(255 - sample) * u32::from(white) + 128;
        let covered = (covered + (covered >> 8)) >> 8; // product / 255, rounded
        white - covered as u8 // at most `white`
    };
    *pixel = [level(c), level(m), level(y), 255];
}
