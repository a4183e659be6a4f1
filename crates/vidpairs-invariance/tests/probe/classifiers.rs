//! Logistic regression and weighted nearest neighbours.

use std::sync::Arc;

use vidpairs_invariance::measure::Features;
use vidpairs_invariance::probe::knn::{KnnBank, KnnOptions};
use vidpairs_invariance::probe::logistic::{
    Fitting, LogisticEnd, LogisticOptions, LogisticProblem,
};
use vidpairs_invariance::probe::{Answer, LinearClassifier};

use super::samples::{
    CLASSES, TEST, TRAIN, UNITS, assert_close, features, golden, numbers, samples,
};

fn train(problem: &LogisticProblem, features: &Features<'_>) -> (LinearClassifier, LogisticEnd) {
    let mut fitting = Fitting::new(problem);
    while let Some(point) = fitting.point() {
        let blocks = 0..problem.num_blocks();
        let parts = blocks.map(|block| problem.evaluate(features, point, block).unwrap());
        let sum = parts.reduce(|mut sum, part| {
            sum += part;
            sum
        });
        fitting.tell(problem, sum.unwrap());
    }
    fitting.finish(problem)
}

#[test]
fn logistic_regression_has_the_scores_and_the_loss_of_scikit_learn() {
    let ((mut values, classes), (mut test, test_classes)) = (samples(TRAIN), samples(TEST));
    for row in values.chunks_mut(UNITS).chain(test.chunks_mut(UNITS)) {
        row[5] = 3.0;
    }
    let (images, test) = (features(&values), features(&test));
    for case in golden("logistic").as_array().unwrap() {
        let options = LogisticOptions {
            cost: case["cost"].as_f64().unwrap(),
            tolerance: 1e-10,
            max_iterations: 100_000,
        };
        let problem = LogisticProblem::new(&images, &classes, CLASSES, options).unwrap();
        let (classifier, end) = train(&problem, &images);
        let what = format!("{options:?}, {end:?}");
        assert!(end.is_converged, "{what}");
        assert_close(&what, &[end.loss], &[case["loss"].as_f64().unwrap()], 1e-9);
        // Scores follow from weights of a loss that is flat around its minimum.
        let scores = classifier.scores(&test).unwrap();
        assert_close(&what, &scores, &numbers(&case["scores"]), 1e-5);
        let answers = classifier.answers(&test, &test_classes).unwrap();
        for (k, key) in [(1, "right1"), (2, "right2")] {
            let right = case[key].as_f64().unwrap() / TEST.0 as f64;
            assert_eq!(answers.top(k, None), Some(right), "{what}, {key}");
        }
    }
}

#[test]
fn standardised_logistic_regression_answers_the_same_for_features_times_a_hundred() {
    let ((values, classes), (test, test_classes)) = (samples(TRAIN), samples(TEST));
    let answers = |factor: f32| {
        let scaled = |values: &[f32]| -> Vec<f32> { values.iter().map(|it| it * factor).collect() };
        let (values, test) = (scaled(&values), scaled(&test));
        let images = features(&values);
        let options = LogisticOptions::default();
        let problem = LogisticProblem::new(&images, &classes, CLASSES, options).unwrap();
        let (classifier, end) = train(&problem, &images);
        assert!(end.is_converged, "{end:?}");
        classifier.answers(&features(&test), &test_classes).unwrap()
    };
    assert_eq!(answers(1.0), answers(100.0));
    assert!(answers(1.0).top(1, None).unwrap() > 0.6);
}

#[test]
fn nearest_neighbours_answer_and_rank_as_the_vote_of_dino_in_64_bits() {
    let ((train, classes), (test, test_classes)) = (samples(TRAIN), samples(TEST));
    let labels = |classes: &[usize]| -> Vec<u32> { classes.iter().map(|&it| it as u32).collect() };
    let (labels, test_labels) = (labels(&classes), labels(&test_classes));
    let options = KnnOptions {
        num_neighbours: 100,
        ..KnnOptions::default()
    };
    let cases = golden("knn");
    for cases in cases.as_array().unwrap().chunks(3) {
        let shared = cases[0]["shared"].as_f64().unwrap() as f32;
        let with_shared =
            |values: &[f32]| -> Vec<f32> { values.iter().map(|it| it + shared).collect() };
        let (train, test) = (with_shared(&train), with_shared(&test));
        let bank = KnnBank::new(&Arc::new(features(&train)), &labels, &options).unwrap();
        let answers = bank
            .answers(&features(&test), &test_labels, [1, 20, 100], 0)
            .unwrap();
        for (case, answers) in cases.iter().zip(answers) {
            let places: Vec<i64> = serde_json::from_value(case["rank"].clone()).unwrap();
            let predicted: Vec<usize> = serde_json::from_value(case["predicted"].clone()).unwrap();
            let expected: Vec<Answer> = predicted
                .into_iter()
                .zip(places)
                .map(|(predicted, rank)| Answer {
                    predicted,
                    rank: usize::try_from(rank).ok(),
                })
                .collect();
            assert_eq!(answers, expected, "shared {shared}, k {}", case["k"]);
        }
    }
}
