//! Video to frames and back, held against the FFmpeg programs.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // what was tested how often, and what was left out

mod damaged_media;
mod frame_exactness;
mod video_encoder;
