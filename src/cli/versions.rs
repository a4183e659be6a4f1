//! What `--version` says: this program, and the libraries that it was linked with.

/// The program's version.
pub(super) fn short() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The program's version, and a line for every library: what a bug report needs.
pub(super) fn long() -> String {
    let libraries: [Option<String>; 3] = [
        #[cfg(feature = "extract")]
        Some(format!("FFmpeg {}", crate::decode::ffmpeg_versions())),
        #[cfg(not(feature = "extract"))]
        None,
        #[cfg(feature = "opencv")]
        Some(format!("OpenCV {}", crate::cv::opencv_version())),
        #[cfg(not(feature = "opencv"))]
        None,
        #[cfg(feature = "train")]
        Some(format!("libtorch on {}", crate::model::libtorch_devices())),
        #[cfg(not(feature = "train"))]
        None,
    ];
    let lines = [Some(short().to_owned())].into_iter().chain(libraries);
    lines.flatten().collect::<Vec<_>>().join("\n")
}
