//! Recognizes videos and folders of frames by their names.

use std::path::Path;

use vidpairs_types::{Annotation, Clip, Media, is_still_name};

/// Extensions of video files that FFmpeg reads, in lower case, without those that are more often something else: `.ogg` (sound),
/// `.dat`, `.bin`, `.rec` (anything), and without `.lrv` (a small copy of the `.mp4` beside it).
const VIDEO_EXTENSIONS: &[&str] = &[
    "264", "265", "266", "3g2", "3gp", "3gp2", "3gpp", "amv", "apng", "asf", "av1", "avc", "avi",
    "avs2", "avs3", "cavs", "dav", "dif", "divx", "drc", "dv", "dvr-ms", "evo", "f4v", "flv",
    "gif", "gxf", "h261", "h263", "h264", "h265", "h266", "h26l", "hevc", "ismv", "ivf", "ivr",
    "k3g", "kux", "m1v", "m2p", "m2t", "m2ts", "m2v", "m4v", "mj2", "mjpeg", "mjpg", "mk3d", "mkv",
    "mod", "mov", "mp2v", "mp4", "mp4v", "mpe", "mpeg", "mpeg1", "mpeg2", "mpeg4", "mpg", "mpg2",
    "mpg4", "mpv", "mqv", "mts", "mxf", "nsv", "nut", "nuv", "obu", "ogm", "ogv", "ogx", "psp",
    "pva", "qt", "rcv", "rm", "rmvb", "skm", "tod", "tp", "trp", "ts", "ty", "ty+", "vc1", "vob",
    "vp8", "vp9", "vro", "vvc", "webm", "wm", "wmv", "wtv", "xesc", "y4m",
];

/// Extensions of videos that are often pictures. They say nothing about the pictures beside them.
const ANIMATED_PICTURES: &[&str] = &["apng", "gif"];

/// Smallest number of pictures that makes a folder a clip. A single picture is no clip.
pub(crate) const MIN_PICTURES: u64 = 2;

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

/// Whether a file has the name of a picture.
pub(crate) fn is_still(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| is_still_name(&name.to_string_lossy()))
}

/// Whether a video has the name of an animated picture.
pub(crate) fn is_animated_picture(path: &Path) -> bool {
    has_extension(path, ANIMATED_PICTURES)
}

/// Media of a regular file: zipped pictures if it ends in `.zip`, otherwise a video.
///
/// - `first_number`: see [`Media::JpegZip`].
pub(crate) fn media_of_file(path: &Path, first_number: Option<u64>) -> Media {
    let path = path.to_owned();
    if has_extension(&path, &["zip"]) {
        Media::JpegZip {
            path,
            fps: None,
            first_number,
        }
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
