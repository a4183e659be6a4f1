//! Computes features with libtorch for `vidpairs invariance` and `vidpairs probe`.

use std::path::Path;

use vidpairs_invariance::run::{EncoderEngine, FeatureRequest, ImageEncoder, PartView};
use vidpairs_run::RunError;
use vidpairs_types::ImagePart;

use super::error::FeatureError;
use super::picture::picture;
use super::{ImageFeatures, stage_features};
use crate::model::{TrainedResNet, device_or_best};

/// Encoders on libtorch.
#[derive(Debug, Clone, Copy)]
pub struct LibtorchEncoders;

impl EncoderEngine for LibtorchEncoders {
    fn open(
        &self,
        weights: &Path,
        prefix: Option<&str>,
        device: Option<&str>,
    ) -> Result<Box<dyn ImageEncoder>, RunError> {
        let device = device_or_best(device).map_err(FeatureError::from)?;
        let encoder =
            TrainedResNet::open_under(weights, prefix, device).map_err(FeatureError::from)?;
        Ok(Box::new(encoder))
    }
}

impl ImageEncoder for TrainedResNet {
    fn architecture(&self) -> String {
        self.architecture.to_string()
    }

    fn features(&self, request: &FeatureRequest<'_>) -> Result<Vec<ImageFeatures>, RunError> {
        stage_features(self, request)
    }

    fn picture(&self, part: &ImagePart, view: PartView) -> Result<Vec<u8>, String> {
        picture(part, view)
    }
}
