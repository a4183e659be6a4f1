//! Tests tracking, judging and tracking back on drawn frames, with a tracker that drifts.

use std::cell::Cell;
use std::rc::Rc;

use vidpairs_types::Frame;

use super::fixtures::{Film, SIZE, Square, bbox, rules, start_template};
use super::*;

/// Tracks `regions` of the first frame through all `frames`.
fn follow(rules: &FollowRules<'_>, frames: &[Rc<Frame>], regions: &[BoxXywh]) -> Vec<Tracklet> {
    let last = frames[frames.len() - 1].index;
    follow_to(last, rules, frames, regions)
}

fn follow_to(
    last: u64,
    rules: &FollowRules<'_>,
    frames: &[Rc<Frame>],
    regions: &[BoxXywh],
) -> Vec<Tracklet> {
    let view = TrackFrame::new(&frames[0].planes);
    let mut following = Following::start(rules, (&frames[0], &view), last, regions);
    for frame in &frames[1..] {
        following.follow(frame, &TrackFrame::new(&frame.planes));
    }
    following.into_tracklets()
}

/// `num_frames` frames; `squares` gives the squares in each.
fn film(num_frames: u64, squares: impl Fn(i64) -> Vec<Square>) -> Vec<Rc<Frame>> {
    let film = Film::default();
    (0..num_frames)
        .map(|index| film.frame(index, &squares(index as i64)))
        .collect()
}

fn square(x: i64, y: i64, texture: u32) -> Square {
    Square {
        x,
        y,
        texture,
        fades_into: (0, 0.0),
    }
}

#[test]
fn a_moving_square_is_tracked_to_its_last_position_and_trusted() {
    let place = |t: i64| square(10 + t, 20 + t / 2, 1);
    let frames = film(61, |t| vec![place(t)]);
    let tracklets = follow(&rules(), &frames, &[place(0).bbox()]);
    let [tracklet] = &tracklets[..] else {
        panic!("{tracklets:?}")
    };
    assert_eq!(tracklet.mistrust, None);
    assert_eq!(tracklet.boxes.len(), 61);
    for (t, tracked) in tracklet.boxes.iter().enumerate() {
        assert_eq!(
            (tracked.frame, tracked.bbox),
            (t as u64, place(t as i64).bbox())
        );
    }
    assert_eq!(tracklet.forward_backward_iou, Some(1.0));
    let confidence = tracklet.confidence().unwrap();
    assert_eq!(
        (confidence.min, confidence.mean, confidence.last),
        (1.0, 1.0, 1.0)
    );
    assert_eq!(tracklet.psr().unwrap().min, 20.0);
}

#[test]
fn a_target_lost_for_too_long_is_rejected_at_once_and_costs_no_more_updates() {
    let frames = film(61, |t| {
        if t < 10 {
            vec![square(40, 40, 1)]
        } else {
            vec![]
        }
    });
    let view = TrackFrame::new(&frames[0].planes);
    let rules = rules();
    let regions = [square(40, 40, 1).bbox()];
    let mut following = Following::start(&rules, (&frames[0], &view), 60, &regions);
    let mut frames_left = frames[1..].iter();
    while let (false, Some(frame)) = (following.is_over(), frames_left.next()) {
        following.follow(frame, &TrackFrame::new(&frame.planes));
    }
    // Nine frames with the target, three tolerated frames without it, and one more.
    assert_eq!(following.num_updates(), 13);
    let [tracklet] = &following.into_tracklets()[..] else {
        panic!()
    };
    assert_eq!(tracklet.mistrust, Some(Mistrust::Lost));
    assert_eq!(tracklet.boxes.last().unwrap().frame, 13);
    assert_eq!(tracklet.forward_backward_iou, None);
}

#[test]
fn a_briefly_hidden_target_is_trusted_and_one_hidden_at_the_end_is_not() {
    let hidden = |from: i64, to: i64| {
        film(21, move |t| match (from..to).contains(&t) {
            true => vec![],
            false => vec![square(40, 40, 1)],
        })
    };
    let regions = [square(40, 40, 1).bbox()];
    let outcome = |frames: &[Rc<Frame>]| follow(&rules(), frames, &regions)[0].mistrust;
    assert_eq!(outcome(&hidden(8, 11)), None);
    assert_eq!(outcome(&hidden(8, 12)), Some(Mistrust::Lost));
    assert_eq!(outcome(&hidden(20, 21)), Some(Mistrust::Lost));
}

/// A moving square that becomes another one between the frames 20 and 30.
fn replaced(num_frames: u64) -> Vec<Rc<Frame>> {
    film(num_frames, |t| {
        let share = ((t - 20) as f64 / 10.0).clamp(0.0, 1.0);
        let fades_into = (2, share);
        vec![Square {
            fades_into,
            ..square(20 + t / 2, 40, 1)
        }]
    })
}

#[test]
fn tracking_back_detects_drift_to_another_object() {
    let frames = replaced(50);
    let regions = [square(20, 40, 1).bbox()];
    let mut rules = rules();
    let [tracklet] = &follow(&rules, &frames, &regions)[..] else {
        panic!()
    };
    assert_eq!(tracklet.mistrust, Some(Mistrust::ForwardBackward));
    assert_eq!(tracklet.forward_backward_iou, Some(0.0));

    // Tracking forward alone shows nothing wrong.
    rules.trust.min_forward_backward_iou = 0.0;
    let [tracklet] = &follow(&rules, &frames, &regions)[..] else {
        panic!()
    };
    assert_eq!(tracklet.last_box(), Some(square(44, 40, 1).bbox()));
    assert_eq!(
        (tracklet.mistrust, tracklet.forward_backward_iou),
        (None, None)
    );
}

#[test]
fn a_long_tracklet_is_rejected_at_the_end_of_the_stretch_in_which_it_drifted() {
    let regions = [square(20, 40, 1).bbox()];
    let [tracklet] = &follow_to(1000, &rules(), &replaced(60), &regions)[..] else {
        panic!()
    };
    let no_stretch_ended = Some(Mistrust::CutShort);
    assert_eq!(tracklet.mistrust, no_stretch_ended);
    let [tracklet] = &follow_to(1000, &rules(), &replaced(100), &regions)[..] else {
        panic!()
    };
    assert_eq!(tracklet.mistrust, Some(Mistrust::ForwardBackward));
    assert_eq!(tracklet.boxes.last().unwrap().frame, 64);
}

#[test]
fn the_least_overlap_of_all_stretches_is_stored_and_tracking_back_costs_a_quarter() {
    let place = |t: i64| square(70 + ((t / 7) % 2) * 3, 40, 1);
    let frames = film(301, |t| vec![place(t)]);
    let rules = rules();
    let view = TrackFrame::new(&frames[0].planes);
    let mut following = Following::start(&rules, (&frames[0], &view), 300, &[place(0).bbox()]);
    for frame in &frames[1..] {
        following.follow(frame, &TrackFrame::new(&frame.planes));
    }
    // Every fourth frame once more, except the ends of the five stretches.
    let backward = following.num_updates() - 300;
    assert_eq!(backward, 75);
    let [tracklet] = &following.into_tracklets()[..] else {
        panic!()
    };
    assert_eq!(
        (tracklet.mistrust, tracklet.forward_backward_iou),
        (None, Some(1.0))
    );
}

#[test]
fn only_the_frames_of_a_stretch_are_kept_and_anchors_share_them() {
    let film = Film::default();
    let squares = [square(40, 40, 1), square(80, 40, 2)];
    let regions: Vec<BoxXywh> = squares.iter().map(|square| square.bbox()).collect();
    let rules = rules();
    let mut followings: Vec<Following<'_>> = Vec::new();
    for index in 0..400 {
        let frame = film.frame(index, &squares);
        let view = TrackFrame::new(&frame.planes);
        for following in &mut followings {
            following.follow(&frame, &view);
        }
        if index % 10 == 3 && index < 100 {
            followings.push(Following::start(&rules, (&frame, &view), 390, &regions));
        }
        // The current frame, those of a stretch, and those of recent anchors.
        let most = 1 + 64 / 4 + 1 + if index < 200 { 10 } else { 0 };
        assert!(
            film.num_alive() <= most,
            "{} frames at {index}",
            film.num_alive()
        );
    }
    assert_eq!(film.num_alive(), 0);
    let tracklets = followings.into_iter().flat_map(Following::into_tracklets);
    let mut mistrust = tracklets.map(|tracklet| tracklet.mistrust);
    assert!(mistrust.all(|mistrust| mistrust.is_none()));
}

#[test]
fn large_frames_shorten_the_stretches() {
    let mut rules = rules();
    assert_eq!(rules.kept_frames(SIZE.area()), 16);
    rules.max_kept_bytes = 5 * SIZE.area();
    assert_eq!(rules.kept_frames(SIZE.area()), 5);
    assert_eq!(rules.kept_frames(u64::MAX), 1);
    let frames = replaced(60);
    let regions = [square(20, 40, 1).bbox()];
    let [tracklet] = &follow_to(1000, &rules, &frames, &regions)[..] else {
        panic!()
    };
    assert_eq!(tracklet.mistrust, Some(Mistrust::ForwardBackward));
    assert_eq!(tracklet.boxes.last().unwrap().frame, 40);
}

/// A tracker with scripted estimates.
struct Script(Rc<dyn Fn(u64) -> Estimate>, u64);

impl Tracker for Script {
    fn update(&mut self, _: &TrackFrame<'_>) -> Result<Estimate, TrackError> {
        self.1 += 1;
        Ok(self.0(self.1))
    }
}

fn scripted(num_frames: u64, estimate: impl Fn(u64) -> Estimate + 'static) -> Tracklet {
    scripted_by(rules(), num_frames, estimate)
}

fn scripted_by(
    rules: FollowRules<'_>,
    num_frames: u64,
    estimate: impl Fn(u64) -> Estimate + 'static,
) -> Tracklet {
    let estimate: Rc<dyn Fn(u64) -> Estimate> = Rc::new(estimate);
    let start = move |_: &TrackFrame<'_>, _: BoxXywh| -> Result<Box<dyn Tracker>, TrackError> {
        Ok(Box::new(Script(Rc::clone(&estimate), 0)))
    };
    let mut rules = FollowRules {
        start: &start,
        ..rules
    };
    rules.trust.min_forward_backward_iou = 0.0;
    let frames = film(num_frames, |_| vec![]);
    follow(&rules, &frames, &[bbox(40.0, 40.0, 20.0, 20.0)]).remove(0)
}

fn found(bbox: BoxXywh, confidence: f64) -> Estimate {
    Estimate {
        bbox,
        confidence,
        psr: None,
        is_lost: false,
    }
}

#[test]
fn the_better_of_two_tracklets_that_end_on_the_same_box_is_kept() {
    let outcome = |max_duplicate_iou: f64, confidences: [f64; 2]| {
        let start =
            move |_: &TrackFrame<'_>, target: BoxXywh| -> Result<Box<dyn Tracker>, TrackError> {
                let confidence = confidences[usize::from(target.x > 30.0)];
                let end = bbox(50.0, 40.0, 20.0, 20.0);
                let script = Script(Rc::new(move |_| found(end, confidence)), 0);
                Ok(Box::new(script))
            };
        let mut rules = FollowRules {
            start: &start,
            ..rules()
        };
        rules.trust.min_forward_backward_iou = 0.0;
        rules.trust.max_duplicate_iou = max_duplicate_iou;
        let regions = [20.0, 40.0].map(|x| bbox(x, 40.0, 20.0, 20.0));
        let tracklets = follow(&rules, &film(11, |_| vec![]), &regions);
        [tracklets[0].mistrust, tracklets[1].mistrust]
    };
    let duplicate = Some(Mistrust::Duplicate);
    assert_eq!(outcome(0.7, [0.8, 0.9]), [duplicate, None]);
    assert_eq!(
        outcome(0.7, [0.8, 0.8]),
        [None, duplicate],
        "among equals, the first is kept"
    );
    assert_eq!(outcome(1.0, [0.8, 0.9]), [None, None]);
}

#[test]
fn each_broken_rule_rejects_a_tracklet_by_its_name() {
    let place = bbox(40.0, 40.0, 20.0, 20.0);
    type Script = fn(BoxXywh, u64) -> Estimate;
    let table: [(Script, Option<Mistrust>, u64); 9] = [
        (|at, _| found(at, 0.9), None, 20),
        (|at, _| found(at, 0.4), Some(Mistrust::LowConfidence), 17),
        (
            |at, t| found(at, if t == 20 { 0.4 } else { 0.9 }),
            Some(Mistrust::LowConfidence),
            20,
        ),
        (
            |at, t| found(bbox(at.x + 8.0 * t as f64, at.y, 20.0, 20.0), 0.9),
            Some(Mistrust::OutsideFrame),
            14,
        ),
        (
            |at, t| found(bbox(at.x, at.y - 2.1 * t as f64, 20.0, 20.0), 0.9),
            Some(Mistrust::OutsideFrame),
            20,
        ),
        (
            |at, t| found(at.scaled(1.0 + 0.1 * t as f64), 0.9),
            Some(Mistrust::SizeChange),
            11,
        ),
        (
            |at, t| found(bbox(at.x, at.y, 20.0 + t as f64 * 2.0, 20.0), 0.9),
            Some(Mistrust::AspectChange),
            11,
        ),
        (
            |at, t| found(at.scaled(1.0 - 0.031 * t as f64), 0.9),
            Some(Mistrust::SizeChange),
            17,
        ),
        (
            |at, t| found(bbox(at.x, at.y, 20.0 - t as f64, 20.0), 0.9),
            Some(Mistrust::AspectChange),
            11,
        ),
    ];
    for (number, (script, mistrust, last)) in table.into_iter().enumerate() {
        let tracklet = scripted(21, move |t| script(place, t));
        let ended = tracklet.boxes.last().unwrap().frame;
        assert_eq!((tracklet.mistrust, ended), (mistrust, last), "row {number}");
    }
}

#[test]
fn a_box_below_the_least_side_is_rejected_at_the_end_and_one_below_half_of_it_at_once() {
    let outcome = |side: f64| {
        let mut rules = rules();
        rules.trust.max_size_ratio = 100.0;
        let script = move |_| found(bbox(40.0, 40.0, side, side), 0.9);
        let tracklet = scripted_by(rules, 11, script);
        (tracklet.mistrust, tracklet.boxes.last().unwrap().frame)
    };
    // The least is 8 px.
    assert_eq!(outcome(10.0), (None, 10));
    assert_eq!(outcome(7.0), (Some(Mistrust::TooSmall), 10));
    assert_eq!(outcome(3.0), (Some(Mistrust::TooSmall), 1));
}

#[test]
fn a_region_without_a_tracker_is_rejected_and_the_others_are_tracked() {
    let num_started = Cell::new(0);
    let num_started: &'static Cell<u32> = Box::leak(Box::new(num_started));
    let start = |frame: &TrackFrame<'_>, target: BoxXywh| {
        num_started.set(num_started.get() + 1);
        match target.x < 0.0 {
            true => Err(TrackError::Target {
                target,
                frame: frame.size(),
            }),
            false => start_template(frame, target),
        }
    };
    let rules = FollowRules {
        start: &start,
        ..rules()
    };
    let frames = film(11, |_| vec![square(40, 40, 1)]);
    let regions = [bbox(-90.0, 0.0, 20.0, 20.0), square(40, 40, 1).bbox()];
    let tracklets = follow(&rules, &frames, &regions);
    assert_eq!(tracklets[0].mistrust, Some(Mistrust::TrackerFailed));
    assert_eq!((tracklets[0].boxes.len(), tracklets[1].mistrust), (1, None));
    // Two forward trackers and one backward: only otherwise trusted regions are tracked back.
    assert_eq!(num_started.get(), 3);
}
