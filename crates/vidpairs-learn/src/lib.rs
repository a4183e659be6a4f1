//! Trains contrastive encoders on shards and computes features with them. The only crate that links libtorch.
//!
//! [`augment`] turns stored images into views, [`model`] holds the networks and [`train`] the training methods. [`run`]
//! implements the command `vidpairs train` and the encoders of `vidpairs invariance`.

pub mod augment;
pub mod model;
pub mod run;
pub mod train;
