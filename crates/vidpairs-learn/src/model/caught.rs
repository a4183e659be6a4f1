//! Panics that are libtorch's refusals, as errors.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What stands before the words of libtorch in the panics of `tch`.
const MARK: &str = "Torch(\"";

/// What libtorch refused, for want of memory above all. Stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct LibtorchError {
    /// The first line of what it says.
    pub reason: String,
}

/// Does what libtorch may refuse: `tch` panics then.
///
/// # Errors
/// [`LibtorchError`]; what `compute` was changing is in no known state then.
///
/// # Panics
/// If `compute` does for another reason.
pub fn caught<T>(compute: impl FnOnce() -> T) -> Result<T, LibtorchError> {
    catch_unwind(AssertUnwindSafe(compute)).or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        match message.and_then(|message| message.split_once(MARK)) {
            Some((_, said)) => Err(LibtorchError {
                reason: first_line(said).to_owned(),
            }),
            None => resume_unwind(panic),
        }
    })
}

/// The first line of a text that was printed with its escapes; a trace of the C++ calls follows in it.
fn first_line(said: &str) -> &str {
    let said = said.split_once("\\n").map_or(said, |(first, _)| first);
    said.trim_end_matches("\")").trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    #[test]
    fn what_libtorch_refuses_is_an_error_in_one_line() {
        let ones = |len: i64| Tensor::ones([len], (Kind::Float, Device::Cpu));
        let text = caught(|| ones(2).dot(&ones(3))).unwrap_err().to_string();
        assert!(text.starts_with("inconsistent tensor size"), "{text}");
        assert!(!text.contains('\n') && !text.contains("\\n"), "{text}");
    }

    #[test]
    #[should_panic(expected = "a bug")]
    fn another_panic_stays_one() {
        let _ = caught(|| panic!("{}", "a bug"));
    }
}
