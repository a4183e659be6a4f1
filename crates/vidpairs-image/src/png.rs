//! Reads and writes PNG through the png crate. The one module that names it.
//!
//! **Takes** PNG bytes, or an image. **Gives** an [`RgbImage`], or PNG bytes. **Fails** with [`PngError`]. **Source**: ISO/IEC 15948.

use std::io::Cursor;

use vidpairs_types::parallel::caught;
use vidpairs_types::{RgbImage, SizePx};

/// First bytes of every PNG.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Why a PNG could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PngError {
    /// The bytes are not a PNG, are truncated or damaged. Leave the image out.
    #[error("damaged PNG")]
    Damaged(#[source] png::DecodingError),
    /// The png crate panicked: it does not expect such bytes. Leave the image out.
    #[error("damaged PNG ({0})")]
    Panicked(String),
    /// The size in the header is too large. Leave the image out.
    #[error(
        "PNG of {0}; sides of at most {max} px and at most {area} px in all are accepted",
        max = SizePx::MAX_SIDE, area = SizePx::MAX_AREA
    )]
    TooLarge(SizePx),
    /// The samples are no numbers of classes. Leave the image out.
    #[error("PNG of {samples}; expected labels: a palette, or gray levels of 8 bits or less")]
    NotLabels {
        /// Kind and depth of the samples.
        samples: String,
    },
    /// The png crate failed to compress. Leave the image out.
    #[error("cannot compress a PNG")]
    Encode(#[source] png::EncodingError),
}

/// Compression effort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PngEffort {
    /// Fast, for many images.
    Fast,
    /// The crate's balance of time and size.
    Balanced,
}

/// Whether `bytes` begin with the signature of PNG.
pub fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE)
}

/// Reads the size in the header, without decoding the picture.
///
/// # Errors
/// [`PngError::Damaged`] if there is no readable header, [`PngError::TooLarge`] if the size is not accepted.
pub fn read_size(bytes: &[u8]) -> Result<SizePx, PngError> {
    guarded(|| {
        let reader = png::Decoder::new(Cursor::new(bytes)).read_info();
        accepted_size(reader.map_err(PngError::Damaged)?.info())
    })
}

/// Decodes a PNG of any kind to RGB: gray levels become R = G = B, 16-bit samples keep their upper 8 bits, and transparency is
/// dropped, as in PIL's `convert("RGB")` of 8-bit images.
///
/// # Errors
/// [`PngError`] if any part of the file is damaged, or its size is not accepted; nothing is allocated then.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, PngError> {
    guarded(|| decode_unguarded(bytes))
}

/// Calls `read`, and makes an error of a panic of the png crate.
fn guarded<T>(read: impl FnOnce() -> Result<T, PngError>) -> Result<T, PngError> {
    caught(read).unwrap_or_else(|panic| Err(PngError::Panicked(panic)))
}

fn decode_unguarded(bytes: &[u8]) -> Result<RgbImage, PngError> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(PngError::Damaged)?;
    let size = accepted_size(reader.info())?;
    let num_bytes = reader.output_buffer_size();
    let mut samples =
        vec![0; num_bytes.expect("an accepted size has at most 4 bytes per pixel, 256 MiB")];
    let frame = (reader.next_frame(&mut samples)).map_err(PngError::Damaged)?;
    let pixels = match frame.color_type.samples() {
        1 => samples.iter().flat_map(|&gray| [gray; 3]).collect(),
        2 => {
            let (pixels, _) = samples.as_chunks::<2>();
            pixels.iter().flat_map(|&[gray, _]| [gray; 3]).collect()
        }
        3 => samples,
        _ => {
            let (pixels, _) = samples.as_chunks::<4>();
            pixels.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect()
        }
    };
    Ok(RgbImage { size, pixels })
}

/// Decodes a PNG whose pixels are numbers rather than colours: the indices of a palette, or gray levels as stored. A gray PNG of 1, 2 or 4
/// bits has levels from 0 to 1, 3 or 15. Returns the size and `height x width` numbers, as `numpy.array(PIL.Image.open(path))` does for a
/// palette and for gray levels of 8 bits.
///
/// # Errors
/// [`PngError`] as [`decode`], and [`PngError::NotLabels`] for colours, transparency, and 16 bits.
pub fn decode_labels(bytes: &[u8]) -> Result<(SizePx, Vec<u8>), PngError> {
    guarded(|| {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::IDENTITY);
        let mut reader = decoder.read_info().map_err(PngError::Damaged)?;
        let size = accepted_size(reader.info())?;
        let (color, depth) = reader.output_color_type();
        let is_number = matches!(color, png::ColorType::Indexed | png::ColorType::Grayscale);
        if !is_number || depth == png::BitDepth::Sixteen {
            let samples = format!("{color:?} samples of {} bits", depth as u8);
            return Err(PngError::NotLabels { samples });
        }
        let num_bytes = reader.output_buffer_size();
        let mut rows = vec![0; num_bytes.expect("an accepted size has at most 64 MiB of bytes")];
        let frame = (reader.next_frame(&mut rows)).map_err(PngError::Damaged)?;
        let width = size.width as usize;
        let labels = rows
            .chunks_exact(frame.line_size.max(1))
            .flat_map(|row| unpacked(row, depth as u32).take(width));
        Ok((size, labels.collect()))
    })
}

/// The numbers of `bits` bits, 8 or fewer, in a row of bytes; the first has the highest bits.
fn unpacked(row: &[u8], bits: u32) -> impl Iterator<Item = u8> {
    row.iter().flat_map(move |&byte| {
        let shifts = (0..8).step_by(bits as usize);
        shifts.map(move |shift| byte << shift >> (8 - bits))
    })
}

/// Encodes an image as PNG.
///
/// # Errors
/// [`PngError::Encode`] if the image has no pixels.
pub fn encode(image: &RgbImage, effort: PngEffort) -> Result<Vec<u8>, PngError> {
    let compress = || {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, image.size.width, image.size.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        if effort == PngEffort::Fast {
            encoder.set_compression(png::Compression::Fast);
        }
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&image.pixels)?;
        writer.finish()?;
        Ok(bytes)
    };
    compress().map_err(PngError::Encode)
}

fn accepted_size(info: &png::Info<'_>) -> Result<SizePx, PngError> {
    let size = SizePx {
        width: info.width,
        height: info.height,
    };
    if super::is_too_large(size) {
        return Err(PngError::TooLarge(size));
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: SizePx = SizePx {
        width: 5,
        height: 3,
    };

    fn image() -> RgbImage {
        RgbImage {
            size: SIZE,
            pixels: (0..45).map(|sample| sample * 5).collect(),
        }
    }

    /// A PNG of `SIZE` with another colour type or bit depth.
    fn other(color: png::ColorType, depth: png::BitDepth, samples: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, SIZE.width, SIZE.height);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == png::ColorType::Indexed {
            encoder.set_palette(vec![9, 8, 7, 1, 2, 3]);
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(samples).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn a_decoded_png_has_the_samples_that_were_encoded() {
        for effort in [PngEffort::Fast, PngEffort::Balanced] {
            let bytes = encode(&image(), effort).unwrap();
            assert!(is_png(&bytes));
            assert_eq!(read_size(&bytes).unwrap(), SIZE);
            assert_eq!(decode(&bytes).unwrap(), image());
        }
    }

    #[test]
    fn gray_palette_alpha_and_16_bit_pngs_are_decoded_to_8_bit_rgb() {
        use png::{BitDepth, ColorType};
        let levels: Vec<u8> = (0..15).map(|level| level * 17).collect();
        let grays: Vec<u8> = levels.iter().flat_map(|&level| [level; 3]).collect();
        let decoded = |color, depth, samples: &[u8]| decode(&other(color, depth, samples)).unwrap();
        let gray = decoded(ColorType::Grayscale, BitDepth::Eight, &levels);
        assert_eq!(gray.pixels, grays);
        let wide: Vec<u8> = levels.iter().flat_map(|&level| [level, 99]).collect();
        let wide_gray = decoded(ColorType::Grayscale, BitDepth::Sixteen, &wide);
        assert_eq!(wide_gray.pixels, grays);
        let veiled = decoded(ColorType::GrayscaleAlpha, BitDepth::Eight, &wide);
        assert_eq!(veiled.pixels, grays);
        let samples = image().pixels;
        let (pixels, _) = samples.as_chunks::<3>();
        let with_alpha: Vec<u8> = pixels.iter().flat_map(|&[r, g, b]| [r, g, b, 0]).collect();
        let veiled = decoded(ColorType::Rgba, BitDepth::Eight, &with_alpha);
        assert_eq!(veiled, image());
        let bits = decoded(ColorType::Indexed, BitDepth::One, &[0x80, 0x00, 0x08]);
        assert_eq!(bits.pixels[..6], [1, 2, 3, 9, 8, 7]);
        assert_eq!(bits.pixels[42..], [1, 2, 3]);
    }

    #[test]
    fn labels_are_the_indices_of_a_palette_and_gray_levels_as_stored() {
        use png::{BitDepth, ColorType};
        let levels: Vec<u8> = (0..15).map(|level| level * 17).collect();
        let decoded = |color, depth, samples: &[u8]| decode_labels(&other(color, depth, samples));
        for color in [ColorType::Grayscale, ColorType::Indexed] {
            let gray = decoded(color, BitDepth::Eight, &levels).unwrap();
            assert_eq!(gray, (SIZE, levels.clone()));
            let bits = decoded(color, BitDepth::One, &[0x80, 0x00, 0x08])
                .unwrap()
                .1;
            assert_eq!(bits[..5], [1, 0, 0, 0, 0]);
            assert_eq!(bits[10..], [0, 0, 0, 0, 1]);
            let nibbles = [0x12, 0x34, 0x50, 0, 0, 0, 0xab, 0xcd, 0xe0];
            let nibbles = decoded(color, BitDepth::Four, &nibbles).unwrap().1;
            assert_eq!(nibbles[..5], [1, 2, 3, 4, 5]);
            assert_eq!(nibbles[10..], [10, 11, 12, 13, 14]);
        }
    }

    #[test]
    fn a_png_of_colours_or_16_bits_holds_no_labels() {
        use png::{BitDepth, ColorType};
        let refused = |bytes: &[u8]| decode_labels(bytes).unwrap_err().to_string();
        let text = refused(&encode(&image(), PngEffort::Fast).unwrap());
        assert!(text.starts_with("PNG of Rgb samples of 8 bits"), "{text}");
        let wide = other(ColorType::Grayscale, BitDepth::Sixteen, &[0; 30]);
        assert!(refused(&wide).contains("Grayscale samples of 16 bits"));
        let whole = other(ColorType::Indexed, BitDepth::Eight, &[1; 15]);
        for end in 0..whole.len() - 12 - 4 {
            assert!(decode_labels(&whole[..end]).is_err(), "truncated at {end}");
        }
    }

    #[test]
    fn a_png_truncated_anywhere_is_an_error_not_a_panic() {
        let bytes = encode(&image(), PngEffort::Balanced).unwrap();
        // The end marker follows the pixels: a file without it is complete.
        let data_end = bytes.len() - 12 - 4;
        for end in 0..data_end {
            assert!(decode(&bytes[..end]).is_err(), "truncated at {end}");
        }
    }

    #[test]
    fn a_palette_that_ends_inside_a_colour_is_an_error_not_a_panic() {
        let mut bytes = other(png::ColorType::Indexed, png::BitDepth::One, &[0x80, 0, 8]);
        let palette = bytes.windows(4).position(|kind| kind == b"PLTE").unwrap();
        bytes[palette - 4..palette].copy_from_slice(&4u32.to_be_bytes());
        bytes.drain(palette + 8..palette + 10);
        let checksum = crc32fast::hash(&bytes[palette..palette + 8]);
        bytes[palette + 8..palette + 12].copy_from_slice(&checksum.to_be_bytes());
        let text = decode(&bytes).unwrap_err().to_string();
        assert!(text.starts_with("damaged PNG"), "{text}");
    }

    #[test]
    fn a_too_large_png_is_refused_by_its_header() {
        let mut bytes = encode(&image(), PngEffort::Fast).unwrap();
        bytes[16..20].copy_from_slice(&20_000u32.to_be_bytes());
        let checksum = crc32fast::hash(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
        let text = decode(&bytes).unwrap_err().to_string();
        assert!(text.contains("20000 x 3 px"), "{text}");
        assert!(read_size(&bytes).is_err());
    }
}
