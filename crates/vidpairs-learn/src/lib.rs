//! Trains contrastive encoders on shards, and computes features with them. The one crate that links libtorch.
//!
//! [`augment`] turns stored images into views, [`model`] holds the networks, [`train`] the methods; [`run`] is the command
//! `vidpairs train` and the encoders that `vidpairs invariance` measures.

pub mod augment;
pub mod model;
pub mod run;
pub mod train;
