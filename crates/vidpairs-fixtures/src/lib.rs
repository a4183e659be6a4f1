//! Fixtures shared by tests: clips whose frames show their numbers, results of the FFmpeg programs, small data sets, and
//! runs of the programs as a user starts them.
//!
//! Numbered clips are made once and cached in the target folder, for all tests.

// Clippy takes functions without the attribute of a test for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // reports cases that are left out
#![allow(missing_docs)] // only tests use this crate
#![allow(clippy::new_without_default)] // creating a folder is not a default

pub mod browser;
pub mod chance;
mod clips;
pub mod extract;
mod grid;
pub mod meshes;
pub mod mutations;
pub mod planes;
mod programs;
pub mod python;
pub mod s3;
pub mod synth;
mod target;
pub mod track;
pub mod train;

pub use clips::{NumberedClip, SLIDING, changed_clip, numbered_clip, remade_clip};
pub use grid::read_number;
pub use programs::{ProbedFrame, ffmpeg_numbers, ffprobe_frames, has_encoder};
pub use target::program;
