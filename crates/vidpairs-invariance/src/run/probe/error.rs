//! Errors of probes.

use std::path::PathBuf;

use vidpairs_run::RunError;
use vidpairs_source::{NamedKind, ProbeSetKind, SourceError};

/// Error of probing models. All are final; the text tells what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// The data set does not have the layout of its kind.
    #[error("cannot read the images of {}", .kind.name())]
    Images {
        /// Kind of the data set.
        kind: ProbeSetKind,
        /// Reason, with the path.
        #[source]
        source: SourceError,
    },
    /// A classifier does not fit the labels.
    #[error(
        "probe.probes has {probe:?}, but the images of {} have {labels}; expected {expected}", .path.display()
    )]
    Labels {
        /// Name of the classifier.
        probe: &'static str,
        /// Data set or features.
        path: PathBuf,
        /// Labels of the images.
        labels: &'static str,
        /// Classifiers that fit them.
        expected: &'static str,
    },
    /// A classifier is trained on images, and there are only features.
    #[error(
        "probe.probes has \"linear\", which is trained on augmented images, but {} has features only; expected a list of \"svm\", \"logistic\" \
         or \"knn\"", .path.display()
    )]
    NeedsImages {
        /// The features.
        path: PathBuf,
    },
    /// Nothing can be fitted or tested.
    #[error("{} cannot be probed: {reason}", .path.display())]
    Unfit {
        /// Data set or features.
        path: PathBuf,
        /// Reason.
        reason: String,
    },
}

impl From<ProbeError> for RunError {
    fn from(error: ProbeError) -> Self {
        Self::of(error)
    }
}
