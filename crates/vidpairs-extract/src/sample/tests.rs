use std::collections::HashSet;

use super::*;

const SEED: u64 = 7;

fn clip(num_frames: u64) -> ClipFrames<'static> {
    let frame_size = SizePx {
        width: 640,
        height: 360,
    };
    ClipFrames {
        num_frames,
        present: None,
        frame_size,
        boxes: &[],
    }
}

fn frames(low: u32, high: u32) -> PairRule {
    PairRule::Frames {
        k: KRange { low, high },
    }
}

fn tracks(k: u32) -> PairRule {
    PairRule::Tracks(TrackRule {
        k: KRange { low: k, high: k },
        with_frames: false,
        box_scale: 1.0,
        min_box_px: 24,
        max_box_outside: 0.05,
    })
}

fn ends(plans: &[PairPlan]) -> Vec<(u64, u64)> {
    plans
        .iter()
        .map(|plan| (plan.anchor, plan.positive.unwrap_or(plan.anchor)))
        .collect()
}

fn plan(clip: &ClipFrames<'_>, rule: &PairRule, anchors: Anchors, seed: u64) -> Vec<PairPlan> {
    plan_pairs(clip, rule, anchors, Seed::of_run(seed)).unwrap()
}

#[test]
fn pairs_are_k_apart_inside_the_clip_with_one_anchor_per_interval() {
    for seed in 0..200 {
        let plans = plan(&clip(300), &frames(60, 60), Anchors::PerVideo(4), seed);
        assert_eq!(plans.len(), 4);
        for (place, (anchor, positive)) in ends(&plans).into_iter().enumerate() {
            assert_eq!(positive - anchor, 60);
            assert!(
                (place as u64 * 60..(place as u64 + 1) * 60).contains(&anchor),
                "{anchor}"
            );
        }
    }
}

#[test]
fn every_anchor_of_an_interval_is_drawn_about_equally_often() {
    let mut counts = [0u32; 40];
    for seed in 0..4000 {
        for plan in plan(&clip(100), &frames(60, 60), Anchors::PerVideo(2), seed) {
            counts[plan.anchor as usize] += 1;
        }
    }
    // 200 expected each; five standard deviations are 70.
    assert!(
        counts.iter().all(|&count| (130..270).contains(&count)),
        "{counts:?}"
    );
}

#[test]
fn a_clip_with_fewer_anchors_than_pairs_uses_each_anchor_once() {
    let plans = plan(&clip(63), &frames(60, 60), Anchors::PerVideo(10), SEED);
    assert_eq!(ends(&plans), [(0, 60), (1, 61), (2, 62)]);
    assert_eq!(
        plans.iter().map(|plan| plan.ordinal).collect::<Vec<_>>(),
        [0, 1, 2]
    );
}

#[test]
fn a_clip_too_short_for_the_least_k_is_skipped_and_the_greatest_k_is_lowered_to_the_clip() {
    let short = plan_pairs(
        &clip(30),
        &frames(30, 90),
        Anchors::PerVideo(4),
        Seed::of_run(SEED),
    );
    assert_eq!(
        short.unwrap_err(),
        NoPair::TooShort {
            num_frames: 30,
            k: 30
        }
    );
    for seed in 0..100 {
        let plans = plan(&clip(50), &frames(30, 90), Anchors::PerVideo(4), seed);
        assert!(
            plans
                .iter()
                .all(|plan| (30..50).contains(&(plan.positive.unwrap() - plan.anchor)))
        );
    }
}

#[test]
fn a_stride_gives_the_anchors_whose_positive_is_in_the_clip() {
    let plans = plan(&clip(301), &frames(60, 60), Anchors::Stride(100), SEED);
    assert_eq!(ends(&plans), [(0, 60), (100, 160), (200, 260)]);
    let plans = plan(&clip(250), &PairRule::Images, Anchors::Stride(100), SEED);
    assert_eq!(ends(&plans), [(0, 0), (100, 100), (200, 200)]);
}

#[test]
fn missing_frames_are_neither_anchor_nor_positive() {
    let present: Vec<u64> = (0..300).filter(|frame| frame % 7 != 0).collect();
    let gappy = ClipFrames {
        present: Some(&present),
        ..clip(300)
    };
    for seed in 0..50 {
        for (anchor, positive) in ends(&plan(&gappy, &frames(20, 40), Anchors::PerVideo(8), seed)) {
            assert!(anchor % 7 != 0 && positive % 7 != 0);
        }
    }
    let every_tenth: Vec<u64> = (0..30).map(|frame| frame * 10).collect();
    let sparse = ClipFrames {
        present: Some(&every_tenth),
        ..clip(291)
    };
    let none = plan_pairs(
        &sparse,
        &frames(5, 5),
        Anchors::PerVideo(4),
        Seed::of_run(SEED),
    );
    assert_eq!(
        none.unwrap_err(),
        NoPair::Gaps {
            k: 5,
            num_frames: 291,
            present: 30
        }
    );
}

#[test]
fn tracks_use_only_boxes_that_are_large_enough_and_inside_the_frame() {
    let good = BoxXywh {
        x: 10.0,
        y: 10.0,
        w: 50.0,
        h: 40.0,
    };
    let tiny = BoxXywh { h: 20.0, ..good };
    let cut = BoxXywh { x: -10.0, ..good };
    let mut boxes = vec![Some(good); 200];
    boxes[100..150].fill(Some(tiny));
    boxes[150..180].fill(Some(cut));
    boxes[180..].fill(None);
    let annotated = ClipFrames {
        boxes: &boxes,
        ..clip(300)
    };
    for seed in 0..50 {
        for plan in plan(&annotated, &tracks(60), Anchors::PerVideo(4), seed) {
            assert!(
                plan.positive.unwrap() < 100 && plan.boxes == Some(KnownBoxes::Track([good, good]))
            );
        }
    }
    let none = plan_pairs(
        &annotated,
        &tracks(120),
        Anchors::PerVideo(4),
        Seed::of_run(SEED),
    );
    assert_eq!(
        none.unwrap_err(),
        NoPair::NoUsableBoxes {
            k: 120,
            num_frames: 300,
            with_box: 180,
            usable: 100
        }
    );
}

#[test]
fn the_same_seed_plans_the_same_pairs_and_another_seed_different_ones() {
    let pairs = |seed| {
        ends(&plan(
            &clip(10_000),
            &frames(30, 90),
            Anchors::PerVideo(8),
            seed,
        ))
    };
    assert_eq!(pairs(1), pairs(1));
    assert_ne!(pairs(1), pairs(2));
}

fn redraw<'a>(clip: ClipFrames<'a>, rule: &'a PairRule, anchors: Anchors, seed: u64) -> Redraw<'a> {
    let (range, seed) = (0..u64::MAX, Seed::of_run(seed));
    Redraw {
        clip,
        rule,
        anchors,
        range,
        seed,
    }
}

/// Anchor and k of each pair.
fn taken(plans: &[PairPlan]) -> HashSet<(u64, u64)> {
    let ends = ends(plans).into_iter();
    ends.map(|(anchor, positive)| (anchor, positive - anchor))
        .collect()
}

fn spanning(plans: &[PairPlan], cuts: &[CutEnds]) -> Vec<PairPlan> {
    let spans =
        |plan: &&PairPlan| !is_in_one_shot(plan.anchor, plan.positive.unwrap_or(plan.anchor), cuts);
    plans.iter().filter(spans).cloned().collect()
}

#[test]
fn a_pair_lies_in_one_shot_if_it_ends_before_or_starts_after_each_cut() {
    let cuts = [(99, 100), (200, 210)];
    for (anchor, positive, expected) in [
        (39, 99, true),
        (40, 100, false),
        (99, 99, true),
        (100, 200, true),
        (99, 200, false),
        (100, 201, false),
        (204, 206, false),
        (209, 300, false),
        (210, 300, true),
    ] {
        let found = is_in_one_shot(anchor, positive, &cuts);
        assert_eq!(found, expected, "{anchor} and {positive}");
    }
    assert!(is_in_one_shot(0, u64::MAX, &[]));
}

#[test]
fn a_pair_over_a_cut_is_drawn_anew_from_its_interval_or_else_its_shot_and_no_pair_occurs_twice() {
    let (rule, anchors) = (frames(20, 40), Anchors::PerVideo(20));
    let cuts = [(149, 150), (260, 270), (390, 391)];
    let shot = |frame: u64| cuts.iter().filter(|(_, after)| frame >= *after).count();
    let (mut num_drawn, mut num_elsewhere) = (0, 0);
    for seed in 0..100 {
        for round in 1..=MAX_REDRAWS {
            let mut plans = plan(&clip(500), &rule, anchors, seed);
            let lost = spanning(&plans, &cuts);
            let redraw = redraw(clip(500), &rule, anchors, seed);
            let drawn = redraw.draw(&lost, &cuts, &mut taken(&plans), round);
            num_drawn += drawn.len();
            assert_eq!(drawn.len(), lost.len());
            assert!(spanning(&drawn, &cuts).is_empty());
            for new in &drawn {
                let old = lost.iter().find(|old| old.ordinal == new.ordinal).unwrap();
                let k = |plan: &PairPlan| plan.positive.unwrap() - plan.anchor;
                assert_eq!(k(new), k(old));
                let num_anchors = 500 - k(new);
                let interval_of = |anchor| {
                    let of = |pair: &u64| interval(*pair, 20, num_anchors).contains(&anchor);
                    (0..20).find(of)
                };
                if interval_of(new.anchor) != interval_of(old.anchor) {
                    num_elsewhere += 1;
                    let own = interval(interval_of(old.anchor).unwrap(), 20, num_anchors);
                    let has_room = |anchor| is_in_one_shot(anchor, anchor + k(old), &cuts);
                    assert!(!own.into_iter().any(has_room), "{old:?} {new:?}");
                    let shots = [old.anchor, old.positive.unwrap()].map(shot);
                    assert!(shots.contains(&shot(new.anchor)), "{old:?} {new:?}");
                }
                plans.retain(|plan| plan.ordinal != new.ordinal);
            }
            plans.extend(drawn);
            let mut all = ends(&plans);
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), plans.len());
        }
    }
    assert!(
        num_drawn > 300 && num_elsewhere > 0,
        "{num_drawn}, {num_elsewhere}"
    );
}

#[test]
fn a_pair_of_a_stride_is_drawn_anew_before_the_next_anchor_and_left_out_without_room() {
    let rule = frames(60, 60);
    let cuts = [(229, 230)];
    let redraw = redraw(clip(400), &rule, Anchors::Stride(100), SEED);
    let plans = plan(&clip(400), &rule, Anchors::Stride(100), SEED);
    let lost = spanning(&plans, &cuts);
    assert_eq!(ends(&lost), [(200, 260)]);
    let draw = |cuts: &[CutEnds], round| redraw.draw(&lost, cuts, &mut taken(&plans), round);
    for round in 1..MAX_REDRAWS {
        let drawn = draw(&cuts, round);
        assert_eq!((drawn.len(), drawn[0].ordinal), (1, lost[0].ordinal));
        assert!((230..300).contains(&drawn[0].anchor), "{drawn:?}");
    }
    // The last time right behind the cut: what lies farther away may not have been looked at.
    assert_eq!(ends(&draw(&cuts, MAX_REDRAWS)), [(230, 290)]);
    // Its stretch has no room, its shot has.
    let more = [(229, 230), (289, 290), (349, 350)];
    assert!(draw(&more, 1)[0].positive.unwrap() <= 229);
    let short = [(159, 160), (209, 210), (259, 260), (319, 320)];
    for round in 1..=MAX_REDRAWS {
        assert_eq!(draw(&short, round), []);
    }
}

#[test]
fn a_pair_is_drawn_anew_within_the_range_that_is_its_own() {
    let (rule, anchors) = (frames(60, 60), Anchors::PerVideo(4));
    let cuts = [(249, 250)];
    for seed in 0..20 {
        let plans = plan(&clip(500), &rule, anchors, seed);
        let lost = spanning(&plans, &cuts);
        let mut redraw = redraw(clip(500), &rule, anchors, seed);
        redraw.range = 100..180;
        for drawn in redraw.draw(&lost, &cuts, &mut taken(&plans), 1) {
            assert!((100..180).contains(&drawn.anchor), "{drawn:?}");
        }
    }
}

#[test]
fn a_pair_is_drawn_anew_from_frames_that_exist_and_have_a_usable_box() {
    let good = BoxXywh {
        x: 10.0,
        y: 10.0,
        w: 50.0,
        h: 40.0,
    };
    let mut boxes = vec![Some(good); 300];
    boxes[100..130].fill(None);
    let present: Vec<u64> = (0..300).filter(|frame| frame % 3 != 1).collect();
    let gappy = ClipFrames {
        present: Some(&present),
        boxes: &boxes,
        ..clip(300)
    };
    let rule = tracks(30);
    let cuts = [(79, 80), (219, 220)];
    let mut num_drawn = 0;
    for seed in 0..50 {
        let lost = spanning(&plan(&gappy, &rule, Anchors::PerVideo(3), seed), &cuts);
        let redraw = redraw(gappy, &rule, Anchors::PerVideo(3), seed);
        for drawn in redraw.draw(&lost, &cuts, &mut HashSet::new(), 1) {
            num_drawn += 1;
            let positive = drawn.positive.unwrap();
            assert_eq!(drawn.boxes, Some(KnownBoxes::Track([good, good])));
            for frame in [drawn.anchor, positive] {
                assert!(frame % 3 != 1 && !(100..130).contains(&frame), "{frame}");
            }
        }
    }
    assert!(num_drawn > 20, "{num_drawn}");
}

#[test]
fn pairs_are_drawn_anew_alike_from_the_same_seed_and_differently_the_next_time() {
    let rule = frames(30, 90);
    let anchors = Anchors::PerVideo(8);
    let cuts: Vec<CutEnds> = (1..100).map(|cut| (cut * 100 - 1, cut * 100)).collect();
    let lost = spanning(&plan(&clip(10_000), &rule, anchors, SEED), &cuts);
    assert!(lost.len() > 2);
    let drawn = |seed, round| {
        let redraw = redraw(clip(10_000), &rule, anchors, seed);
        ends(&redraw.draw(&lost, &cuts, &mut taken(&lost), round))
    };
    assert_eq!(drawn(1, 1), drawn(1, 1));
    assert_ne!(drawn(1, 1), drawn(1, 2));
    assert_ne!(drawn(1, 1), drawn(2, 1));
}
