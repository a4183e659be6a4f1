//! Tests of the command `vidpairs invariance`, and of the features of images.

// Clippy recognises tests by their attribute, and takes their helper functions for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // counts of tested cases, and skipped parts

mod command;
mod features;
#[path = "../common/formula.rs"]
mod formula;
#[path = "../common/narrow.rs"]
mod narrow;
mod vit;
