//! Fixtures shared by the tests: clips whose every frame shows its own number, the answers of the FFmpeg programs about a clip, and
//! in [`extract`] the whole program as a user runs it.
//!
//! Numbered clips are made once and kept in the target folder under a name that holds their arguments; tests that run side by side
//! share them.

// Clippy knows a test by its attribute, and takes the functions of this crate for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // says which cases are left out
#![allow(missing_docs)] // read beside the tests that use them
#![allow(clippy::new_without_default)] // a new folder on disk is no default

mod binaries;
pub mod chance;
mod clips;
pub mod extract;
mod grid;
pub mod meshes;
pub mod planes;
mod programs;
pub mod python;
pub mod synth;
pub mod track;
pub mod train;

pub use binaries::program;
pub use clips::{NumberedClip, changed_clip, numbered_clip, remade_clip};
pub use grid::read_number;
pub use programs::{ProbedFrame, ffmpeg_numbers, ffprobe_frames, has_encoder};
