//! Time of a view by recipe and side, and of its parts. Throughput is in views, on one core. The image is synthetic, of 376 x
//! 256 px, as JPEG of quality 92 and 4:2:0; `scripts/benchmarks/views.py` compares real images with torchvision.

#![allow(clippy::expect_used)] // a bench stops if its input is wrong
#![allow(missing_docs)] // items of `criterion_group!`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vidpairs_image::jpeg::{Reduction, RegionDecoder, compress};
use vidpairs_learn::augment::{
    ColorParams, CropParams, CropRecipe, JigsawRecipe, JitterOp, JitterParams, Recipe, Samples,
    StoredImage, ViewParams, Viewer,
};
use vidpairs_types::{RegionPx, RgbImage, Seed, SizePx};

const SIZE: SizePx = SizePx {
    width: 376,
    height: 256,
};

/// Waves and grain, which compress to about as many bytes as a frame of a film.
fn picture() -> RgbImage {
    let pixel = |at: u32| {
        let (x, y) = (f64::from(at % SIZE.width), f64::from(at / SIZE.width));
        let wave = |a: f64, b: f64| 128.0 + 90.0 * (x * a + y * b).sin();
        let grain = f64::from(at * 7919 % 13);
        [wave(0.05, 0.02), wave(0.02, -0.06), wave(-0.03, 0.09)].map(|level| (level + grain) as u8)
    };
    RgbImage {
        size: SIZE,
        pixels: (0..SIZE.width * SIZE.height).flat_map(pixel).collect(),
    }
}

fn views(c: &mut Criterion) {
    let jpeg = compress(&picture(), 92).expect("compresses");
    let mut group = c.benchmark_group("augment/view");
    group.throughput(Throughput::Elements(1)); // views
    let recipes: [(&str, Recipe); 8] = [
        ("moco-v2/224", CropRecipe::moco_v2(224).into()),
        ("moco-v2/112", CropRecipe::moco_v2(112).into()),
        ("moco-v2/64", CropRecipe::moco_v2(64).into()),
        ("moco-v1/224", CropRecipe::moco_v1(224).into()),
        ("pirl-image/224", CropRecipe::pirl_image(224).into()),
        ("pirl-jigsaw/64", JigsawRecipe::pirl(64).into()),
        ("squash/128", Recipe::Squash { side_px: 128 }),
        (
            "center-crop/224",
            Recipe::CenterCrop {
                side_px: 224,
                short_side_px: 256,
            },
        ),
    ];
    for (name, recipe) in recipes {
        let mut viewer = Viewer::default();
        let mut samples = vec![0.0; recipe.num_values()];
        let mut record = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                // Each view has new parameters, as its time depends on them.
                record += 1;
                let seed = Seed::of_run(0).for_view(0, record, 0);
                let room = Samples::F32(&mut samples);
                viewer
                    .render(StoredImage::Jpeg(black_box(&jpeg)), &recipe, seed, room)
                    .expect("renders");
            });
        });
    }
}

/// Decoding a JPEG, and a square of 200 px resized to 224 px with one further operation.
fn parts(c: &mut Criterion) {
    let image = picture();
    let jpeg = compress(&image, 92).expect("compresses");
    let region = RegionPx {
        x: 90,
        y: 30,
        width: 200,
        height: 200,
    };
    let mut group = c.benchmark_group("augment/part");
    group.throughput(Throughput::Elements(1)); // views
    let mut decoder = RegionDecoder::new().expect("memory");
    for (name, region, reduction) in [
        ("whole", RegionPx::whole(SIZE), Reduction::Full),
        ("region", region, Reduction::Full),
        ("region-by-half", region, Reduction::Half),
    ] {
        group.bench_function(BenchmarkId::new("decode", name), |b| {
            b.iter(|| {
                let part = decoder.decode(black_box(&jpeg), region, reduction);
                black_box(part.expect("decodes").size)
            });
        });
    }
    let plain = JitterParams {
        order: JitterOp::ALL,
        brightness: 1.2,
        contrast: 0.8,
        saturation: 1.3,
        hue: 0.07,
    };
    let keep = ColorParams::UNCHANGED;
    let colors = [
        ("resize", keep),
        (
            "resize-jitter",
            ColorParams {
                jitter: Some(plain),
                ..keep
            },
        ),
        (
            "resize-grayscale",
            ColorParams {
                is_gray: true,
                ..keep
            },
        ),
        (
            "resize-blur",
            ColorParams {
                blur_sigma_px: Some(1.0),
                ..keep
            },
        ),
    ];
    let recipe = Recipe::from(CropRecipe::moco_v2(224));
    let mut viewer = Viewer::default();
    let mut single = vec![0.0; recipe.num_values()];
    let mut half = vec![0; recipe.num_values()];
    let crop = CropParams {
        region,
        is_flipped: true,
    };
    for (name, color) in colors {
        let params = ViewParams::Crop { crop, color };
        group.bench_function(name, |b| {
            b.iter(|| {
                let stored = StoredImage::Rgb(black_box(&image));
                let room = Samples::F32(&mut single);
                viewer
                    .render_with(stored, &recipe, &params, room)
                    .expect("renders");
            });
        });
    }
    let params = ViewParams::Crop { crop, color: keep };
    group.bench_function("resize-bf16", |b| {
        b.iter(|| {
            let stored = StoredImage::Rgb(black_box(&image));
            let room = Samples::Bf16(&mut half);
            viewer
                .render_with(stored, &recipe, &params, room)
                .expect("renders");
        });
    });
}

criterion_group!(benches, views, parts);
criterion_main!(benches);
