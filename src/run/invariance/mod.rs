//! `vidpairs invariance`: what a representation ignores.

#[cfg(feature = "train")]
mod features;
mod retrieving;
mod scoring;

#[cfg(feature = "train")]
pub use features::{FeatureError, FeatureOptions, FeatureSpeed, ImageFeatures, image_features};
pub use retrieving::retrieve;
pub use scoring::{ScoringError, score_features};
