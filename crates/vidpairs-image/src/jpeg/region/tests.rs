use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use super::*;

/// Coding of a picture.
#[derive(Debug, Clone, Copy)]
struct Stored {
    subsampling: Subsamp,
    is_progressive: bool,
}

const ALL: [Stored; 8] = [
    stored(Subsamp::Sub2x2, false),
    stored(Subsamp::Sub2x1, false),
    stored(Subsamp::Sub1x2, false),
    stored(Subsamp::Sub4x1, false),
    stored(Subsamp::None, false),
    stored(Subsamp::Gray, false),
    stored(Subsamp::Sub2x2, true),
    stored(Subsamp::None, true),
];

const fn stored(subsampling: Subsamp, is_progressive: bool) -> Stored {
    Stored {
        subsampling,
        is_progressive,
    }
}

fn jpeg(width: u32, height: u32, stored: Stored) -> Vec<u8> {
    let pixel = |x: u32, y: u32| {
        let wave = |a: f64, b: f64| 128.0 + 90.0 * (f64::from(x) * a + f64::from(y) * b).sin();
        let grain = f64::from((x * 7919 + y * 104_729) % 31);
        [wave(0.3, 0.1), wave(0.1, -0.25), wave(-0.07, 0.5)].map(|level| (level + grain) as u8)
    };
    let pixels: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)))
        .collect();
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(90).unwrap();
    compressor.set_subsamp(stored.subsampling).unwrap();
    compressor.set_progressive(stored.is_progressive).unwrap();
    let image = Image {
        pixels: pixels.as_slice(),
        width: width as usize,
        pitch: width as usize * 3,
        height: height as usize,
        format: PixelFormat::RGB,
    };
    compressor.compress_to_vec(image).unwrap()
}

fn region(x: u32, y: u32, width: u32, height: u32) -> RegionPx {
    RegionPx {
        x,
        y,
        width,
        height,
    }
}

/// R, G, B of pixel (`x`, `y`) of the reduced picture.
fn pixel(part: &DecodedRegion<'_>, x: u32, y: u32) -> [u8; 3] {
    let at = (y - part.top) * part.size.width + x - part.left;
    let rgbx = &part.rgbx[at as usize * RGBX_BYTES..];
    [rgbx[0], rgbx[1], rgbx[2]]
}

#[test]
fn a_region_has_the_same_bytes_as_in_the_whole_picture() {
    let (width, height) = (83, 61);
    let size = SizePx { width, height };
    let regions = [
        region(0, 0, 83, 61),
        region(0, 0, 1, 1),
        region(82, 60, 1, 1),
        region(16, 16, 32, 16),
        region(15, 17, 33, 15),
        region(33, 3, 50, 58),
        region(49, 31, 20, 9),
        region(64, 0, 19, 61),
        region(31, 47, 2, 2),
    ];
    let (mut parts, mut wholes) = (RegionDecoder::new().unwrap(), RegionDecoder::new().unwrap());
    for stored in ALL {
        let jpeg = jpeg(width, height, stored);
        for reduction in Reduction::ALL {
            let whole = wholes
                .decode(&jpeg, RegionPx::whole(size), reduction)
                .unwrap();
            for region in regions {
                let part = parts.decode(&jpeg, region, reduction).unwrap();
                let divisor = reduction.divisor();
                for y in region.y / divisor..(region.y + region.height).div_ceil(divisor) {
                    for x in region.x / divisor..(region.x + region.width).div_ceil(divisor) {
                        assert_eq!(
                            pixel(&part, x, y),
                            pixel(&whole, x, y),
                            "{stored:?}, {reduction:?}, {region}, at ({x}, {y})"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_jpeg_truncated_anywhere_is_an_error_for_the_whole_picture() {
    let mut decoder = RegionDecoder::new().unwrap();
    for stored in ALL {
        let jpeg = jpeg(40, 33, stored);
        for end in 0..jpeg.len() - 2 {
            let whole = region(0, 0, 40, 33);
            let result = decoder.decode(&jpeg[..end], whole, Reduction::Full);
            assert!(
                result.is_err(),
                "{stored:?} truncated at {end} of {}",
                jpeg.len()
            );
        }
    }
}

#[test]
fn a_baseline_jpeg_truncated_below_the_region_gives_the_region_or_an_error() {
    let (mut cut, mut sound) = (RegionDecoder::new().unwrap(), RegionDecoder::new().unwrap());
    for stored in ALL {
        let jpeg = jpeg(40, 64, stored);
        let top = region(0, 0, 40, 16);
        let expected = sound.decode(&jpeg, top, Reduction::Full).unwrap();
        let mut num_decoded = 0;
        for end in 0..jpeg.len() {
            if let Ok(part) = cut.decode(&jpeg[..end], top, Reduction::Full) {
                assert!(part.rgbx == expected.rgbx, "{stored:?} truncated at {end}");
                num_decoded += 1;
            }
        }
        // The decoder skips most of a baseline file, but reads a progressive one to its end.
        let share = num_decoded * 100 / jpeg.len();
        let is_expected = if stored.is_progressive {
            share < 2
        } else {
            share > 30
        };
        assert!(
            is_expected,
            "{stored:?}: {share} % of the truncated files gave the region"
        );
    }
}

#[test]
fn flipped_bits_give_pixels_or_an_error_and_leave_the_next_picture_intact() {
    let mut decoder = RegionDecoder::new().unwrap();
    let mut sound = RegionDecoder::new().unwrap();
    let good = jpeg(40, 33, ALL[0]);
    let middle = region(10, 9, 20, 20);
    let expected = sound
        .decode(&good, middle, Reduction::Full)
        .unwrap()
        .rgbx
        .to_vec();
    for stored in [ALL[0], ALL[6]] {
        let jpeg = jpeg(40, 33, stored);
        for at in 0..jpeg.len() {
            let mut damaged = jpeg.clone();
            damaged[at] ^= 1 << (at % 8);
            let _ = decoder.decode(&damaged, middle, Reduction::Half);
        }
    }
    let part = decoder.decode(&good, middle, Reduction::Full).unwrap();
    assert!(part.rgbx == expected);
}

#[test]
fn pictures_of_one_pixel_and_of_extreme_aspect_are_decoded() {
    let mut decoder = RegionDecoder::new().unwrap();
    for stored in ALL {
        for (width, height) in [(1, 1), (9000, 1), (1, 9000), (3, 2)] {
            let jpeg = jpeg(width, height, stored);
            let size = decoder.read_size(&jpeg).unwrap();
            assert_eq!(size, SizePx { width, height });
            for reduction in Reduction::ALL {
                let part = decoder
                    .decode(&jpeg, RegionPx::whole(size), reduction)
                    .unwrap();
                assert_eq!(part.size.width, width.div_ceil(reduction.divisor()));
            }
            let last = region(width - 1, height - 1, 1, 1);
            decoder.decode(&jpeg, last, Reduction::Full).unwrap();
        }
    }
}

#[test]
fn too_large_pictures_and_regions_outside_have_errors_of_their_own() {
    let mut decoder = RegionDecoder::new().unwrap();
    let refusal = decoder.read_size(&jpeg(20_000, 1, ALL[0])).unwrap_err();
    assert!(matches!(refusal, JpegError::TooLarge(_)), "{refusal}");
    let small = jpeg(20, 20, ALL[0]);
    for outside in [
        region(0, 0, 21, 1),
        region(20, 0, 1, 1),
        region(3, 3, 0, 4),
        region(u32::MAX, 0, 2, 1),
    ] {
        let refusal = decoder
            .decode(&small, outside, Reduction::Full)
            .unwrap_err();
        assert!(matches!(refusal, JpegError::Region { .. }), "{refusal}");
    }
}

#[test]
fn a_lossless_jpeg_is_refused_by_its_name() {
    let mut compressor = Compressor::new().unwrap();
    compressor.set_lossless(true).unwrap();
    let gray = Image {
        pixels: [60u8; 16 * 16].as_slice(),
        width: 16,
        pitch: 16,
        height: 16,
        format: PixelFormat::GRAY,
    };
    let lossless = compressor.compress_to_vec(gray).unwrap();
    let mut twelve_bits = jpeg(20, 20, ALL[0]);
    let frame = twelve_bits.windows(2).position(|at| at == [0xff, 0xc0]);
    let frame = frame.unwrap();
    twelve_bits[frame + 1] = 0xc1; // extended sequential
    twelve_bits[frame + 4] = 12;
    for (bytes, kind) in [(lossless, "lossless"), (twelve_bits, "12-bit")] {
        let refusal = crate::jpeg::decompress(&bytes).err().unwrap().to_string();
        assert!(refusal.starts_with(kind), "{refusal}");
    }
}

/// A progressive JPEG, one of whose scans is repeated.
fn scans_repeated(jpeg: &[u8], num_times: usize) -> Vec<u8> {
    let starts: Vec<usize> = (0..jpeg.len() - 1)
        .filter(|&at| jpeg[at..].starts_with(&[0xff, 0xda]))
        .collect();
    // The first scan of AC coefficients without a refinement: `Ss` above 0, `Ah` 0.
    let header = |at: usize| &jpeg[at + 4 + 1 + 2 * usize::from(jpeg[at + 4])..][..3];
    let place = starts
        .iter()
        .position(|&at| header(at)[0] > 0 && header(at)[2] >> 4 == 0);
    let place = place.unwrap();
    let tail = &jpeg[starts[place] + 2..];
    let length = tail
        .windows(2)
        .position(|at| at[0] == 0xff && ![0, 0xff].contains(&at[1]));
    let end = starts[place] + 2 + length.unwrap();
    let mut scan = jpeg[starts[place]..end].to_vec();
    let approximation = 4 + 1 + 2 * usize::from(scan[4]) + 2;
    scan[approximation] = 0; // all bits at once, so that repeating it breaks no rule
    [&jpeg[..starts[place]], &scan.repeat(num_times), b"\xff\xd9"].concat()
}

#[test]
fn a_progressive_jpeg_of_tens_of_thousands_of_scans_is_refused_after_500() {
    let small = jpeg(64, 64, ALL[6]);
    let whole = region(0, 0, 64, 64);
    let mut decoder = RegionDecoder::new().unwrap();
    let few = decoder.decode(&scans_repeated(&small, 20), whole, Reduction::Full);
    assert!(few.is_ok(), "{few:?}");
    let many = scans_repeated(&small, 60_000);
    let refusal = decoder.decode(&many, whole, Reduction::Full).unwrap_err();
    let text = format!("{refusal:?}");
    assert!(text.contains("more than 500 scans"), "{text}");
    let text = format!("{:?}", crate::jpeg::decompress(&many).err().unwrap());
    assert!(text.contains("more than 500 scans"), "{text}");
}

/// A baseline JPEG with arithmetic in place of Huffman coding.
fn arithmetic(width: i32, height: i32, pixels: &[u8]) -> Vec<u8> {
    assert_eq!(pixels.len() as i32, 3 * width * height);
    let mut bytes = std::ptr::null_mut();
    let mut length = 0;
    // SAFETY: the library reads `height` rows of `3 * width` bytes, which `pixels` has, and allocates `bytes`, which are copied
    // before they are freed.
    unsafe {
        let instance = raw::tj3Init(raw::TJINIT_TJINIT_COMPRESS as i32);
        for (param, value) in [
            (raw::TJPARAM_TJPARAM_ARITHMETIC, 1),
            (raw::TJPARAM_TJPARAM_QUALITY, 90),
            (raw::TJPARAM_TJPARAM_SUBSAMP, raw::TJSAMP_TJSAMP_420),
        ] {
            assert_eq!(raw::tj3Set(instance, param as i32, value), 0);
        }
        let format = raw::TJPF_TJPF_RGB;
        let start = pixels.as_ptr();
        let done = raw::tj3Compress8(
            instance,
            start,
            width,
            0,
            height,
            format,
            &mut bytes,
            &mut length,
        );
        assert_eq!(done, 0);
        let copy = std::slice::from_raw_parts(bytes, length as usize).to_vec();
        raw::tj3Free(bytes.cast());
        raw::tj3Destroy(instance);
        copy
    }
}

#[test]
fn arithmetic_coding_gives_the_pixels_of_huffman_coding() {
    let pixels: Vec<u8> = (0..3 * 33 * 20)
        .map(|at: u32| (at * at / 700) as u8)
        .collect();
    let image = Image {
        pixels: pixels.as_slice(),
        width: 33,
        pitch: 99,
        height: 20,
        format: PixelFormat::RGB,
    };
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(90).unwrap();
    compressor.set_subsamp(Subsamp::Sub2x2).unwrap();
    let huffman = compressor.compress_to_vec(image).unwrap();
    let arithmetic = arithmetic(33, 20, &pixels);
    assert_ne!(arithmetic, huffman);
    let decoded = crate::jpeg::decode(&arithmetic).unwrap();
    assert_eq!(decoded, crate::jpeg::decode(&huffman).unwrap());
}
