//! Ordered work on many threads, with a ceiling on the outputs in flight and a watchdog.
//!
//! **Takes** a list of items and a [`Job`], or a [`PieceJob`] that cuts items into pieces. **Gives** the outputs to a [`Sink`] on the
//! caller's thread, in the order of the items, for any number of workers. **Fails** with [`Broken`]: the sink failed, the run was
//! cancelled, no thread could be started, or too many threads hang. An item that panics or stalls becomes an output of the job, and the
//! work continues.

mod cancel;
mod caught;
mod heartbeat;
mod job;
mod ordered;
mod shared;

pub use cancel::Cancel;
pub use caught::{caught, panic_message, panic_place, prints_panics};
pub use heartbeat::Heartbeat;
pub use job::{Job, Loss, PieceJob, Planned, Sink};
pub use ordered::{Broken, Crew, run_in_pieces, run_ordered};
