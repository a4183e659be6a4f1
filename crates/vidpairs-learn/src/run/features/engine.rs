//! Encoders on libtorch for `vidpairs invariance`.

use std::path::Path;

use vidpairs_invariance::run::{EncoderEngine, ImageEncoder, InvarianceOptions};
use vidpairs_pipeline::{NumberFormat, StageName};
use vidpairs_run::RunError;
use vidpairs_types::{BoxXywh, ImageSets};

use super::error::FeatureError;
use super::picture::picture;
use super::{FeatureOptions, ImageFeatures, image_features};
use crate::model::{Precision, Stage, TrainedResNet, device_or_best};

/// Encoders on libtorch.
#[derive(Debug, Clone, Copy)]
pub struct LibtorchEncoders;

impl EncoderEngine for LibtorchEncoders {
    fn open(
        &self,
        weights: &Path,
        device: Option<&str>,
    ) -> Result<Box<dyn ImageEncoder>, RunError> {
        let device = device_or_best(device).map_err(FeatureError::from)?;
        let encoder = TrainedResNet::open(weights, device).map_err(FeatureError::from)?;
        Ok(Box::new(encoder))
    }
}

impl ImageEncoder for TrainedResNet {
    fn architecture(&self) -> String {
        self.architecture.to_string()
    }

    fn features(
        &self,
        sets: &ImageSets,
        options: &InvarianceOptions,
    ) -> Result<ImageFeatures, RunError> {
        image_features(self, sets, &feature_options(options))
    }

    fn picture(
        &self,
        file: &Path,
        region: Option<BoxXywh>,
        side_px: u32,
    ) -> Result<Vec<u8>, String> {
        picture(file, region, side_px)
    }
}

fn feature_options(options: &InvarianceOptions) -> FeatureOptions {
    FeatureOptions {
        stage: match options.measure.stage {
            StageName::Stem => Stage::Stem,
            StageName::Layer1 => Stage::Layer1,
            StageName::Layer2 => Stage::Layer2,
            StageName::Layer3 => Stage::Layer3,
            StageName::Layer4 => Stage::Layer4,
        },
        precision: match options.measure.numbers {
            NumberFormat::F32 => Precision::F32,
            NumberFormat::Bf16 => Precision::Bf16,
        },
        out: Some(options.out.clone()),
        control: options.control.clone(),
    }
}
