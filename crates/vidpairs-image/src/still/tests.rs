use std::fs;
use std::path::Path;

use vidpairs_types::RegionPx;

use super::*;
use crate::color::{ChannelOrder, ColorPlanes};
use crate::jpeg::Reduction;

/// A file of `tests/golden/stills`, and its pixels as Pillow decodes them.
struct Golden {
    name: String,
    bytes: Vec<u8>,
    expected: RgbImage,
    tolerance: u8,
}

fn golden() -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/stills");
    let all = fs::read(folder.join("pixels.rgb")).unwrap();
    let mut pixels = all.as_slice();
    let cases = fs::read_to_string(folder.join("cases.tsv")).unwrap();
    let case = |line: &str| {
        let [name, width, height, tolerance] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let size = SizePx::from([width, height].map(|side| side.parse().unwrap()));
        let (own, rest) = pixels.split_at(3 * size.area() as usize);
        pixels = rest;
        Golden {
            name: name.to_owned(),
            bytes: fs::read(folder.join(name)).unwrap(),
            expected: RgbImage {
                size,
                pixels: own.to_vec(),
            },
            tolerance: tolerance.parse().unwrap(),
        }
    };
    cases.lines().map(case).collect()
}

fn file(name: &str) -> Vec<u8> {
    let found = golden().into_iter().find(|golden| golden.name == name);
    found.unwrap_or_else(|| panic!("no {name}")).bytes
}

fn difference(a: &[u8], b: &[u8]) -> u8 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(&a, &b)| a.abs_diff(b)).max().unwrap()
}

/// The upright RGB of planes that are converted without scaling.
fn upright(planes: &Planes) -> RgbImage {
    let rows = (0..planes.layout.num_planes()).map(|plane| {
        let stride = planes.bytes.stride_bytes(plane);
        (planes.bytes.plane(plane).into(), stride as u32)
    });
    let stored = ColorPlanes {
        size: planes.stored_size,
        layout: planes.layout,
        range: planes.range,
        matrix: planes.matrix,
        planes: rows.collect(),
    };
    let pixels = stored.packed(ChannelOrder::Rgb).unwrap();
    RgbImage {
        size: planes.size(),
        pixels: planes.orientation.upright::<3>(pixels, planes.stored_size),
    }
}

#[test]
fn every_kind_of_still_has_the_upright_pixels_that_pillow_gives() {
    let mut wrong = Vec::new();
    for golden in golden() {
        match decode(&golden.bytes) {
            Ok(image) if image.size != golden.expected.size => {
                wrong.push(format!("{}: {}", golden.name, image.size));
            }
            Ok(image) => {
                let difference = difference(&image.pixels, &golden.expected.pixels);
                if difference > golden.tolerance {
                    wrong.push(format!("{}: differs by {difference}", golden.name));
                }
            }
            Err(err) => wrong.push(format!("{}: {err:?}", golden.name)),
        }
        let size = read_size(&golden.bytes).unwrap();
        assert_eq!(size, golden.expected.size, "{}", golden.name);
        assert_eq!(frame_size(&golden.bytes).unwrap(), size, "{}", golden.name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_planes_of_a_frame_are_those_of_the_upright_picture() {
    for golden in golden() {
        let planes = planes(&golden.bytes).unwrap();
        assert_eq!(planes.size(), golden.expected.size, "{}", golden.name);
        // Chroma of subsampled planes is interpolated otherwise than by libjpeg; an orientation that is missed, or a row that is
        // shifted, differs by more on average.
        let is_stored = planes.layout == vidpairs_types::PlaneLayout::Gbr;
        let found = upright(&planes);
        let pairs = found.pixels.iter().zip(&golden.expected.pixels);
        let sum: u64 = pairs.map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
        let mean = sum as f64 / found.pixels.len() as f64;
        let allowed = if is_stored { 0.5 } else { 12.0 };
        assert!(mean <= allowed, "{}: {mean}", golden.name);
    }
}

#[test]
fn a_region_of_a_turned_jpeg_has_the_pixels_of_the_upright_picture() {
    let mut decoder = RegionDecoder::new().unwrap();
    let is_jpeg = |golden: &Golden| StillFormat::of(&golden.bytes).unwrap() == StillFormat::Jpeg;
    for golden in golden().into_iter().filter(is_jpeg) {
        let size = golden.expected.size;
        for [x, y, width, height] in [
            [0, 0, size.width, size.height],
            [3, 9, 5, 4],
            [16, 2, 1, 1],
            [8, 8, 9, 9],
        ] {
            let region = RegionPx {
                x,
                y,
                width,
                height,
            };
            assert!(region.lies_in(size));
            let part = decoder
                .decode(&golden.bytes, region, Reduction::Full)
                .unwrap();
            for row in y..y + height {
                for column in x..x + width {
                    let at = ((row - part.top) * part.size.width + column - part.left) as usize;
                    let expected = (row * size.width + column) as usize;
                    assert_eq!(
                        part.rgbx[4 * at..][..3],
                        golden.expected.pixels[3 * expected..][..3],
                        "{}, {region}, at ({column}, {row})",
                        golden.name
                    );
                }
            }
        }
    }
}

#[test]
fn an_upright_jpeg_is_reduced_and_a_turned_one_says_that_it_is_not() {
    let mut decoder = RegionDecoder::new().unwrap();
    for (name, expected) in [
        ("exif_ii_1.jpg", Reduction::Half),
        ("exif_ii_6.jpg", Reduction::Full),
    ] {
        let bytes = file(name);
        let whole = RegionPx::whole(read_size(&bytes).unwrap());
        let part = decoder.decode(&bytes, whole, Reduction::Half).unwrap();
        assert_eq!(part.reduction, expected, "{name}");
    }
}

#[test]
fn an_image_truncated_in_its_pixels_is_an_error_not_a_gray_picture() {
    for name in [
        "exif_ii_1.jpg",
        "cmyk.jpg",
        "interlaced.png",
        "rgb.bmp",
        "packbits.tif",
        "lossless.webp",
        "lossy.webp",
    ] {
        let bytes = file(name);
        // The last bytes of a PNG are its end marker, those of a JPEG too.
        for end in (0..bytes.len() - 20).rev().step_by(7) {
            assert!(
                decode(&bytes[..end]).is_err(),
                "{name} truncated at {end} of {}",
                bytes.len()
            );
        }
    }
}

#[test]
fn a_jpeg_with_a_broken_restart_interval_or_bytes_too_many_is_an_error() {
    let sound = file("restarts.jpg");
    let scan = sound.windows(2).position(|at| at == [0xff, 0xda]).unwrap();
    let restarts = (scan..sound.len() - 1)
        .filter(|&at| sound[at] == 0xff && (0xd0..=0xd7).contains(&sound[at + 1]));
    let restarts: Vec<usize> = restarts.collect();
    assert!(restarts.len() > 2);
    for at in restarts {
        let mut wrong = sound.clone();
        wrong[at + 1] ^= 3;
        assert!(decode(&wrong).is_err(), "another restart marker at {at}");
        let mut more = sound.clone();
        more.splice(at..at, [0x55; 40]);
        assert!(decode(&more).is_err(), "bytes too many before {at}");
        let mut lost = sound.clone();
        lost.drain(at..at + 2);
        assert!(decode(&lost).is_err(), "no restart marker at {at}");
    }
}

#[test]
fn damaged_metadata_are_no_orientation_and_never_a_panic() {
    let whole = file("exif_mm_6.jpg");
    let start = whole.windows(4).position(|at| at == b"Exif").unwrap();
    let upright = decode(&file("exif_ii_1.jpg")).unwrap();
    let turned = decode(&whole).unwrap();
    for at in start..start + 40 {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            let image = decode(&bytes).unwrap();
            let has_same_pixels = image == upright || image == turned || image.size == upright.size;
            assert!(has_same_pixels || image.size == turned.size, "at {at}");
        }
    }
}

#[test]
fn a_file_that_is_no_still_is_refused_with_what_it_is_and_what_to_do() {
    let cases: [(&[u8], &str); 14] = [
        (b"GIF89a\x01\0\x01\0", "a GIF, which is not read"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC photograph"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF image"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0", "HEIC photograph"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a video"),
        (b"", "an empty file"),
        (&[0; 5000], "zero bytes only"),
        (b"\n <!DOCTYPE HTML><title>404</title>", "a web page"),
        (b"\xef\xbb\xbf<html lang=en>", "a web page"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
            "git lfs pull",
        ),
        (b"\xff\x0a\0\0", "JPEG XL"),
        (b"8BPS\0\x01", "Photoshop"),
        (b"PK\x03\x04", "an archive"),
        (b"hello", "first bytes: 68 65 6c 6c 6f"),
    ];
    for (bytes, expected) in cases {
        for text in [
            decode(bytes).map(drop),
            read_size(bytes).map(drop),
            planes(bytes).map(drop),
        ] {
            let text = text.unwrap_err().to_string();
            assert!(text.contains(expected), "{text}");
        }
    }
}

#[test]
fn a_still_with_a_huge_size_in_its_header_is_refused_before_its_pixels_are_made() {
    let mut bmp = file("rgb.bmp");
    bmp[18..22].copy_from_slice(&20_000i32.to_le_bytes());
    let mut tiff = file("raw.tif");
    let width = tiff
        .windows(4)
        .position(|at| at == [0, 1, 4, 0] || at == [0, 1, 3, 0])
        .unwrap();
    tiff[width + 8..width + 10].copy_from_slice(&20_000u16.to_le_bytes());
    for bytes in [bmp, tiff] {
        let text = decode(&bytes).unwrap_err().to_string();
        assert!(text.contains("20000 x 17 px"), "{text}");
    }
}
