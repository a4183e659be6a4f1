use proptest::prelude::*;
use vidpairs_fixtures::planes::{OwnedPlanes, drawn, noise};
use vidpairs_types::{ColorRange, Orientation, PlaneLayout};

use super::*;

const SIZE: SizePx = SizePx {
    width: 320,
    height: 240,
};

/// A full-range frame of 8 bits; `sample` gives the sample of a plane at (x, y) of that plane.
fn frame(size: SizePx, layout: PlaneLayout, sample: impl Fn(usize, i64, i64) -> u8) -> Planes {
    drawn(size, layout, 8, |plane, x, y| sample(plane, x, y).into())
}

fn is_in(bbox: BoxXywh, x: i64, y: i64) -> bool {
    let inside = |at: i64, start: f64, len: f64| (start..start + len).contains(&(at as f64));
    inside(x, bbox.x, bbox.w) && inside(y, bbox.y, bbox.h)
}

const OBJECT: BoxXywh = BoxXywh {
    x: 90.0,
    y: 80.0,
    w: 80.0,
    h: 60.0,
};

/// A bright textured object on a dark plain ground.
fn object(x: i64, y: i64) -> u8 {
    if is_in(OBJECT, x, y) {
        170 + noise(x / 6, y / 6) / 4
    } else {
        40
    }
}

/// A ground of large smooth patches.
fn ground(x: i64, y: i64) -> f64 {
    let (x, y) = (x as f64, y as f64);
    110.0 + 30.0 * (x * 0.045).sin() * (y * 0.06).cos() + 15.0 * (x * 0.02 + y * 0.11).sin()
}

fn best(kind: ProposerKind, frame: &Planes) -> Vec<Proposal> {
    let rules = ProposalRules::default();
    propose(kind, frame, None, &rules, Seed::of_run(0), None).unwrap()
}

/// Kinds that need no OpenCV.
fn own_kinds() -> impl Iterator<Item = ProposerKind> {
    let kinds = ProposerKind::ALL.iter().copied();
    kinds.filter(|kind| !kind.is_opencv())
}

#[test]
fn a_lone_bright_textured_object_on_a_plain_ground_is_the_first_proposal() {
    let planes = frame(SIZE, PlaneLayout::Gray, |_, x, y| object(x, y));
    for kind in own_kinds().filter(|&kind| kind != ProposerKind::Grid) {
        let found = best(kind, &planes);
        let overlap = found.first().unwrap().bbox.iou(OBJECT);
        assert!(overlap > 0.8, "{kind:?}: {found:?}");
    }
}

#[test]
fn an_object_is_found_by_its_colour_alone() {
    let planes = frame(SIZE, PlaneLayout::Yuv420, |plane, x, y| match plane {
        0 => 100 + noise(x / 4, y / 4) / 16,
        _ if is_in(OBJECT, 2 * x, 2 * y) => 180,
        _ => 128,
    });
    let found = best(ProposerKind::Fast, &planes);
    assert!(found[0].bbox.iou(OBJECT) > 0.8, "{found:?}");
}

#[test]
fn a_flat_frame_gives_no_proposal() {
    let planes = frame(SIZE, PlaneLayout::Yuv420, |_, _, _| 90);
    for kind in own_kinds() {
        assert_eq!(best(kind, &planes), [], "{kind:?}");
    }
}

#[test]
fn a_region_that_moves_against_the_camera_comes_before_an_equal_one_that_does_not() {
    // The camera moves by 6 px. Of two equal squares, one moves with the scene, the other against it.
    let square = |x: f64| BoxXywh {
        x,
        y: 90.0,
        w: 60.0,
        h: 60.0,
    };
    let scene = |camera: i64, own: i64| {
        frame(SIZE, PlaneLayout::Gray, move |_, x, y| {
            let (still, moving) = (square(50.0 + camera as f64), square(200.0 + own as f64));
            if is_in(still, x, y) {
                180 + noise((x - camera) / 6, y / 6) / 4
            } else if is_in(moving, x, y) {
                180 + noise((x - own) / 6, y / 6) / 4
            } else {
                ground(x - camera, y) as u8 + noise((x - camera) / 3, y / 3) / 8
            }
        })
    };
    let (now, later) = (scene(0, 0), scene(6, -6));
    let rules = ProposalRules::default();
    let found = propose(
        ProposerKind::Fast,
        &now,
        Some(&later),
        &rules,
        Seed::of_run(0),
        None,
    )
    .unwrap();
    assert!(found[0].bbox.iou(square(200.0)) > 0.7, "{found:?}");
    // Without the neighbour, both are found.
    let still = best(ProposerKind::Fast, &now);
    for x in [50.0, 200.0] {
        let is_found = still[..2].iter().any(|one| one.bbox.iou(square(x)) > 0.7);
        assert!(is_found, "{still:?}");
    }
}

#[test]
fn the_same_frame_gives_bit_identical_proposals() {
    let scene = |shift: i64| {
        frame(SIZE, PlaneLayout::Yuv420, move |plane, x, y| {
            noise((x + shift) / (9 + plane as i64), y / 11)
        })
    };
    for kind in own_kinds() {
        let bits = || {
            let rules = ProposalRules {
                count: 30,
                ..ProposalRules::default()
            };
            let (now, later) = (scene(0), scene(3));
            let found = propose(kind, &now, Some(&later), &rules, Seed::of_run(5), None).unwrap();
            assert!(!found.is_empty(), "{kind:?}");
            let numbers = |one: &Proposal| {
                let [x, y, w, h] = one.bbox.into();
                [x, y, w, h, one.score].map(f64::to_bits)
            };
            found.iter().map(numbers).collect::<Vec<_>>()
        };
        assert_eq!(bits(), bits(), "{kind:?}");
    }
}

#[test]
fn only_the_grid_draws_from_the_seed() {
    let planes = frame(SIZE, PlaneLayout::Gray, |_, x, y| noise(x / 9, y / 11));
    let rules = ProposalRules::default();
    for kind in own_kinds() {
        let with = |seed| propose(kind, &planes, None, &rules, Seed::of_run(seed), None).unwrap();
        assert_eq!(with(1) == with(2), kind != ProposerKind::Grid, "{kind:?}");
    }
}

#[test]
fn ten_bits_and_limited_range_give_the_boxes_of_eight_bits_and_full_range() {
    let eight = frame(SIZE, PlaneLayout::Gray, |_, x, y| object(x, y));
    let ten = drawn(SIZE, PlaneLayout::Gray, 10, |_, x, y| {
        u16::from(object(x, y)) << 2
    });
    assert_eq!(
        best(ProposerKind::Fast, &ten),
        best(ProposerKind::Fast, &eight)
    );
    let limited = |_: usize, x: i64, y: i64| (16 + u32::from(object(x, y)) * 219 / 255) as u8;
    let limited = Planes {
        range: ColorRange::Limited,
        ..frame(SIZE, PlaneLayout::Gray, limited)
    };
    let (first, expected) = (
        best(ProposerKind::Fast, &limited),
        best(ProposerKind::Fast, &eight),
    );
    assert!(
        first[0].bbox.iou(expected[0].bbox) > 0.95,
        "{first:?}, {expected:?}"
    );
}

#[test]
fn a_turned_frame_gives_the_boxes_of_the_upright_one() {
    let expected = best(
        ProposerKind::Fast,
        &frame(SIZE, PlaneLayout::Gray, |_, x, y| object(x, y)),
    );
    let (right, bottom) = (i64::from(SIZE.width) - 1, i64::from(SIZE.height) - 1);
    for quarter_turns in 0..4 {
        for mirrored in [false, true] {
            let orientation = Orientation {
                mirrored,
                quarter_turns,
            };
            let stored_size = orientation.applied_to(SIZE);
            let sample = |_: usize, x: i64, y: i64| {
                let x = if mirrored {
                    i64::from(stored_size.width) - 1 - x
                } else {
                    x
                };
                // Position of the stored px after the clockwise turns.
                let (x, y) = match quarter_turns {
                    0 => (x, y),
                    1 => (right - y, x),
                    2 => (right - x, bottom - y),
                    _ => (y, bottom - x),
                };
                object(x, y)
            };
            let planes = Planes {
                orientation,
                ..frame(stored_size, PlaneLayout::Gray, sample)
            };
            assert_eq!(
                best(ProposerKind::Fast, &planes),
                expected,
                "{orientation:?}"
            );
        }
    }
}

#[test]
fn a_neighbour_of_another_size_and_a_short_plane_are_errors() {
    let planes = frame(SIZE, PlaneLayout::Gray, |_, x, y| object(x, y));
    let small = SizePx {
        width: 319,
        height: 240,
    };
    let other = frame(small, PlaneLayout::Gray, |_, x, y| object(x, y));
    let rules = ProposalRules::default();
    let with = |planes: &Planes, other: &Planes| {
        let seed = Seed::of_run(0);
        let found = propose(ProposerKind::Fast, planes, Some(other), &rules, seed, None);
        found.unwrap_err().to_string()
    };
    assert_eq!(
        with(&planes, &other),
        "a frame of 319 x 240 px is no neighbour of one of 320 x 240 px"
    );
    let short = Planes {
        bytes: Box::new(OwnedPlanes(vec![(vec![0; 1000], 320)])),
        ..frame(SIZE, PlaneLayout::Gray, |_, _, _| 0)
    };
    assert_eq!(
        with(&short, &planes),
        "plane 0 of a frame of 320 x 240 px has 1000 bytes, fewer than its rows need"
    );
}

#[test]
fn a_program_without_opencv_refuses_selective_search_by_name() {
    let planes = frame(SIZE, PlaneLayout::Gray, |_, x, y| object(x, y));
    let kind = ProposerKind::SelectiveSearch;
    let rules = ProposalRules::default();
    let err = propose(kind, &planes, None, &rules, Seed::of_run(0), None).unwrap_err();
    assert!(
        err.to_string().contains("selective-search are OpenCV's"),
        "{err}"
    );
}

fn layouts() -> impl Strategy<Value = PlaneLayout> {
    prop_oneof![
        Just(PlaneLayout::Gray),
        Just(PlaneLayout::Yuv420),
        Just(PlaneLayout::Yuv422),
        Just(PlaneLayout::Yuv444),
        Just(PlaneLayout::Gbr),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_rule_holds_for_every_kind_in_any_frame(
        (width, height, layout) in (16u32..400, 16u32..300, layouts()),
        (cell_x, cell_y, seed) in (1i64..40, 1i64..40, 0u64..1000),
        (count, max_overlap, min_texture) in (0usize..60, 0.0f64..1.0, 0.0f64..0.5),
        (min_side_px, max_side_share, max_aspect) in (4.0f64..40.0, 0.2f64..1.0, 1.0f64..6.0),
    ) {
        let size = SizePx { width, height };
        let scene = |shift: i64| frame(size, layout, move |plane, x, y| {
            noise((x + shift) / cell_x + plane as i64, y / cell_y + seed as i64)
        });
        let rules = ProposalRules {
            count, max_overlap, min_texture, min_side_px, max_side_share, max_aspect,
            ..ProposalRules::default()
        };
        for kind in own_kinds() {
            let found = propose(kind, &scene(0), Some(&scene(4)), &rules, Seed::of_run(seed), None).unwrap();
            prop_assert!(found.len() <= count);
            prop_assert!(found.iter().all(|one| rules.allow(one.bbox, size) && one.score.is_finite()));
            prop_assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
            for (place, one) in found.iter().enumerate() {
                prop_assert!(found[..place].iter().all(|other| one.bbox.iou(other.bbox) <= max_overlap));
            }
        }
    }
}

#[test]
fn frames_of_extreme_sizes_give_proposals_without_an_error() {
    for (width, height) in [
        (16, 16),
        (17, 16),
        (16, 4000),
        (4000, 16),
        (161, 160),
        (2000, 1500),
    ] {
        let size = SizePx { width, height };
        for kind in own_kinds() {
            let planes = frame(size, PlaneLayout::Yuv420, |_, x, y| noise(x / 5, y / 5));
            let found = propose(
                kind,
                &planes,
                Some(&planes),
                &ProposalRules::default(),
                Seed::of_run(0),
                None,
            );
            assert!(found.is_ok(), "{kind:?} at {size}");
        }
    }
}
