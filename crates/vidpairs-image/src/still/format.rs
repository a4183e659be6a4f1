//! Recognises the format of a still image by its first bytes. File names are often wrong.

use super::StillError;

/// Format of a still image that can be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StillFormat {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// Windows bitmap.
    Bmp,
    /// TIFF, classic or BigTIFF.
    Tiff,
    /// WebP.
    WebP,
}

impl StillFormat {
    /// Format of the image in the bytes of a file.
    ///
    /// # Errors
    /// [`StillError::NotAnImage`] or [`StillError::Unknown`] if no image of these formats begins like that.
    pub fn of(bytes: &[u8]) -> Result<Self, StillError> {
        let known = |(start, format): &(&[u8], Self)| bytes.starts_with(start).then_some(*format);
        if let Some(format) = KNOWN.iter().find_map(known) {
            return Ok(format);
        }
        if is_riff(bytes, b"WEBP") {
            return Ok(Self::WebP);
        }
        Err(match foreign(bytes) {
            Some(what) => StillError::NotAnImage(what),
            None => StillError::Unknown {
                first_bytes: in_hexadecimal(bytes),
            },
        })
    }

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::WebP => "WebP",
        }
    }
}

/// First bytes of each format.
const KNOWN: [(&[u8], StillFormat); 7] = [
    (b"\xff\xd8\xff", StillFormat::Jpeg),
    (b"\x89PNG\r\n\x1a\n", StillFormat::Png),
    (b"BM", StillFormat::Bmp),
    (b"II*\0", StillFormat::Tiff),
    (b"MM\0*", StillFormat::Tiff),
    (b"II+\0", StillFormat::Tiff),
    (b"MM\0+", StillFormat::Tiff),
];

const LFS: &str = "a Git LFS pointer, not the image itself: run `git lfs pull` in its repository to get the image";
const HTML: &str = "a web page, not an image, as a server sends in place of a missing file: download the image again";
const GIF: &str = "a GIF, which is not read as an image: convert it to PNG";
const HEIC: &str = "a HEIC photograph, which is not read: convert it to JPEG or PNG";
const AVIF: &str = "an AVIF image, which is not read: convert it to JPEG or PNG";
const JPEG_XL: &str = "a JPEG XL image, which is not read: convert it to JPEG or PNG";
const JPEG_2000: &str = "a JPEG 2000 image, which is not read: convert it to PNG";
const PHOTOSHOP: &str = "a Photoshop document, which is not read: export it as JPEG or PNG";
const PDF: &str = "a PDF document, not an image";
const ARCHIVE: &str = "an archive, not an image: unpack it";
const VIDEO: &str = "a video, not an image";

/// First bytes of other files that lie among images, and what to do about them.
const FOREIGN: [(&[u8], &str); 17] = [
    (b"version https://git-lfs.github.com/spec", LFS),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"\xff\x0a", JPEG_XL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", JPEG_XL),
    (b"\xff\x4f\xff\x51", JPEG_2000),
    (b"\0\0\0\x0cjP  \r\n\x87\n", JPEG_2000),
    (b"8BPS", PHOTOSHOP),
    (b"%PDF-", PDF),
    (b"PK\x03\x04", ARCHIVE),
    (b"\x1f\x8b", ARCHIVE),
    (b"\x28\xb5\x2f\xfd", ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", ARCHIVE),
    (b"Rar!\x1a\x07", ARCHIVE),
    (b"\x1a\x45\xdf\xa3", VIDEO),
    (b"FLV\x01", VIDEO),
    (b"OggS", VIDEO),
];

/// What a file is that is no image of the known formats.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        return Some("an empty file (0 bytes): copy or download the image again");
    }
    if bytes.iter().all(|&byte| byte == 0) {
        return Some(
            "a file of zero bytes only, as an interrupted copy leaves: copy the image again",
        );
    }
    let starts = |(start, what): &(&[u8], &'static str)| bytes.starts_with(start).then_some(*what);
    if let Some(what) = FOREIGN.iter().find_map(starts) {
        return Some(what);
    }
    if is_riff(bytes, b"AVI ") {
        return Some(VIDEO);
    }
    // ISO base media files: a box `ftyp` with the brand.
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some(match bytes.get(8..12)? {
            b"avif" | b"avis" => AVIF,
            b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1" => HEIC,
            _ => VIDEO,
        });
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = text.trim_ascii_start();
    let has_start = |start: &[u8]| {
        text.get(..start.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    };
    let web: [&[u8]; 4] = [b"<!doctype html", b"<html", b"<head", b"<?xml"];
    if web.into_iter().any(has_start) {
        return Some(HTML);
    }
    has_start(b"<svg").then_some("an SVG drawing, which is not read: convert it to PNG")
}

/// Whether `bytes` begin a RIFF file of `kind`.
fn is_riff(bytes: &[u8], kind: &[u8; 4]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(kind)
}

fn in_hexadecimal(bytes: &[u8]) -> String {
    let first = bytes.iter().take(8).map(|byte| format!("{byte:02x}"));
    first.collect::<Vec<_>>().join(" ")
}
