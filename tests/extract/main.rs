//! Runs of `vidpairs extract` and `vidpairs verify`, and their shards.

// Clippy takes functions without the attribute of a test for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // what was tested how often, and what was left out

#[cfg(unix)]
mod cuts;
#[cfg(unix)]
mod determinism;
#[cfg(target_os = "linux")]
mod full_disk;
#[cfg(target_os = "linux")]
mod journal_damage;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(unix)]
mod list;
mod machine;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(unix)]
mod parts;
#[cfg(unix)]
mod records;
#[cfg(unix)]
mod regions;
#[cfg(unix)]
mod reshard;
#[cfg(unix)]
mod resume;
#[cfg(unix)]
mod shots;
#[cfg(unix)]
mod sources;
#[cfg(unix)]
mod stills;
#[cfg(unix)]
mod stored_out;
#[cfg(unix)]
mod stores;
#[cfg(unix)]
mod strangers;
mod third_party_readers;
#[cfg(target_os = "linux")]
mod unreadable;
#[cfg(unix)]
mod verify;
#[cfg(unix)]
mod watchdog;
