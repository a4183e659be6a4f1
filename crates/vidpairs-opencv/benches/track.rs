//! Measures the time of one tracker update, by tracker and size of the target, and of the steps of `dcf`.
//! Throughput in updates. A frame has 640 x 360 px, 4:2:0; decoding one takes about 0.6 ms.

#![allow(missing_docs)] // of `criterion_group!`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vidpairs_extract::track::{Steps, TrackFrame, TrackerKind, start};
use vidpairs_fixtures::planes::drawn;
use vidpairs_opencv::OpencvTrackers;
use vidpairs_types::{BoxXywh, PlaneLayout, Planes, SizePx};

const FRAME: SizePx = SizePx {
    width: 640,
    height: 360,
};
/// Frames of the clip, in which the target moves to the right and back.
const NUM_FRAMES: usize = 16;

/// Waves and noise, and in front of them a square of `side` px with other waves, `at` px from the left.
fn frame(side: f64, at: f64) -> Planes {
    drawn(FRAME, PlaneLayout::Yuv420, 8, |plane, column, row| {
        let width = PlaneLayout::Yuv420.plane_size(FRAME, plane).width;
        let px = f64::from(FRAME.width / width);
        let (x, y) = (column as f64 * px, row as f64 * px);
        let (right, down) = (x - at, y - 100.0);
        let is_target = (0.0..side).contains(&right) && (0.0..side).contains(&down);
        let level = if is_target {
            30.0 * (right * 0.31).sin() + 30.0 * (down * 0.23 + right * 0.1).cos() + 20.0
        } else {
            20.0 * (x * 0.05).sin() + 20.0 * (y * 0.07 + x * 0.02).cos() - 10.0
        };
        let noise = (row * i64::from(width) + column) * 7919 % 13;
        (128.0 + level + noise as f64) as u16
    })
}

/// A clip, and the target's first box.
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
            let mut tracker = start(*kind, &first, target, Some(&OpencvTrackers))
                .expect("the target lies in the frame");
            let mut next = 0;
            group.bench_function(BenchmarkId::new(kind.name(), side), |b| {
                b.iter(|| {
                    next = (next + 1) % NUM_FRAMES;
                    let frame = TrackFrame::new(&frames[next]);
                    tracker
                        .update(black_box(&frame))
                        .expect("all frames have the same size")
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
    let mut steps = Steps::start(&first, target).expect("the target lies in the frame");
    group.bench_function("read", |b| b.iter(|| steps.read(black_box(&first))));
    group.bench_function("transform", |b| b.iter(|| steps.transform()));
    group.bench_function("find", |b| b.iter(|| steps.find()));
    group.bench_function("resize", |b| b.iter(|| steps.resize()));
    group.bench_function("learn", |b| b.iter(|| steps.learn()));
}

criterion_group!(benches, updates, steps);
criterion_main!(benches);
