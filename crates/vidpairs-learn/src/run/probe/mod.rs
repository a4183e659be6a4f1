//! What `vidpairs probe` trains on the features of an encoder by gradient descent.

mod fit;
mod linear;
mod views;

pub(super) use linear::linear_classifiers;
