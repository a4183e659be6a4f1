//! Recognizes videos and folders of frames by their names.

use std::path::Path;

use vidpairs_types::{Annotation, Clip, Media};

/// Extensions of video files, in lower case.
const VIDEO_EXTENSIONS: &[&str] = &[
    "264", "265", "3gp", "asf", "avi", "f4v", "flv", "h264", "h265", "hevc", "ivf", "m2ts", "m2v",
    "m4v", "mjpeg", "mjpg", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf", "ogv", "ts", "vob",
    "webm", "wmv", "y4m",
];

/// Smallest number of JPEGs that makes a folder a clip. A single JPEG is an unrelated picture.
pub(crate) const MIN_JPEGS: u64 = 2;

/// Whether the extension of `path` is one of `extensions`, ignoring case.
pub(crate) fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|extension| {
        extensions
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// Whether a file has the name of a video or of a zip of frames.
pub(crate) fn is_video(path: &Path) -> bool {
    has_extension(path, VIDEO_EXTENSIONS) || has_extension(path, &["zip"])
}

/// Media of a regular file: zipped JPEGs if it ends in `.zip`, otherwise a video.
pub(crate) fn media_of_file(path: &Path) -> Media {
    let path = path.to_owned();
    if has_extension(&path, &["zip"]) {
        Media::JpegZip { path, fps: None }
    } else {
        Media::Video(path)
    }
}

/// Clip without boxes or label.
pub(crate) fn unlabelled_clip(id: String, media: Media) -> Clip {
    Clip {
        id,
        media,
        annotation: Annotation::None,
        label: None,
    }
}
