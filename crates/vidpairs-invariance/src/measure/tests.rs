//! Cases computed by hand.

mod properties;

use super::*;

fn scored(rows: &[&[f32]], instance: &[u32], class: &[u32], version: Version, top: usize) -> Score {
    let values: Vec<f32> = rows.concat();
    let features = Features::new(values, rows[0].len()).unwrap();
    let labels = Labels::new(instance, class).unwrap();
    let options = ScoreOptions {
        versions: vec![version],
        top: vec![top],
        ..ScoreOptions::default()
    };
    score(&features, &labels, &options).unwrap().remove(0)
}

/// The score of one unit with these values, `per_set` images in each set and `per_class` sets in each class.
fn of_unit(values: &[f32], per_set: u32, per_class: u32, version: Version) -> Score {
    let rows: Vec<&[f32]> = values.chunks(1).collect();
    let instance: Vec<u32> = (0..values.len() as u32)
        .map(|image| image / per_set)
        .collect();
    let class: Vec<u32> = instance.iter().map(|set| set / per_class).collect();
    scored(&rows, &instance, &class, version, 1)
}

fn close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-9,
        "{found} instead of {expected}"
    );
}

#[test]
fn a_unit_that_fires_for_all_images_of_a_target_and_no_others_scores_100() {
    for sign in [1.0, -1.0] {
        // Targets 0 and 1, two sets of three images each.
        let values = [5.0, 6.0, 7.0, 8.0, 5.5, 9.0, 1.0, 2.0, 0.0, -3.0, 1.5, 0.5];
        let values = values.map(|value| value * sign);
        let score = of_unit(&values, 3, 2, Version::Formula);
        // With the positive sign target 0, with the negative one target 1: both sums are 2, and positive wins.
        let expected = if sign > 0.0 {
            [100.0, 0.0]
        } else {
            [0.0, 100.0]
        };
        close(score.top[0].per_target[0], expected[0]);
        close(score.top[0].per_target[1], expected[1]);
        close(score.top[0].mean, 50.0);
        assert_eq!(score.units.signs(), [Sign::Positive]);
        close(score.units.of_unit(0)[0], expected[0] / 50.0);
    }
}

#[test]
fn enough_perfect_units_for_every_target_score_100() {
    let instance: Vec<u32> = (0..12).map(|image| image / 3).collect();
    let rows: Vec<Vec<f32>> = instance
        .iter()
        .zip(0..)
        .map(|(&set, image)| {
            let value =
                |unit: u32| 10.0 * f32::from(u8::from(unit / 2 == set)) + 0.1 * image as f32;
            (0..8).map(value).collect()
        })
        .collect();
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let score = scored(&rows, &instance, &instance, Version::Formula, 2);
    assert_eq!(score.top[0].per_target.len(), 4);
    score.top[0]
        .per_target
        .iter()
        .for_each(|&found| close(found, 100.0));
    close(score.top[0].ceiling, 100.0);
    assert_eq!(score.num_firing_units, 8);
    assert!(score.warnings.contains(&Warning::Saturated {
        num_top: 2,
        score: score.top[0].mean,
        ceiling: score.top[0].ceiling,
    }));
}

#[test]
fn a_unit_that_fires_for_one_view_of_four_scores_25_for_each_target() {
    // Four targets, a set of four views each: the unit fires for the first view of every one.
    let values: Vec<f32> = (0..16)
        .map(|image| {
            if image % 4 == 0 {
                10.0 + image as f32
            } else {
                0.1 * image as f32
            }
        })
        .collect();
    let score = of_unit(&values, 4, 1, Version::Formula);
    score.top[0]
        .per_target
        .iter()
        .for_each(|&found| close(found, 25.0));
    score
        .units
        .of_unit(0)
        .iter()
        .for_each(|&found| close(found, 1.0));
}

#[test]
fn the_published_code_leaves_out_sets_without_a_firing_image() {
    // Two targets of two sets of four images: G = 50 %, the threshold is ascending[4] = 4, G_i = 4 / 8.
    // 5, 6, 7 fire above it; descending[4] = 3, and 0, 1, 2 fire below it.
    let values = [4.0, 5.0, 6.0, 7.0, 3.0, 0.0, 1.0, 2.0];
    let score = of_unit(&values, 4, 1, Version::PublishedCode);
    // Both sets have three of four: 0.75 / 0.5 * 50.
    score.top[0]
        .per_target
        .iter()
        .for_each(|&found| close(found, 75.0));
    assert_eq!(score.units.signs(), [Sign::PerSet]);
    // 16 images, two sets in each target; the unit fires for no image of each second set, so these sets do not count.
    let values = [
        14.0, 15.0, 13.0, 12.0, 6.0, 6.0, 6.0, 6.0, 0.0, 1.0, 2.0, 6.0, 6.0, 6.0, 6.0, 6.0,
    ];
    let score = of_unit(&values, 4, 2, Version::PublishedCode);
    // ascending[8] = 6, which 13 of 16 reach; 4 of 4 fire above, 3 of 4 below.
    close(score.top[0].per_target[0], 50.0 / (13.0 / 16.0));
    close(score.top[0].per_target[1], 50.0 * 0.75 / (13.0 / 16.0));
}

#[test]
fn goodfellow_averages_over_the_sets_in_which_the_unit_fires() {
    // The unit fires for two of 200 images in sets of four; the two are in one set, or in two sets.
    let together: Vec<f32> = (0..200)
        .map(|image| if image < 2 { 9.0 } else { (image % 2) as f32 })
        .collect();
    let apart: Vec<f32> = (0..200)
        .map(|image| {
            if image == 3 || image == 4 {
                9.0
            } else {
                (image % 2) as f32
            }
        })
        .collect();
    close(
        of_unit(&together, 4, 5, Version::Goodfellow).top[0].mean,
        50.0,
    );
    let score = of_unit(&apart, 4, 5, Version::Goodfellow);
    close(score.top[0].mean, 25.0);
    close(score.top[0].ceiling, 50.0);
    assert!(score.targets.is_empty());
    close(score.units.of_unit(0)[0], 25.0);
}

#[test]
fn constant_units_and_units_of_zeros_score_0() {
    for version in Version::ALL {
        for value in [0.0, -0.0, 3.5, -2.0] {
            let score = of_unit(&[value; 24], 3, 2, version);
            assert_eq!(score.top[0].mean, 0.0, "{version}");
            assert_eq!(score.num_firing_units, 0, "{version}");
        }
        let zeros: Vec<f32> = (0..24)
            .map(|image| if image % 2 == 0 { 0.0 } else { -0.0 })
            .collect();
        assert_eq!(of_unit(&zeros, 3, 2, version).top[0].mean, 0.0, "{version}");
    }
}

#[test]
fn images_at_the_threshold_do_not_fire() {
    // Two targets of four images: four may fire, but the four after the largest are equal.
    let values = [9.0, 5.0, 5.0, 5.0, 5.0, 1.0, 1.0, 1.0];
    let features = Features::new(&values[..], 1).unwrap();
    let labels = Labels::of_instances(&[0, 0, 0, 0, 1, 1, 1, 1]).unwrap();
    let plan = Plan::new(labels, ScoreOptions::default()).unwrap();
    let firing = plan.firing(&features, 0, Version::Formula).unwrap();
    assert_eq!((firing.high_threshold, firing.low_threshold), (5.0, 5.0));
    // Below 5 there are three: the negative sign has the larger sum.
    assert_eq!(firing.sign, Sign::Negative);
    assert_eq!(firing.share_of_set, [Some(0.0), Some(0.75)]);
    assert_eq!(
        firing.fires,
        [false, false, false, false, false, true, true, true]
    );
    assert_eq!(firing.invariance, [0.0, 1.5]);
}

#[test]
fn the_sign_of_the_published_code_is_chosen_in_every_set() {
    let values = [4.0, 5.0, 6.0, 7.0, 3.0, 0.0, 1.0, 2.0];
    let features = Features::new(&values[..], 1).unwrap();
    let labels = Labels::of_instances(&[0, 0, 0, 0, 1, 1, 1, 1]).unwrap();
    let plan = Plan::new(labels, ScoreOptions::default()).unwrap();
    let firing = plan.firing(&features, 0, Version::PublishedCode).unwrap();
    assert_eq!(
        firing.fires,
        [false, true, true, true, false, true, true, true]
    );
    assert_eq!(firing.share_of_set, [Some(0.75), Some(0.75)]);
}

#[test]
fn sets_of_one_and_two_images_count_by_the_formula_and_not_in_the_published_code() {
    // Target 0 has a set of one image and one of two, target 1 a set of three.
    let rows: [&[f32]; 6] = [&[9.0], &[8.0], &[1.0], &[7.0], &[2.0], &[0.0]];
    let (instance, class) = ([5, 6, 6, 7, 7, 7], [0, 0, 0, 1, 1, 1]);
    let score = scored(&rows, &instance, &class, Version::Formula, 1);
    close(score.top[0].per_target[0], 75.0);
    close(score.top[0].per_target[1], 100.0 / 3.0);
    let score = scored(&rows, &instance, &class, Version::PublishedCode, 1);
    // descending[3] = 2: 0 and 1 are below it, of which 0 is in the set of three. G_i = 3 / 6.
    // ascending[3] = 7: nothing of that set is above it.
    close(score.top[0].per_target[0], 0.0);
    close(score.top[0].per_target[1], 100.0 / 3.0);
    assert!(
        score
            .warnings
            .contains(&Warning::TargetsWithoutSets { num: 1 })
    );
    close(score.top[0].ceiling, 50.0 * (2.0 / 3.0) / 2.0 / 0.5);
}

#[test]
fn with_one_class_a_unit_may_fire_for_all_images_but_one() {
    let score = of_unit(&[1.0, 2.0, 3.0, 4.0], 4, 1, Version::Formula);
    close(score.top[0].mean, 75.0);
    close(score.top[0].ceiling, 75.0);
    assert!(score.warnings.contains(&Warning::OneTarget));
    let one_image = of_unit(&[1.0], 1, 1, Version::Formula);
    assert_eq!(
        (one_image.top[0].mean, one_image.top[0].ceiling),
        (0.0, 0.0)
    );
}

#[test]
fn with_fewer_units_than_k_all_units_are_averaged() {
    let rows: [&[f32]; 4] = [&[9.0, 0.0], &[8.0, 0.0], &[1.0, 0.0], &[2.0, 0.0]];
    let score = scored(&rows, &[0, 0, 1, 1], &[0, 0, 1, 1], Version::Formula, 10);
    close(score.top[0].per_target[0], 50.0);
    assert_eq!(score.top[0].num_top, 10);
    let sentences: Vec<String> = score.warnings.iter().map(Warning::to_string).collect();
    assert_eq!(
        sentences[..2],
        [
            "K = 10 with only 2 units: the score may not change when the representation changes; use 200 units or more",
            "2 units are fewer than 10 for each of 2 targets, and a unit can be perfect for one target only: the ceiling is below 100",
        ]
    );
}

#[test]
fn a_class_of_later_images_of_sets_only_is_a_target_of_the_published_code_only() {
    let rows: [&[f32]; 6] = [&[9.0], &[8.0], &[7.0], &[1.0], &[2.0], &[0.0]];
    let (instance, class) = ([0, 0, 0, 1, 1, 1], [4, 4, 9, 6, 6, 6]);
    let formula = scored(&rows, &instance, &class, Version::Formula, 1);
    assert_eq!(formula.targets, [4, 6]);
    close(formula.top[0].per_target[0], 100.0);
    let published = scored(&rows, &instance, &class, Version::PublishedCode, 1);
    assert_eq!(published.targets, [4, 6, 9]);
    assert_eq!(published.top[0].per_target[2], 0.0);
    assert!(formula.warnings.contains(&Warning::MixedSets { num: 1 }));
}

#[test]
fn too_few_units_for_all_targets_lower_the_ceiling_of_the_formula_only() {
    // The numbers of ALOI viewpoint.
    let instance: Vec<u32> = (0..72_000).map(|image| image / 72).collect();
    let labels = Labels::of_instances(&instance).unwrap();
    let plan = Plan::new(labels, ScoreOptions::default()).unwrap();
    let ceiling = |version, num_top| plan.ceiling(version, 2048, num_top).unwrap();
    close(ceiling(Version::Formula, 10), 20.48);
    close(ceiling(Version::Formula, 1), 100.0);
    close(ceiling(Version::PublishedCode, 10), 100.0);
    close(ceiling(Version::Goodfellow, 410), 100.0);
}

#[test]
fn a_class_larger_than_others_lowers_the_ceiling() {
    // A target of one set of six images and one of a set of two: four may fire.
    let labels = Labels::of_instances(&[0, 0, 0, 0, 0, 0, 1, 1]).unwrap();
    let plan = Plan::new(labels, ScoreOptions::default()).unwrap();
    // 4 / 6 for the first and 2 / 2 for the second.
    close(
        plan.ceiling(Version::Formula, 50, 1).unwrap(),
        100.0 * (4.0 / 6.0 + 1.0) / 2.0,
    );
}

#[test]
fn units_that_the_sample_misrepresents_are_scored_correctly() {
    // More images than are sampled, and a block that is not a multiple of the width.
    let num_images = 5000;
    let instance: Vec<u32> = (0..num_images).map(|image| image / 20).collect();
    let class: Vec<u32> = instance.iter().map(|set| set % 8).collect();
    let value = |image: u32, unit: u32| match unit % 4 {
        // Large values lie where few or no images are sampled.
        0 => (image % 7) as f32 - 3.0 * (image / 4000) as f32,
        1 => f32::from(u8::from(image == 4321)),
        2 => (image.wrapping_mul(0x9e37_79b1) >> 8) as f32,
        _ => ((image.wrapping_mul(0x2c1b_3c6d) >> 8) as f32 - 1e7).max(0.0),
    };
    let values: Vec<f32> = (0..num_images)
        .flat_map(|image| (0..70).map(move |unit| value(image, unit)))
        .collect();
    let features = Features::new(values, 70).unwrap();
    let plan = Plan::new(
        Labels::new(&instance, &class).unwrap(),
        ScoreOptions::default(),
    )
    .unwrap();
    let block = plan
        .score_units(&features, 0..70, &mut Scratch::default())
        .unwrap();
    let mut combiner = Combiner::new(&plan, 70);
    combiner.push(block).unwrap();
    for score in combiner.finish(&plan).unwrap() {
        for unit in 0..70 {
            let alone = plan.firing(&features, unit, score.version).unwrap();
            assert_eq!(score.units.of_unit(unit), alone.invariance, "unit {unit}");
            assert_eq!(score.units.signs()[unit], alone.sign, "unit {unit}");
        }
    }
}

#[test]
fn blocks_out_of_order_and_missing_blocks_are_refused() {
    let features = Features::new(vec![1.0; 12], 3).unwrap();
    let plan = Plan::new(
        Labels::of_instances(&[0, 0, 1, 1]).unwrap(),
        ScoreOptions::default(),
    )
    .unwrap();
    let block = |units| plan.score_units(&features, units, &mut Scratch::default());
    let mut combiner = Combiner::new(&plan, 3);
    assert!(combiner.push(block(1..2).unwrap()).is_err());
    combiner.push(block(0..2).unwrap()).unwrap();
    assert!(combiner.finish(&plan).is_err());
    assert!(block(2..4).is_err());
    let other = Features::new(vec![1.0; 9], 3).unwrap();
    let err = plan.firing(&other, 0, Version::Formula).unwrap_err();
    assert_eq!(err.to_string(), "features of 3 images, labels of 4");
}

#[test]
fn options_out_of_range_are_named() {
    let labels = Labels::of_instances(&[0, 1]).unwrap();
    let refused = |options| Plan::new(labels.clone(), options).unwrap_err().to_string();
    let options = ScoreOptions::default();
    assert_eq!(
        refused(ScoreOptions {
            top: vec![10, 0],
            ..options.clone()
        }),
        "top is [10, 0]; expected numbers of units, each at least 1"
    );
    assert_eq!(
        refused(ScoreOptions {
            top_share: f64::NAN,
            ..options.clone()
        }),
        "top_share is NaN; expected a number above 0 and at most 1"
    );
    assert_eq!(
        refused(ScoreOptions {
            versions: Vec::new(),
            ..options
        }),
        "versions is empty; expected at least one"
    );
}
