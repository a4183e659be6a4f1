//! Answers the queries of retrieval on several threads.

use std::sync::Arc;

use vidpairs_run::RunError;

use super::blocks::{BlockCrew, in_blocks};
use crate::measure::Features;
use crate::measure::retrieval::{Retrieval, RetrievalError, RetrievalTally};

/// Answers all queries of `retrieval` on the threads of `crew`. The answers do not depend on the number of threads, to the bit. Each
/// worker takes the memory of a block as documented at [`Retrieval`].
///
/// - `features`: the features that `retrieval` was made from.
///
/// # Errors
/// [`RunError`]: the features differ, a thread cannot be started, a block is lost, or the work was cancelled.
pub(super) fn retrieve(
    features: &Arc<Features<'static>>,
    retrieval: &Arc<Retrieval>,
    crew: BlockCrew<'_>,
) -> Result<RetrievalTally, RunError> {
    let ask = {
        let (features, retrieval) = (Arc::clone(features), Arc::clone(retrieval));
        move |block| retrieval.ask(&features, block)
    };
    let mut sum: Result<RetrievalTally, RetrievalError> = Ok(RetrievalTally::default());
    in_blocks(
        "retrieval",
        retrieval.num_blocks(),
        crew,
        ask,
        |tally| match (&mut sum, tally) {
            (Ok(sum), Ok(tally)) => *sum += tally,
            (Ok(_), Err(err)) => sum = Err(err),
            (Err(_), _) => {}
        },
    )?;
    sum.map_err(|err| RunError::Lost {
        what: "retrieval",
        reason: err.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use vidpairs_types::parallel::Cancel;
    use vidpairs_types::{Condition, NearView};

    use super::*;
    use crate::measure::retrieval::RetrievalOptions;

    fn retrieval(num_images: usize) -> (Arc<Features<'static>>, Arc<Retrieval>) {
        let values: Vec<f32> = (0..3 * num_images)
            .map(|at| ((at * 7919 + 13) % 1009) as f32 - 504.0)
            .collect();
        let features = Features::new(values, 3).unwrap();
        let targets: Vec<u32> = (0..num_images as u32).map(|image| image % 50).collect();
        let conditions = vec![Condition::Unknown; num_images];
        let options = RetrievalOptions::new(NearView::Itself);
        let retrieval = Retrieval::new(&features, &targets, &conditions, options).unwrap();
        (Arc::new(features), Arc::new(retrieval))
    }

    #[test]
    fn answers_are_the_same_for_any_number_of_workers() {
        let (features, retrieval) = retrieval(1100);
        let alone = retrieval.ask_all(&features).unwrap();
        assert_eq!(alone.num_queries, 1100);
        for workers in [1, 4] {
            let cancel = Arc::new(Cancel::default());
            assert_eq!(
                retrieve(&features, &retrieval, BlockCrew::quiet(workers, &cancel)).unwrap(),
                alone
            );
        }
    }

    #[test]
    fn a_cancelled_search_or_one_with_other_features_is_an_error() {
        let ((features, retrieval), (others, _)) = (retrieval(1100), retrieval(1000));
        let cancel = Arc::new(Cancel::default());
        let err = retrieve(&others, &retrieval, BlockCrew::quiet(2, &cancel)).unwrap_err();
        assert_eq!(
            err.to_string(),
            "retrieval failed: 1000 rows of features for 1100 images"
        );
        cancel.set();
        let err = retrieve(&features, &retrieval, BlockCrew::quiet(2, &cancel)).unwrap_err();
        assert!(matches!(err, RunError::Stopped));
    }
}
