//! Recognises files that carry the name of a video but hold something else: failed downloads, pointers, archives.

use super::file::MediaFile;

/// Bytes that are looked at.
const HEAD_LEN: usize = 4096;

/// Archives and documents, by their first bytes.
const MAGIC: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a ZIP archive; unpack it"),
    (b"\x1f\x8b", "a gzip file; unpack it"),
    (b"BZh", "a bzip2 file; unpack it"),
    (b"\xfd7zXZ", "an xz file; unpack it"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file; unpack it"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"%PDF", "a PDF document"),
];

/// Starts of texts, in lower case.
const TEXTS: &[(&str, &str)] = &[
    (
        "version https://git-lfs.github.com/spec",
        "a Git LFS pointer; fetch the video with git lfs pull",
    ),
    (
        "#extm3u",
        "an HLS playlist, which names other files; list those",
    ),
    (
        "ffconcat",
        "an ffconcat list, which names other files; list those",
    ),
    ("<!doctype html", HTML),
    ("<html", HTML),
    ("<head", HTML),
    (
        "<mpd",
        "a DASH manifest, which names other files; list those",
    ),
    ("v=0", "a description of a network session (SDP)"),
    (
        "<?xml",
        "an XML text, such as the error message of a server or a manifest; download the video again",
    ),
    (
        "{",
        "a JSON text, such as the error message of a server; download the video again",
    ),
];

const HTML: &str = "an HTML page, as a failed download leaves it; download the video again";

/// What `file` holds in place of a video; `None` if that is not known.
pub(super) fn of(file: &MediaFile) -> Option<&'static str> {
    let mut head = [0; HEAD_LEN];
    let num_read = file.read_at(&mut head, 0).ok()?;
    let head = &head[..num_read];
    if head.iter().all(|&byte| byte == 0) {
        return Some(
            "zeros at the start: space that a download or a recording never filled; get the file again",
        );
    }
    if let Some((_, look)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(look);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = text.trim_ascii_start().to_ascii_lowercase();
    let starts = |start: &str| text.starts_with(start.as_bytes());
    if starts("<?xml") && text.windows(4).any(|bytes| bytes == b"<mpd") {
        return TEXTS
            .iter()
            .find(|(start, _)| *start == "<mpd")
            .map(|(_, look)| *look);
    }
    if let Some((_, look)) = TEXTS.iter().find(|(start, _)| starts(start)) {
        return Some(look);
    }
    let is_text = head.iter().any(u8::is_ascii_alphanumeric)
        && head
            .iter()
            .all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'));
    is_text.then_some("a text; download the video again")
}
