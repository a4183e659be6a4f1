//! What an error and its causes say, in one line.

use std::error::Error;

/// An error and what caused it, in one line. A cause whose words the line has already is left out.
pub fn with_causes(err: &dyn Error) -> String {
    let mut text = err.to_string();
    let mut cause = err.source();
    while let Some(err) = cause {
        let words = err.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = err.source();
    }
    text
}
