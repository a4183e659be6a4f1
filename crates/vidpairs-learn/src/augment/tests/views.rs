//! Properties of views that training relies on.

use vidpairs_image::jpeg::{JpegError, Reduction, RegionDecoder, compress};
use vidpairs_types::{RegionPx, RgbImage, Seed, SizePx};

use super::super::*;
use super::golden;

fn picture(width: u32, height: u32) -> RgbImage {
    let pixel = |x: u32, y: u32| {
        let wave = |a: f64, b: f64| 128.0 + 80.0 * (f64::from(x) * a + f64::from(y) * b).sin();
        [wave(0.05, 0.02), wave(0.02, -0.06), wave(-0.03, 0.09)].map(|level| level as u8)
    };
    RgbImage {
        size: SizePx { width, height },
        pixels: (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)))
            .collect(),
    }
}

fn recipes() -> [Recipe; 6] {
    [
        CropRecipe::moco_v1(32).into(),
        CropRecipe::moco_v2(32).into(),
        CropRecipe::pirl_image(32).into(),
        JigsawRecipe::pirl(16).into(),
        Recipe::Squash { side_px: 32 },
        Recipe::CenterCrop {
            side_px: 28,
            short_side_px: 32,
        },
    ]
}

fn view(
    viewer: &mut Viewer,
    image: StoredImage<'_>,
    recipe: &Recipe,
    seed: Seed,
) -> Result<Vec<f32>, AugmentError> {
    let mut samples = vec![f32::NAN; recipe.num_values()];
    viewer.render(image, recipe, seed, Samples::F32(&mut samples))?;
    Ok(samples)
}

fn seed(epoch: u64, record: u64, view: u32) -> Seed {
    Seed::of_run(5).for_view(epoch, record, view)
}

#[test]
fn a_viewer_can_be_sent_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Viewer>();
}

#[test]
fn the_same_seed_gives_the_same_view_from_a_new_and_a_used_viewer() {
    let image = picture(150, 100);
    let jpeg = compress(&image, 92).unwrap();
    let mut used = Viewer::default();
    for recipe in recipes() {
        for record in 0..5 {
            let stored = StoredImage::Jpeg(&jpeg);
            let by_used = view(&mut used, stored, &recipe, seed(0, record, 0)).unwrap();
            let by_new = view(&mut Viewer::default(), stored, &recipe, seed(0, record, 0)).unwrap();
            assert!(by_used == by_new, "{recipe:?}");
            assert!(by_used.iter().all(|sample| sample.is_finite()));
        }
    }
}

#[test]
fn different_epochs_records_and_views_give_different_views() {
    let image = picture(150, 100);
    let mut viewer = Viewer::default();
    for recipe in &recipes()[..4] {
        let views = [seed(0, 0, 0), seed(1, 0, 0), seed(0, 1, 0), seed(0, 0, 1)]
            .map(|seed| view(&mut viewer, StoredImage::Rgb(&image), recipe, seed).unwrap());
        for (n, a) in views.iter().enumerate() {
            assert!(views[n + 1..].iter().all(|b| a != b), "{recipe:?}");
        }
    }
}

#[test]
fn compressed_pixels_give_the_same_view_as_pixels() {
    let image = picture(70, 50);
    let packed = zstd::bulk::compress(&image.pixels, 3).unwrap();
    let mut viewer = Viewer::default();
    for recipe in recipes() {
        let stored = StoredImage::RgbZstd(&packed, image.size);
        let from_packed = view(&mut viewer, stored, &recipe, seed(0, 0, 0)).unwrap();
        let from_pixels = view(
            &mut viewer,
            StoredImage::Rgb(&image),
            &recipe,
            seed(0, 0, 0),
        );
        assert!(from_packed == from_pixels.unwrap());
    }
}

#[test]
fn half_precision_is_single_precision_rounded_to_nearest() {
    let image = picture(70, 50);
    let mut viewer = Viewer::default();
    for recipe in recipes() {
        let stored = StoredImage::Rgb(&image);
        let single = view(&mut viewer, stored, &recipe, seed(0, 0, 0)).unwrap();
        let mut half = vec![0; recipe.num_values()];
        viewer
            .render(stored, &recipe, seed(0, 0, 0), Samples::Bf16(&mut half))
            .unwrap();
        for (single, half) in single.iter().zip(half) {
            let widened = f32::from_bits(u32::from(half) << 16);
            // Eight bits: half a unit of the last is 1/256 of the number at most.
            assert!((single - widened).abs() <= single.abs() / 256.0 + f32::MIN_POSITIVE);
        }
    }
    assert_eq!(samples::bf16_bits(1.0), 0x3f80);
    assert_eq!(samples::bf16_bits(f32::from_bits(0x3f80_8000)), 0x3f80); // a tie goes to even
    assert_eq!(samples::bf16_bits(f32::from_bits(0x3f81_8000)), 0x3f82);
}

#[test]
fn crops_have_the_areas_and_aspects_of_the_recipe_and_cover_the_image() {
    let size = SizePx {
        width: 376,
        height: 256,
    };
    let recipe = Recipe::from(CropRecipe::moco_v2(224));
    let (mut shares, mut flips, mut blurs, mut grays, mut jitters) = (Vec::new(), 0, 0, 0, 0);
    let (mut lefts, mut orders) = (Vec::new(), std::collections::HashSet::new());
    let num_views = 4000;
    for record in 0..num_views {
        let ViewParams::Crop { crop, color } = recipe.draw(size, seed(0, record, 0)).unwrap()
        else {
            panic!("not the parameters of a crop");
        };
        let region = crop.region;
        assert!(region.lies_in(size));
        let aspect = f64::from(region.width) / f64::from(region.height);
        // Sides are rounded to whole px, which changes the aspect by up to a hundredth.
        assert!((0.74..1.35).contains(&aspect), "{region}");
        shares.push(f64::from(region.width * region.height) / size.area() as f64);
        lefts.push(f64::from(region.x) / f64::from((size.width - region.width).max(1)));
        flips += u32::from(crop.is_flipped);
        blurs += u32::from(color.blur_sigma_px.is_some());
        grays += u32::from(color.is_gray);
        if let Some(jitter) = color.jitter {
            jitters += 1;
            orders.insert(format!("{:?}", jitter.order));
            for factor in [jitter.brightness, jitter.contrast, jitter.saturation] {
                assert!((0.6..=1.4).contains(&factor));
            }
            assert!(jitter.hue.abs() <= 0.1);
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (lowest, highest) = (
        shares.iter().copied().fold(1.0, f64::min),
        shares.iter().copied().fold(0.0, f64::max),
    );
    assert!((0.19..0.22).contains(&lowest), "{lowest}");
    // A box of 376 x 256 px with an aspect of 4/3 at most has 0.91 of the area.
    assert!((0.85..0.92).contains(&highest), "{highest}");
    assert!((0.45..0.6).contains(&mean(&shares)), "{}", mean(&shares));
    assert!((0.47..0.53).contains(&mean(&lefts)), "{}", mean(&lefts));
    let share = |count: u32| f64::from(count) / num_views as f64;
    for (count, expected) in [(flips, 0.5), (blurs, 0.5), (grays, 0.2), (jitters, 0.8)] {
        assert!((share(count) - expected).abs() < 0.03, "{count}");
    }
    assert_eq!(orders.len(), 24, "all orders of four occur");
}

#[test]
fn a_jigsaw_has_one_patch_inside_each_cell() {
    let recipe = JigsawRecipe::pirl(64);
    assert_eq!((recipe.cell_px, recipe.view_px()), (85, 255));
    let mut firsts = std::collections::HashSet::new();
    for record in 0..200 {
        let size = picture(100, 80).size;
        let ViewParams::Jigsaw(params) =
            Recipe::from(recipe).draw(size, seed(0, record, 0)).unwrap()
        else {
            panic!("not the parameters of a jigsaw");
        };
        let cell = |patch: &PatchParams| (patch.left_px / 85, patch.top_px / 85);
        let cells: std::collections::HashSet<_> = params.patches.iter().map(cell).collect();
        assert_eq!(cells.len(), NUM_PATCHES);
        for patch in &params.patches {
            assert!(patch.left_px % 85 <= 21 && patch.top_px % 85 <= 21);
        }
        firsts.insert(cell(&params.patches[0]));
    }
    assert_eq!(firsts.len(), NUM_PATCHES);
}

#[test]
fn images_of_any_shape_give_views() {
    let mut viewer = Viewer::default();
    for (width, height) in [
        (1, 1),
        (2, 3),
        (1, 700),
        (700, 1),
        (16, 15),
        (1000, 20),
        (33, 257),
    ] {
        let image = picture(width, height);
        let jpeg = compress(&image, 90).unwrap();
        for recipe in recipes() {
            for stored in [StoredImage::Jpeg(&jpeg), StoredImage::Rgb(&image)] {
                for record in 0..4 {
                    let samples = view(&mut viewer, stored, &recipe, seed(0, record, 0)).unwrap();
                    let is_level = |sample: &f32| (-2.2..2.7).contains(sample);
                    assert!(
                        samples.iter().all(is_level),
                        "{width} x {height}, {recipe:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn views_of_any_side_down_to_one_pixel_are_finite() {
    let image = picture(90, 60);
    let mut viewer = Viewer::default();
    for side_px in [1, 2, 3, 15, 16, 17, 31, 33, 100, 224] {
        let mut recipes = vec![
            CropRecipe::moco_v1(side_px).into(),
            Recipe::Squash { side_px },
        ];
        if side_px > 1 {
            recipes.push(CropRecipe::moco_v2(side_px).into());
        }
        for recipe in recipes {
            let samples = view(
                &mut viewer,
                StoredImage::Rgb(&image),
                &recipe,
                seed(1, 2, 3),
            );
            assert!(samples.unwrap().iter().all(|sample| sample.is_finite()));
        }
    }
}

#[test]
fn a_jpeg_truncated_anywhere_gives_the_same_view_or_an_error() {
    let jpeg = golden::jpeg();
    let mut viewer = Viewer::default();
    for recipe in [recipes()[1].clone(), Recipe::Squash { side_px: 32 }] {
        let sound = view(
            &mut viewer,
            StoredImage::Jpeg(&jpeg),
            &recipe,
            seed(0, 3, 0),
        )
        .unwrap();
        for end in 0..jpeg.len() - 2 {
            let cut = view(
                &mut viewer,
                StoredImage::Jpeg(&jpeg[..end]),
                &recipe,
                seed(0, 3, 0),
            );
            match cut {
                Ok(samples) => {
                    assert!(samples == sound, "cut at {end}");
                    assert!(
                        matches!(recipe, Recipe::Crop(_)),
                        "this view needs the whole image"
                    );
                }
                Err(err) => assert!(matches!(err, AugmentError::Jpeg(JpegError::Damaged(_)))),
            }
        }
    }
}

#[test]
fn wrong_lengths_sizes_and_parameters_are_refused() {
    let image = picture(40, 30);
    let recipe = Recipe::from(CropRecipe::moco_v2(32));
    let mut viewer = Viewer::default();
    let mut short = vec![0.0; recipe.num_values() - 1];
    let room = viewer.render(
        StoredImage::Rgb(&image),
        &recipe,
        seed(0, 0, 0),
        Samples::F32(&mut short),
    );
    assert!(matches!(room, Err(AugmentError::Room { got: 3071, .. })));

    let mut cut = image.clone();
    cut.pixels.pop();
    let err = view(&mut viewer, StoredImage::Rgb(&cut), &recipe, seed(0, 0, 0)).unwrap_err();
    assert!(matches!(err, AugmentError::WrongLength { got: 3599, .. }));
    let packed = zstd::bulk::compress(&cut.pixels, 3).unwrap();
    let stored = StoredImage::RgbZstd(&packed, image.size);
    let err = view(&mut viewer, stored, &recipe, seed(0, 0, 0)).unwrap_err();
    assert!(matches!(err, AugmentError::WrongLength { got: 3599, .. }));
    let stored = StoredImage::RgbZstd(&packed[..20], image.size);
    let err = view(&mut viewer, stored, &recipe, seed(0, 0, 0)).unwrap_err();
    assert!(matches!(err, AugmentError::Zstd(_)));
    let empty = SizePx {
        width: 0,
        height: 4,
    };
    let err = view(
        &mut viewer,
        StoredImage::RgbZstd(&[], empty),
        &recipe,
        seed(0, 0, 0),
    )
    .unwrap_err();
    assert!(matches!(err, AugmentError::Size(_)));

    let mut samples = vec![0.0; recipe.num_values()];
    let mut with = |params: &ViewParams| {
        viewer.render_with(
            StoredImage::Rgb(&image),
            &recipe,
            params,
            Samples::F32(&mut samples),
        )
    };
    assert!(matches!(
        with(&ViewParams::Fixed),
        Err(AugmentError::Params { .. })
    ));
    let crop = |x, blur_sigma_px| ViewParams::Crop {
        crop: CropParams {
            region: RegionPx {
                x,
                y: 0,
                width: 20,
                height: 20,
            },
            is_flipped: false,
        },
        color: ColorParams {
            blur_sigma_px,
            ..ColorParams::UNCHANGED
        },
    };
    assert!(matches!(
        with(&crop(21, None)),
        Err(AugmentError::Region { .. })
    ));
    assert!(matches!(
        with(&crop(0, Some(0.0))),
        Err(AugmentError::Params { .. })
    ));
    assert!(with(&crop(20, Some(1.0))).is_ok());
}

#[test]
fn the_error_for_an_invalid_recipe_names_the_field() {
    let field = |recipe: Recipe| match recipe.check() {
        Err(AugmentError::Recipe { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let crop = CropRecipe::moco_v2(32);
    assert_eq!(field(CropRecipe::moco_v2(0).into()), "side_px");
    assert_eq!(field(CropRecipe::moco_v2(1).into()), "kernel_px");
    let narrow = Recipe::CenterCrop {
        side_px: 32,
        short_side_px: 31,
    };
    assert_eq!(field(narrow), "short_side_px");
    let flip = CropRecipe {
        flip_probability: f64::NAN,
        ..crop
    };
    assert_eq!(field(flip.into()), "flip_probability");
    let mut jigsaw = JigsawRecipe::pirl(16);
    jigsaw.cell_px = 15;
    assert_eq!(field(jigsaw.into()), "patch_px");
    let mut none = crop;
    none.area.share = [0.0, 1.0];
    assert_eq!(field(none.into()), "area share");
    assert_eq!(CropRecipe::moco_v2(224).color.blur.unwrap().kernel_px, 23);
    assert_eq!(CropRecipe::moco_v2(64).color.blur.unwrap().kernel_px, 7);
    assert_eq!(CropRecipe::moco_v2(16).color.blur.unwrap().kernel_px, 3);
}

/// Isolates the effect of decoding at a reduced size: libjpeg's inverse DCT of half size and our triangle, against our triangle
/// alone.
#[test]
fn the_view_of_a_jpeg_decoded_at_reduced_size_is_close_to_that_at_full_size() {
    let image = picture(376, 256);
    let jpeg = compress(&image, 92).unwrap();
    let mut viewer = Viewer::default();
    let mut decoder = RegionDecoder::new().unwrap();
    let whole = RegionPx::whole(image.size);
    let full = decoder.decode(&jpeg, whole, Reduction::Full).unwrap();
    let pixels = full
        .rgbx
        .as_chunks::<4>()
        .0
        .iter()
        .flat_map(|&[r, g, b, _]| [r, g, b]);
    let decoded = RgbImage {
        size: image.size,
        pixels: pixels.collect(),
    };
    for (side_px, tolerance) in [(224, 1e-6), (64, 0.01)] {
        let recipe = Recipe::from(CropRecipe::moco_v1(side_px));
        let (mut greatest, mut sum): (f32, f64) = (0.0, 0.0);
        for record in 0..20 {
            let reduced = view(
                &mut viewer,
                StoredImage::Jpeg(&jpeg),
                &recipe,
                seed(0, record, 0),
            )
            .unwrap();
            let from_full = view(
                &mut viewer,
                StoredImage::Rgb(&decoded),
                &recipe,
                seed(0, record, 0),
            )
            .unwrap();
            for (a, b) in reduced.iter().zip(&from_full) {
                greatest = greatest.max((a - b).abs());
                sum += f64::from((a - b).abs());
            }
        }
        let mean = sum / (20 * recipe.num_values()) as f64;
        println!("{side_px} px: {greatest:.1e} at most, {mean:.1e} in the mean");
        assert!(mean < tolerance, "{side_px} px: {mean}");
    }
}
