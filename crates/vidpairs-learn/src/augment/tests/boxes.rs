//! Views of boxes, for measuring invariances.

use vidpairs_image::jpeg::{Reduction, RegionDecoder, compress};
use vidpairs_image::png::{self, PngEffort};
use vidpairs_types::{BoxXywh, RegionPx, RgbImage, SizePx};

use super::super::*;
use super::golden;

/// Coordinates in the cut image differ, so weights may differ in the last bits.
const TOLERANCE: f32 = 1e-5;

const BOXES: [[f64; 4]; 6] = [
    [0.0, 0.0, 48.0, 40.0],
    [5.0, 7.0, 21.0, 30.0],
    [30.4, 3.6, 9.2, 5.0],
    [-10.0, -3.5, 22.0, 60.0],
    [40.0, 33.0, 100.0, 4.5],
    [17.3, 20.2, 0.2, 0.2],
];

fn view(image: StoredImage<'_>, region: Option<[f64; 4]>, side_px: u32) -> Vec<f32> {
    let mut samples = vec![f32::NAN; 3 * (side_px as usize).pow(2)];
    let region = region.map(BoxXywh::from);
    Viewer::default()
        .render_box(image, region, side_px, Samples::F32(&mut samples))
        .unwrap();
    samples
}

fn cut(image: &RgbImage, region: RegionPx) -> RgbImage {
    let RegionPx {
        x,
        y,
        width,
        height,
    } = region;
    let row = |y: u32| {
        let from = 3 * (y * image.size.width + x) as usize;
        &image.pixels[from..from + 3 * width as usize]
    };
    RgbImage {
        size: SizePx { width, height },
        pixels: (y..y + height).flat_map(row).copied().collect(),
    }
}

fn decoded(jpeg: &[u8], size: SizePx) -> RgbImage {
    let mut decoder = RegionDecoder::new().unwrap();
    let part = (decoder.decode(jpeg, RegionPx::whole(size), Reduction::Full)).unwrap();
    let (pixels, _) = part.rgbx.as_chunks::<4>();
    let pixels = pixels.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
    RgbImage { size, pixels }
}

fn assert_same(what: &str, a: &[f32], b: &[f32]) {
    let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    let worst = worst.max_by(f32::total_cmp).unwrap();
    assert!(worst < TOLERANCE, "{what}: {worst}");
}

#[test]
fn the_view_of_a_box_equals_that_of_the_box_cut_out_of_the_decoded_image() {
    let image = golden::image();
    let jpeg = compress(&image, 92).unwrap();
    let png = png::encode(&image, PngEffort::Fast).unwrap();
    let from_jpeg = decoded(&jpeg, image.size);
    for numbers in BOXES {
        let region = BoxXywh::from(numbers).whole_px(image.size).unwrap();
        for side_px in [4, 20, 64] {
            let what = format!("{numbers:?} to {side_px} px");
            for (stored, pixels) in [
                (StoredImage::Jpeg(&jpeg), &from_jpeg),
                (StoredImage::Still(&png), &image),
                (StoredImage::Rgb(&image), &image),
            ] {
                let of_box = view(stored, Some(numbers), side_px);
                let cut = cut(pixels, region);
                assert_same(&what, &of_box, &view(StoredImage::Rgb(&cut), None, side_px));
            }
        }
    }
}

#[test]
fn without_a_box_the_view_is_the_squashed_image() {
    let image = golden::image();
    let png = png::encode(&image, PngEffort::Fast).unwrap();
    let recipe = Recipe::Squash { side_px: 20 };
    let mut squashed = vec![f32::NAN; recipe.num_values()];
    Viewer::default()
        .render_with(
            StoredImage::Rgb(&image),
            &recipe,
            &ViewParams::Fixed,
            Samples::F32(&mut squashed),
        )
        .unwrap();
    assert!(view(StoredImage::Still(&png), None, 20) == squashed);
}

#[test]
fn a_box_outside_the_image_is_refused_with_box_and_size() {
    let image = golden::image();
    let region = Some(BoxXywh::from([48.0, 3.0, 10.0, 10.0]));
    let mut samples = [0.0; 48];
    let err = Viewer::default()
        .render_box(
            StoredImage::Rgb(&image),
            region,
            4,
            Samples::F32(&mut samples),
        )
        .unwrap_err();
    assert_eq!(
        err.to_string(),
        "its box (48, 3, 10 x 10 px) lies outside the image of 48 x 40 px"
    );
}

#[test]
fn the_first_bytes_decide_the_format_of_a_file() {
    let image = golden::image();
    let png = png::encode(&image, PngEffort::Fast).unwrap();
    assert!(matches!(
        StoredImage::of_file(&png),
        Ok(StoredImage::Still(_))
    ));
    let jpeg = golden::jpeg();
    assert!(matches!(
        StoredImage::of_file(&jpeg),
        Ok(StoredImage::Jpeg(_))
    ));
    let err = StoredImage::of_file(b"GIF89a").unwrap_err().to_string();
    assert!(err.starts_with("a GIF"), "{err}");
    assert!(StoredImage::of_file(b"").is_err());
}

/// Pixels that Pillow gives for a file of `tests/golden/stills`, upright.
fn still(name: &str) -> (Vec<u8>, RgbImage) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/stills");
    let read = |name: &str| std::fs::read(format!("{folder}/{name}")).unwrap();
    let (cases, pixels) = (read("cases.tsv"), read("pixels.rgb"));
    let mut start = 0;
    for line in String::from_utf8(cases).unwrap().lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let size = SizePx::from([fields[1], fields[2]].map(|side| side.parse().unwrap()));
        let end = start + 3 * size.area() as usize;
        if fields[0] == name {
            let pixels = pixels[start..end].to_vec();
            return (read(name), RgbImage { size, pixels });
        }
        start = end;
    }
    panic!("no {name}")
}

#[test]
fn a_turned_or_cmyk_image_has_the_view_of_the_upright_pixels_of_pillow() {
    let names = [
        "exif_ii_3.jpg",
        "exif_mm_6.jpg",
        "exif_cmyk_6.jpg",
        "ycck.jpg",
        "exif_6.png",
        "exif_7.tif",
        "exif_6.webp",
    ];
    for name in names {
        let (bytes, upright) = still(name);
        let found = view(StoredImage::of_file(&bytes).unwrap(), None, 5);
        assert_same(name, &found, &view(StoredImage::Rgb(&upright), None, 5));
    }
}

#[test]
fn a_box_of_a_turned_image_counts_in_the_stored_picture_and_its_view_is_upright() {
    // 23 x 17 px stored, turned clockwise by a quarter: (x, y) is shown at (17 - y, x).
    let (bytes, upright) = still("exif_mm_6.jpg");
    let found = view(StoredImage::Jpeg(&bytes), Some([2.0, 1.0, 8.0, 4.0]), 4);
    let expected = view(StoredImage::Rgb(&upright), Some([12.0, 2.0, 4.0, 8.0]), 4);
    assert_same("box", &found, &expected);
}
