//! Counts what FFmpeg reports through its log on the calling thread.
//!
//! Some decoders and demuxers tell of damage nowhere else: FFV1 fills a slice with a wrong checksum from the previous frame,
//! and Matroska ends at a truncated cluster like at the end of the file.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem;
use std::sync::Once;

use ffmpeg_next::ffi;

/// Numbers of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Reported {
    /// Errors of the container.
    pub container_errors: u64,
    /// Errors of all else: decoders, parsers, bitstream filters.
    pub codec_errors: u64,
    /// Warnings of all else.
    pub codec_warnings: u64,
}

thread_local! {
    static REPORTED: Cell<Reported> = const {
        Cell::new(Reported { container_errors: 0, codec_errors: 0, codec_warnings: 0 })
    };
}

/// Starts of messages, as FFmpeg's sources write them, that tell of no damage to a picture:
///
/// - H.264: a command to drop a reference that the decoder does not have comes after every start at an open group of pictures. A
///   picture that refers to a missing one is reported separately.
/// - H.264 and HEVC: supplemental information (SEI) names an encoder, times and captions. No picture is predicted from it.
/// - MJPEG: application segments hold notes of the camera.
///
/// # Source
/// FFmpeg, `h264_refs.c`, `h264_sei.c`, `h264_slice.c`, `h2645_sei.c`, `hevc_sei.c`, `mjpegdec.c`.
const HARMLESS: [&[u8]; 10] = [
    b"mmco: unref short failure",
    b"SEI type ",
    b"non-existing SPS %d referenced in buffering period",
    b"Picture timing SEI payload too large",
    b"Error processing the picture timing SEI",
    b"Error processing a picture timing SEI",
    b"unable to decode APP fields",
    b"mjpeg: invalid TIFF header",
    b"mjpeg: error decoding EXIF data",
    b"mjpeg: error, decode_app parser read over the end",
];

/// Runs `call` and returns what FFmpeg reported on this thread meanwhile, whether its log is printed or not.
pub(super) fn reported_by<T>(call: impl FnOnce() -> T) -> (T, Reported) {
    listen();
    let before = REPORTED.get();
    let result = call();
    let after = REPORTED.get();
    let reported = Reported {
        container_errors: after.container_errors - before.container_errors,
        codec_errors: after.codec_errors - before.codec_errors,
        codec_warnings: after.codec_warnings - before.codec_warnings,
    };
    (result, reported)
}

fn listen() {
    static ONCE: Once = Once::new();
    // SAFETY: the callback has the type that FFmpeg calls, and lives as long as the program.
    ONCE.call_once(|| unsafe { ffi::av_log_set_callback(Some(count)) });
}

/// Counts a message and passes it to FFmpeg's own callback, which prints it if its level is on. `Args` is the platform's
/// `va_list`, whose name in the binding differs between platforms.
unsafe extern "C" fn count<Args>(
    source: *mut c_void,
    level: c_int,
    format: *const c_char,
    args: Args,
) {
    // The higher bits hold a colour.
    let level = level & 0xff;
    if level <= ffi::AV_LOG_WARNING {
        // SAFETY: FFmpeg passes the source and a NUL-terminated format.
        unsafe { add(source, level, format) };
    }
    // SAFETY: the binding declares this function with the type of our callback.
    unsafe {
        let print: unsafe extern "C" fn(*mut c_void, c_int, *const c_char, Args) =
            mem::transmute(ffi::av_log_default_callback as *const c_void);
        print(source, level, format, args);
    }
}

unsafe fn add(source: *mut c_void, level: c_int, format: *const c_char) {
    // SAFETY: a source, unless null, starts with a pointer to its class; the format is NUL-terminated.
    let (is_container, format) = unsafe {
        let class = ffi::avformat_get_class();
        let is_container = !source.is_null() && *source.cast::<*const ffi::AVClass>() == class;
        (is_container, CStr::from_ptr(format).to_bytes())
    };
    if HARMLESS.iter().any(|start| format.starts_with(start)) {
        return;
    }
    // A thread that ends has no counter any more.
    let _ = REPORTED.try_with(|reported| {
        let mut sum = reported.get();
        match (is_container, level <= ffi::AV_LOG_ERROR) {
            (true, true) => sum.container_errors += 1,
            (false, true) => sum.codec_errors += 1,
            (false, false) => sum.codec_warnings += 1,
            (true, false) => {}
        }
        reported.set(sum);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(level: c_int, text: &CStr) {
        // SAFETY: the format has no placeholders.
        unsafe { ffi::av_log(std::ptr::null_mut(), level, text.as_ptr()) };
    }

    #[test]
    fn messages_are_counted_by_level_on_their_own_thread_only() {
        crate::decode::set_ffmpeg_log(false);
        let ((), reported) = reported_by(|| {
            log(ffi::AV_LOG_ERROR, c"an error of this test\n");
            log(ffi::AV_LOG_WARNING, c"a warning of this test\n");
            log(ffi::AV_LOG_INFO, c"a note of this test\n");
            log(ffi::AV_LOG_ERROR, c"mmco: unref short failure\n");
            log(ffi::AV_LOG_ERROR, c"SEI type 5 size 9 truncated at 8\n");
            let other = std::thread::spawn(|| log(ffi::AV_LOG_ERROR, c"an error of a thread\n"));
            other.join().unwrap();
        });
        let expected = Reported {
            codec_errors: 1,
            codec_warnings: 1,
            ..Reported::default()
        };
        assert_eq!(reported, expected);
    }
}
