//! Linear support vector machines and the choice of their costs.

use vidpairs_invariance::probe::folds::Folds;
use vidpairs_invariance::probe::svm::{CostSource, SvmOptions, SvmSearch};
use vidpairs_types::Seed;

use super::samples::{
    CLASSES, TEST, TRAIN, assert_close, features, golden, numbers, samples, shown,
};

/// We stop within this of the optimum; decision values are about 1.
const TOLERANCE: f64 = 1e-6;

fn exact(options: SvmOptions) -> SvmOptions {
    SvmOptions {
        tolerance: 1e-8,
        max_epochs: 1_000_000,
        ..options
    }
}

#[test]
fn decision_values_are_those_of_linear_svc_for_every_cost_weight_and_bias_scale() {
    let (train, _) = samples(TRAIN);
    let (test, _) = samples(TEST);
    let cases = golden("svm");
    for case in cases.as_array().unwrap() {
        let number = |key: &str| case[key].as_f64().unwrap();
        let cost = number("cost");
        let options = SvmOptions {
            costs: vec![cost],
            positive_weight: number("positive_weight"),
            intercept_scaling: number("intercept_scaling"),
            ..exact(SvmOptions::vissl())
        };
        let train = features(&train);
        let search = SvmSearch::new(&train, shown(train.values()), options, Seed::of_run(1));
        let fitted = search.unwrap().fit(&train, 1, cost).unwrap().unwrap();
        let what = format!("cost {cost}, {:?}", fitted.convergence);
        assert!(fitted.convergence.is_converged, "{what}");
        let decisions = fitted.svm.decide_all(&features(&test));
        assert_close(&what, &decisions, &numbers(&case["decisions"]), TOLERANCE);
        assert_close(&what, &[fitted.svm.bias], &[number("bias")], TOLERANCE);
    }
}

#[test]
fn scores_of_all_costs_and_the_choice_are_those_of_cross_validation_in_scikit_learn() {
    let (train, _) = samples(TRAIN);
    let train = features(&train);
    let golden = golden("costs");
    let folds: Vec<usize> = serde_json::from_value(golden["folds"].clone()).unwrap();
    let folds = Folds::given(folds);

    let options = SvmOptions {
        costs: numbers(&golden["costs"]),
        tolerance: 1e-6,
        ..exact(SvmOptions::vissl())
    };
    let (truths, seed) = (shown(train.values()), Seed::of_run(2));
    let folds_of_classes = vec![folds; CLASSES];
    let search = SvmSearch::new(&train, truths, options, seed).unwrap();
    let search = search.with_folds(folds_of_classes).unwrap();
    let choices = search.choose_all(&train).unwrap();
    let best = numbers(&golden["best"]);
    let scores = golden["average_precision"].as_array().unwrap();
    for (class, choice) in choices.per_class.iter().enumerate() {
        let what = format!("class {class}");
        assert_eq!(
            (choice.cost, choice.source),
            (best[class], CostSource::Validated),
            "{what}"
        );
        assert_close(&what, &choice.scores, &numbers(&scores[class]), 1e-9);
        assert_eq!(choice.num_not_converged, [0; 4], "{what}");
    }
}
