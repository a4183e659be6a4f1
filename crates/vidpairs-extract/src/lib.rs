//! Extracts positive pairs from video: decode, sample, propose, track, crop, encode. Also scores trackers. The one crate that links
//! FFmpeg.
//!
//! | step | module | input | output |
//! |---|---|---|---|
//! | decode | [`decode`] | a clip's media: video file, folder of pictures, zip of pictures | [`Frame`](vidpairs_types::Frame)s in presentation order, with index and pts |
//! | find cuts | [`cuts`] | the frames that pass by | changes of shot |
//! | sample | [`sample`] | a clip's length, the pair rule, a seed | frame indices of anchors and positives |
//! | propose | [`propose`] | a frame, and one near it | candidate regions, best first |
//! | track | [`track`] | regions and the following frames | [`track::Tracklet`]s: box and confidence per frame, and the reason for rejection |
//! | crop | [`crop`] | a frame, a box | one image of a pair |
//! | encode | [`codec`] | an image | JPEG bytes, or raw RGB under zstd |
//! | score | [`ope`] | boxes of a tracker, true boxes | overlaps, and the scores of the benchmarks |
//!
//! [`run`] wires the steps into the commands `extract` and `track`. [`engine`] is the interface for OpenCV's algorithms.

pub mod codec;
pub mod crop;
pub mod cuts;
pub mod decode;
pub mod engine;
mod ffmpeg;
pub mod ope;
pub mod propose;
pub mod run;
pub mod sample;
pub mod track;
