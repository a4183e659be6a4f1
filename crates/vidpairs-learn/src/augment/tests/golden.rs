//! Compares views with torchvision's for the same parameters. scripts/golden/augment.py made the expected numbers.

use serde_json::Value;
use vidpairs_image::jpeg::{Reduction, RegionDecoder};
use vidpairs_types::{RegionPx, RgbImage, SizePx};

use super::super::*;

/// Greatest difference of a normalised sample from torchvision's float tensors: both compute in single precision, in different
/// orders.
const TOLERANCE: f32 = 2e-5;

fn read(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/augment");
    std::fs::read(format!("{folder}/{name}")).unwrap()
}

pub fn image() -> RgbImage {
    RgbImage {
        size: SizePx {
            width: 48,
            height: 40,
        },
        pixels: read("image.rgb"),
    }
}

pub fn jpeg() -> Vec<u8> {
    read("image.jpg")
}

struct Case {
    name: String,
    recipe: Recipe,
    params: ViewParams,
    /// Normalised samples of torchvision's float pipeline.
    floats: Vec<f32>,
    /// Levels of torchvision's byte pipeline, 0 to 255.
    levels: Vec<u8>,
}

fn cases() -> Vec<Case> {
    let (floats, levels) = (read("views.f32"), read("views.u8"));
    let floats: Vec<f32> = floats
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect();
    let listed: Value = serde_json::from_slice(&read("cases.json")).unwrap();
    let case = |case: &Value| {
        let (recipe, params) = parse(case);
        let (start, len) = (number(case, "start"), number(case, "len"));
        assert_eq!(recipe.num_values(), len as usize);
        let range = start as usize..(start + len) as usize;
        Case {
            name: case["name"].as_str().unwrap().to_owned(),
            recipe,
            params,
            floats: floats[range.clone()].to_vec(),
            levels: levels[range].to_vec(),
        }
    };
    listed["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(case)
        .collect()
}

fn number(value: &Value, key: &str) -> u32 {
    value[key].as_u64().unwrap() as u32
}

fn parse(case: &Value) -> (Recipe, ViewParams) {
    let side_px = number(case, "side_px");
    match case["kind"].as_str().unwrap() {
        "squash" => (Recipe::Squash { side_px }, ViewParams::Fixed),
        "center-crop" => {
            let short_side_px = number(case, "short_side_px");
            let recipe = Recipe::CenterCrop {
                side_px,
                short_side_px,
            };
            (recipe, ViewParams::Fixed)
        }
        "jigsaw" => {
            let mut recipe = JigsawRecipe::pirl(side_px);
            recipe.cell_px = number(case, "cell_px");
            let patches: Vec<PatchParams> = case["patches"]
                .as_array()
                .unwrap()
                .iter()
                .map(|patch| PatchParams {
                    left_px: number(patch, "left_px"),
                    top_px: number(patch, "top_px"),
                    color: color(patch),
                })
                .collect();
            let params = JigsawParams {
                crop: crop(case),
                patches: patches.try_into().unwrap(),
            };
            (recipe.into(), ViewParams::Jigsaw(params))
        }
        _ => {
            let mut recipe = CropRecipe::moco_v2(side_px);
            if case["order"] == "grayscale-then-jitter" {
                recipe.color.order = ColorOrder::GrayscaleThenJitter;
            }
            recipe.color.blur.as_mut().unwrap().kernel_px = number(case, "kernel_px");
            let params = ViewParams::Crop {
                crop: crop(case),
                color: color(case),
            };
            (recipe.into(), params)
        }
    }
}

fn crop(case: &Value) -> CropParams {
    let [x, y, width, height] = [0, 1, 2, 3].map(|n| case["region"][n].as_u64().unwrap() as u32);
    CropParams {
        region: RegionPx {
            x,
            y,
            width,
            height,
        },
        is_flipped: case["is_flipped"].as_bool().unwrap(),
    }
}

fn color(case: &Value) -> ColorParams {
    let jitter = &case["jitter"];
    let factor = |key: &str| jitter[key].as_f64().unwrap();
    ColorParams {
        jitter: (!jitter.is_null()).then(|| JitterParams {
            order: [0, 1, 2, 3]
                .map(|n| JitterOp::ALL[jitter["order"][n].as_u64().unwrap() as usize]),
            brightness: factor("brightness"),
            contrast: factor("contrast"),
            saturation: factor("saturation"),
            hue: factor("hue"),
        }),
        is_gray: case["is_gray"].as_bool().unwrap(),
        blur_sigma_px: case["sigma_px"].as_f64(),
    }
}

fn rendered(case: &Case) -> Vec<f32> {
    let mut view = vec![f32::NAN; case.recipe.num_values()];
    Viewer::default()
        .render_with(
            StoredImage::Rgb(&image()),
            &case.recipe,
            &case.params,
            Samples::F32(&mut view),
        )
        .unwrap();
    view
}

fn greatest_difference(a: &[f32], b: impl IntoIterator<Item = f32>) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .max_by(f32::total_cmp)
        .unwrap()
}

#[test]
fn every_operation_and_view_equals_that_of_torchvision_on_floats() {
    let mut greatest: f32 = 0.0;
    for case in cases() {
        let difference = greatest_difference(&rendered(&case), case.floats.iter().copied());
        println!("{difference:.1e} {}", case.name);
        greatest = greatest.max(difference);
        assert!(difference < TOLERANCE, "{}: {difference}", case.name);
    }
    println!("{greatest:.1e} at most");
}

/// On bytes torchvision rounds to whole levels after every operation; we never do. The errors add up.
#[test]
fn one_operation_differs_from_torchvision_on_bytes_by_two_levels_at_most_and_four_by_eight() {
    for case in cases() {
        let level = |(n, &sample): (usize, &f32)| (sample * STD[n % 3] + MEAN[n % 3]) * 255.0;
        let ours: Vec<f32> = rendered(&case).iter().enumerate().map(level).collect();
        let theirs = case.levels.iter().map(|&level| f32::from(level));
        let difference = greatest_difference(&ours, theirs);
        println!("{difference:.2} {}", case.name);
        let is_whole_view = case.name.starts_with("MoCo") || case.name.starts_with("PIRL");
        let most = if is_whole_view { 8.0 } else { 2.0 };
        assert!(difference <= most, "{}: {difference}", case.name);
    }
}

#[test]
fn a_jpeg_decodes_to_the_bytes_of_torchvision() {
    let mut decoder = RegionDecoder::new().unwrap();
    let whole = RegionPx::whole(image().size);
    let jpeg = jpeg();
    let decoded = decoder.decode(&jpeg, whole, Reduction::Full).unwrap();
    let rgb: Vec<u8> = decoded
        .rgbx
        .as_chunks::<4>()
        .0
        .iter()
        .flat_map(|&[r, g, b, _]| [r, g, b])
        .collect();
    assert!(rgb == read("decoded.rgb"));
}
