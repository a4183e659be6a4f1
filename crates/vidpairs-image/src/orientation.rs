//! Reads the orientation of a still image from its metadata.
//!
//! **Takes** the bytes of a JPEG or PNG, or a block of Exif or XMP. **Gives** the [`Orientation`] that shows the image upright.
//! **Fails** never: metadata that cannot be read state no orientation. **Source**: Exif 2.32, tag 0x0112; XMP, `tiff:Orientation`.
//! As in Pillow's `ImageOps.exif_transpose`, XMP counts only where Exif states no orientation.

use vidpairs_types::Orientation;

/// Tag of the orientation in an image file directory.
const TAG: u16 = 0x0112;
/// Start of an Exif segment of a JPEG.
const EXIF: &[u8] = b"Exif\0\0";
/// Start of an XMP segment of a JPEG.
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// Keyword of the text chunk of a PNG that holds XMP, with its end.
const XMP_KEYWORD: &[u8] = b"XML:com.adobe.xmp\0";

/// Orientation from the blocks of metadata of an image.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Found {
    exif: Option<u8>,
    xmp: Option<u8>,
}

impl Found {
    /// Adds the Exif block of an image, with or without its JPEG header. The first one with an orientation counts.
    pub(crate) fn add_exif(&mut self, exif: &[u8]) {
        self.exif = self.exif.or_else(|| of_exif(exif));
    }

    /// Adds a packet of XMP. The last one counts.
    pub(crate) fn add_xmp(&mut self, xmp: &[u8]) {
        self.xmp = of_xmp(xmp);
    }

    /// Adds the value of an orientation tag.
    pub(crate) fn add_tag(&mut self, value: u8) {
        self.exif = self.exif.or(Some(value));
    }

    /// The orientation; upright if none is stated, or none that exists.
    pub(crate) fn orientation(self) -> Orientation {
        let (mirrored, quarter_turns) = match self.exif.or(self.xmp) {
            Some(2) => (true, 0),
            Some(3) => (false, 2),
            Some(4) => (true, 2),
            Some(5) => (true, 3),
            Some(6) => (false, 1),
            Some(7) => (true, 1),
            Some(8) => (false, 3),
            _ => (false, 0),
        };
        Orientation {
            mirrored,
            quarter_turns,
        }
    }
}

/// Orientation of a JPEG. Only the segments before the first scan are read.
pub(crate) fn of_jpeg(bytes: &[u8]) -> Orientation {
    let mut found = Found::default();
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let Some((marker, segment, behind)) = next_segment(rest) {
        rest = behind;
        const APP1: u8 = 0xe1;
        const START_OF_SCAN: u8 = 0xda;
        match marker {
            APP1 if segment.starts_with(EXIF) => found.add_exif(segment),
            APP1 if segment.starts_with(XMP) => found.add_xmp(&segment[XMP.len()..]),
            START_OF_SCAN => break,
            _ => {}
        }
    }
    found.orientation()
}

/// Marker and content of the next segment, and the bytes behind it.
fn next_segment(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let after_fill = bytes.strip_prefix(b"\xff")?;
    let fill = after_fill.iter().take_while(|&&byte| byte == 0xff).count();
    let (&marker, rest) = after_fill.get(fill..)?.split_first()?;
    let (length, _) = rest.split_first_chunk()?;
    let end = usize::from(u16::from_be_bytes(*length));
    Some((marker, rest.get(2..end)?, rest.get(end..)?))
}

/// Orientation of a PNG: its chunk `eXIf`, or XMP in an uncompressed text chunk.
pub(crate) fn of_png(bytes: &[u8]) -> Orientation {
    const SIGNATURE_BYTES: usize = 8;
    let mut found = Found::default();
    let mut rest = bytes.get(SIGNATURE_BYTES..).unwrap_or_default();
    while let Some((kind, content, behind)) = next_chunk(rest) {
        rest = behind;
        match kind {
            b"eXIf" => found.add_exif(content),
            b"iTXt" if content.starts_with(XMP_KEYWORD) => found.add_xmp(content),
            b"IEND" => break,
            _ => {}
        }
    }
    found.orientation()
}

/// Type and content of the next chunk, and the bytes behind it.
fn next_chunk(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (kind, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let checksum_end = length.checked_add(4)?;
    Some((kind, rest.get(..length)?, rest.get(checksum_end..)?))
}

/// Value of the orientation tag in the first directory of an Exif block.
fn of_exif(exif: &[u8]) -> Option<u8> {
    let mut tiff = exif;
    while let Some(rest) = tiff.strip_prefix(EXIF) {
        tiff = rest;
    }
    let is_big_endian = match tiff.get(..4)? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let number = |at: usize, len: usize| -> Option<usize> {
        let bytes = tiff.get(at..at.checked_add(len)?)?;
        let add = |sum: usize, &byte: &u8| sum << 8 | usize::from(byte);
        Some(match is_big_endian {
            true => bytes.iter().fold(0, add),
            false => bytes.iter().rev().fold(0, add),
        })
    };
    let directory = number(4, 4)?;
    let entries = directory.checked_add(2)?;
    let num_entries = number(directory, 2)?;
    const ENTRY_BYTES: usize = 12;
    let entry = (0..num_entries)
        .map_while(|entry| entries.checked_add(entry * ENTRY_BYTES))
        .find(|&entry| number(entry, 2) == Some(usize::from(TAG)))?;
    // The standard wants SHORT; some programs write LONG.
    let value_bytes = match number(entry + 2, 2)? {
        3 => 2,
        4 => 4,
        _ => return None,
    };
    let is_single = number(entry + 4, 4)? == 1;
    let value = number(entry + 8, value_bytes).filter(|_| is_single)?;
    u8::try_from(value).ok()
}

/// Value of `tiff:Orientation`, as an attribute or an element.
fn of_xmp(xmp: &[u8]) -> Option<u8> {
    const NAME: &[u8] = b"tiff:Orientation";
    xmp.windows(NAME.len() + 3).find_map(|at| {
        let value = at.strip_prefix(NAME)?;
        let digit = match value {
            [b'=', b'"', digit, ..] | [b'>', digit, ..] => digit,
            _ => return None,
        };
        digit.is_ascii_digit().then(|| digit - b'0')
    })
}
