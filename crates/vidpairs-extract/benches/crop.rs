//! What one image of a pair costs after decoding: scale the planes, convert, compress.

#![allow(clippy::expect_used)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vidpairs_extract::codec::{Codec, encode};
use vidpairs_extract::crop::Cropper;
use vidpairs_types::{
    ColorMatrix, ColorRange, Orientation, PlaneBytes, PlaneLayout, Planes, SizePx,
};

struct Synthetic(Vec<Vec<u8>>, Vec<usize>);

impl PlaneBytes for Synthetic {
    fn plane(&self, plane: usize) -> &[u8] {
        &self.0[plane]
    }

    fn stride_bytes(&self, plane: usize) -> usize {
        self.1[plane]
    }
}

/// A 4:2:0 frame of smooth waves, rows padded as a decoder pads them.
fn frame(size: SizePx) -> Planes {
    let (mut samples, mut strides) = (Vec::new(), Vec::new());
    for plane in 0..3 {
        let plane_size = PlaneLayout::Yuv420.plane_size(size, plane);
        let stride = plane_size.width as usize + 64;
        let wave = |at: usize| {
            let (x, y) = ((at % stride) as f32, (at / stride) as f32);
            (128.0 + 60.0 * (x * 0.07).sin() + 50.0 * (y * 0.11 + plane as f32).cos()) as u8
        };
        samples.push((0..stride * plane_size.height as usize).map(wave).collect());
        strides.push(stride);
    }
    Planes {
        stored_size: size,
        layout: PlaneLayout::Yuv420,
        bit_depth: 8,
        range: ColorRange::Limited,
        matrix: ColorMatrix::Bt709,
        orientation: Orientation::default(),
        bytes: Box::new(Synthetic(samples, strides)),
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
