//! What `--version` says: this program, and the libraries that it was linked with.

/// The program's version.
pub(super) fn short() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The program's version, and a line for every library.
pub(super) fn long() -> String {
    let lines = [Some(short().to_owned()), ffmpeg()];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

#[cfg(feature = "extract")]
fn ffmpeg() -> Option<String> {
    Some(format!("FFmpeg {}", crate::decode::ffmpeg_versions()))
}

#[cfg(not(feature = "extract"))]
fn ffmpeg() -> Option<String> {
    None
}
