//! Video files through FFmpeg: with `codec::video` the one module that names it.
//!
//! A frame's place is that of its packet among all packets that are shown, ordered by pts: reading
//! every packet once costs a fraction of decoding them, and then a frame can be reached from the
//! keyframe before it. Streams whose packets don't say what is shown (no pts, pts that start anew or
//! are dts, fields in packets of their own, placeholders) are counted by decoding them once.

mod convert;
mod counted;
mod head;
mod index;
mod input;
mod layers;
mod reader;
mod shown;

pub(super) use index::{VideoIndex, index};

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::ffi;
use vidpairs_types::Frame;
use vidpairs_types::parallel::Heartbeat;

use super::DecodeError;

/// See [`crate::decode::decode_wanted`].
pub(super) fn decode_wanted(
    path: &Path,
    index: &VideoIndex,
    wanted: &[u64],
    heartbeat: &Arc<Heartbeat>,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<u64, DecodeError> {
    match index.order() {
        index::Order::Packets(packets) => {
            reader::decode(path, index, packets, wanted, heartbeat, each)
        }
        index::Order::Counted(_) => counted::decode(path, index, wanted, heartbeat, each),
    }
}

/// Versions of the FFmpeg libraries that were linked, for bug reports.
pub fn ffmpeg_versions() -> String {
    let version =
        |number: u32| format!("{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255);
    let release = {
        // SAFETY: a static, NUL-terminated string of the library.
        let text = unsafe { std::ffi::CStr::from_ptr(ffi::av_version_info()) };
        text.to_string_lossy().into_owned()
    };
    let (format, codec) = (
        ffmpeg_next::format::version(),
        ffmpeg_next::codec::version(),
    );
    format!(
        "{release} (libavformat {}, libavcodec {})",
        version(format),
        version(codec)
    )
}

/// Lets FFmpeg print its own warnings to stderr, or keeps it silent (then errors come as values only).
pub fn set_ffmpeg_log(is_on: bool) {
    use ffmpeg_next::util::log::{Level, set_level};
    set_level(if is_on { Level::Warning } else { Level::Quiet });
}
