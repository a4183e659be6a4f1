//! Scores blocks of units on several threads.

use std::sync::{Arc, Mutex, PoisonError};

use vidpairs_run::RunError;

use super::blocks::{BlockCrew, in_blocks};
use crate::measure::{Combiner, Features, NUM_UNITS_AT_ONCE, Plan, Score, ScoreError, Scratch};

/// Scores `features` by `plan` on the threads of `crew`. The result does not depend on the number of threads, to the bit.
///
/// Memory beside the features and the result (`D x C` numbers of 8 bytes for each version): for each worker two blocks of the result, and
/// `128 x 8` bytes for each image in a tail. A tail holds at most twice the images that may fire plus 4096, or all images.
///
/// # Errors
/// [`RunError`]: features and labels do not fit, a thread cannot be started, a block is lost, or the work was cancelled.
pub fn score_features(
    features: &Arc<Features<'static>>,
    plan: &Arc<Plan>,
    crew: BlockCrew<'_>,
) -> Result<Vec<Score>, RunError> {
    let num_units = features.num_units();
    // The scratch memory of threads between two blocks.
    let scratches: Mutex<Vec<Scratch>> = Mutex::default();
    let score = {
        let (features, plan) = (Arc::clone(features), Arc::clone(plan));
        move |block: usize| {
            let idle = || scratches.lock().unwrap_or_else(PoisonError::into_inner);
            let mut scratch = idle().pop().unwrap_or_default();
            let first = block * NUM_UNITS_AT_ONCE;
            let units = first..num_units.min(first + NUM_UNITS_AT_ONCE);
            let scored = plan.score_units(&features, units, &mut scratch);
            idle().push(scratch);
            scored
        }
    };
    let mut combiner = Combiner::new(plan, num_units);
    let mut error: Option<ScoreError> = None;
    let num_blocks = num_units.div_ceil(NUM_UNITS_AT_ONCE);
    in_blocks("the score", num_blocks, crew, score, |units| {
        if error.is_none() {
            error = units.and_then(|units| combiner.push(units)).err();
        }
    })?;
    let scores = match error {
        Some(err) => Err(err),
        None => combiner.finish(plan),
    };
    scores.map_err(|err| RunError::Lost {
        what: "the score",
        reason: err.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use vidpairs_types::parallel::Cancel;

    use super::*;
    use crate::measure::{Labels, ScoreOptions};

    /// Pseudo-random numbers.
    fn drawn(len: usize) -> Vec<f32> {
        let number = |at: u32| {
            let mixed = at.wrapping_mul(0x9e37_79b1);
            let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
            (mixed >> 16) as f32 / 32768.0 - 1.0
        };
        (0..).take(len).map(number).collect()
    }

    fn scored(workers: usize) -> Vec<Score> {
        let features = Features::new(drawn(600 * 200), 200).unwrap();
        let instance: Vec<u32> = (0..600).map(|image| image / 5).collect();
        let class: Vec<u32> = instance.iter().map(|set| set % 12).collect();
        let labels = Labels::new(&instance, &class).unwrap();
        let plan = Plan::new(labels, ScoreOptions::default()).unwrap();
        let cancel = Arc::default();
        let crew = BlockCrew::quiet(workers, &cancel);
        score_features(&Arc::new(features), &Arc::new(plan), crew).unwrap()
    }

    #[test]
    fn scores_are_the_same_for_one_and_five_workers() {
        let one = scored(1);
        assert_eq!(one, scored(5));
        assert_eq!(one.len(), 3);
        assert_eq!(one[0].units.num_units(), 200);
    }

    #[test]
    fn features_and_labels_of_different_numbers_of_images_are_refused() {
        let features = Arc::new(Features::new(drawn(12), 3).unwrap());
        let labels = Labels::of_instances(&[1, 1, 2]).unwrap();
        let plan = Arc::new(Plan::new(labels, ScoreOptions::default()).unwrap());
        let err =
            score_features(&features, &plan, BlockCrew::quiet(2, &Arc::default())).unwrap_err();
        assert_eq!(
            err.to_string(),
            "the score failed: features of 4 images, labels of 3"
        );
    }

    #[test]
    fn a_cancelled_run_has_no_result() {
        let cancel = Arc::new(Cancel::default());
        cancel.set();
        let features = Arc::new(Features::new(drawn(12), 3).unwrap());
        let labels = Labels::of_instances(&[1, 1, 2, 2]).unwrap();
        let plan = Arc::new(Plan::new(labels, ScoreOptions::default()).unwrap());
        let err = score_features(&features, &plan, BlockCrew::quiet(2, &cancel)).unwrap_err();
        assert!(matches!(err, RunError::Stopped));
    }
}
