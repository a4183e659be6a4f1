//! `vidpairs train`, and features of images by an encoder.

mod features;
mod tensorboard;
mod train;

pub use features::{
    FeatureError, FeatureOptions, FeatureSpeed, ImageFeatures, LibtorchEncoders, image_features,
    stage_features,
};
pub use tensorboard::EventWriter;
pub use train::{KnnFigures, TrainError, TrainOptions, TrainSummary, train};
