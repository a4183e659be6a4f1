//! Trackers, `vidpairs track`, and the measures of tracking.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // what was tested how often, and what was left out

#[path = "../common/mod.rs"]
mod common;

mod dcf;
#[cfg(feature = "extract")]
mod refusals;
#[cfg(feature = "extract")]
mod results;
#[cfg(all(unix, feature = "extract"))]
mod resume;
mod third_party_measures;
