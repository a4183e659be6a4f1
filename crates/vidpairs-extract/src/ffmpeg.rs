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

/// Loads the texts of FFmpeg's errors. Before that, the binding prints them without text.
pub(crate) fn load_error_texts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(ffmpeg_next::util::error::register_all);
}

/// Whether unmarked video of this size is BT.709, as players assume; BT.601 otherwise.
pub(crate) fn is_bt709_by_default(size: SizePx) -> bool {
    size.height > 576
}
