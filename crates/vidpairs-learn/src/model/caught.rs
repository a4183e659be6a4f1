//! Turns libtorch's refusals, which `tch` raises as panics, into errors.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Text before libtorch's message in a panic of `tch`.
const MARK: &str = "Torch(\"";

/// Refusal of a computation by libtorch, most often for lack of memory. Stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct LibtorchError {
    /// First line of libtorch's message.
    pub reason: String,
}

/// Runs `compute`, and returns a refusal by libtorch as an error instead of a panic.
///
/// # Errors
/// [`LibtorchError`]. The state of anything that `compute` was changing is then unknown.
///
/// # Panics
/// If `compute` panics for another reason.
pub fn caught<T>(compute: impl FnOnce() -> T) -> Result<T, LibtorchError> {
    catch_unwind(AssertUnwindSafe(compute)).or_else(|panic| {
        let text = panic.downcast_ref::<String>();
        match text.and_then(|text| text.split_once(MARK)) {
            Some((_, message)) => Err(LibtorchError {
                reason: first_line(message).to_owned(),
            }),
            None => resume_unwind(panic),
        }
    })
}

/// First line of a message in which line ends are printed as escapes. A trace of the C++ calls follows it.
fn first_line(message: &str) -> &str {
    let line = message
        .split_once("\\n")
        .map_or(message, |(first, _)| first);
    line.trim_end_matches("\")").trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    #[test]
    fn a_refusal_by_libtorch_is_an_error_of_one_line() {
        let ones = |len: i64| Tensor::ones([len], (Kind::Float, Device::Cpu));
        let text = caught(|| ones(2).dot(&ones(3))).unwrap_err().to_string();
        assert!(text.starts_with("inconsistent tensor size"), "{text}");
        assert!(!text.contains('\n') && !text.contains("\\n"), "{text}");
    }

    #[test]
    #[should_panic(expected = "a bug")]
    fn any_other_panic_passes_through() {
        let _ = caught(|| panic!("{}", "a bug"));
    }
}
