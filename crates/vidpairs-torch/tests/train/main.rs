//! Tests of networks and methods against PyTorch, and of the command `vidpairs train`.

// Clippy recognises tests by their attribute, and takes their helper functions for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // counts of tested cases, and skipped parts

mod checkpoints;
#[path = "../common/formula.rs"]
mod formula;
#[cfg(target_os = "linux")]
mod full_disk;
mod golden;
mod leak;
mod longer;
mod refusals;
#[cfg(unix)]
mod resume;
mod runs;
mod stored;
mod tensorboard;
