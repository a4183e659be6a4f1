//! Errors of libtorch, with the operation that failed.

use super::error::TrainError;
use crate::model::caught;

/// Work of libtorch during training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Creating the network.
    Network,
    /// A training step.
    Step,
    /// Features for the kNN accuracy.
    Knn,
}

impl Work {
    /// The error for this work, which libtorch refused with `reason`.
    pub fn refused(self, reason: String) -> TrainError {
        let (what, advice) = match self {
            Self::Network => ("create the network", "use a device with more free memory"),
            Self::Step => (
                "take a training step",
                "lower train.batch, raise train.accumulate, or use a device with more free memory",
            ),
            Self::Knn => (
                "compute the features of the images of --knn",
                "use a device with more free memory, or train without --knn",
            ),
        };
        TrainError::Torch {
            what,
            reason,
            advice,
        }
    }
}

/// Runs an operation that libtorch may refuse, usually for lack of memory.
///
/// # Errors
/// [`TrainError::Torch`]; the state that `compute` changes is undefined then.
///
/// # Panics
/// If `compute` panics for another reason.
pub(super) fn computed<T>(work: Work, compute: impl FnOnce() -> T) -> Result<T, TrainError> {
    caught(compute).map_err(|refused| work.refused(refused.reason))
}
