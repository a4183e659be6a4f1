//! Views of boxes, for measuring invariances.

use vidpairs_image::jpeg::{Reduction, RegionDecoder, compress};
use vidpairs_image::png::{self, PngEffort};
use vidpairs_types::{Beyond, BoxXywh, RegionPx, RgbImage, SizePx};

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
        .render_region(
            image,
            (region, Beyond::Cut),
            &Recipe::Squash { side_px },
            Samples::F32(&mut samples),
        )
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
        .render_region(
            StoredImage::Rgb(&image),
            (region, Beyond::Cut),
            &Recipe::Squash { side_px: 4 },
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

fn padded_view(image: StoredImage<'_>, region: [f64; 4], side_px: u32) -> Vec<f32> {
    let mut samples = vec![f32::NAN; 3 * (side_px as usize).pow(2)];
    let region = (Some(BoxXywh::from(region)), Beyond::Padded);
    Viewer::default()
        .render_region(
            image,
            region,
            &Recipe::Squash { side_px },
            Samples::F32(&mut samples),
        )
        .unwrap();
    samples
}

/// `image` with `border` px of the mean colour on all sides.
fn framed(image: &RgbImage, border: u32) -> RgbImage {
    let size = SizePx {
        width: image.size.width + 2 * border,
        height: image.size.height + 2 * border,
    };
    let pixel = |at: u32| -> [u8; 3] {
        let (x, y) = (at % size.width, at / size.width);
        let inside = |at: u32, side: u32| at.checked_sub(border).filter(|at| *at < side);
        match (inside(x, image.size.width), inside(y, image.size.height)) {
            (Some(x), Some(y)) => {
                let from = 3 * (y * image.size.width + x) as usize;
                [0, 1, 2].map(|channel| image.pixels[from + channel])
            }
            _ => [124, 116, 104],
        }
    };
    RgbImage {
        size,
        pixels: (0..size.width * size.height).flat_map(pixel).collect(),
    }
}

#[test]
fn a_box_that_leaves_the_image_is_filled_with_the_mean_colour() {
    let image = golden::image();
    let jpeg = compress(&image, 92).unwrap();
    let png = png::encode(&image, PngEffort::Fast).unwrap();
    let from_jpeg = decoded(&jpeg, image.size);
    for numbers in [
        [-10.0, -3.5, 22.0, 60.0],
        [40.0, 33.0, 30.0, 4.5],
        [-5.0, -6.0, 60.0, 52.0],
        [47.4, 39.4, 20.0, 20.0],
        [5.0, 7.0, 21.0, 30.0],
    ] {
        let [x, y, w, h] = numbers;
        for (stored, pixels) in [
            (StoredImage::Jpeg(&jpeg), &from_jpeg),
            (StoredImage::Still(&png), &image),
        ] {
            let framed = framed(pixels, 32);
            let expected = view(
                StoredImage::Rgb(&framed),
                Some([x + 32.0, y + 32.0, w, h]),
                16,
            );
            assert_same(
                &format!("{numbers:?}"),
                &padded_view(stored, numbers, 16),
                &expected,
            );
        }
    }
    // A turned image: 23 x 17 px stored, (x, y) is shown at (17 - y, x).
    let (bytes, upright) = still("exif_mm_6.jpg");
    let found = padded_view(StoredImage::Jpeg(&bytes), [-4.0, 12.0, 12.0, 9.0], 6);
    let framed = framed(&upright, 8);
    let expected = view(
        StoredImage::Rgb(&framed),
        Some([8.0 - 4.0, 8.0 - 4.0, 9.0, 12.0]),
        6,
    );
    assert_same("turned", &found, &expected);
}

#[test]
fn a_box_far_larger_than_any_image_is_refused_when_it_is_padded() {
    let image = golden::image();
    for side in [1e5, 1e300] {
        let region = BoxXywh::from([-side, 0.0, 2.0 * side, 10.0]);
        let mut samples = [0.0; 48];
        let err = Viewer::default()
            .render_region(
                StoredImage::Rgb(&image),
                (Some(region), Beyond::Padded),
                &Recipe::Squash { side_px: 4 },
                Samples::F32(&mut samples),
            )
            .unwrap_err();
        assert!(matches!(err, AugmentError::Size(_)), "{err}");
    }
}

#[test]
fn the_central_square_of_a_box_equals_that_of_the_box_cut_out_of_the_image() {
    let image = golden::image();
    let recipe = Recipe::CenterCrop {
        side_px: 14,
        short_side_px: 16,
    };
    for numbers in [[3.0, 5.0, 40.0, 20.0], [10.0, 0.0, 9.0, 40.0]] {
        let mut found = vec![f32::NAN; recipe.num_values()];
        let region = BoxXywh::from(numbers);
        Viewer::default()
            .render_region(
                StoredImage::Rgb(&image),
                (Some(region), Beyond::Cut),
                &recipe,
                Samples::F32(&mut found),
            )
            .unwrap();
        let cut = cut(&image, region.whole_px(image.size).unwrap());
        let mut expected = vec![f32::NAN; recipe.num_values()];
        Viewer::default()
            .render_with(
                StoredImage::Rgb(&cut),
                &recipe,
                &ViewParams::Fixed,
                Samples::F32(&mut expected),
            )
            .unwrap();
        assert_same(&format!("{numbers:?}"), &found, &expected);
    }
}

#[test]
fn a_region_cut_out_as_a_picture_of_its_own_gives_the_view_of_the_region() {
    let image = golden::image();
    let jpeg = compress(&image, 92).unwrap();
    let recipe = Recipe::Squash { side_px: 20 };
    for beyond in [Beyond::Cut, Beyond::Padded] {
        for stored in [StoredImage::Jpeg(&jpeg), StoredImage::Rgb(&image)] {
            for numbers in BOXES {
                let region = BoxXywh::from(numbers);
                let (mut direct, mut of_cut) = (vec![0.0; 1200], vec![0.0; 1200]);
                let mut viewer = Viewer::default();
                let place = (Some(region), beyond);
                viewer
                    .render_region(stored, place, &recipe, Samples::F32(&mut direct))
                    .unwrap();
                let cut = viewer.cut(stored, (region, beyond)).unwrap();
                let whole = (None, Beyond::Cut);
                viewer
                    .render_region(
                        StoredImage::Rgb(&cut),
                        whole,
                        &recipe,
                        Samples::F32(&mut of_cut),
                    )
                    .unwrap();
                assert_same(&format!("{numbers:?} {beyond:?}"), &direct, &of_cut);
            }
        }
    }
}
