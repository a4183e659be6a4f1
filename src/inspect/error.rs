//! Why `vidpairs inspect` failed, beyond what every command shares.

use vidpairs_run::RunError;

/// Why `vidpairs inspect` failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// A record that does not exist was asked for.
    #[error("record {number} does not exist: the data set has {num_records} records, from 0")]
    NoRecord {
        /// The number that was asked for.
        number: u64,
        /// Records in the data set.
        num_records: u64,
    },
}

impl From<InspectError> for RunError {
    fn from(error: InspectError) -> Self {
        Self::of(error)
    }
}
