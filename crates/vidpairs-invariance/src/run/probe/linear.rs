//! Linear classifiers trained on augmented images by stochastic gradient descent, of which held-out images choose the learning rate.

use std::collections::HashMap;
use std::path::Path;

use vidpairs_run::RunError;
use vidpairs_types::{Seed, Split};

use super::ProbeOptions;
use super::divided::Divided;
use super::error::ProbeError;
use super::judge::{Judge, lost};
use super::protocol::DataProtocol;
use super::result::RateScore;
use super::single::{Answered, answers_of, classes_of, rows};
use super::subject::Subject;
use crate::probe::LinearClassifier;
use crate::probe::folds::Folds;
use crate::run::engine::{HeadRequest, ImageEncoder, LinearHead, LinearRecipe};

/// One of so many training images is held out.
const HELD_OUT: usize = 10;

/// Classifiers of one model on one data set.
pub(super) struct Sweep {
    /// For each stage, one for each learning rate.
    stages: Vec<Vec<LinearHead>>,
    /// Training images that they were not trained on, as places among the training images, ascending.
    held_out: Vec<usize>,
}

impl Sweep {
    /// Trains classifiers of all stages.
    ///
    /// - `images`: the images that have features, as indices in the subject.
    ///
    /// # Errors
    /// [`RunError`], as [`ImageEncoder::linear_heads`].
    pub fn train(
        encoder: &dyn ImageEncoder,
        (subject, protocol, path): (&Subject, &DataProtocol, &Path),
        images: &[usize],
        options: &ProbeOptions,
        judge: &Judge<'_>,
    ) -> Result<Self, RunError> {
        let settings = judge.settings;
        subject.check(images).map_err(|reason| ProbeError::Unfit {
            path: path.to_owned(),
            reason,
        })?;
        let train: Vec<usize> = subject.of_split(images, Split::Train).collect();
        let labels: Vec<_> = (train.iter())
            .map(|&image| subject.labels[image].clone())
            .collect();
        let classes = classes_of(&labels);
        let [used, held_out] = divided(&classes, judge.seed("linear"));
        let parts: Vec<_> = used
            .iter()
            .map(|&place| subject.parts[train[place]].clone())
            .collect();
        let classes: Vec<usize> = used.iter().map(|&place| classes[place]).collect();
        let recipe = LinearRecipe {
            epochs: settings.linear_epochs,
            batch: settings.linear_batch,
            learning_rates: settings.linear_rates.clone(),
        };
        let stages = encoder.linear_heads(&HeadRequest {
            parts: &parts,
            classes: &classes,
            num_classes: subject.classes.len(),
            stages: &protocol.stages,
            pool: settings.pool,
            view: protocol.view,
            numbers: settings.numbers,
            recipe: &recipe,
            seed: judge.seed("linear"),
            out: &options.out,
            control: &options.control,
        })?;
        Ok(Self { stages, held_out })
    }

    /// Answers of the classifier of a stage whose learning rate has the greatest accuracy on the held-out images; of equal ones the
    /// smallest learning rate.
    ///
    /// # Errors
    /// [`RunError`]: no training converged, a thread is lost, or the work was cancelled.
    pub fn answers(
        &self,
        stage: usize,
        judge: &Judge<'_>,
        divided: &Divided,
        (num_classes, path): (usize, &Path),
    ) -> Result<Answered, RunError> {
        let classes = classes_of(&divided.train.labels);
        let all: Vec<usize> = (0..classes.len()).collect();
        let validated = match self.held_out.is_empty() {
            true => &all,
            false => &self.held_out,
        };
        let (features, classes) = rows(&divided.train.features, &classes, validated)
            .expect("a data set has training images");
        let mut warnings = Vec::new();
        if self.held_out.is_empty() {
            warnings.push(
                "too few training images to hold some out, so they chose the learning rate themselves"
                    .to_owned(),
            );
        }
        let mut rates = Vec::new();
        let mut best: Option<(f64, usize, (_, _))> = None;
        for (place, head) in self.stages[stage].iter().enumerate() {
            let mut rate = RateScore {
                learning_rate: head.learning_rate,
                ..RateScore::default()
            };
            if let Some(classifier) = classifier(head) {
                let found = classifier.answers(&features, &classes).map_err(lost)?;
                let share = found.top(1, None).unwrap_or_default();
                let tested = answers_of(judge, divided, classifier, num_classes)?;
                rate.validation = Some(100.0 * share);
                rate.test = tested.0.top(1, None).map(|share| 100.0 * share);
                if best.as_ref().is_none_or(|(most, _, _)| share > *most) {
                    best = Some((share, place, tested));
                }
            }
            rates.push(rate);
        }
        let Some((_, place, (answers, certainty))) = best else {
            return Err(ProbeError::Unfit {
                path: path.to_owned(),
                reason: "the training of linear classifiers diverged at every learning rate; set probe.linear_rates to smaller ones"
                    .to_owned(),
            }
            .into());
        };
        // Where all are equal, the first one says nothing.
        let differ = rates
            .iter()
            .any(|rate| rate.validation != rates[place].validation);
        if differ && place + 1 == rates.len() {
            warnings.push(
                "the greatest learning rate was chosen; a greater one may be better, so add one to probe.linear_rates".to_owned(),
            );
        }
        if differ && place == 0 {
            warnings.push(
                "the smallest learning rate was chosen; a smaller one may be better, so add one to probe.linear_rates".to_owned(),
            );
        }
        Ok(Answered {
            answers,
            certainty,
            learning_rate: Some(rates[place].learning_rate),
            rates,
            warnings,
            cost: None,
        })
    }
}

/// Divides training images, as ascending places, into those to train on, and a tenth that is held out, spread evenly over the classes. The
/// last image of a class is never held out.
fn divided(classes: &[usize], seed: Seed) -> [Vec<usize>; 2] {
    let mut left: HashMap<usize, usize> = HashMap::new();
    for &class in classes {
        *left.entry(class).or_default() += 1;
    }
    let folds = Folds::stratified(classes, HELD_OUT, seed);
    let mut is_held_out = vec![false; classes.len()];
    for place in folds.held_out(0) {
        if let Some(left) = left.get_mut(&classes[place]).filter(|left| **left > 1) {
            *left -= 1;
            is_held_out[place] = true;
        }
    }
    [false, true].map(|of| {
        let places = (0..classes.len()).filter(|&place| is_held_out[place] == of);
        places.collect()
    })
}

/// `None` if the training diverged.
fn classifier(head: &LinearHead) -> Option<LinearClassifier> {
    let mut values = head.weights.iter().chain(&head.biases);
    let is_finite = values.all(|value| value.is_finite());
    let wide = |values: &[f32]| values.iter().map(|&value| value.into()).collect();
    is_finite.then(|| LinearClassifier::new(wide(&head.weights), wide(&head.biases)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_held_out_and_no_class_loses_its_last_image() {
        let classes: Vec<usize> = (0..103)
            .map(|place| (place % 4).min(2))
            .chain([3])
            .collect();
        for seed in 0..20 {
            let [used, held_out] = divided(&classes, Seed::of_run(seed));
            let mut all = [used.clone(), held_out.clone()].concat();
            all.sort_unstable();
            assert_eq!(all, (0..104).collect::<Vec<_>>());
            assert!((9..=11).contains(&held_out.len()), "{held_out:?}");
            for class in 0..4 {
                assert!(used.iter().any(|&place| classes[place] == class), "{class}");
            }
        }
        let alone = divided(&[0, 1, 2], Seed::of_run(0));
        assert_eq!(alone, [vec![0, 1, 2], vec![]]);
    }
}
