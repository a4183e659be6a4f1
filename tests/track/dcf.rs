//! Behavior of the tracker `dcf` on drawn frames with known boxes.

use vidpairs_extract::track::{TrackError, TrackFrame, Tracker, TrackerKind, start};
use vidpairs_types::{
    BoxXywh, ColorMatrix, ColorRange, Orientation, PlaneBytes, PlaneLayout, Planes, SizePx,
};

const FRAME: SizePx = SizePx {
    width: 320,
    height: 240,
};

struct Drawn {
    planes: Vec<Vec<u8>>,
    strides: Vec<usize>,
}

impl PlaneBytes for Drawn {
    fn plane(&self, plane: usize) -> &[u8] {
        &self.planes[plane]
    }

    fn stride_bytes(&self, plane: usize) -> usize {
        self.strides[plane]
    }
}

/// Storage format of a frame.
#[derive(Clone, Copy)]
struct Form {
    layout: PlaneLayout,
    bit_depth: u8,
    orientation: Orientation,
}

const PLAIN: Form = Form {
    layout: PlaneLayout::Yuv420,
    bit_depth: 8,
    orientation: Orientation {
        mirrored: false,
        quarter_turns: 0,
    },
};

/// Levels of the three planes at a position of the upright frame, px: a striped blue object in `target`, if there is one,
/// in front of gray waves.
fn levels(target: Option<BoxXywh>, x: f64, y: f64) -> [f64; 3] {
    if let Some(BoxXywh {
        x: left,
        y: top,
        w,
        h,
    }) = target
    {
        let (u, v) = ((x - left) / w, (y - top) / h);
        if (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v) {
            let stripes = 40.0 * (u * 19.0).sin() + 30.0 * (v * 13.0 + u * 5.0).cos();
            return [140.0 + stripes, 168.0, 112.0];
        }
    }
    let waves = 20.0 * (x * 0.06).sin() + 20.0 * (y * 0.08 + x * 0.03).cos();
    [100.0 + waves, 128.0, 128.0]
}

/// Frame of `size` that shows `target`.
fn frame_of(size: SizePx, target: Option<BoxXywh>, form: Form) -> Planes {
    let quarter = form.orientation.quarter_turns % 2 == 1;
    let stored = if quarter { size.turned() } else { size };
    let (mut planes, mut strides) = (Vec::new(), Vec::new());
    for plane in 0..form.layout.num_planes() {
        let plane_size = form.layout.plane_size(stored, plane);
        let px = [
            f64::from(stored.width) / f64::from(plane_size.width),
            f64::from(stored.height) / f64::from(plane_size.height),
        ];
        let mut bytes = Vec::new();
        for row in 0..plane_size.height {
            for column in 0..plane_size.width {
                let at = BoxXywh {
                    x: f64::from(column) * px[0],
                    y: f64::from(row) * px[1],
                    w: px[0],
                    h: px[1],
                };
                let upright = form.orientation.box_in_upright(at, stored);
                let [y, u, v] = levels(
                    target,
                    upright.x + upright.w / 2.0,
                    upright.y + upright.h / 2.0,
                );
                let level = match (form.layout, plane) {
                    // Green, blue and red with the same luma and about the same colors.
                    (PlaneLayout::Gbr, 0) => y,
                    (PlaneLayout::Gbr, 1) => y + 2.0 * (u - 128.0),
                    (PlaneLayout::Gbr, _) => y + 2.0 * (v - 128.0),
                    (_, 0) => y,
                    (_, 1) => u,
                    _ => v,
                };
                let word =
                    (level.clamp(0.0, 255.0) * f64::from(1u16 << (form.bit_depth - 8))) as u16;
                let [low, high] = word.to_le_bytes();
                bytes.push(low);
                if form.bit_depth > 8 {
                    bytes.push(high);
                }
            }
        }
        strides.push(bytes.len() / plane_size.height as usize);
        planes.push(bytes);
    }
    Planes {
        stored_size: stored,
        layout: form.layout,
        bit_depth: form.bit_depth,
        range: ColorRange::Limited,
        matrix: ColorMatrix::Bt709,
        orientation: form.orientation,
        bytes: Box::new(Drawn { planes, strides }),
    }
}

fn frame(target: BoxXywh, form: Form) -> Planes {
    frame_of(FRAME, Some(target), form)
}

fn bbox(x: f64, y: f64, w: f64, h: f64) -> BoxXywh {
    BoxXywh { x, y, w, h }
}

fn begin(planes: &Planes, target: BoxXywh) -> Box<dyn Tracker> {
    start(TrackerKind::Dcf, &TrackFrame::new(planes), target, None).unwrap()
}

/// IoU with the truth along `path`, which starts with the target box.
fn overlaps(path: &[BoxXywh], form: Form) -> Vec<f64> {
    let mut tracker = begin(&frame(path[0], form), path[0]);
    let follow = |truth: &BoxXywh| {
        let planes = frame(*truth, form);
        let found = tracker.update(&TrackFrame::new(&planes)).unwrap();
        found.bbox.iou(*truth)
    };
    path[1..].iter().map(follow).collect()
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Path of 30 frames to the right and down.
fn moving() -> Vec<BoxXywh> {
    (0..30)
        .map(|n| {
            bbox(
                60.0 + 3.0 * f64::from(n),
                80.0 + 1.5 * f64::from(n),
                56.0,
                40.0,
            )
        })
        .collect()
}

#[test]
fn a_moving_target_is_tracked_in_every_layout_depth_and_orientation() {
    let layouts = [
        PlaneLayout::Gray,
        PlaneLayout::Yuv420,
        PlaneLayout::Yuv422,
        PlaneLayout::Yuv444,
        PlaneLayout::Gbr,
    ];
    let forms = layouts.map(|layout| Form { layout, ..PLAIN });
    let depths = [10, 12, 16].map(|bit_depth| Form { bit_depth, ..PLAIN });
    let turns = [1, 2, 3].map(|quarter_turns| Form {
        orientation: Orientation {
            mirrored: quarter_turns == 2,
            quarter_turns,
        },
        ..PLAIN
    });
    for form in forms.into_iter().chain(depths).chain(turns) {
        let overlaps = overlaps(&moving(), form);
        let Form {
            layout,
            bit_depth,
            orientation,
        } = form;
        assert!(
            least(&overlaps) > 0.7,
            "{layout:?} {bit_depth} {orientation:?}: {overlaps:?}"
        );
    }
}

#[test]
fn boxes_follow_targets_that_change_in_size_or_aspect_ratio() {
    let grown = |n: i32, across: f64, down: f64| {
        let (w, h) = (50.0 * across.powi(n), 40.0 * down.powi(n));
        bbox(160.0 - w / 2.0, 120.0 - h / 2.0, w, h)
    };
    for (across, down) in [(1.01, 1.01), (0.99, 0.99), (1.01, 1.0), (1.0, 1.01)] {
        let path: Vec<_> = (0..50).map(|n| grown(n, across, down)).collect();
        let overlaps = overlaps(&path, PLAIN);
        assert!(least(&overlaps) > 0.7, "{across} {down}: {overlaps:?}");
    }
}

#[test]
fn a_target_that_disappears_is_lost_and_is_found_when_it_returns() {
    let target = bbox(120.0, 90.0, 56.0, 40.0);
    let (with, without) = (frame(target, PLAIN), frame_of(FRAME, None, PLAIN));
    let mut tracker = begin(&with, target);
    for _ in 0..5 {
        let seen = tracker.update(&TrackFrame::new(&with)).unwrap();
        assert!(!seen.is_lost && seen.confidence > 0.8, "{seen:?}");
    }
    for _ in 0..10 {
        let gone = tracker.update(&TrackFrame::new(&without)).unwrap();
        assert!(gone.is_lost && gone.confidence < 0.2, "{gone:?}");
    }
    let back = tracker.update(&TrackFrame::new(&with)).unwrap();
    assert!(!back.is_lost && back.bbox.iou(target) > 0.6, "{back:?}");
}

#[test]
fn targets_may_leave_the_frame_and_frames_may_be_small_and_odd() {
    let path: Vec<_> = (0..60)
        .map(|n| bbox(250.0 + 3.0 * f64::from(n), 80.0, 56.0, 40.0))
        .collect();
    overlaps(&path, PLAIN);
    for (width, height) in [(16, 16), (17, 31), (33, 16), (640, 16)] {
        let size = SizePx { width, height };
        for target in [
            bbox(2.0, 3.0, 9.0, 8.0),
            bbox(-3.0, -2.0, 12.0, 12.0),
            bbox(0.0, 0.0, 16.0, 16.0),
        ] {
            let planes = frame_of(size, Some(target), PLAIN);
            let mut tracker = begin(&planes, target);
            for _ in 0..4 {
                let found = tracker.update(&TrackFrame::new(&planes)).unwrap();
                assert!(found.bbox.is_valid() && (0.0..=1.0).contains(&found.confidence));
            }
        }
    }
}

#[test]
fn two_trackers_in_one_thread_do_not_influence_each_other() {
    let path = moving();
    let alone = overlaps(&path, PLAIN);
    let other = bbox(200.0, 20.0, 30.0, 30.0);
    let first = frame(path[0], PLAIN);
    let mut trackers = [begin(&first, path[0]), begin(&first, other)];
    for (truth, alone) in path[1..].iter().zip(alone) {
        let planes = frame(*truth, PLAIN);
        let found = trackers
            .each_mut()
            .map(|tracker| tracker.update(&TrackFrame::new(&planes)).unwrap());
        assert_eq!(found[0].bbox.iou(*truth), alone);
    }
}

#[test]
fn a_nudge_leads_to_a_target_that_jumped_out_of_the_search_window() {
    let (here, there) = (bbox(40.0, 60.0, 48.0, 40.0), bbox(220.0, 150.0, 48.0, 40.0));
    let after = frame(there, PLAIN);
    let mut alone = begin(&frame(here, PLAIN), here);
    assert!(
        alone
            .update(&TrackFrame::new(&after))
            .unwrap()
            .bbox
            .iou(there)
            < 0.1
    );
    let mut nudged = begin(&frame(here, PLAIN), here);
    nudged.nudge(180.0, 90.0);
    assert!(
        nudged
            .update(&TrackFrame::new(&after))
            .unwrap()
            .bbox
            .iou(there)
            > 0.8
    );
}

#[test]
fn unusable_boxes_and_frames_of_another_size_are_errors() {
    let planes = frame(bbox(100.0, 80.0, 40.0, 40.0), PLAIN);
    let view = TrackFrame::new(&planes);
    for target in [
        bbox(400.0, 80.0, 40.0, 40.0),
        bbox(-38.0, 80.0, 40.0, 40.0),
        bbox(100.0, 80.0, 3.0, 40.0),
        bbox(100.0, 80.0, f64::NAN, 40.0),
        bbox(100.0, 80.0, 40.0, -1.0),
    ] {
        let refused = start(TrackerKind::Dcf, &view, target, None);
        assert!(
            matches!(refused, Err(TrackError::Target { .. })),
            "{target:?}"
        );
    }
    let mut tracker = begin(&planes, bbox(100.0, 80.0, 40.0, 40.0));
    let other = frame_of(
        SizePx {
            width: 64,
            height: 64,
        },
        None,
        PLAIN,
    );
    let refused = tracker.update(&TrackFrame::new(&other));
    assert!(matches!(refused, Err(TrackError::OtherSize { .. })));
}

#[test]
fn a_gray_target_that_is_tracked_is_not_lost() {
    let form = Form {
        layout: PlaneLayout::Gray,
        ..PLAIN
    };
    let path = moving();
    let mut tracker = begin(&frame(path[0], form), path[0]);
    for truth in &path[1..] {
        let planes = frame(*truth, form);
        let found = tracker.update(&TrackFrame::new(&planes)).unwrap();
        assert!(!found.is_lost && found.confidence > 0.5, "{found:?}");
    }
}
