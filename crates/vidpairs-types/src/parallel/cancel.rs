//! The signal to stop.

use std::sync::atomic::{AtomicBool, Ordering};

/// Set once, read by every worker between two units of work and, through its heartbeat, within one.
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// Asks every worker to stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether somebody asked to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
