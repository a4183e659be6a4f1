use vidpairs_types::{ProbeLabel, Seed};

use super::super::folds::Folds;
use super::super::rows::drawn;
use super::super::{Truths, unit_rows};
use super::*;
use crate::measure::Features;

const UNITS: usize = 6;

/// Unit vectors whose first number decides, with noise, whether the image shows class 0, and so on.
fn images(num: usize) -> Features<'static> {
    unit_rows(Features::new(drawn(num * UNITS, 1), UNITS).unwrap()).0
}

fn truths(features: &Features<'_>, num_classes: usize) -> Truths {
    let label = |row: &[f32]| ProbeLabel::Many {
        positive: (0..num_classes)
            .filter(|&class| row[class] + 0.6 * row[class + 1] > 0.35)
            .collect(),
        ignored: Vec::new(),
    };
    let labels: Vec<ProbeLabel> = features.images().map(label).collect();
    Truths::new(&labels, num_classes).unwrap()
}

fn options() -> SvmOptions {
    SvmOptions {
        costs: vec![0.01, 0.1, 1.0, 10.0],
        tolerance: 1e-9,
        max_epochs: 100_000,
        ..SvmOptions::vissl()
    }
}

/// Greatest difference of decision values.
fn apart(features: &Features<'_>, a: &LinearSvm, b: &LinearSvm) -> f64 {
    let pairs = a
        .decide_all(features)
        .into_iter()
        .zip(b.decide_all(features));
    pairs.fold(0.0, |max, (a, b)| (a - b).abs().max(max))
}

#[test]
fn a_machine_does_not_depend_on_the_costs_before_it_the_seed_or_the_order_of_images() {
    let features = images(120);
    let truths = truths(&features, 1);
    let fit = |features: &Features<'_>, truths: &Truths, options: SvmOptions, seed| {
        let search = SvmSearch::new(features, truths.clone(), options, Seed::of_run(seed)).unwrap();
        let fitted = search.fit(features, 0, 10.0).unwrap().unwrap();
        assert!(fitted.convergence.is_converged);
        fitted.svm
    };
    let svm = fit(&features, &truths, options(), 1);
    let alone = SvmOptions {
        costs: vec![10.0],
        ..options()
    };
    assert!(apart(&features, &svm, &fit(&features, &truths, alone, 2)) < 1e-7);
    let values: Vec<f32> = features.images().rev().flatten().copied().collect();
    let backwards = Features::new(values, UNITS).unwrap();
    let truths = self::truths(&backwards, 1);
    assert!(apart(&features, &svm, &fit(&backwards, &truths, options(), 1)) < 1e-7);
}

#[test]
fn blocks_in_any_order_of_computation_give_the_choice_of_one_thread() {
    let features = images(90);
    let search =
        SvmSearch::new(&features, truths(&features, 3), options(), Seed::of_run(1)).unwrap();
    assert_eq!(search.num_blocks(), 9);
    let mut blocks: Vec<FoldScores> = (0..9)
        .rev()
        .map(|block| search.validate(&features, block).unwrap())
        .collect();
    let mut choosing = search.choosing();
    while let Some(block) = blocks.pop() {
        choosing.take(block);
    }
    assert_eq!(choosing.finish(), search.choose_all(&features).unwrap());
}

#[test]
fn a_class_with_too_few_positives_for_the_folds_takes_the_cost_of_the_others() {
    let features = images(60);
    let label = |image: usize| {
        let row = features.images().nth(image).unwrap();
        let shows = [row[0] > 0.0, image < 2, false];
        ProbeLabel::Many {
            positive: (0..3).filter(|&class| shows[class]).collect(),
            ignored: Vec::new(),
        }
    };
    let labels: Vec<ProbeLabel> = (0..60).map(label).collect();
    let truths = Truths::new(&labels, 3).unwrap();
    let search = SvmSearch::new(&features, truths, options(), Seed::of_run(1)).unwrap();
    let choices = search.choose_all(&features).unwrap();
    let [common, few, none] = choices.per_class.as_slice() else {
        panic!("{choices:?}")
    };
    assert_eq!(
        (common.source, common.scores.len()),
        (CostSource::Validated, 4)
    );
    assert_eq!(
        (few.source, few.cost),
        (CostSource::OtherClasses, common.cost)
    );
    assert!(few.scores.is_empty() && none.scores.is_empty());
    assert_eq!(choices.mean_scores, common.scores);
    assert!(search.fit(&features, 1, few.cost).unwrap().is_some());
    assert!(search.fit(&features, 2, none.cost).unwrap().is_none());
    assert!(search.fit(&features, 3, 1.0).unwrap().is_none());
}

#[test]
fn without_any_class_to_validate_the_cost_nearest_to_one_is_taken() {
    let features = images(8);
    let truths = Truths::of_single(&[0, 0, 1, 1, 2, 2, 3, 3], 4).unwrap();
    let options = SvmOptions {
        costs: vec![0.02, 0.2, 20.0],
        ..options()
    };
    let search = SvmSearch::new(&features, truths, options, Seed::of_run(1)).unwrap();
    let choices = search.choose_all(&features).unwrap();
    assert!(choices.mean_scores.is_empty());
    for choice in choices.per_class {
        assert_eq!((choice.cost, choice.source), (0.2, CostSource::Fallback));
    }
}

#[test]
fn of_equal_scores_the_smaller_cost_is_chosen() {
    // Every cost ranks these without an error.
    let values: Vec<f32> = (0..30)
        .flat_map(|at| [if at < 15 { 1.0 } else { -1.0 }, at as f32])
        .collect();
    let features = Features::new(values, 2).unwrap();
    let classes: Vec<usize> = (0..30).map(|at| at / 15).collect();
    let truths = Truths::of_single(&classes, 2).unwrap();
    let options = SvmOptions {
        costs: vec![1.0, 10.0, 100.0],
        ..options()
    };
    let search = SvmSearch::new(&features, truths, options, Seed::of_run(1)).unwrap();
    let choices = search.choose_all(&features).unwrap();
    assert_eq!(choices.mean_scores, [1.0; 3]);
    assert!(
        choices.per_class.iter().all(|choice| choice.cost == 1.0),
        "{choices:?}"
    );
}

#[test]
fn ignored_images_are_negatives_in_training_and_where_costs_are_compared() {
    let features = images(60);
    let label = |image: usize, ignores: bool| {
        let row = features.images().nth(image).unwrap();
        let of = |is_so: bool| {
            if row[0] > 0.0 && is_so {
                vec![0]
            } else {
                vec![]
            }
        };
        ProbeLabel::Many {
            positive: of(image >= 10),
            ignored: of(ignores && image < 10),
        }
    };
    let search = |ignores: bool| {
        let labels: Vec<ProbeLabel> = (0..60).map(|image| label(image, ignores)).collect();
        let truths = Truths::new(&labels, 1).unwrap();
        SvmSearch::new(&features, truths, options(), Seed::of_run(1)).unwrap()
    };
    let (ignoring, negatives) = (search(true), search(false));
    let fit = |search: &SvmSearch| search.fit(&features, 0, 1.0).unwrap();
    assert_eq!(fit(&ignoring), fit(&negatives));
    let choose = |search: &SvmSearch| search.choose_all(&features).unwrap();
    assert_eq!(choose(&ignoring), choose(&negatives));
    let all = SvmSearch::new(
        &features,
        truths_of_sign(&features),
        options(),
        Seed::of_run(1),
    );
    assert_ne!(fit(&ignoring), fit(&all.unwrap()));
}

/// Images whose first number is positive show class 0.
fn truths_of_sign(features: &Features<'_>) -> Truths {
    let label = |row: &[f32]| ProbeLabel::Many {
        positive: if row[0] > 0.0 { vec![0] } else { vec![] },
        ignored: vec![],
    };
    let labels: Vec<ProbeLabel> = features.images().map(label).collect();
    Truths::new(&labels, 1).unwrap()
}

#[test]
fn a_machine_that_was_stopped_early_says_so() {
    let features = images(90);
    let options = SvmOptions {
        max_epochs: 2,
        ..options()
    };
    let search = SvmSearch::new(&features, truths(&features, 1), options, Seed::of_run(1)).unwrap();
    let fitted = search.fit(&features, 0, 10.0).unwrap().unwrap();
    assert_eq!(fitted.convergence.num_epochs, 2);
    assert!(!fitted.convergence.is_converged && fitted.convergence.violation > 1e-9);
    let choices = search.choose_all(&features).unwrap();
    assert_eq!(choices.per_class[0].num_not_converged, [3; 4]);
    let violations = &choices.per_class[0].violations;
    assert!(violations.iter().all(|&violation| violation > 1e-9));
}

#[test]
fn inputs_that_cannot_be_learned_from_are_refused_in_plain_words() {
    let features = images(6);
    let new = |classes: &[usize], options: SvmOptions| {
        let truths = Truths::of_single(classes, 3).unwrap();
        let search = SvmSearch::new(&features, truths, options, Seed::of_run(1));
        search.map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(new(&[0, 1], options()), "2 labels; expected 6");
    assert_eq!(
        new(&[1; 6], options()),
        "no class can be learned from 6 training images: each of 3 classes lacks a positive or a negative"
    );
    let good = [0, 1, 0, 1, 0, 1];
    for (options, text) in [
        (
            SvmOptions {
                costs: vec![1.0, 0.1],
                ..options()
            },
            "costs is [1.0, 0.1]; expected finite numbers above 0, ascending",
        ),
        (
            SvmOptions {
                num_folds: 1,
                ..options()
            },
            "num_folds is 1; expected at least 2",
        ),
        (
            SvmOptions {
                tolerance: f64::NAN,
                ..options()
            },
            "tolerance is NaN; expected a finite number above 0",
        ),
    ] {
        assert_eq!(new(&good, options), text);
    }
}

#[test]
fn features_of_another_shape_than_those_searched_are_refused() {
    let features = images(12);
    let search =
        SvmSearch::new(&features, truths(&features, 1), options(), Seed::of_run(1)).unwrap();
    let err = search.fit(&images(11), 0, 1.0).unwrap_err();
    assert_eq!(err.to_string(), "11 rows of features; expected 12");
    let folds = vec![Folds::given(vec![0, 1, 2, 0]); 1];
    let err = search.with_folds(folds);
    assert_eq!(err.unwrap_err().to_string(), "4 folds; expected 12");
}

#[test]
fn features_times_a_hundred_give_the_same_scores_costs_and_ranking() {
    let values = drawn(120 * UNITS, 1);
    let choose = |factor: f32| {
        let values: Vec<f32> = values.iter().map(|value| value * factor).collect();
        let features = unit_rows(Features::new(values, UNITS).unwrap()).0;
        let truths = truths(&images(120), 2);
        let search = SvmSearch::new(&features, truths, options(), Seed::of_run(1)).unwrap();
        search.choose_all(&features).unwrap()
    };
    assert_eq!(
        choose(1.0).per_class[0].cost,
        choose(100.0).per_class[0].cost
    );
    assert_eq!(choose(1.0).mean_scores, choose(100.0).mean_scores);
    assert!(choose(1.0).mean_scores.iter().any(|&score| score < 1.0));
}

#[test]
fn one_image_is_refused() {
    let truths = Truths::of_single(&[0], 1).unwrap();
    let err = SvmSearch::new(&images(1), truths, options(), Seed::of_run(1)).unwrap_err();
    assert!(matches!(
        err,
        SvmError::NothingToLearn {
            num_images: 1,
            num_classes: 1
        }
    ));
}
