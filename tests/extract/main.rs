//! `vidpairs extract` and `vidpairs verify` as a user runs them, and the shards that they leave.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // what was tested how often, and what was left out

#[cfg(unix)]
mod determinism;
#[cfg(target_os = "linux")]
mod full_disk;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(unix)]
mod records;
#[cfg(unix)]
mod regions;
#[cfg(unix)]
mod resume;
mod third_party_readers;
#[cfg(unix)]
mod verify;
#[cfg(unix)]
mod watchdog;
