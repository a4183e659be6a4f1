//! `vidpairs extract` and `vidpairs verify` as a user runs them, and the shards that they leave.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // what was tested how often, and what was left out

#[path = "../common/mod.rs"]
mod common;

#[cfg(all(unix, feature = "extract"))]
mod determinism;
#[cfg(all(target_os = "linux", feature = "extract"))]
mod full_disk;
#[cfg(all(target_os = "linux", feature = "extract"))]
mod memory;
#[cfg(all(unix, feature = "extract"))]
mod records;
#[cfg(all(unix, feature = "extract"))]
mod regions;
#[cfg(all(unix, feature = "extract"))]
mod resume;
mod third_party_readers;
#[cfg(all(unix, feature = "extract"))]
mod verify;
#[cfg(all(unix, feature = "extract"))]
mod watchdog;
