//! Errors of libtorch, with the operation that failed.

use super::error::TrainError;
use crate::model::caught;

/// Runs an operation that libtorch may refuse, usually for lack of memory.
///
/// # Errors
/// [`TrainError::Torch`]; the state that `compute` changes is undefined then.
///
/// # Panics
/// If `compute` panics for another reason.
pub(super) fn computed<T>(
    what: &'static str,
    compute: impl FnOnce() -> T,
) -> Result<T, TrainError> {
    caught(compute).map_err(|refused| TrainError::Torch {
        what,
        reason: refused.reason,
    })
}
