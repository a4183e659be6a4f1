//! What `vidpairs probe` trains on the features of an encoder by gradient descent.

mod fit;
mod linear;
mod segmentation;
mod views;

pub(super) use linear::linear_classifiers;
pub(super) use segmentation::{map_readout, segment, survey};
