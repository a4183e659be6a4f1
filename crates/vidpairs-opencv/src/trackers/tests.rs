use vidpairs_extract::track;
use vidpairs_types::{ColorMatrix, ColorRange, Orientation, PlaneBytes, PlaneLayout, Planes};

use super::*;

struct Luma(Vec<u8>, usize);

impl PlaneBytes for Luma {
    fn plane(&self, _plane: usize) -> &[u8] {
        &self.0
    }

    fn stride_bytes(&self, _plane: usize) -> usize {
        self.1
    }
}

const SIZE: SizePx = SizePx {
    width: 160,
    height: 120,
};

const OPENCVS: [TrackerKind; 3] = [TrackerKind::Kcf, TrackerKind::Csrt, TrackerKind::Mosse];

/// A number from 0 to 255 that looks like chance and is the same every time.
fn noise(x: i64, y: i64) -> u8 {
    let mixed = (x * 374_761_393 + y * 668_265_263).wrapping_mul(0x9e37_79b9_7f4a_7c15u64 as i64);
    (mixed >> 40) as u8
}

/// A square of coarse bright noise, its left top corner at (x, y), before fine dim noise.
fn square_at(size: SizePx, x: i64, y: i64, side: i64) -> Planes {
    let (width, height) = (i64::from(size.width), i64::from(size.height));
    let sample = |at: i64| {
        let (column, row) = (at % width, at / width);
        let (right, down) = (column - x, row - y);
        if (0..side).contains(&right) && (0..side).contains(&down) {
            let cell = (side / 8).max(1);
            80 + noise(right / cell, down / cell) / 2
        } else {
            40 + noise(column + 1000, row) / 8
        }
    };
    Planes {
        stored_size: size,
        layout: PlaneLayout::Gray,
        bit_depth: 8,
        range: ColorRange::Full,
        matrix: ColorMatrix::Bt601,
        orientation: Orientation::default(),
        bytes: Box::new(Luma(
            (0..width * height).map(sample).collect(),
            width as usize,
        )),
    }
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
fn each_of_them_follows_a_square_that_moves() {
    for kind in OPENCVS {
        let first = square_at(SIZE, 30, 40, 32);
        let mut tracker = track::start(
            kind,
            &TrackFrame::new(&first),
            square(30.0, 40.0, 32.0),
            Some(&crate::OpencvTrackers),
        )
        .unwrap();
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
fn what_was_asked_for_keeps_its_fraction_of_a_pixel_and_its_part_outside() {
    let first = square_at(SIZE, -10, 40, 40);
    let target = square(-10.25, 40.5, 40.0);
    for kind in OPENCVS {
        let mut tracker = track::start(
            kind,
            &TrackFrame::new(&first),
            target,
            Some(&crate::OpencvTrackers),
        )
        .unwrap();
        let seen = tracker.update(&TrackFrame::new(&first)).unwrap();
        let off = (seen.bbox.x - target.x)
            .abs()
            .max((seen.bbox.y - target.y).abs());
        assert!(off <= 2.0, "{kind:?}: {seen:?}");
        assert!((seen.bbox.w - 40.0).abs() < 4.0, "{kind:?}: {seen:?}");
    }
}

#[test]
fn a_target_that_is_gone_is_lost_where_it_was_last() {
    let (first, mut gone) = (square_at(SIZE, 60, 40, 32), square_at(SIZE, 60, 40, 32));
    // Nothing at all: the ground around the target's place would do for KCF.
    let nothing = vec![128; gone.bytes.plane(0).len()];
    gone.bytes = Box::new(Luma(nothing, SIZE.width as usize));
    for kind in [TrackerKind::Kcf, TrackerKind::Mosse] {
        let target = square(60.0, 40.0, 32.0);
        let mut tracker = track::start(
            kind,
            &TrackFrame::new(&first),
            target,
            Some(&crate::OpencvTrackers),
        )
        .unwrap();
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
fn targets_of_any_size_and_place_end_in_an_estimate_or_an_error() {
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
    for kind in OPENCVS {
        for size in [small, SIZE] {
            let planes = square_at(size, 2, 3, 8);
            for target in targets.map(BoxXywh::from) {
                let frame = TrackFrame::new(&planes);
                let Ok(mut tracker) =
                    track::start(kind, &frame, target, Some(&crate::OpencvTrackers))
                else {
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
fn a_frame_of_another_size_is_refused_and_the_next_one_is_not() {
    let larger = SizePx {
        width: 161,
        height: 120,
    };
    let first = square_at(SIZE, 60, 40, 32);
    for kind in OPENCVS {
        let target = square(60.0, 40.0, 32.0);
        let mut tracker = track::start(
            kind,
            &TrackFrame::new(&first),
            target,
            Some(&crate::OpencvTrackers),
        )
        .unwrap();
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
    for kind in OPENCVS {
        let target = square(157.0, 40.0, 32.0);
        let err = track::start(
            kind,
            &TrackFrame::new(&planes),
            target,
            Some(&crate::OpencvTrackers),
        )
        .err()
        .unwrap();
        assert!(matches!(err, TrackError::Target { .. }), "{err}");
    }
}

#[test]
fn the_picture_of_a_frame_is_made_once() {
    let planes = square_at(SIZE, 60, 40, 32);
    let frame = TrackFrame::new(&planes);
    let first: *const _ = image_of(&frame).unwrap();
    assert!(std::ptr::eq(first, image_of(&frame).unwrap()));
}
