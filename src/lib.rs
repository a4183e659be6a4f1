//! The command line of vidpairs, and its HTML pages.
//!
//! vidpairs extracts positive pairs from unlabelled video. Each step is a crate that other programs can use on its own:
//!
//! | step | crate | takes | gives |
//! |---|---|---|---|
//! | find | [`vidpairs_source`] | a data set or a folder | [`Clip`](vidpairs_types::Clip)s in a stable order: id, media, boxes and label where known |
//! | decode to encode | `vidpairs_extract` | clips, a pipeline | encoded pairs |
//! | shard | [`vidpairs_shard`] | encoded pairs | tar shards, index, manifest: **the contract with every trainer** |
//! | read | [`vidpairs_shard`] | a manifest | encoded pairs, random access |
//! | augment, learn | `vidpairs_learn` | shards | views, a loss, weights |
//! | weights | [`vidpairs_weights`] | weights files | tensors by name, without libtorch |
//! | render | `vidpairs_synth` | a catalogue of 3-D objects, a seed | images in the layouts of real data sets, and their ground truth |
//! | measure | [`vidpairs_invariance`] | features of images, their sets and classes | invariance scores with controls and intervals |
//! | show | [`report`] | shards, rendered sets, scores, whole experiments | one HTML page with pictures |
//!
//! [`vidpairs_pipeline`] reads the TOML file of an experiment, [`vidpairs_run`] is the kit that every command is built from, [`cli`] is
//! the command line. A program plugs its libraries in through [`engines`]; `ARCHITECTURE.md` shows the layers.

pub mod cache;
pub mod cli;
pub mod engines;
pub mod experiment;
pub mod export;
pub mod export_pairs;
mod hashing;
pub mod inspect;
pub mod parts;
pub mod report;
pub mod reshard;
pub mod verify;
