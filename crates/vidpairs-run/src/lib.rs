//! The kit that every command of vidpairs is built from: output folder, journal, resume, progress, refusals.
//!
//! **Takes** what a command wants to write, and how much to print. **Gives** files that are whole under their final names, progress on
//! stderr, grouped refusals. **Fails** with [`RunError`], whose text says what failed, where, and what to do.

mod error;
mod live_bar;
mod out;
pub mod refusals;
mod spread;
mod verbosity;
mod words;

pub use error::RunError;
pub use live_bar::LiveBar;
pub use out::{
    JOURNAL_FOLDER, REFUSED_FILE, differences, failed, json_lines, lock, nothing_foreign_in,
    write_whole,
};
pub use refusals::{ReasonGroup, SetAside};
pub use spread::{from_end_to_end, middles};
pub use verbosity::Verbosity;
pub use words::counted;
