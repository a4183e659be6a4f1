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
