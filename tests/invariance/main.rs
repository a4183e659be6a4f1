//! The measures of invariance against NumPy, and `vidpairs invariance` as a user runs it.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // what was tested how often, and what was left out

#[path = "../common/mod.rs"]
mod common;

mod chance;
#[cfg(feature = "train")]
mod command;
#[cfg(feature = "train")]
mod features;
mod golden;
mod retrieval;
