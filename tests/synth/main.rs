//! The rendered world, and `vidpairs synth` as a user runs it.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // what was tested how often, and what was left out

mod catalogue;
#[cfg(target_os = "linux")]
mod full_disk;
mod gallery;
mod layouts;
mod refusals;
mod rendering;
#[cfg(unix)]
mod resume;
mod sets;
