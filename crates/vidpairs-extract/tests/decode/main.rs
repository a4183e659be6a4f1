//! Compares decoding and encoding of video with the FFmpeg programs.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // prints test counts and skipped cases

mod colors;
mod container_gaps;
mod damaged_media;
mod frame_exactness;
mod pictures;
mod sound_frames;
mod stills;
mod untrusted_media;
mod video_encoder;
