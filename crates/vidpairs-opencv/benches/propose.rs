//! Measures the time to propose regions in one frame: the cost of each anchor of an extraction. For comparison, decoding a frame
//! of 640 x 360 px takes about 0.6 ms.

#![allow(missing_docs)] // of `criterion_group!`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vidpairs_extract::propose::{ProposalRules, ProposerKind, propose};
use vidpairs_fixtures::planes::drawn;
use vidpairs_opencv::OpencvTrackers;
use vidpairs_types::{PlaneLayout, Planes, Seed, SizePx};

/// A 4:2:0 frame of waves and noise with sixty patches of other colours, shifted by the share `shift` of
/// its width.
fn frame(size: SizePx, shift: f32) -> Planes {
    drawn(size, PlaneLayout::Yuv420, 8, |plane, column, row| {
        let plane_size = PlaneLayout::Yuv420.plane_size(size, plane);
        let x = column as f32 / plane_size.width as f32 + shift;
        let y = row as f32 / plane_size.height as f32;
        let waves = 30.0 * (x * 9.0).sin() + 20.0 * (y * 7.0 + x * 3.0).cos();
        let (right, down) = ((x * 10.0).fract(), (y * 6.0).fract());
        let is_patch = right > 0.2 && right < 0.7 && down > 0.3 && down < 0.8;
        let patch = (x * 10.0).floor() * 37.0 + (y * 6.0).floor() * 91.0;
        let color = ((patch + plane as f32 * 53.0) % 100.0) - 50.0;
        let noise = ((row * 1000 + column) * 7919 % 13) as f32 - 6.0;
        (120.0 + waves + if is_patch { color } else { 0.0 } + noise) as u16
    })
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
