use std::collections::BTreeMap;

use rand::RngExt;
use rand_distr::StandardNormal;
use vidpairs_types::Seed;

use super::super::retrieval::TargetTally;
use super::*;

fn normal(seed: u64, num: usize) -> Vec<f64> {
    let rng = Seed::of_run(seed).for_step("normal", "").rng();
    rng.sample_iter(StandardNormal).take(num).collect()
}

fn seed() -> Seed {
    Seed::of_run(11)
}

const OPTIONS: BootstrapOptions = BootstrapOptions {
    num_resamples: 400,
    confidence: 0.95,
};

#[test]
fn an_interval_over_classes_covers_the_truth_about_as_often_as_its_confidence() {
    let num_cases = 400;
    let num_held = (0..num_cases).filter(|&case| {
        let noise = normal(case, 40);
        let scores: Vec<f64> = noise.iter().map(|noise| 70.0 + 5.0 * noise).collect();
        let interval = over_classes(&scores, OPTIONS, Seed::of_run(case)).unwrap();
        interval.low <= 70.0 && 70.0 <= interval.high
    });
    // 93 to 94 % are expected of 40 classes; the standard error is 1.2 %.
    let share = num_held.count() as f64 / num_cases as f64;
    assert!((0.89..=0.975).contains(&share), "{share}");
}

#[test]
fn the_width_of_an_interval_follows_from_the_standard_error_of_the_mean() {
    let scores = normal(3, 500);
    let options = BootstrapOptions {
        num_resamples: 4000,
        ..OPTIONS
    };
    let interval = over_classes(&scores, options, seed()).unwrap();
    let mean = scores.iter().sum::<f64>() / 500.0;
    let squares = scores.iter().map(|score| (score - mean).powi(2));
    let variance = squares.sum::<f64>() / 500.0;
    let expected = 2.0 * 1.96 * (variance / 500.0).sqrt();
    assert!(((interval.high - interval.low) / expected - 1.0).abs() < 0.06);
    assert!((interval.estimate - mean).abs() < 1e-12);
}

#[test]
fn the_same_seed_gives_the_same_interval() {
    let scores = normal(1, 20);
    let of = |seed| over_classes(&scores, OPTIONS, Seed::of_run(seed)).unwrap();
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn one_class_or_one_target_gives_an_error_instead_of_an_interval() {
    let err = over_classes(&[50.0], OPTIONS, seed()).unwrap_err();
    assert_eq!(
        err.to_string(),
        "an interval over classes needs at least 2; found 1"
    );
    let tally = TargetTally {
        num_queries: 3,
        num_found: 1,
    };
    let none = TargetTally::default();
    let err = over_targets([tally, none], OPTIONS, seed()).unwrap_err();
    assert_eq!(
        err.to_string(),
        "an interval over targets needs at least 2; found 1"
    );
    let err = over_classes(&[1.0, f64::NAN], OPTIONS, seed()).unwrap_err();
    assert!(matches!(
        err,
        IntervalError::NotFinite { class_index: 1, .. }
    ));
}

#[test]
fn equal_classes_have_an_interval_of_width_zero() {
    let interval = over_classes(&[50.0, 50.0, 50.0], OPTIONS, seed()).unwrap();
    assert_eq!((interval.low, interval.high), (50.0, 50.0));
}

#[test]
fn options_out_of_range_are_named() {
    let with = |num_resamples, confidence| {
        let options = BootstrapOptions {
            num_resamples,
            confidence,
        };
        over_classes(&[1.0, 2.0], options, seed())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(with(0, 0.95), "num_resamples is 0; expected at least 1");
    for confidence in [0.0, 1.0, f64::NAN] {
        assert!(with(10, confidence).starts_with("confidence is "));
    }
}

#[test]
fn targets_are_resampled_with_all_their_queries() {
    // Two targets: resamples have the shares of the first, of the second, and of both pooled.
    let tallies = [
        TargetTally {
            num_queries: 10,
            num_found: 10,
        },
        TargetTally {
            num_queries: 30,
            num_found: 0,
        },
    ];
    let options = BootstrapOptions {
        confidence: 0.9,
        ..OPTIONS
    };
    let interval = over_targets(tallies, options, seed()).unwrap();
    assert_eq!(
        (interval.estimate, interval.low, interval.high),
        (0.25, 0.0, 1.0)
    );
}

#[test]
fn a_difference_can_be_clear_although_the_intervals_of_the_models_overlap() {
    let (hardness, noise) = (normal(1, 30), normal(2, 30));
    let second: BTreeMap<usize, f64> = (0..30)
        .map(|class| (class, 60.0 + 10.0 * hardness[class]))
        .collect();
    let first: BTreeMap<usize, f64> = (0..30)
        .map(|class| (class, second[&class] + 1.0 + noise[class]))
        .collect();
    let alone = |scores: &BTreeMap<usize, f64>| {
        let scores: Vec<f64> = scores.values().copied().collect();
        over_classes(&scores, OPTIONS, seed()).unwrap()
    };
    assert!(alone(&first).low < alone(&second).high);
    let difference = |a, b| paired_difference(a, b, OPTIONS, seed()).unwrap();
    let ahead = difference(&first, &second);
    assert_eq!(ahead.num_drawn, 30);
    assert!(ahead.low > 0.0 && ahead.estimate > 0.5, "{ahead:?}");
    let behind = difference(&second, &first);
    assert!(behind.high < 0.0, "{behind:?}");
    assert!((behind.estimate + ahead.estimate).abs() < 1e-12);
    let same = difference(&first, &first);
    assert_eq!((same.low, same.estimate, same.high), (0.0, 0.0, 0.0));
}

#[test]
fn models_scored_on_different_classes_are_not_compared_and_the_class_is_named() {
    let compare = |first: &[&'static str], second: &[&'static str]| {
        let scores = |classes: &[&'static str]| {
            let classes = classes.iter().copied();
            classes.zip([1.0, 2.0, 3.0]).collect::<BTreeMap<_, _>>()
        };
        paired_difference(&scores(first), &scores(second), OPTIONS, seed())
            .map_err(|err| err.to_string())
    };
    let (car, bus) = ("car", "bus");
    let only_in = |model, class| {
        Err(format!(
            "only the {model} model has a score of class {class}; both need the same classes"
        ))
    };
    assert_eq!(compare(&[car, bus], &[car]), only_in("first", bus));
    assert_eq!(compare(&[car], &[bus, car]), only_in("second", bus));
    let one = "an interval over classes needs at least 2; found 1";
    assert_eq!(compare(&[car], &[car]), Err(one.to_owned()));
    assert!(compare(&[car, bus], &[bus, car]).is_ok());
}

#[test]
fn an_interval_over_sets_contains_the_score_of_units_that_fire_in_few_sets() {
    // Ten sets, four units: one fires in one set, one in two, one in all, one never.
    let mut shares = vec![0.0; 40];
    for set in 0..10 {
        shares[4 * set] = f64::from(u8::from(set == 3));
        shares[4 * set + 1] = if set % 5 == 0 { 0.5 } else { 0.0 };
        shares[4 * set + 2] = 0.2 + 0.05 * set as f64;
    }
    let class = ClassSets {
        shares: &shares,
        num_units: 4,
    };
    let interval = over_sets(&[class; 5], SilentSets::LeftOut, OPTIONS, seed()).unwrap();
    assert!((interval.estimate - (1.0 + 0.5 + 0.425) / 4.0).abs() < 1e-12);
    assert!(
        interval.low < interval.estimate && interval.estimate < interval.high,
        "{interval:?}"
    );
}

#[test]
fn the_score_of_a_class_is_the_mean_over_units_of_the_mean_over_sets() {
    // Two sets, two units; the second unit is silent in the second set.
    let class = ClassSets {
        shares: &[80.0, 60.0, 40.0, 0.0],
        num_units: 2,
    };
    let of = |silent| over_sets(&[class], silent, OPTIONS, seed()).unwrap();
    let counted = of(SilentSets::Counted);
    // One of the two is drawn: 70 or 20.
    assert_eq!(
        (counted.estimate, counted.low, counted.high),
        (45.0, 20.0, 70.0)
    );
    assert_eq!(counted.num_drawn, 2);
    let left_out = of(SilentSets::LeftOut);
    assert_eq!(
        (left_out.estimate, left_out.low, left_out.high),
        (60.0, 50.0, 70.0)
    );
}

#[test]
fn an_interval_over_few_sets_covers_the_truth_about_as_often_as_its_confidence() {
    let (num_cases, num_classes, num_sets) = (300, 25, 3);
    let num_held = (0..num_cases).filter(|&case| {
        let noise = normal(case, num_classes * num_sets);
        let shares: Vec<f64> = noise.iter().map(|noise| 50.0 + 4.0 * noise).collect();
        let classes: Vec<ClassSets<'_>> = shares
            .chunks(num_sets)
            .map(|shares| ClassSets {
                shares,
                num_units: 1,
            })
            .collect();
        let interval = over_sets(&classes, SilentSets::Counted, OPTIONS, seed()).unwrap();
        interval.low <= 50.0 && 50.0 <= interval.high
    });
    let share = num_held.count() as f64 / num_cases as f64;
    assert!((0.9..=0.985).contains(&share), "{share}");
}

#[test]
fn classes_of_one_set_each_give_an_error_instead_of_an_interval_over_sets() {
    let one = ClassSets {
        shares: &[50.0, 60.0],
        num_units: 2,
    };
    let err = over_sets(&[one, one], SilentSets::Counted, OPTIONS, seed()).unwrap_err();
    let reason = "an interval over sets needs a class with two sets; each of 2 classes has one";
    assert_eq!(err.to_string(), reason);
    let two = ClassSets {
        shares: &[50.0, 60.0],
        num_units: 1,
    };
    let interval = over_sets(&[one, two], SilentSets::Counted, OPTIONS, seed()).unwrap();
    assert_eq!((interval.estimate, interval.num_drawn), (55.0, 2));
    assert_eq!((interval.low, interval.high), (52.5, 57.5));
}

#[test]
fn contributions_that_are_not_rows_of_finite_shares_are_refused() {
    for shares in [&[][..], &[1.0, 2.0, 3.0], &[1.0, f64::NAN], &[1.0, -1.0]] {
        let class = ClassSets {
            shares,
            num_units: 2,
        };
        let err = over_sets(&[class], SilentSets::Counted, OPTIONS, seed()).unwrap_err();
        assert_eq!(
            err,
            IntervalError::Contributions {
                class_index: 0,
                num_units: 2
            }
        );
    }
}

#[test]
fn an_interval_over_images_has_the_width_of_the_standard_error_of_a_share() {
    let right: Vec<u32> = (0..800).map(|image| u32::from(image % 5 != 0)).collect();
    let share = |counts: &[u32]| {
        let num: u32 = right
            .iter()
            .zip(counts)
            .map(|(right, num)| right * num)
            .sum();
        Some(f64::from(num) / 800.0)
    };
    let options = BootstrapOptions {
        num_resamples: 4000,
        ..OPTIONS
    };
    let interval = over_images(800, options, seed(), share).unwrap();
    let expected = 2.0 * 1.96 * (0.8f64 * 0.2 / 800.0).sqrt();
    assert!(((interval.high - interval.low) / expected - 1.0).abs() < 0.06);
    assert_eq!((interval.estimate, interval.num_drawn), (0.8, 800));
}

#[test]
fn two_models_are_compared_on_the_same_resamples_of_images() {
    let hardness = normal(3, 60);
    let scores = |shift: f64| -> Vec<f64> { hardness.iter().map(|score| score + shift).collect() };
    let (first, second) = (scores(0.01), scores(0.0));
    let mean = |scores: &[f64], counts: &[u32]| {
        let terms = scores.iter().zip(counts);
        terms
            .map(|(score, &count)| score * f64::from(count))
            .sum::<f64>()
            / 60.0
    };
    let of = |scores: &[f64]| {
        over_images(60, OPTIONS, seed(), |counts| Some(mean(scores, counts))).unwrap()
    };
    assert!(of(&first).low < of(&second).high);
    assert!((of(&first).low - of(&second).low - 0.01).abs() < 1e-12);
    let difference = |counts: &[u32]| Some(mean(&first, counts) - mean(&second, counts));
    let difference = over_images(60, OPTIONS, seed(), difference).unwrap();
    assert!(
        difference.low > 0.0099 && difference.high < 0.0101,
        "{difference:?}"
    );
}

#[test]
fn resamples_without_a_value_are_left_out_and_images_without_one_have_no_interval() {
    let first = |counts: &[u32]| (counts[0] > 0).then_some(f64::from(counts[0]));
    let interval = over_images(3, OPTIONS, seed(), first).unwrap();
    assert_eq!((interval.estimate, interval.low), (1.0, 1.0));
    let err = over_images(3, OPTIONS, seed(), |_| None).unwrap_err();
    assert_eq!(err, IntervalError::NoFigure);
    let err = over_images(1, OPTIONS, seed(), |_| Some(1.0)).unwrap_err();
    assert_eq!(
        err.to_string(),
        "an interval over images needs at least 2; found 1"
    );
}
