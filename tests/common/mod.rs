//! What the tests share: clips whose every frame carries its own number, what the FFmpeg programs say
//! of a clip, and in `extract` the whole program as a user runs it.
//!
//! Each program of tests has it as `mod common`. Numbered clips are made once and kept in the target folder
//! under a name that holds their arguments; tests that run side by side share them.

#![allow(dead_code, unused_imports)] // no program of tests uses all of it
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stderr)] // says which cases are left out

pub mod chance;
mod clips;
pub mod extract;
#[cfg(feature = "train")]
pub mod formula;
mod grid;
#[cfg(feature = "synth")]
pub mod meshes;
mod programs;
pub mod python;
#[cfg(feature = "synth")]
pub mod synth;
#[cfg(feature = "extract")]
pub mod track;
#[cfg(feature = "train")]
pub mod train;

pub use clips::{NumberedClip, changed_clip, numbered_clip, remade_clip};
pub use grid::read_number;
pub use programs::{ProbedFrame, ffmpeg_numbers, ffprobe_frames, has_encoder};
