//! Proposing regions of one frame: what an extraction pays for each anchor. Decoding a frame of 640 x 360 px
//! takes about 0.6 ms.

#![allow(clippy::expect_used)] // a bench stops where its input is not what it should be
#![allow(missing_docs)] // of `criterion_group!`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vidpairs_extract::propose::{ProposalRules, ProposerKind, propose};
use vidpairs_opencv::OpencvTrackers;
use vidpairs_types::{
    ColorMatrix, ColorRange, Orientation, PlaneBytes, PlaneLayout, Planes, Seed, SizePx,
};

struct Drawn(Vec<Vec<u8>>, Vec<usize>);

impl PlaneBytes for Drawn {
    fn plane(&self, plane: usize) -> &[u8] {
        &self.0[plane]
    }

    fn stride_bytes(&self, plane: usize) -> usize {
        self.1[plane]
    }
}

/// A 4:2:0 frame of waves and grain with sixty patches of other colours on it, moved by `shift` shares of
/// its width; rows padded as a decoder pads them.
fn frame(size: SizePx, shift: f32) -> Planes {
    let (mut samples, mut strides) = (Vec::new(), Vec::new());
    for plane in 0..3 {
        let plane_size = PlaneLayout::Yuv420.plane_size(size, plane);
        let stride = plane_size.width as usize + 64;
        let sample = |at: usize| {
            let x = (at % stride) as f32 / plane_size.width as f32 + shift;
            let y = (at / stride) as f32 / plane_size.height as f32;
            let waves = 30.0 * (x * 9.0).sin() + 20.0 * (y * 7.0 + x * 3.0).cos();
            let (column, row) = ((x * 10.0).floor(), (y * 6.0).floor());
            let (right, down) = (x * 10.0 - column, y * 6.0 - row);
            let is_patch = right > 0.2 && right < 0.7 && down > 0.3 && down < 0.8;
            let color = ((column * 37.0 + row * 91.0 + plane as f32 * 53.0) % 100.0) - 50.0;
            let grain = (at * 7919 % 13) as f32 - 6.0;
            (120.0 + waves + if is_patch { color } else { 0.0 } + grain) as u8
        };
        samples.push(
            (0..stride * plane_size.height as usize)
                .map(sample)
                .collect(),
        );
        strides.push(stride);
    }
    Planes {
        stored_size: size,
        layout: PlaneLayout::Yuv420,
        bit_depth: 8,
        range: ColorRange::Limited,
        matrix: ColorMatrix::Bt709,
        orientation: Orientation::default(),
        bytes: Box::new(Drawn(samples, strides)),
    }
}

fn propose_regions(c: &mut Criterion) {
    let rules = ProposalRules::default();
    for (width, height) in [(640, 360), (1280, 720), (1920, 1080)] {
        let size = SizePx { width, height };
        let (planes, later) = (frame(size, 0.0), frame(size, 0.01));
        for &kind in ProposerKind::ALL {
            let is_slow = kind == ProposerKind::SelectiveSearch;
            if is_slow && width > 640 {
                continue;
            }
            let mut group = c.benchmark_group(format!("propose/{}", kind.name()));
            group.throughput(Throughput::Elements(1)); // frames
            group.sample_size(if is_slow { 10 } else { 50 });
            for (name, neighbor) in [("alone", None), ("with neighbour", Some(&later))] {
                if neighbor.is_some() && kind != ProposerKind::Fast {
                    continue;
                }
                let id = BenchmarkId::new(name, format!("{width}x{height}"));
                group.bench_function(id, |b| {
                    b.iter(|| {
                        let seed = Seed::of_run(0);
                        let opencv = Some(&OpencvTrackers as _);
                        propose(kind, black_box(&planes), neighbor, &rules, seed, opencv)
                    });
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, propose_regions);
criterion_main!(benches);
