//! Errors of measuring models.

use std::path::{Path, PathBuf};

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
}

/// Error of the models or features of a measuring command. All are final; the text tells what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelsError {
    /// A features file cannot be read.
    #[error(transparent)]
    Npz(NpzError),
    /// Features that cannot be measured.
    #[error("{} cannot be measured: {reason}", .path.display())]
    Unfit {
        /// Features file or data set.
        path: PathBuf,
        /// Reason.
        reason: String,
    },
    /// The settings name features that an encoder does not have.
    #[error("{keys} does not fit {}", .path.display())]
    Readout {
        /// Settings that name the features.
        keys: &'static str,
        /// File of weights.
        path: PathBuf,
        /// Reason, with what is accepted.
        #[source]
        source: Box<RunError>,
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

/// Features at `path` that cannot be measured.
pub(super) fn unfit(path: &Path, reason: String) -> ModelsError {
    ModelsError::Unfit {
        path: path.to_owned(),
        reason,
    }
}

impl ModelsError {
    /// Adds the settings and the file of weights to the error of [`ImageEncoder::readout`](super::engine::ImageEncoder::readout).
    pub(super) fn readout(keys: &'static str, path: &Path) -> impl FnOnce(RunError) -> Self {
        move |source| Self::Readout {
            keys,
            path: path.to_owned(),
            source: Box::new(source),
        }
    }
}

impl From<InvarianceError> for RunError {
    fn from(error: InvarianceError) -> Self {
        Self::of(error)
    }
}

impl From<ModelsError> for RunError {
    fn from(error: ModelsError) -> Self {
        Self::of(error)
    }
}
