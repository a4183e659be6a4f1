use vidpairs_extract::track;
use vidpairs_fixtures::planes::{drawn, noise};
use vidpairs_types::{PlaneLayout, Planes};

use super::*;
use crate::OpencvTrackers;

const SIZE: SizePx = SizePx {
    width: 160,
    height: 120,
};

const KINDS: [TrackerKind; 3] = [TrackerKind::Kcf, TrackerKind::Csrt, TrackerKind::Mosse];

/// A square of coarse bright noise with the left top corner (x, y), on fine dim noise.
fn square_at(size: SizePx, x: i64, y: i64, side: i64) -> Planes {
    drawn(size, PlaneLayout::Gray, 8, |_, column, row| {
        let (right, down) = (column - x, row - y);
        if (0..side).contains(&right) && (0..side).contains(&down) {
            let cell = (side / 8).max(1);
            80 + u16::from(noise(right / cell, down / cell)) / 2
        } else {
            40 + u16::from(noise(column + 1000, row)) / 8
        }
    })
}

fn start(
    kind: TrackerKind,
    planes: &Planes,
    target: BoxXywh,
) -> Result<Box<dyn Tracker>, TrackError> {
    track::start(
        kind,
        &TrackFrame::new(planes),
        target,
        Some(&OpencvTrackers),
    )
}

fn square(x: f64, y: f64, side: f64) -> BoxXywh {
    BoxXywh {
        x,
        y,
        w: side,
        h: side,
    }
}

#[test]
fn every_tracker_follows_a_moving_square() {
    for kind in KINDS {
        let first = square_at(SIZE, 30, 40, 32);
        let mut tracker = start(kind, &first, square(30.0, 40.0, 32.0)).unwrap();
        for step in 1..=20i64 {
            let (x, y) = (30 + 3 * step, 40 + step);
            let planes = square_at(SIZE, x, y, 32);
            let seen = tracker.update(&TrackFrame::new(&planes)).unwrap();
            assert!(
                !seen.is_lost && seen.confidence == 1.0,
                "{kind:?}: {seen:?}"
            );
            let off = (seen.bbox.x - x as f64)
                .abs()
                .max((seen.bbox.y - y as f64).abs());
            assert!(off < 6.0, "{kind:?} is {off} px off in step {step}");
        }
    }
}

#[test]
fn a_target_keeps_its_subpixel_position_and_its_part_outside_the_frame() {
    let first = square_at(SIZE, -10, 40, 40);
    let target = square(-10.25, 40.5, 40.0);
    for kind in KINDS {
        let mut tracker = start(kind, &first, target).unwrap();
        let seen = tracker.update(&TrackFrame::new(&first)).unwrap();
        let off = (seen.bbox.x - target.x)
            .abs()
            .max((seen.bbox.y - target.y).abs());
        assert!(off <= 2.0, "{kind:?}: {seen:?}");
        assert!((seen.bbox.w - 40.0).abs() < 4.0, "{kind:?}: {seen:?}");
    }
}

#[test]
fn a_lost_target_keeps_its_last_box() {
    let first = square_at(SIZE, 60, 40, 32);
    // A flat frame: KCF would accept the textured ground as the target.
    let gone = drawn(SIZE, PlaneLayout::Gray, 8, |_, _, _| 128);
    for kind in [TrackerKind::Kcf, TrackerKind::Mosse] {
        let target = square(60.0, 40.0, 32.0);
        let mut tracker = start(kind, &first, target).unwrap();
        let seen = tracker.update(&TrackFrame::new(&gone)).unwrap();
        let expected = Estimate {
            bbox: target,
            confidence: 0.0,
            psr: None,
            is_lost: true,
        };
        assert_eq!(seen, expected, "{kind:?}");
    }
}

#[test]
fn targets_of_any_size_and_position_give_an_estimate_or_an_error() {
    let small = SizePx {
        width: 16,
        height: 16,
    };
    let targets = [
        [2.0, 3.0, 4.0, 4.0],
        [0.0, 0.0, 16.0, 16.0],
        [11.5, 11.5, 30.0, 30.0],
        [-20.0, 4.0, 25.0, 4.2],
        [-500.0, -500.0, 1e4, 1e4],
        [5.0, 0.0, 4.0, 16.0],
    ];
    for kind in KINDS {
        for size in [small, SIZE] {
            let planes = square_at(size, 2, 3, 8);
            for target in targets.map(BoxXywh::from) {
                let Ok(mut tracker) = start(kind, &planes, target) else {
                    continue;
                };
                for shift in 0..4 {
                    let planes = square_at(size, 2 + shift, 3, 8);
                    let Ok(seen) = tracker.update(&TrackFrame::new(&planes)) else {
                        break;
                    };
                    assert!(seen.bbox.is_valid(), "{kind:?} on {target:?}: {seen:?}");
                }
            }
        }
    }
}

#[test]
fn a_frame_of_another_size_is_refused_and_the_next_frame_is_tracked() {
    let larger = SizePx {
        width: 161,
        height: 120,
    };
    let first = square_at(SIZE, 60, 40, 32);
    for kind in KINDS {
        let target = square(60.0, 40.0, 32.0);
        let mut tracker = start(kind, &first, target).unwrap();
        let other = square_at(larger, 60, 40, 32);
        let err = tracker.update(&TrackFrame::new(&other)).unwrap_err();
        assert_eq!(
            err.to_string(),
            "a frame of 161 x 120 px follows frames of 160 x 120 px"
        );
        assert!(!tracker.update(&TrackFrame::new(&first)).unwrap().is_lost);
    }
}

#[test]
fn a_target_outside_the_frame_is_refused() {
    let planes = square_at(SIZE, 60, 40, 32);
    for kind in KINDS {
        let target = square(157.0, 40.0, 32.0);
        let err = start(kind, &planes, target).err().unwrap();
        assert!(matches!(err, TrackError::Target { .. }), "{err}");
    }
}

#[test]
fn a_frame_is_converted_once() {
    let planes = square_at(SIZE, 60, 40, 32);
    let frame = TrackFrame::new(&planes);
    let first: *const _ = image_of(&frame).unwrap();
    assert!(std::ptr::eq(first, image_of(&frame).unwrap()));
}
