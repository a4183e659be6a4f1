//! The heartbeat of a unit of work: it shows progress, and receives the signal to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Cancel;

/// Counts the steps of one unit of work for the watchdog.
#[derive(Debug, Default)]
pub struct Heartbeat {
    beats: AtomicU64,
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

    /// Whether to stop: the run was cancelled, or the watchdog gave this unit up.
    pub fn should_stop(&self) -> bool {
        self.given_up.load(Ordering::Relaxed) || self.cancel.is_set()
    }

    pub(super) fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }
}
