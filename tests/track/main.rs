//! Trackers, `vidpairs track`, and the measures of tracking.

// Clippy takes functions without the attribute of a test for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // what was tested how often, and what was left out

mod dcf;
mod refusals;
mod results;
#[cfg(unix)]
mod resume;
mod third_party_measures;
