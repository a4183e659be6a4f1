//! Tests of the renderer, and of `vidpairs synth` as a user runs it.

// Clippy recognises tests by their attribute, and treats the functions beside them as production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // the numbers of repetitions, and skipped tests

mod catalogue;
#[cfg(target_os = "linux")]
mod full_disk;
mod gallery;
mod layouts;
mod refusals;
mod rendering;
#[cfg(unix)]
mod resume;
mod scenes;
mod sets;
