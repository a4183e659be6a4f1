//! Networks and methods against PyTorch, and `vidpairs train` as a user runs it.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // what was tested how often, and what was left out

#[path = "../common/formula.rs"]
mod formula;
#[cfg(target_os = "linux")]
mod full_disk;
mod golden;
mod leak;
mod refusals;
#[cfg(unix)]
mod resume;
mod runs;
mod tensorboard;
