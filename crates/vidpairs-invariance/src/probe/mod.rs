//! Computes what a representation is good for: classifiers on frozen features, and the figures by which they are judged.
//!
//! **Takes** [`Features`](crate::measure::Features) (`N x D`) of training and test images and their labels ([`Truths`] for any number of
//! classes per image, plain indices for one). **Gives** linear support vector machines with a cost chosen by cross-validation ([`svm`]),
//! [logistic regression](logistic), [nearest neighbours](knn), and the figures of their answers: [average precision](precision), accuracy
//! ([`Answers`]) and [segmentation]. **Fails** on numbers that are not finite, rows of zeros where directions are needed, lengths that
//! disagree and options out of range, before any work. A class that cannot be learned or judged is no error: it is counted and left out
//! of the mean. **Source**: Goyal et al., "Scaling and Benchmarking Self-Supervised Visual Representation Learning", ICCV 2019, and its
//! program VISSL; each module names further sources.
//!
//! Every long computation is divided into blocks that can be computed on any number of threads ([`SvmSearch::validate`](svm::SvmSearch),
//! for example); their results are taken in order, so the figures do not depend on the number of threads. Confidence intervals over test
//! images, also of the difference between two models, are in [`interval`](crate::measure::interval::over_images).

mod answers;
mod classifier;
pub mod folds;
pub(crate) mod grid;
mod inputs;
pub mod knn;
pub mod logistic;
pub mod precision;
mod rows;
pub mod segmentation;
pub mod svm;
mod truth;
mod unit;

pub use answers::{Answer, Answers};
pub use classifier::LinearClassifier;
pub use inputs::InputsError;
pub use truth::{Truth, Truths, TruthsError};
pub use unit::unit_rows;
