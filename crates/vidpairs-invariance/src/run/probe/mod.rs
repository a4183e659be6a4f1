//! Runs `vidpairs probe`: fits classifiers on frozen features of labelled images, and tests them.
//!
//! An encoder computes features of the images of a data set, or another program has stored them ([`crate::npz::LabelledFeatures`]).
//! `Subject` holds the classes and splits of the images, `Judge` fits and tests a classifier on the features of one model, and
//! [`ProbeSummary`] holds the results.

mod cards;
mod divided;
mod error;
mod judge;
mod linear;
mod models;
mod pixels;
mod protocol;
mod result;
mod single;
mod subject;
mod svm;
mod table;
mod unfinished;

use std::path::PathBuf;
use std::time::Instant;

use vidpairs_pipeline::Probe;
use vidpairs_run::{Control, RunError};
use vidpairs_source::ProbeSetKind;

use self::judge::Judge;
use super::claim::{Claim, PROBES, SAFE};
use super::engine::EncoderEngine;
use super::{BlockCrew, Models, ResultFile};

pub use cards::MAX_CARDS;
pub use error::ProbeError;
pub use result::{
    ClassScore, Confusion, ProbeCard, ProbePair, ProbeProtocol, ProbeScores, ProbeSummary,
    ProbeTable, RateScore,
};

/// Options of the command.
#[derive(Debug, Clone)]
pub struct ProbeOptions {
    /// Settings of `[probe]`.
    pub settings: Probe,
    /// Models to probe, and the data to probe them on.
    pub models: Models<ProbeSetKind>,
    /// Folder for results and cached features: new, empty, or with earlier results.
    pub out: PathBuf,
    /// Library that runs encoders; `None` in a program without one.
    pub encoders: Option<&'static dyn EncoderEngine>,
    /// `cpu`, `cuda` or `cuda:N`; `None` for the first GPU if there is one, else the CPU.
    pub device: Option<String>,
    /// Threads, verbosity, and the wish to stop: features that are complete stay.
    pub control: Control,
}

/// Probes the models, writes the files of `present` and then `OUT/probe.json`.
///
/// # Errors
/// [`RunError`]: a data set, weights or features cannot be read or probed, or `out` cannot be written. Features files that are complete stay
/// in `OUT/features`; the same call resumes from them.
pub fn probe(
    options: &ProbeOptions,
    present: impl FnOnce(&ProbeSummary) -> Vec<ResultFile>,
) -> Result<ProbeSummary, RunError> {
    let start = Instant::now();
    let claim = Claim::of(&options.out, PROBES)?;
    let judge = Judge {
        settings: &options.settings,
        crew: BlockCrew {
            workers: options.control.workers,
            cancel: &options.control.cancel,
            verbosity: options.control.verbosity,
        },
    };
    let probed = match &options.models {
        Models::Features(files) => models::probe_features(files, &judge),
        Models::Encoders {
            weights,
            prefix,
            data,
        } => {
            let encoders = (weights.as_slice(), prefix.as_deref());
            let probed = models::probe_encoders(encoders, data, options, &judge);
            probed.map_err(|err| match err {
                RunError::Stopped => RunError::Interrupted {
                    out: options.out.clone(),
                    safe: SAFE.to_owned(),
                },
                other => other,
            })
        }
    };
    let (models, tables) = probed?;
    let summary = ProbeSummary {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        settings: settings(options),
        models,
        tables,
        seconds: start.elapsed().as_secs_f64(),
        out: options.out.clone(),
    };
    claim.write_all(present(&summary), &summary)?;
    Ok(summary)
}

/// The settings that were used.
fn settings(options: &ProbeOptions) -> serde_json::Value {
    let mut settings =
        serde_json::to_value(&options.settings).expect("settings are numbers and texts");
    if let Models::Features(_) = options.models {
        let keys = settings.as_object_mut().expect("settings are a table");
        for key in [
            "stages",
            "pool",
            "size",
            "view",
            "box_scale",
            "numbers",
            "test_share",
            "linear_epochs",
            "linear_batch",
            "linear_rates",
            "segmentation_epochs",
            "segmentation_batch",
            "segmentation_rate",
            "finetune",
        ] {
            keys.remove(key);
        }
    }
    settings
}
