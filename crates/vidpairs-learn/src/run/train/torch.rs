//! Refusals of libtorch, with what it was asked to do.

use super::error::TrainError;
use crate::model::caught;

/// Does what libtorch may refuse, for want of memory above all.
///
/// # Errors
/// [`TrainError::Torch`]; what `compute` was changing is in no known state then.
///
/// # Panics
/// If `compute` does for another reason than libtorch's refusal.
pub(super) fn computed<T>(
    what: &'static str,
    compute: impl FnOnce() -> T,
) -> Result<T, TrainError> {
    caught(compute).map_err(|refused| TrainError::Torch {
        what,
        reason: refused.reason,
    })
}
