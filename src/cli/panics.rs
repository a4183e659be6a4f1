//! Turns panics into errors.

use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use vidpairs_types::parallel::{panic_message, panic_place, prints_panics};

use super::CliError;

/// Message and place of the last panic that no worker caught.
static LAST: Mutex<Option<(String, String)>> = Mutex::new(None);

/// Runs `command`. A panic that the run catches and counts, of a worker or a library, prints nothing; one that ends the command is an
/// error like others. With `RUST_BACKTRACE` set, every panic prints its backtrace too.
///
/// # Errors
/// Those of `command`; [`CliError::Bug`] after a panic.
pub(super) fn caught<T>(command: impl FnOnce() -> Result<T, CliError>) -> Result<T, CliError> {
    let printing = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let place = panic_place(info);
        *last() = place.map(|place| (panic_message(info.payload()), place));
        if prints_panics() {
            printing(info);
        }
    }));
    catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|payload| {
        // The panic of a worker is raised again on this thread, without the hook and so without its place.
        let message = panic_message(&*payload);
        Err(CliError::Bug(match last().take() {
            Some((of, place)) if of == message => format!("{message} ({place})"),
            _ => message,
        }))
    })
}

fn last() -> std::sync::MutexGuard<'static, Option<(String, String)>> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner)
}
