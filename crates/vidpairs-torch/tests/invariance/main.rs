//! `vidpairs invariance` as a user runs it, and features of images by encoders.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // what was tested how often, and what was left out

mod command;
mod features;
#[path = "../common/formula.rs"]
mod formula;
