//! Runs `vidpairs invariance`: measures the invariances of models.
//!
//! An encoder computes features of the images of a data set, or another program has stored them ([`crate::npz`]). `Subject` holds the
//! sets, targets and conditions of the images, `Judge` evaluates the features, and [`InvarianceSummary`] holds the results.

mod blocks;
mod cards;
mod claim;
mod controls;
mod engine;
mod error;
mod image_interval;
mod judge;
mod left_out;
mod models;
mod named;
mod panel;
pub mod probe;
mod result;
mod retrieving;
mod scoring;
mod segmentation;
mod set_interval;
mod subject;

use std::path::PathBuf;
use std::time::Instant;

pub use blocks::BlockCrew;
pub use cards::{
    Along, CardPicture, CurveLine, MAX_PICTURES, MAX_TARGET_PICTURES, MAX_TARGETS, MAX_UNITS,
    TargetCard, UnitCard, UnitCurve,
};
pub use engine::{
    EncoderEngine, FeatureLabels, FeatureRequest, FeatureSpeed, HeadRequest, ImageEncoder,
    ImageFeatures, LabelColumn, LinearHead, LinearRecipe, PartView,
};
pub use error::{InvarianceError, ModelsError};
pub use named::NamedFile;
pub use result::{
    Figure, InvarianceSummary, LeftOutGroup, MeasuredModel, MeasuredPair, MeasuredPanel,
    ModelScores, TargetRetrieval, TargetScore, VersionScore,
};
pub use scoring::score_features;
pub use segmentation::{
    LabelSurvey, SegmentationImage, SegmentationRecipe, SegmentationRequest, Segmented,
    SegmentedImage, Trunk, class_color,
};

use vidpairs_pipeline::Measure;
use vidpairs_run::{Control, RunError};
use vidpairs_source::ImageSetKind;

use self::claim::{Claim, INVARIANCES, SAFE};
use self::judge::Judge;

/// Options of the command.
#[derive(Debug, Clone)]
pub struct InvarianceOptions {
    /// Settings of `[invariance]`.
    pub measure: Measure,
    /// Models to measure, and the data to measure them on.
    pub models: Models<ImageSetKind>,
    /// Folder for results and cached features: new, empty, or with earlier results.
    pub out: PathBuf,
    /// Library that runs encoders; `None` in a program without one.
    pub encoders: Option<&'static dyn EncoderEngine>,
    /// `cpu`, `cuda` or `cuda:N`; `None` for the first GPU if there is one, else the CPU.
    pub device: Option<String>,
    /// Threads, verbosity, and the wish to stop: features that are complete stay.
    pub control: Control,
}

/// Models of a measuring command.
///
/// - `K`: kinds of data sets.
#[derive(Debug, Clone, PartialEq)]
pub enum Models<K> {
    /// Encoders on images.
    Encoders {
        /// Files of weights, at least one.
        weights: Vec<NamedFile>,
        /// Prefix of the names of the encoder's tensors, for files with several encoders.
        prefix: Option<String>,
        /// Data sets, at least one.
        data: Vec<DataPath<K>>,
    },
    /// Features of other programs. Files with the same labels are compared.
    Features(Vec<NamedFile>),
}

/// A data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataPath<K> {
    /// Kind of the data set.
    pub kind: K,
    /// Path of the data set.
    pub path: PathBuf,
}

/// Name and content of a result file beside the results in JSON.
pub type ResultFile = (&'static str, Vec<u8>);

/// Measures the models, writes the files of `present` and then `OUT/invariance.json`.
///
/// # Errors
/// [`RunError`]: a data set, weights or features cannot be read, or `out` cannot be written. Features files that are complete stay in
/// `OUT/features`; the same call resumes from them.
pub fn invariance(
    options: &InvarianceOptions,
    present: impl FnOnce(&InvarianceSummary) -> Vec<ResultFile>,
) -> Result<InvarianceSummary, RunError> {
    let start = Instant::now();
    let claim = Claim::of(&options.out, INVARIANCES)?;
    let measured = measure(options).map_err(|err| match (err, &options.models) {
        (RunError::Stopped, Models::Encoders { .. }) => RunError::Interrupted {
            out: options.out.clone(),
            safe: SAFE.to_owned(),
        },
        (other, _) => other,
    });
    let (models, panels) = measured?;
    let summary = InvarianceSummary {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        settings: settings(options),
        models,
        panels,
        seconds: start.elapsed().as_secs_f64(),
        out: options.out.clone(),
    };
    claim.write_all(present(&summary), &summary)?;
    Ok(summary)
}

fn measure(options: &InvarianceOptions) -> Result<models::Measured, RunError> {
    let judge = Judge {
        measure: &options.measure,
        crew: BlockCrew {
            workers: options.control.workers,
            cancel: &options.control.cancel,
            verbosity: options.control.verbosity,
        },
    };
    match &options.models {
        Models::Features(files) => models::measure_features(files, &judge),
        Models::Encoders {
            weights,
            prefix,
            data,
        } => {
            let encoders = models::Encoders {
                files: weights,
                prefix: prefix.as_deref(),
            };
            models::measure_encoders(encoders, data, options, &judge)
        }
    }
}

/// The settings that were used.
fn settings(options: &InvarianceOptions) -> serde_json::Value {
    let mut settings =
        serde_json::to_value(&options.measure).expect("settings are numbers and texts");
    if let Models::Features(_) = options.models {
        let keys = settings.as_object_mut().expect("settings are a table");
        for key in ["stage", "pool", "size", "numbers"] {
            keys.remove(key);
        }
    }
    settings
}
