//! Why invariances cannot be measured.

use std::path::PathBuf;

use vidpairs_run::RunError;
use vidpairs_source::{ImageSetKind, SourceError};

use crate::npz::NpzError;

/// Why invariances cannot be measured. All are final: the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvarianceError {
    /// The data set is not what it was said to be.
    #[error("cannot read the sets of {}", .kind.name())]
    Sets {
        /// Which.
        kind: ImageSetKind,
        /// Why; names the place.
        #[source]
        source: SourceError,
    },
    /// Features of another program cannot be read.
    #[error(transparent)]
    Npz(NpzError),
    /// Features that cannot be measured.
    #[error("{} cannot be measured: {reason}", .path.display())]
    Unfit {
        /// The file, or the data set.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Two models of one name.
    #[error(
        "{} and {} are both called {name}; name them: NAME=FILE", .first.display(), .second.display()
    )]
    SameName {
        /// The name.
        name: String,
        /// A file.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
    /// This program runs no encoders.
    #[error(
        "this program runs no encoders; use vidpairs-torch, or measure stored features with --features FILE.npz"
    )]
    NoEncoders,
}

impl From<InvarianceError> for RunError {
    fn from(error: InvarianceError) -> Self {
        Self::of(error)
    }
}
