//! What is a cut and what is not, on drawn scenes.

use vidpairs_fixtures::planes::{OwnedPlanes, drawn, noise};
use vidpairs_types::{ColorRange, PlaneLayout, Planes, SizePx};

use super::{Cut, CutDetector, CutKind};

const SIZE: SizePx = SizePx {
    width: 160,
    height: 96,
};

/// Level of scene `number` at a place of a picture 1 wide, 0 to 1: blots, the same for the same place.
fn scene(number: i64, x: f64, y: f64) -> f64 {
    let (x, y) = (x * 7.0 + 100.0 * number as f64, y * 7.0);
    let (left, top) = (x.floor(), y.floor());
    let blot = |x: f64, y: f64| f64::from(noise(x as i64, y as i64)) / 255.0;
    let row = |y| blot(left, y) + (blot(left + 1.0, y) - blot(left, y)) * (x - left);
    row(top) + (row(top + 1.0) - row(top)) * (y - top)
}

/// A frame of `size` whose luma is `level` of the place, as [`scene`] counts it.
fn frame(
    size: SizePx,
    layout: PlaneLayout,
    bit_depth: u8,
    level: impl Fn(f64, f64) -> f64,
) -> Planes {
    let white = f64::from((1u32 << bit_depth) - 1);
    let scale = f64::from(size.width);
    drawn(size, layout, bit_depth, |plane, x, y| match plane {
        0 => (level(x as f64 / scale, y as f64 / scale).clamp(0.0, 1.0) * white) as u16,
        _ => 1 << (bit_depth - 1),
    })
}

fn found(num_frames: u64, planes: impl Fn(u64) -> Planes) -> Vec<Cut> {
    found_every(1, num_frames, planes)
}

fn found_every(every: usize, num_frames: u64, planes: impl Fn(u64) -> Planes) -> Vec<Cut> {
    let mut detector = CutDetector::new();
    (0..num_frames)
        .step_by(every)
        .for_each(|number| detector.push(number, &planes(number)));
    detector.finish()
}

/// The usual frame: 8 bits, 4:2:0.
fn usual(level: impl Fn(f64, f64) -> f64) -> Planes {
    frame(SIZE, PlaneLayout::Yuv420, 8, level)
}

fn hard(before: u64, after: u64) -> Cut {
    Cut {
        before,
        after,
        kind: CutKind::Hard,
    }
}

/// Share of the shot after in frame `number` of a transition whose mixed frames are `first..end`.
fn mixed(number: u64, first: u64, end: u64) -> f64 {
    let place = (number + 1) as f64 - first as f64;
    (place / (end + 1 - first) as f64).clamp(0.0, 1.0)
}

#[test]
fn a_hard_cut_lies_between_its_two_frames_in_every_format() {
    let formats = [
        (PlaneLayout::Yuv420, 8),
        (PlaneLayout::Yuv420, 10),
        (PlaneLayout::Yuv422, 12),
        (PlaneLayout::Yuv444, 16),
        (PlaneLayout::Gray, 8),
        (PlaneLayout::Gray, 10),
    ];
    for (layout, bit_depth) in formats {
        let cuts = found(40, |number| {
            let shot = i64::from(number >= 17);
            let way = number as f64 / 200.0;
            frame(SIZE, layout, bit_depth, |x, y| scene(shot, x + way, y))
        });
        assert_eq!(cuts, [hard(16, 17)], "{layout:?}, {bit_depth} bits");
    }
}

#[test]
fn samples_of_limited_range_and_of_red_green_and_blue_show_the_same_cut() {
    let cuts = found(30, |number| {
        let level = |x, y| 0.3 * scene(i64::from(number >= 9), x, y) + 0.3;
        let mut planes = frame(SIZE, PlaneLayout::Yuv420, 8, level);
        planes.range = ColorRange::Limited;
        planes
    });
    assert_eq!(cuts, [hard(8, 9)]);
    let cuts = found(30, |number| {
        drawn(SIZE, PlaneLayout::Gbr, 8, |plane, x, y| {
            let shot = 3 * i64::from(number >= 9) + plane as i64;
            (255.0 * scene(shot, x as f64 / 160.0, y as f64 / 160.0)) as u16
        })
    });
    assert_eq!(cuts, [hard(8, 9)]);
}

#[test]
fn cuts_at_both_ends_of_a_video_are_found() {
    let cuts = found(60, |number| {
        let shot = i64::from(number >= 1) + i64::from(number >= 58);
        usual(|x, y| scene(shot, x, y))
    });
    assert_eq!(cuts, [hard(0, 1), hard(57, 58)]);
    assert_eq!(found(1, |_| usual(|x, y| scene(0, x, y))), []);
    assert_eq!(CutDetector::new().finish(), []);
}

#[test]
fn a_cut_between_frames_that_were_looked_at_spans_those_between() {
    let cuts = found_every(4, 90, |number| {
        let shot = i64::from(number >= 30) + i64::from(number >= 61);
        let way = number as f64 / 200.0;
        usual(|x, y| scene(shot, x + way, y))
    });
    assert_eq!(cuts, [hard(28, 32), hard(60, 64)]);
}

#[test]
fn a_dissolve_is_one_gradual_cut_around_its_middle() {
    for num_mixed in [5, 9, 14, 20, 25] {
        let (first, end) = (40, 40 + num_mixed);
        let cuts = found(110, |number| {
            let (share, way) = (mixed(number, first, end), number as f64 / 400.0);
            usual(|x, y| scene(0, x + way, y) * (1.0 - share) + scene(1, x, y + way) * share)
        });
        let [cut] = cuts[..] else {
            panic!("{num_mixed} mixed frames: {cuts:?}");
        };
        assert_eq!(cut.kind, CutKind::Gradual);
        let middle = first + num_mixed / 2;
        assert!(cut.before < middle && middle < cut.after, "{cut:?}");
        assert!(cut.before + 6 >= first && cut.after <= end + 6, "{cut:?}");
    }
}

#[test]
fn a_dissolve_is_found_among_every_fourth_frame() {
    let cuts = found_every(4, 160, |number| {
        let share = mixed(number, 70, 90);
        usual(|x, y| scene(0, x, y) * (1.0 - share) + scene(1, x, y) * share)
    });
    let [cut] = cuts[..] else {
        panic!("{cuts:?}");
    };
    assert!(cut.before < 80 && cut.after > 80, "{cut:?}");
}

/// Frame `number` of a fade to `level` in frames 40 to 50, which stays until `end`, and back in 10 frames to scene `shot`.
fn faded(number: u64, level: f64, end: u64, shot: i64) -> Planes {
    let (out, back) = (mixed(number, 40, 50), mixed(number, end, end + 10));
    match number < end {
        true => usual(|x, y| scene(0, x, y) * (1.0 - out) + level * out),
        false => usual(|x, y| scene(shot, x, y) * back + level * (1.0 - back)),
    }
}

#[test]
fn a_fade_through_one_color_is_one_gradual_cut() {
    for level in [0.0, 0.5, 1.0] {
        for end in [51, 55, 70, 150] {
            let cuts = found(end + 60, |number| faded(number, level, end, 1));
            let [cut] = cuts[..] else {
                panic!("through {level} until {end}: {cuts:?}");
            };
            assert_eq!(cut.kind, CutKind::Gradual);
            assert!((36..=41).contains(&cut.before), "{cut:?}");
            assert!((end + 8..=end + 13).contains(&cut.after), "{cut:?}");
        }
    }
}

#[test]
fn a_short_fade_back_to_the_same_picture_is_no_cut() {
    assert_eq!(found(120, |number| faded(number, 0.0, 55, 0)), []);
}

#[test]
fn black_before_and_after_a_shot_is_cut_off() {
    let cuts = found(50, |number| match (10..40).contains(&number) {
        true => usual(|x, y| scene(0, x, y)),
        false => usual(|_, _| 0.0),
    });
    let ends: Vec<_> = cuts.iter().map(|cut| (cut.before, cut.after)).collect();
    assert_eq!(ends, [(9, 10), (39, 40)]);
}

#[test]
fn a_flash_of_one_to_three_frames_is_no_cut() {
    for num_frames in 1..=3 {
        for strength in [0.6, 0.9, 1.0] {
            let cuts = found(60, |number| {
                let is_lit = (30..30 + num_frames).contains(&number);
                let light = if is_lit { strength } else { 0.0 };
                let way = number as f64 / 300.0;
                usual(|x, y| scene(0, x + way, y) * (1.0 - light) + light)
            });
            assert_eq!(cuts, [], "{num_frames} frames of {strength}");
        }
    }
}

#[test]
fn something_that_covers_the_picture_for_three_frames_is_no_cut() {
    let cuts = found(60, |number| {
        let shot = i64::from((30..33).contains(&number));
        usual(|x, y| scene(shot, x, y))
    });
    assert_eq!(cuts, []);
}

#[test]
fn a_fast_pan_is_no_cut() {
    for speed in [0.02, 0.05, 0.1] {
        let cuts = found(90, |number| {
            let way = (number.clamp(30, 60) - 30) as f64 * speed;
            usual(|x, y| scene(0, x + way, y))
        });
        assert_eq!(cuts, [], "{speed} widths a frame");
    }
}

#[test]
fn an_object_passing_close_to_the_camera_is_no_cut() {
    for (num_frames, width) in [(8, 0.5), (14, 0.9), (24, 1.2)] {
        let cuts = found(90, |number| {
            let way = mixed(number, 30, 30 + num_frames) * (1.0 + width) - width;
            usual(|x, y| match (way..way + width).contains(&x) {
                true => 0.05,
                false => scene(0, x, y),
            })
        });
        assert_eq!(cuts, [], "{width} wide, {num_frames} frames");
    }
}

#[test]
fn a_change_of_light_is_no_cut() {
    for (num_frames, gain) in [(1, 0.4), (1, 1.8), (12, 0.35)] {
        let cuts = found(80, |number| {
            let light = 1.0 + mixed(number, 30, 30 + num_frames) * (gain - 1.0);
            usual(|x, y| 0.5 * scene(0, x, y) * light)
        });
        assert_eq!(cuts, [], "to {gain} in {num_frames} frames");
    }
}

#[test]
fn a_zoom_and_a_shaking_camera_are_no_cut() {
    let zoom = found(90, |number| {
        let scale = 1.0 - 0.5 * mixed(number, 30, 50);
        usual(|x, y| scene(0, 0.5 + (x - 0.5) * scale, 0.3 + (y - 0.3) * scale))
    });
    assert_eq!(zoom, []);
    let shake = found(90, |number| {
        let place = |axis| f64::from(noise(number as i64, axis)) / 255.0 * 0.12;
        let (across, down) = (place(0), place(1));
        usual(|x, y| scene(0, x + across, y + down))
    });
    assert_eq!(shake, []);
}

#[test]
fn another_size_of_the_same_picture_is_no_cut() {
    let small = SizePx {
        width: 80,
        height: 48,
    };
    let sizes = |number: u64| if number < 20 { SIZE } else { small };
    let same = found(40, |number| {
        frame(sizes(number), PlaneLayout::Yuv420, 8, |x, y| scene(0, x, y))
    });
    assert_eq!(same, []);
    let other = found(40, |number| {
        let shot = i64::from(number >= 20);
        frame(sizes(number), PlaneLayout::Yuv420, 8, |x, y| {
            scene(shot, x, y)
        })
    });
    assert_eq!(other, [hard(19, 20)]);
}

#[test]
fn frames_smaller_than_a_thumbnail_show_the_cut() {
    let tiny = SizePx {
        width: 9,
        height: 5,
    };
    let cuts = found(40, |number| {
        let shot = i64::from(number >= 20);
        frame(tiny, PlaneLayout::Yuv420, 8, |x, y| scene(shot, x, y))
    });
    assert_eq!(cuts, [hard(19, 20)]);
}

#[test]
fn a_frame_with_too_few_bytes_is_passed_over() {
    let cuts = found(40, |number| {
        let shot = i64::from(number >= 21);
        let mut planes = usual(|x, y| scene(shot, x, y));
        if number == 20 {
            planes.bytes = Box::new(OwnedPlanes(vec![(vec![0; 10], 160); 3]));
        }
        planes
    });
    assert_eq!(cuts, [hard(19, 21)]);
}
