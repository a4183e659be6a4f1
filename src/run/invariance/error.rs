//! Why invariances cannot be measured.

use std::path::PathBuf;

use crate::npz::NpzError;
use crate::source::{ImageSetKind, SourceError};

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
    /// This program was built without libtorch.
    #[cfg(not(feature = "train"))]
    #[error(
        "this vidpairs was built without feature `train`, so it has no encoders; measure features with --features FILE.npz, \
         or build it with --features train"
    )]
    NoEncoders,
}
