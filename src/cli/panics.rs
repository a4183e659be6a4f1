//! Turns panics into errors.

use std::cell::RefCell;
use std::env;
use std::panic::{self, AssertUnwindSafe, catch_unwind};

use super::CliError;

thread_local! {
    /// Message and place of the last panic of the thread.
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `command`. A panic that the run catches and counts, of a worker or a library, prints nothing; one that ends the command is an
/// error like others. With `RUST_BACKTRACE` set, every panic prints its backtrace too.
///
/// # Errors
/// Those of `command`; [`CliError::Bug`] after a panic.
pub(super) fn caught<T>(command: impl FnOnce() -> Result<T, CliError>) -> Result<T, CliError> {
    let printing = panic::take_hook();
    let prints = env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0");
    panic::set_hook(Box::new(move |info| {
        let message = info.payload_as_str().unwrap_or("a panic without a message");
        let place = info.location().map(|place| format!(" ({place})"));
        LAST.set(format!("{message}{}", place.unwrap_or_default()));
        if prints {
            printing(info);
        }
    }));
    catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|_| Err(CliError::Bug(LAST.take())))
}
