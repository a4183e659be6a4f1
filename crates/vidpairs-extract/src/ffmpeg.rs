//! Facts about FFmpeg that decoding and encoding share: versions, error texts, logging, default colours.

use std::ffi::CStr;
use std::sync::Once;

use ffmpeg_next::ffi;
use ffmpeg_next::util::log::{Level, set_level};
use vidpairs_types::SizePx;

/// Versions of the linked FFmpeg libraries, for bug reports.
pub fn ffmpeg_versions() -> String {
    // SAFETY: a static, NUL-terminated string of the library.
    let release = unsafe { CStr::from_ptr(ffi::av_version_info()) }.to_string_lossy();
    let version =
        |number: u32| format!("{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255);
    format!(
        "{release} (libavformat {}, libavcodec {})",
        version(ffmpeg_next::format::version()),
        version(ffmpeg_next::codec::version())
    )
}

/// Lets FFmpeg print warnings to stderr, or silences it. Errors are returned either way.
pub fn set_ffmpeg_log(is_on: bool) {
    set_level(if is_on { Level::Warning } else { Level::Quiet });
}

/// Largest block of memory that FFmpeg may allocate, MiB. The largest accepted frame has 512 MiB, with four samples of 16 bits a pixel.
pub(crate) const MAX_ALLOCATION_MIB: usize = 768;

/// Limits FFmpeg's allocations and loads the texts of its errors, which the binding prints without text otherwise.
pub(crate) fn prepare_ffmpeg() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: sets a number of the library.
        unsafe { ffi::av_max_alloc(MAX_ALLOCATION_MIB << 20) };
        ffmpeg_next::util::error::register_all();
    });
}

/// Whether unmarked video of this size is BT.709, as players assume; BT.601 otherwise.
pub(crate) fn is_bt709_by_default(size: SizePx) -> bool {
    size.height > 576
}
