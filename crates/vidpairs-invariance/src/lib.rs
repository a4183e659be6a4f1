//! Measures the invariances of a representation to viewpoint, occlusion, illumination and instance, and what it is good for.
//!
//! [`measure`] computes the measures on blocks of features, [`probe`] classifiers on features and their figures, [`npz`] reads and writes features, and [`run`] is the command
//! `vidpairs invariance`. This crate does not link libtorch: features come from files, or from an encoder that the program plugs in
//! ([`run::EncoderEngine`]).

pub mod measure;
pub mod npz;
pub mod probe;
pub mod run;
