//! Measures what a representation is invariant to.
//!
//! [`measure`] holds the measures as computations on blocks of features; [`npz`] reads and writes features; [`run`] is the command
//! `vidpairs invariance`. Nothing here links libtorch: features come from files, or from an encoder that the program plugs in
//! ([`run::EncoderEngine`]).

pub mod measure;
pub mod npz;
pub mod run;
