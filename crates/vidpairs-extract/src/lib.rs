//! Video to positive pairs: decode, sample, propose, track, crop, encode. Also the scores of trackers. The one crate that links
//! FFmpeg.
//!
//! | step | module | takes | gives |
//! |---|---|---|---|
//! | decode | [`decode`] | a clip's media: video file, folder of JPEGs, zip of JPEGs | [`Frame`](vidpairs_types::Frame)s in presentation order, with index and pts |
//! | sample | [`sample`] | a clip's length, the pair rule, a seed | frame indices of anchors and positives |
//! | propose | [`propose`] | a frame, one near it | candidate regions, best first |
//! | track | [`track`] | regions and the following frames | [`track::Tracklet`]s: box and confidence per frame, why each ended |
//! | crop | [`crop`] | a frame, a box | one image of a pair |
//! | encode | [`codec`] | an image | JPEG bytes, or raw RGB under zstd |
//! | score | [`ope`] | boxes of a tracker, true boxes | overlaps, and the figures that benchmarks publish |
//!
//! [`run`] wires the steps into the commands `extract` and `track`. Algorithms of OpenCV come in through [`engine`].

pub mod codec;
pub mod crop;
pub mod decode;
pub mod engine;
pub mod ope;
pub mod propose;
pub mod run;
pub mod sample;
pub mod track;
