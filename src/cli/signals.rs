//! Signals, and limits that the user or the machine sets for a process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigHandler, Signal, signal};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use vidpairs_types::parallel::Cancel;

use super::CliError;

/// Files that a command opens whatever the number of its workers.
const FILES_OF_COMMAND: u64 = 24;
/// Files that a worker opens at once: a clip, its archive, and as much again while a stuck worker is replaced.
const FILES_OF_WORKER: u64 = 4;

/// Time in which further signals belong to the first: schedulers send one to a script and to its programs, and the script may pass it on.
const SAME_SIGNAL: Duration = Duration::from_secs(1);

/// A [`Cancel`] that Ctrl-C, SIGTERM and SIGHUP set. A second signal, more than a second later, ends the program at once; a run can be
/// resumed even then.
///
/// A signal that is ignored already stays so: `nohup` ignores SIGHUP, and a shell script SIGINT of what it starts with `&`.
pub(super) fn cancel_on_signal() -> Result<Arc<Cancel>, CliError> {
    let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];
    let ignored = signals.map(is_ignored);
    let cancel = Arc::new(Cancel::default());
    let on_signal = Arc::clone(&cancel);
    #[expect(clippy::exit, reason = "second signal of the user")]
    ctrlc::set_handler({
        let mut first: Option<Instant> = None;
        move || {
            let first = *first.get_or_insert_with(Instant::now);
            if on_signal.is_set() && first.elapsed() > SAME_SIGNAL {
                std::process::exit(130);
            }
            on_signal.set();
        }
    })
    .map_err(CliError::Signals)?;
    for (of, is_ignored) in signals.into_iter().zip(ignored) {
        if is_ignored {
            ignore(of);
        }
    }
    Ok(cancel)
}

/// Makes limits show as errors: a file that would grow beyond `ulimit -f` is then refused by the write instead of ending the program by
/// SIGXFSZ, and as many files may be open as the system allows.
pub(super) fn lift_limits() {
    ignore(Signal::SIGXFSZ);
    let limit = getrlimit(Resource::Nofile);
    // If it cannot be raised, the lower limit is kept, and `workers` obeys it.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    );
}

/// Number of worker threads: `asked`, or one for each core, as far as the limit of open files allows.
///
/// # Errors
/// [`CliError::OpenFiles`] if the limit is too low for those asked for, or for one.
pub(super) fn workers(asked: Option<usize>) -> Result<usize, CliError> {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let affordable = limit.saturating_sub(FILES_OF_COMMAND) / FILES_OF_WORKER;
    let affordable = usize::try_from(affordable).unwrap_or(usize::MAX);
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let workers = asked.unwrap_or_else(|| cores().min(affordable).max(1));
    if workers <= affordable {
        return Ok(workers);
    }
    Err(CliError::OpenFiles {
        workers,
        needed: FILES_OF_COMMAND + FILES_OF_WORKER * workers as u64,
        limit,
    })
}

fn is_ignored(of: Signal) -> bool {
    let before = disposition(of, SigHandler::SigIgn);
    match before {
        Some(SigHandler::SigIgn) => true,
        Some(SigHandler::SigDfl) => {
            disposition(of, SigHandler::SigDfl);
            false
        }
        _ => false,
    }
}

fn ignore(of: Signal) {
    disposition(of, SigHandler::SigIgn);
}

/// Sets what a signal does and returns what it did before; `None` if the system refuses.
fn disposition(of: Signal, to: SigHandler) -> Option<SigHandler> {
    // SAFETY: no handler is installed, only the default or nothing, so no code runs in a signal.
    unsafe { signal(of, to) }.ok()
}
