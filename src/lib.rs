//! Positive pairs from unlabelled video.
//!
//! | step | module | takes | gives |
//! |---|---|---|---|
//! | find | [`source`] | a data set or a folder | [`types::Clip`]s in a stable order: id, media, boxes and label where known |
//! | decode | [`decode`] | a clip's media: video file, folder of JPEGs, zip of JPEGs | [`types::Frame`]s in presentation order, with index and pts |
//! | sample | [`sample`] | a clip's length, the pair rule, a seed | which frame indices become anchors and positives |
//! | propose | [`propose`] | a frame, one near it | regions that may hold a thing, best first |
//! | track | [`track`] | regions and the following frames | [`track::Tracklet`]s: box and confidence per frame, why each ended |
//! | crop | [`crop`] | a frame, a box | one image of a pair |
//! | encode | [`codec`] | an image | JPEG bytes, or raw RGB under zstd |
//! | shard | [`shard`] | encoded pairs | tar shards, index, manifest: **the contract with every trainer** |
//! | read | [`shard`] | a manifest | encoded pairs, random access over a memory map |
//! | augment | [`augment`] | encoded images | the views that MoCo v1, MoCo v2 and PIRL train on |
//! | learn | [`model`], [`train`] | batches `B x 3 x S x S` | a loss, weights |
//! | render | [`synth`] | a catalogue of 3-D objects, a seed | images in the layouts of real data sets, and their truth |
//! | score | [`ope`] | boxes that a tracker gave, true boxes | overlaps, and the figures that benchmarks publish |
//! | measure | [`invariance`] | features of images, which of them are one thing transformed | which units ignore the transformation, and the score that is made of it |
//! | show | [`report`] | shards, rendered sets | one HTML page with pictures |
//!
//! [`pipeline`] reads the TOML file that names one experiment, [`run`] wires the steps into
//! commands, [`cli`] is the command line. A module imports only lower layers; see
//! `tests/layering.rs` and `ARCHITECTURE.md`.

pub mod types;

pub mod parallel;

#[cfg(any(feature = "extract", feature = "train"))]
pub mod jpeg;

pub mod png;

pub mod npz;

#[cfg(feature = "opencv")]
pub mod cv;

pub mod source;

#[cfg(feature = "extract")]
pub mod decode;

pub mod sample;

pub mod propose;

pub mod track;

#[cfg(feature = "extract")]
pub mod crop;

pub mod codec;

pub mod shard;

#[cfg(feature = "train")]
pub mod augment;

#[cfg(feature = "train")]
pub mod model;

#[cfg(feature = "train")]
pub mod train;

#[cfg(feature = "synth")]
pub mod synth;

pub mod ope;

pub mod invariance;

pub mod pipeline;

pub mod run;

pub mod report;

pub mod cli;
