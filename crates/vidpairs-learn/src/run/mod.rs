//! `vidpairs train`, features of images by an encoder, and what probes train on them.

mod features;
mod probe;
mod tensorboard;
mod train;

pub use features::{
    FeatureError, FeatureOptions, FeatureSpeed, ImageFeatures, LibtorchEncoders, image_features,
    stage_features,
};
pub use tensorboard::EventWriter;
pub use train::{KnnFigures, TrainError, TrainOptions, TrainSummary, train};
