//! Exposes decoded frames as planes: in place where the format is supported, else copied by libswscale.

use std::ffi::{CStr, c_int};
use std::slice;

use ffmpeg_next::format::Pixel;
use ffmpeg_next::software::scaling;
use ffmpeg_next::{ffi, frame};
use vidpairs_types::{
    ColorMatrix, ColorRange, Orientation, PlaneBytes, PlaneLayout, Planes, SizePx,
};

use crate::decode::error::DecodeError;
use crate::ffmpeg::is_bt709_by_default;

/// Wraps a decoded frame. Samples are copied only from non-planar formats (packed RGB,
/// palettes, semi-planar chroma) and from pictures stored upside down.
pub(super) fn to_planes(
    decoded: frame::Video,
    orientation: Orientation,
) -> Result<Planes, DecodeError> {
    let stored_size = SizePx {
        width: decoded.width(),
        height: decoded.height(),
    };
    if !stored_size.is_accepted() {
        return Err(DecodeError::FrameSize(stored_size));
    }
    let (range, matrix) = (range_of(&decoded), matrix_of(&decoded, stored_size)?);
    let (format, decoded) = match PlaneFormat::of(decoded.format()) {
        Some(format) if lies_in_its_buffers(&decoded, format, stored_size) => (format, decoded),
        Some(format) => (format, copied(&decoded, decoded.format())?),
        None => {
            let target = nearest_planar(decoded.format());
            let converted = copied(&decoded, target)?;
            let format = PlaneFormat::of(target).ok_or_else(|| unknown_format(target))?;
            (format, converted)
        }
    };
    Ok(Planes {
        stored_size,
        layout: format.layout,
        bit_depth: format.bit_depth,
        range,
        matrix,
        orientation,
        bytes: Box::new(FramePlanes {
            decoded,
            format,
            size: stored_size,
        }),
    })
}

/// A frame that keeps the decoder's buffers alive.
struct FramePlanes {
    decoded: frame::Video,
    format: PlaneFormat,
    size: SizePx,
}

impl PlaneBytes for FramePlanes {
    fn plane(&self, plane: usize) -> &[u8] {
        let rows = self.format.layout.plane_size(self.size, plane).height as usize;
        let len = self.stride_bytes(plane) * rows;
        // SAFETY: `lies_in_its_buffers` found these bytes inside a buffer of the frame, which lives
        // as long as the frame, and nothing writes to a frame after the decoder has returned it.
        unsafe { slice::from_raw_parts((*self.decoded.as_ptr()).data[plane], len) }
    }

    fn stride_bytes(&self, plane: usize) -> usize {
        self.decoded.stride(plane)
    }
}

/// Planes of a pixel format.
#[derive(Clone, Copy)]
struct PlaneFormat {
    layout: PlaneLayout,
    bit_depth: u8,
}

impl PlaneFormat {
    /// `None` if the format is not supported in place: packed, palette, big-endian, float.
    fn of(pixel: Pixel) -> Option<Self> {
        let descriptor = descriptor(pixel)?;
        let has = |flag: i32| descriptor.flags & flag as u64 != 0;
        if has(ffi::AV_PIX_FMT_FLAG_BE)
            || has(ffi::AV_PIX_FMT_FLAG_PAL)
            || has(ffi::AV_PIX_FMT_FLAG_BITSTREAM)
            || has(ffi::AV_PIX_FMT_FLAG_HWACCEL)
            || has(ffi::AV_PIX_FMT_FLAG_FLOAT)
        {
            return None;
        }
        let num_colors = if descriptor.nb_components < 3 { 1 } else { 3 };
        let bit_depth = descriptor.comp[0].depth;
        let bytes = if bit_depth > 8 { 2 } else { 1 };
        let is_rgb = has(ffi::AV_PIX_FMT_FLAG_RGB);
        // FFmpeg's components are R, G, B; its planes are G, B, R.
        let planes = if is_rgb { [2, 0, 1] } else { [0, 1, 2] };
        let is_planar = (0..num_colors).all(|component| {
            let part = descriptor.comp[component];
            part.plane == planes[component]
                && part.step == bytes
                && part.shift == 0
                && part.offset == 0
                && part.depth == bit_depth
        });
        let layout = match (
            num_colors,
            is_rgb,
            descriptor.log2_chroma_w,
            descriptor.log2_chroma_h,
        ) {
            (1, false, _, _) => PlaneLayout::Gray,
            (3, true, _, _) => PlaneLayout::Gbr,
            (3, false, 1, 1) => PlaneLayout::Yuv420,
            (3, false, 1, 0) => PlaneLayout::Yuv422,
            (3, false, 0, 0) => PlaneLayout::Yuv444,
            _ => return None,
        };
        let bit_depth = u8::try_from(bit_depth)
            .ok()
            .filter(|depth| (8..=16).contains(depth))?;
        is_planar.then_some(Self { layout, bit_depth })
    }
}

fn descriptor(pixel: Pixel) -> Option<&'static ffi::AVPixFmtDescriptor> {
    // SAFETY: returns an entry of a static table of the library, or null.
    unsafe { ffi::av_pix_fmt_desc_get(pixel.into()).as_ref() }
}

/// Whether the samples are red, green and blue, or libswscale makes these of them: palettes, CIE XYZ.
fn holds_rgb(pixel: Pixel, descriptor: &ffi::AVPixFmtDescriptor) -> bool {
    let has = |flag: i32| descriptor.flags & flag as u64 != 0;
    has(ffi::AV_PIX_FMT_FLAG_RGB)
        || has(ffi::AV_PIX_FMT_FLAG_PAL)
        || matches!(pixel, Pixel::XYZ12LE | Pixel::XYZ12BE)
}

/// The planar full-range format for a format whose name implies full range.
fn full_range_of(pixel: Pixel) -> Option<Pixel> {
    match pixel {
        Pixel::YUVJ420P | Pixel::YUVJ422P => Some(pixel),
        Pixel::YUVJ444P | Pixel::YUVJ440P | Pixel::YUVJ411P => Some(Pixel::YUVJ444P),
        _ => None,
    }
}

/// Planar 8-bit format that preserves `pixel` best. libswscale keeps the range of the samples: it converts from full to limited
/// range only between a format whose name implies full range and one whose name does not.
fn nearest_planar(pixel: Pixel) -> Pixel {
    let Some(descriptor) = descriptor(pixel) else {
        return Pixel::YUV444P;
    };
    if let Some(full_range) = full_range_of(pixel) {
        return full_range;
    }
    match (
        holds_rgb(pixel, descriptor),
        descriptor.nb_components,
        descriptor.log2_chroma_w,
        descriptor.log2_chroma_h,
    ) {
        (false, 1 | 2, _, _) => Pixel::GRAY8,
        (true, _, _, _) => Pixel::GBRP,
        (false, _, 1, 1) => Pixel::YUV420P,
        (false, _, 1, 0) => Pixel::YUV422P,
        _ => Pixel::YUV444P,
    }
}

/// Whether every plane, padded rows included, lies inside a buffer of the frame.
fn lies_in_its_buffers(decoded: &frame::Video, format: PlaneFormat, size: SizePx) -> bool {
    // SAFETY: the frame is alive; each entry of `buf` is null or valid.
    let raw = unsafe { &*decoded.as_ptr() };
    (0..format.layout.num_planes()).all(|plane| {
        let Ok(stride) = usize::try_from(raw.linesize[plane]) else {
            return false;
        };
        let plane_size = format.layout.plane_size(size, plane);
        let sample_bytes = if format.bit_depth > 8 { 2 } else { 1 };
        let start = raw.data[plane] as usize;
        let end = start + stride * plane_size.height as usize;
        let is_inside = raw.buf.iter().any(|buffer| {
            // SAFETY: a non-null reference points to a live buffer of `size` bytes.
            let Some(buffer) = (unsafe { buffer.as_ref() }) else {
                return false;
            };
            let first = buffer.data as usize;
            first <= start && end <= first + buffer.size
        });
        is_inside
            && plane_size.width as usize * sample_bytes <= stride
            && start.is_multiple_of(sample_bytes)
    })
}

/// Copies the picture to the pixel format `target`.
fn copied(decoded: &frame::Video, target: Pixel) -> Result<frame::Video, DecodeError> {
    let failed = |err: ffmpeg_next::Error| DecodeError::Ffmpeg {
        action: "convert the pixel format",
        message: err.to_string(),
    };
    let (source, width, height) = (decoded.format(), decoded.width(), decoded.height());
    let flags = scaling::Flags::BICUBIC | scaling::Flags::ACCURATE_RND | scaling::Flags::BITEXACT;
    let mut scaler = scaling::Context::get(source, width, height, target, width, height, flags)
        .map_err(failed)?;
    let mut output = frame::Video::empty();
    scaler.run(decoded, &mut output).map_err(failed)?;
    Ok(output)
}

fn unknown_format(pixel: Pixel) -> DecodeError {
    let message = format!("pixel format {pixel:?} is not supported");
    DecodeError::Ffmpeg {
        action: "read the pixel format",
        message,
    }
}

/// Unmarked gray, and formats whose name implies it (`yuvj420p`), are full range, as libswscale assumes. For RGB only a stated range
/// counts here.
fn range_of(decoded: &frame::Video) -> ColorRange {
    let is_gray =
        descriptor(decoded.format()).is_some_and(|descriptor| descriptor.nb_components < 3);
    match stated(decoded).range {
        JPEG_RANGE => ColorRange::Full,
        MPEG_RANGE => ColorRange::Limited,
        _ if is_gray || full_range_of(decoded.format()).is_some() => ColorRange::Full,
        _ => ColorRange::Limited,
    }
}

const MPEG_RANGE: c_int = ffi::AVColorRange::AVCOL_RANGE_MPEG as c_int;
const JPEG_RANGE: c_int = ffi::AVColorRange::AVCOL_RANGE_JPEG as c_int;

/// Colour properties as the file states them.
struct Stated {
    range: c_int,
    primaries: c_int,
    matrix: c_int,
}

/// Reads the properties as numbers: some demuxers and decoders pass any number of the file on, and a Rust enum must not
/// hold one that it does not know.
fn stated(decoded: &frame::Video) -> Stated {
    // SAFETY: the frame is alive, and the fields are C enums, which have the size of an int.
    unsafe {
        let raw = decoded.as_ptr();
        Stated {
            range: (&raw const (*raw).color_range).cast::<c_int>().read(),
            primaries: (&raw const (*raw).color_primaries).cast::<c_int>().read(),
            matrix: (&raw const (*raw).colorspace).cast::<c_int>().read(),
        }
    }
}

/// The matrix that the file states. Unmarked video is BT.709 above standard definition, as players assume.
///
/// # Errors
/// [`DecodeError::Matrix`] for a matrix that does not exist, that contradicts the pixel format, or that needs more than
/// weights: constant luminance, ICtCp and their like.
///
/// # Source
/// ITU-T H.273, 8.3, tables 2 and 4.
fn matrix_of(decoded: &frame::Video, size: SizePx) -> Result<ColorMatrix, DecodeError> {
    let has_matrix = descriptor(decoded.format()).is_some_and(|descriptor| {
        descriptor.nb_components >= 3 && !holds_rgb(decoded.format(), descriptor)
    });
    let stated = stated(decoded);
    Ok(match (stated.matrix, stated.primaries) {
        _ if !has_matrix => ColorMatrix::Bt601,
        (1, _) | (12, 1) => ColorMatrix::Bt709,
        (2, _) if is_bt709_by_default(size) => ColorMatrix::Bt709,
        (2 | 5 | 6, _) => ColorMatrix::Bt601,
        (4, _) => ColorMatrix::Fcc,
        (7, _) => ColorMatrix::Smpte240,
        (8, _) => ColorMatrix::YCgCo,
        (9, _) | (12, 9) => ColorMatrix::Bt2020,
        (matrix, _) => {
            return Err(DecodeError::Matrix {
                matrix,
                name: name_of_matrix(matrix),
                pixel_format: descriptor(decoded.format()).map_or_else(String::new, name_of),
            });
        }
    })
}

fn name_of(descriptor: &ffi::AVPixFmtDescriptor) -> String {
    // SAFETY: every entry of the library's table has a static name.
    let name = unsafe { CStr::from_ptr(descriptor.name) };
    name.to_string_lossy().into_owned()
}

/// FFmpeg's name of a matrix; `unknown` if it has none.
fn name_of_matrix(matrix: c_int) -> String {
    let known = 0..ffi::AVColorSpace::AVCOL_SPC_NB as c_int;
    if !known.contains(&matrix) {
        return "unknown".to_owned();
    }
    // SAFETY: the number is below that of the values, which are consecutive; the name is static or null.
    unsafe {
        let matrix = std::mem::transmute::<c_int, ffi::AVColorSpace>(matrix);
        let name = ffi::av_color_space_name(matrix);
        match name.is_null() {
            true => "unknown".to_owned(),
            false => CStr::from_ptr(name).to_string_lossy().into_owned(),
        }
    }
}
