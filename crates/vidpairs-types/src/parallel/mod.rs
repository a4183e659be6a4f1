//! Ordered work on many threads, with a ceiling on what is in flight and a watchdog.
//!
//! **Takes** a list of items and a [`Job`]. **Gives** the job's outputs to a [`Sink`] on the caller's
//! thread, in the order of the items, whatever the number of workers. **Fails** only where no thread
//! can be started; an item that panics or stalls becomes [`Job::lost_item`] or [`Job::lost_piece`], and the work goes on.

mod cancel;
mod heartbeat;
mod ordered;
mod shared;

pub use cancel::Cancel;
pub use heartbeat::Heartbeat;
pub use ordered::{Crew, Ended, Job, Loss, Planned, Sink, run_ordered};
