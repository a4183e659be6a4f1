//! Measures the cost of one image of a pair after decoding: scale the planes, convert, compress.

#![allow(missing_docs)] // of `criterion_group!`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vidpairs_extract::codec::{Codec, encode};
use vidpairs_extract::crop::Cropper;
use vidpairs_fixtures::planes::drawn;
use vidpairs_types::{ColorMatrix, ColorRange, PlaneLayout, Planes, SizePx};

/// A 4:2:0 frame of smooth waves.
fn frame(size: SizePx) -> Planes {
    Planes {
        range: ColorRange::Limited,
        matrix: ColorMatrix::Bt709,
        ..drawn(size, PlaneLayout::Yuv420, 8, |plane, x, y| {
            let (x, y) = (x as f32, y as f32);
            (128.0 + 60.0 * (x * 0.07).sin() + 50.0 * (y * 0.11 + plane as f32).cos()) as u16
        })
    }
}

fn crop_and_encode(c: &mut Criterion) {
    let sizes = [(640, 360), (1280, 720), (1920, 1080)];
    for (width, height) in sizes {
        let planes = frame(SizePx { width, height });
        let mut cropper = Cropper::default();
        let image = cropper
            .crop(&planes, None, 256)
            .expect("a whole frame can be cropped");
        let name = BenchmarkId::from_parameter(format!("{width}x{height}"));
        let mut group = c.benchmark_group("crop/short_side_256");
        group.throughput(Throughput::Elements(1)); // images
        group.bench_function(name.clone(), |b| {
            b.iter(|| cropper.crop(black_box(&planes), None, 256));
        });
        group.finish();
        let mut group = c.benchmark_group("codec/jpeg_92");
        group.throughput(Throughput::Elements(1)); // images
        group.bench_function(name, |b| {
            b.iter(|| encode(black_box(&image), Codec::Jpeg { quality: 92 }));
        });
    }
}

criterion_group!(benches, crop_and_encode);
criterion_main!(benches);
