//! Catches Ctrl-C and kill.

use std::sync::Arc;

use vidpairs_types::parallel::Cancel;

use super::CliError;

/// A [`Cancel`] that Ctrl-C, SIGTERM and SIGHUP set. A second signal ends the program at once; a run can be resumed even then.
pub(super) fn cancel_on_signal() -> Result<Arc<Cancel>, CliError> {
    let cancel = Arc::new(Cancel::default());
    let on_signal = Arc::clone(&cancel);
    #[expect(clippy::exit, reason = "second signal of the user")]
    ctrlc::set_handler(move || {
        if on_signal.is_set() {
            std::process::exit(130);
        }
        on_signal.set();
    })
    .map_err(CliError::Signals)?;
    Ok(cancel)
}
