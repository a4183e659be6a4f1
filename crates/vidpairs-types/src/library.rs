//! Carries the error of a foreign library as text.

/// A foreign library failed to do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {action}: {message}")]
pub struct LibraryError {
    /// What the library was asked to do: `shrink an image`.
    pub action: &'static str,
    /// The library's error message.
    pub message: String,
}

impl LibraryError {
    /// The error of a library that failed to do `action`.
    pub fn new(action: &'static str, message: impl ToString) -> Self {
        Self {
            action,
            message: message.to_string(),
        }
    }
}
