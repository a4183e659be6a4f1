//! `vidpairs invariance`: what a representation ignores.
//!
//! Images of a data set (`source::image_sets`) become features (`features`), or features come as they are (`npz`); what they
//! are held against is a [`Subject`]; [`Judge`] scores them, and everything that is said of a model is in the
//! [`InvarianceSummary`].

mod blocks;
mod cards;
mod claim;
mod controls;
mod encoders;
mod engine;
mod error;
mod judge;
mod panel;
mod result;
mod retrieving;
mod scoring;
mod set_interval;
mod subject;
mod thumbnails;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

pub use blocks::BlockCrew;
pub use cards::{Along, CardPicture, CurveLine, TargetCard, UnitCard, UnitCurve};
pub use engine::{EncoderEngine, FeatureSpeed, ImageEncoder, ImageFeatures};
pub use error::InvarianceError;
pub use result::{
    Figure, InvarianceSummary, LeftOutGroup, MeasuredModel, MeasuredPair, MeasuredPanel,
    ModelScores, TargetScore, VersionScore,
};
pub use retrieving::retrieve;
pub use scoring::score_features;

use vidpairs_pipeline::Measure;
use vidpairs_run::{Control, RunError};
use vidpairs_source::ImageSetKind;

use self::claim::{Claim, RESULTS_FILE, SAFE};
use self::judge::Judge;
use self::panel::PanelMaker;
use self::subject::Subject;
use crate::measure::Features;
use crate::npz::FeatureTable;

/// What to measure, of which models, and where it goes.
#[derive(Debug, Clone)]
pub struct InvarianceOptions {
    /// The settings.
    pub measure: Measure,
    /// Who is measured, on what.
    pub models: MeasuredModels,
    /// Where results go, and features are kept: a new or empty folder, or that of other results.
    pub out: PathBuf,
    /// What runs the encoders; `None` in a program without.
    pub encoders: Option<&'static dyn EncoderEngine>,
    /// `cpu`, `cuda` or `cuda:N`; `None` for the first GPU if there is one, else the CPU.
    pub device: Option<String>,
    /// Threads, verbosity, and the wish to stop: features that are complete stay.
    pub control: Control,
}

/// Who is measured, on what.
#[derive(Debug, Clone, PartialEq)]
pub enum MeasuredModels {
    /// Encoders, on images.
    Encoders {
        /// At least one.
        weights: Vec<NamedFile>,
        /// At least one.
        data: Vec<InvarianceData>,
    },
    /// Features that were made elsewhere. Files with the same sets and classes are compared.
    Features(Vec<NamedFile>),
}

/// A model's file, and what to call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// In tables.
    pub name: String,
    /// Weights or features.
    pub path: PathBuf,
}

/// One invariance of one data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvarianceData {
    /// Which.
    pub kind: ImageSetKind,
    /// Where the data set is.
    pub path: PathBuf,
}

/// A file of results beside `invariance.json`: its name, and what is in it.
pub type ResultFile = (&'static str, Vec<u8>);

/// Measures, and writes `OUT/invariance.json`, after what `present` makes of the results.
///
/// # Errors
/// [`RunError`]: a data set, weights or features that cannot be read, or `out` that cannot be written. Features that were complete
/// stay in `OUT/features`, and the same call goes on from there.
pub fn invariance(
    options: &InvarianceOptions,
    present: impl FnOnce(&InvarianceSummary) -> Vec<ResultFile>,
) -> Result<InvarianceSummary, RunError> {
    let start = Instant::now();
    let claim = Claim::of(&options.out)?;
    let measured = measure(options).map_err(|err| match (err, &options.models) {
        (RunError::Stopped, MeasuredModels::Encoders { .. }) => RunError::Interrupted {
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
    for (name, bytes) in present(&summary) {
        claim.write(name, &bytes)?;
    }
    let text = serde_json::to_vec_pretty(&summary).unwrap_or_default();
    claim.write(RESULTS_FILE, &text)?;
    Ok(summary)
}

fn measure(options: &InvarianceOptions) -> Result<Measured, RunError> {
    let judge = Judge {
        measure: &options.measure,
        crew: BlockCrew {
            workers: options.control.workers,
            cancel: &options.control.cancel,
            verbosity: options.control.verbosity,
        },
    };
    match &options.models {
        MeasuredModels::Features(files) => of_features(files, &judge),
        MeasuredModels::Encoders { weights, data } => {
            encoders::measure(weights, data, options, &judge)
        }
    }
}

/// The settings that were looked at.
fn settings(options: &InvarianceOptions) -> serde_json::Value {
    let mut settings = serde_json::to_value(&options.measure).unwrap_or_default();
    if let (MeasuredModels::Features(_), Some(keys)) = (&options.models, settings.as_object_mut()) {
        for key in ["stage", "size", "numbers"] {
            keys.remove(key);
        }
    }
    settings
}

type Measured = (Vec<MeasuredModel>, Vec<MeasuredPanel>);

/// Measures features that were made elsewhere: a panel for each way of labelling.
fn of_features(files: &[NamedFile], judge: &Judge<'_>) -> Result<Measured, RunError> {
    check_names(files)?;
    let mut models = Vec::new();
    let mut panels: Vec<(Subject, PanelMaker)> = Vec::new();
    for (place, file) in files.iter().enumerate() {
        let table = FeatureTable::read(&file.path).map_err(InvarianceError::Npz)?;
        let unfit = |reason: String| InvarianceError::Unfit {
            path: file.path.clone(),
            reason,
        };
        let subject = Subject::of_table(&table).map_err(|err| unfit(err.to_string()))?;
        subject.check().map_err(&unfit)?;
        let features = Features::new(table.features, table.num_units);
        let features = Arc::new(features.map_err(|err| unfit(err.to_string()))?);
        models.push(MeasuredModel {
            name: file.name.clone(),
            file: file.path.clone(),
            note: String::new(),
        });
        let judged = judge.judge(&subject, &features)?;
        let same = panels
            .iter_mut()
            .find(|(other, _)| other.is_same_as(&subject));
        match same {
            Some((_, panel)) => panel.add(place, judged),
            None => {
                let mut panel = PanelMaker::of_features(&file.path, &subject);
                if !panels.is_empty() {
                    panel.warn(format!(
                        "{} has other sets, classes or names than the files before it, and is not compared with them",
                        file.name
                    ));
                }
                panel.add(place, judged);
                panels.push((subject, panel));
            }
        }
    }
    let panels = panels.into_iter();
    let panels = panels.map(|(_, panel)| panel.finish(models.len(), judge));
    let panels = panels.collect();
    Ok((models, panels))
}

/// The same name for two models would make tables that cannot be read.
fn check_names(files: &[NamedFile]) -> Result<(), RunError> {
    for (place, file) in files.iter().enumerate() {
        let twin = files.iter().take(place).find(|it| it.name == file.name);
        if let Some(twin) = twin {
            return Err(InvarianceError::SameName {
                name: file.name.clone(),
                first: twin.path.clone(),
                second: file.path.clone(),
            }
            .into());
        }
    }
    Ok(())
}
