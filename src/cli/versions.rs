//! What `--version` says: this program, and the libraries that it was linked with.

/// The program's version.
pub(super) fn short() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The program's version, and a line for every library: what a bug report needs.
pub(super) fn long() -> String {
    #[allow(unused_mut, reason = "without features there is no library")]
    let mut lines = vec![short().to_owned()];
    #[cfg(feature = "extract")]
    lines.push(format!("FFmpeg {}", crate::decode::ffmpeg_versions()));
    #[cfg(feature = "opencv")]
    lines.push(format!("OpenCV {}", crate::track::opencv_version()));
    #[cfg(feature = "train")]
    lines.push(format!("libtorch on {}", crate::model::libtorch_devices()));
    lines.join("\n")
}
