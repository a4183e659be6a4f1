//! Commands: the steps wired together, with threads, resume, progress and quarantine.
//!
//! **Takes** the checked options of one command. **Gives** files, and a summary. **Fails** with
//! [`RunError`], whose text says what, where and what to do. Here alone is it decided whether an
//! input is skipped or the run stops.

mod error;
#[cfg(feature = "extract")]
mod extract;
mod inspect;
mod progress;
mod verify;
mod words;

pub use error::{RunError, with_causes};
#[cfg(feature = "extract")]
pub use extract::{ExtractOptions, ExtractSummary, extract};
pub use inspect::{
    Bar, ByteExtent, Inspection, KSpread, MemberInspection, Rates, ReasonGroup, RecordInspection,
    SampledRecord, SetAside, Share, Sizes, Top, inspect, inspect_record, sample_records,
};
pub use progress::Verbosity;
pub use verify::{VerifySummary, verify};
