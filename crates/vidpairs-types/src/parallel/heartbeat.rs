//! The heartbeat of a unit of work: it shows progress, and receives the signal to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::{Cancel, Loss};

/// Counts the steps of one unit of work for the watchdog.
#[derive(Debug, Default)]
pub struct Heartbeat {
    beats: AtomicU64,
    /// Milliseconds; 0 for no limit.
    allowed: AtomicU64,
    is_overrun: AtomicBool,
    given_up: AtomicBool,
    cancel: Arc<Cancel>,
}

impl Heartbeat {
    /// A heartbeat that also stops when `cancel` is set.
    pub fn new(cancel: Arc<Cancel>) -> Self {
        Self {
            cancel,
            ..Self::default()
        }
    }

    /// Reports a step: a packet read, a frame decoded, an image compressed.
    pub fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Limits the time of this unit of work, beats or not. Each call adds to the time allowed before; without a call there is no
    /// limit. An input that shows progress forever ends so.
    pub fn allow(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX / 2);
        self.allowed
            .fetch_add(millis.clamp(1, u64::MAX / 2), Ordering::Relaxed);
    }

    /// Whether to stop: the run was cancelled, or the watchdog gave this unit up.
    pub fn should_stop(&self) -> bool {
        self.given_up.load(Ordering::Relaxed) || self.cancel.is_set()
    }

    pub(super) fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// The time limit, if there is one.
    pub(super) fn allowed(&self) -> Option<Duration> {
        match self.allowed.load(Ordering::Relaxed) {
            0 => None,
            millis => Some(Duration::from_millis(millis)),
        }
    }

    pub(super) fn give_up_overrun(&self) {
        self.is_overrun.store(true, Ordering::Relaxed);
        self.give_up();
    }

    /// Why the watchdog gave this unit up.
    pub(super) fn loss(&self) -> Loss {
        match self.allowed() {
            Some(allowed) if self.is_overrun.load(Ordering::Relaxed) => Loss::Overran(allowed),
            _ => Loss::Stalled,
        }
    }

    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }
}
