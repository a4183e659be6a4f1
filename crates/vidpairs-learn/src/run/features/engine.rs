//! Computes features with libtorch for `vidpairs invariance` and `vidpairs probe`.

use std::path::Path;

use vidpairs_invariance::run::{
    EncoderEngine, FeatureRequest, HeadRequest, ImageEncoder, LabelSurvey, LinearHead, PartView,
    SegmentationImage, SegmentationRequest, Segmented, Trunk,
};
use vidpairs_pipeline::{PoolName, StageName};
use vidpairs_run::{Control, RunError};
use vidpairs_types::ImagePart;

use super::error::FeatureError;
use super::picture::picture;
use super::{ImageFeatures, stage_features};
use crate::model::{Pooling, Readout, TrainedEncoder, TrainedNetwork, device_or_best};
use crate::run::probe::{linear_classifiers, map_readout, segment, survey};

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
            TrainedEncoder::open_under(weights, prefix, device).map_err(FeatureError::from)?;
        Ok(Box::new(encoder))
    }

    fn survey(
        &self,
        images: &[SegmentationImage],
        num_classes: usize,
        control: &Control,
    ) -> Result<LabelSurvey, RunError> {
        survey(images, num_classes, control)
    }
}

impl ImageEncoder for TrainedEncoder {
    fn architecture(&self) -> String {
        self.architecture.to_string()
    }

    fn readout(&self, side_px: u32, stage: StageName, pool: PoolName) -> Result<String, RunError> {
        let readout = Readout::of(&self.architecture, stage, pool, side_px);
        let readout = readout.map_err(FeatureError::from)?;
        let stage = stage.name();
        Ok(match (&self.network, readout.pooling) {
            (TrainedNetwork::ResNet(_), _) => stage.to_owned(),
            (TrainedNetwork::Vit(_), Pooling::ClassToken) => format!("{stage}, class token"),
            (TrainedNetwork::Vit(_), Pooling::Mean) => format!("{stage}, mean of the patches"),
        })
    }

    fn features(&self, request: &FeatureRequest<'_>) -> Result<Vec<ImageFeatures>, RunError> {
        stage_features(self, request)
    }

    fn linear_heads(&self, request: &HeadRequest<'_>) -> Result<Vec<Vec<LinearHead>>, RunError> {
        linear_classifiers(self, request)
    }

    fn map_readout(&self, stage: StageName, trunk: Trunk) -> Result<String, RunError> {
        Ok(map_readout(self, stage, trunk)?)
    }

    fn segment(&self, request: &SegmentationRequest<'_>) -> Result<Segmented, RunError> {
        segment(self, request)
    }

    fn picture(&self, part: &ImagePart, view: PartView) -> Result<Vec<u8>, String> {
        picture(part, view)
    }
}
