//! Program `vidpairs-torch`: the command line of vidpairs with training and encoders on libtorch.

use std::path::Path;
use std::process::ExitCode;

use vidpairs::cli;
use vidpairs::engines::{Engines, Libtorch, Summary, TrainRequest};
use vidpairs_invariance::run::{EncoderEngine, ImageEncoder, LabelSurvey, SegmentationImage};
use vidpairs_learn::model::libtorch_devices;
use vidpairs_learn::run::{LibtorchEncoders, TrainOptions, train};
use vidpairs_run::{Control, RunError};

fn main() -> ExitCode {
    cli::main(Engines::default().with_libtorch(&Tch))
}

/// Engine that computes with libtorch.
#[derive(Debug)]
struct Tch;

impl EncoderEngine for Tch {
    fn open(
        &self,
        weights: &Path,
        prefix: Option<&str>,
        device: Option<&str>,
    ) -> Result<Box<dyn ImageEncoder>, RunError> {
        LibtorchEncoders.open(weights, prefix, device)
    }

    fn survey(
        &self,
        images: &[SegmentationImage],
        num_classes: usize,
        control: &Control,
    ) -> Result<LabelSurvey, RunError> {
        LibtorchEncoders.survey(images, num_classes, control)
    }
}

impl Libtorch for Tch {
    fn devices(&self) -> String {
        libtorch_devices()
    }

    fn train(&self, request: TrainRequest) -> Result<Summary, RunError> {
        let TrainRequest {
            pipeline,
            shards,
            out,
            device,
            knn,
            init,
            init_prefix,
            control,
        } = request;
        let summary = train(&TrainOptions {
            pipeline,
            shards,
            out,
            device,
            knn,
            init,
            init_prefix,
            control,
        })?;
        Ok(Summary {
            json: serde_json::to_value(&summary).map_err(RunError::of)?,
            text: summary.to_string(),
        })
    }
}
