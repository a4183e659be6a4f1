//! Computes features with libtorch for `vidpairs invariance`.

use std::path::Path;

use vidpairs_invariance::run::{EncoderEngine, ImageEncoder, InvarianceOptions};
use vidpairs_pipeline::Measure;
use vidpairs_run::RunError;
use vidpairs_types::{BoxXywh, ImageSets};

use super::error::FeatureError;
use super::picture::picture;
use super::{FeatureOptions, ImageFeatures, image_features};
use crate::model::{Pooling, Readout, TrainedEncoder, TrainedNetwork, device_or_best};

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
}

impl ImageEncoder for TrainedEncoder {
    fn architecture(&self) -> String {
        self.architecture.to_string()
    }

    fn readout(&self, side_px: u32, measure: &Measure) -> Result<String, RunError> {
        let Measure { stage, pool, .. } = *measure;
        let readout = Readout::of(&self.architecture, stage, pool, side_px);
        let readout = readout.map_err(FeatureError::from)?;
        let stage = stage.name();
        Ok(match (&self.network, readout.pooling) {
            (TrainedNetwork::ResNet(_), _) => stage.to_owned(),
            (TrainedNetwork::Vit(_), Pooling::ClassToken) => format!("{stage}, class token"),
            (TrainedNetwork::Vit(_), Pooling::Mean) => format!("{stage}, mean of the patches"),
        })
    }

    fn features(
        &self,
        sets: &ImageSets,
        options: &InvarianceOptions,
    ) -> Result<ImageFeatures, RunError> {
        let options = FeatureOptions {
            stage: options.measure.stage,
            pool: options.measure.pool,
            precision: options.measure.numbers,
            out: Some(options.out.clone()),
            control: options.control.clone(),
        };
        image_features(self, sets, &options)
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
