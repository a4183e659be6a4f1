//! Ctrl-C and kill.

use std::sync::Arc;

use vidpairs_types::parallel::Cancel;

use super::CliError;

/// A wish to stop that Ctrl-C, SIGTERM and SIGHUP set. A second signal ends the program at once; the
/// journal of a run is made for that.
pub(super) fn cancel_on_signal() -> Result<Arc<Cancel>, CliError> {
    let cancel = Arc::new(Cancel::default());
    let on_signal = Arc::clone(&cancel);
    #[expect(clippy::exit, reason = "the user asked twice")]
    ctrlc::set_handler(move || {
        if on_signal.is_set() {
            std::process::exit(130);
        }
        on_signal.set();
    })
    .map_err(CliError::Signals)?;
    Ok(cancel)
}
