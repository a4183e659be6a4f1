//! `vidpairs invariance`: what a representation ignores.

mod features;

pub use features::{FeatureError, FeatureOptions, FeatureSpeed, ImageFeatures, image_features};
