//! Tracking: what one update costs, by tracker and by size of the target, and what the steps of `dcf` cost.
//! Throughput in updates. A frame is one of 640 x 360 px, 4:2:0; decoding one takes about 0.6 ms.

#![allow(clippy::expect_used)] // a bench stops where its input is not what it should be
#![allow(missing_docs)] // of `criterion_group!`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vidpairs_extract::track::{Steps, TrackFrame, TrackerKind, start};
use vidpairs_opencv::OpencvTrackers;
use vidpairs_types::{
    BoxXywh, ColorMatrix, ColorRange, Orientation, PlaneBytes, PlaneLayout, Planes, SizePx,
};

const FRAME: SizePx = SizePx {
    width: 640,
    height: 360,
};
/// Frames of the clip: the target goes there and back.
const NUM_FRAMES: usize = 16;

struct Drawn([Vec<u8>; 3]);

impl PlaneBytes for Drawn {
    fn plane(&self, plane: usize) -> &[u8] {
        &self.0[plane]
    }

    fn stride_bytes(&self, plane: usize) -> usize {
        PlaneLayout::Yuv420.plane_size(FRAME, plane).width as usize
    }
}

/// Waves and grain, and before them a square of `side` px with other waves, `at` px from the left.
fn frame(side: f64, at: f64) -> Planes {
    let plane = |plane: usize| {
        let size = PlaneLayout::Yuv420.plane_size(FRAME, plane);
        let px = f64::from(FRAME.width / size.width);
        let sample = |n: u32| {
            let x = f64::from(n % size.width) * px;
            let y = f64::from(n / size.width) * px;
            let (right, down) = (x - at, y - 100.0);
            let is_target = (0.0..side).contains(&right) && (0.0..side).contains(&down);
            let level = if is_target {
                30.0 * (right * 0.31).sin() + 30.0 * (down * 0.23 + right * 0.1).cos() + 20.0
            } else {
                20.0 * (x * 0.05).sin() + 20.0 * (y * 0.07 + x * 0.02).cos() - 10.0
            };
            (128.0 + level + f64::from(n * 7919 % 13)) as u8
        };
        (0..size.width * size.height).map(sample).collect()
    };
    Planes {
        stored_size: FRAME,
        layout: PlaneLayout::Yuv420,
        bit_depth: 8,
        range: ColorRange::Limited,
        matrix: ColorMatrix::Bt709,
        orientation: Orientation::default(),
        bytes: Box::new(Drawn([plane(0), plane(1), plane(2)])),
    }
}

/// A clip, and where its target begins.
fn clip(side: f64) -> (Vec<Planes>, BoxXywh) {
    let place = |n: usize| 200.0 + 2.0 * n.min(NUM_FRAMES - n) as f64;
    let frames = (0..NUM_FRAMES).map(|n| frame(side, place(n))).collect();
    let target = BoxXywh {
        x: place(0),
        y: 100.0,
        w: side,
        h: side,
    };
    (frames, target)
}

fn updates(c: &mut Criterion) {
    let mut group = c.benchmark_group("track/update");
    group.throughput(Throughput::Elements(1)); // updates
    for kind in TrackerKind::ALL {
        for side in [48, 96, 160] {
            let (frames, target) = clip(f64::from(side));
            let first = TrackFrame::new(&frames[0]);
            let mut tracker =
                start(*kind, &first, target, Some(&OpencvTrackers)).expect("a sound target");
            let mut next = 0;
            group.bench_function(BenchmarkId::new(kind.name(), side), |b| {
                b.iter(|| {
                    next = (next + 1) % NUM_FRAMES;
                    let frame = TrackFrame::new(&frames[next]);
                    tracker.update(black_box(&frame)).expect("same size")
                });
            });
        }
    }
}

fn steps(c: &mut Criterion) {
    let (frames, target) = clip(96.0);
    let first = TrackFrame::new(&frames[0]);
    let mut group = c.benchmark_group("track/dcf");
    group.throughput(Throughput::Elements(1)); // updates
    group.bench_function("start", |b| {
        b.iter(|| Steps::start(black_box(&first), target))
    });
    let mut steps = Steps::start(&first, target).expect("a target inside");
    group.bench_function("read", |b| b.iter(|| steps.read(black_box(&first))));
    group.bench_function("transform", |b| b.iter(|| steps.transform()));
    group.bench_function("find", |b| b.iter(|| steps.find()));
    group.bench_function("resize", |b| b.iter(|| steps.resize()));
    group.bench_function("learn", |b| b.iter(|| steps.learn()));
}

criterion_group!(benches, updates, steps);
criterion_main!(benches);
