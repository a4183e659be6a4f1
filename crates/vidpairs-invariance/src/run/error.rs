//! Errors of measuring invariances.

use std::path::PathBuf;

use vidpairs_run::RunError;
use vidpairs_source::{ImageSetKind, NamedKind, SourceError};

use crate::npz::NpzError;

/// Error of measuring invariances. All are final; the text tells what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvarianceError {
    /// The data set does not have the layout of its kind.
    #[error("cannot read the sets of {}", .kind.name())]
    Sets {
        /// Kind of the data set.
        kind: ImageSetKind,
        /// Reason, with the path.
        #[source]
        source: SourceError,
    },
    /// A features file cannot be read.
    #[error(transparent)]
    Npz(NpzError),
    /// Features that cannot be scored.
    #[error("{} cannot be measured: {reason}", .path.display())]
    Unfit {
        /// Features file or data set.
        path: PathBuf,
        /// Reason.
        reason: String,
    },
    /// Two models have the same name.
    #[error(
        "{} and {} are both called {name}; name them: NAME=FILE", .first.display(), .second.display()
    )]
    SameName {
        /// The name.
        name: String,
        /// First file.
        first: PathBuf,
        /// Second file.
        second: PathBuf,
    },
    /// The program is built without a library that runs encoders.
    #[error(
        "this program cannot run encoders; use vidpairs-torch, or measure stored features with --features FILE.npz"
    )]
    NoEncoders,
}

impl From<InvarianceError> for RunError {
    fn from(error: InvarianceError) -> Self {
        Self::of(error)
    }
}
