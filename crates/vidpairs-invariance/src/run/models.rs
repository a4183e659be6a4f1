//! Measures models: encoders on data sets, or features of other programs.

use std::path::Path;
use std::sync::Arc;

use vidpairs_pipeline::Measure;
use vidpairs_run::{Control, RunError};
use vidpairs_source::{ImageSetKind, NamedKind, image_sets};
use vidpairs_types::{ImagePart, ImageSets, LeftOut, Seed};

use super::cards::CardPicture;
use super::engine::{FeatureLabels, FeatureRequest, ImageEncoder, ImageFeatures, PartView};
use super::error::{InvarianceError, ModelsError, unfit};
use super::judge::{Judge, Judged};
use super::named::{NamedFile, check_names};
use super::panel::PanelMaker;
use super::result::{MeasuredModel, MeasuredPanel, ModelScores};
use super::subject::Subject;
use super::{DataPath, InvarianceOptions};
use crate::measure::{Features, LabelsError};
use crate::npz::FeatureTable;

/// Side of the pictures on cards, px.
const PICTURE_SIDE_PX: u32 = 112;

/// Settings of the features.
const KEYS: &str = "invariance.stage, invariance.pool or invariance.size";

/// Models and their results.
pub(super) type Measured = (Vec<MeasuredModel>, Vec<MeasuredPanel>);

/// Measures features of other programs: one panel for each group of files with the same sets and classes.
///
/// # Errors
/// [`RunError`]: a file cannot be read or scored, or the work was cancelled.
pub(super) fn measure_features(
    files: &[NamedFile],
    judge: &Judge<'_>,
) -> Result<Measured, RunError> {
    check_names(files)?;
    let mut panels: Vec<(Subject, PanelMaker)> = Vec::new();
    for (model, file) in files.iter().enumerate() {
        let table = FeatureTable::read(&file.path).map_err(ModelsError::Npz)?;
        let subject = Subject::of_table(&table);
        let subject = checked(subject, &file.path)?;
        let values = (table.features, table.num_units);
        let judged = judged(judge, &subject, values, &file.path)?;
        let comparable = panels
            .iter_mut()
            .find(|(other, _)| other.is_same_as(&subject));
        if let Some((_, panel)) = comparable {
            panel.add(model, judged);
            continue;
        }
        let mut panel = PanelMaker::of_features(&file.path, &subject);
        if !panels.is_empty() {
            panel.warn(format!(
                "{} has other sets, classes or names than the files before it and is not compared with them",
                file.name
            ));
        }
        panel.add(model, judged);
        panels.push((subject, panel));
    }
    let models = files.iter().map(|file| file.model(String::new()));
    let panels = panels
        .into_iter()
        .map(|(_, panel)| panel.finish(files.len(), judge));
    Ok((models.collect(), panels.collect::<Result<_, _>>()?))
}

/// Files of encoders.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encoders<'a> {
    pub files: &'a [NamedFile],
    /// Prefix of the names of the encoder's tensors, for files with several encoders.
    pub prefix: Option<&'a str>,
}

/// Measures every encoder on every data set.
///
/// # Errors
/// [`RunError`]: weights or a data set cannot be read, features cannot be scored, or the work was cancelled. Weights and data sets are
/// opened before anything is computed.
pub(super) fn measure_encoders(
    Encoders {
        files: weights,
        prefix,
    }: Encoders<'_>,
    data: &[DataPath<ImageSetKind>],
    options: &InvarianceOptions,
    judge: &Judge<'_>,
) -> Result<Measured, RunError> {
    check_names(weights)?;
    let engine = options.encoders.ok_or(ModelsError::NoEncoders)?;
    let all_sets: Vec<(&DataPath<ImageSetKind>, ImageSets)> = data
        .iter()
        .map(|data| Ok((data, sets_of(data, options)?)))
        .collect::<Result<_, RunError>>()?;
    let device = options.device.as_deref();
    let encoders: Vec<Box<dyn ImageEncoder>> = weights
        .iter()
        .map(|file| engine.open(&file.path, prefix, device))
        .collect::<Result<_, _>>()?;
    let models: Vec<MeasuredModel> = weights
        .iter()
        .zip(&encoders)
        .map(|(file, encoder)| {
            Ok(file.model(described(
                (encoder.as_ref(), &file.path),
                &all_sets,
                options,
            )?))
        })
        .collect::<Result<_, RunError>>()?;
    let mut panels = Vec::new();
    for (data, sets) in &all_sets {
        let mut panel: Option<(Subject, PanelMaker)> = None;
        for (model, encoder) in encoders.iter().enumerate() {
            let extracted = features_of(encoder.as_ref(), sets, options)?;
            let subject = checked(Subject::of_sets(sets, &extracted.images), &data.path)?;
            let values = (extracted.values, extracted.num_units);
            let mut judged = judged(judge, &subject, values, &data.path)?;
            judged.scores.images_per_second = extracted.speed.map(|speed| speed.images_per_second);
            judged.scores.waiting = extracted.speed.map(|speed| speed.waiting);
            draw_pictures(&mut judged.scores, &subject.pictures, encoder.as_ref());
            let (first, maker) = panel.get_or_insert_with(|| {
                let name = data.kind.name();
                let maker = PanelMaker::of_sets(name, &data.path, sets, &subject);
                (subject.clone(), maker)
            });
            if !first.is_same_as(&subject) {
                maker.warn(
                    "models were measured on different images: some images could be read for one model only"
                        .to_owned(),
                );
            }
            maker.leave_out(&extracted.left_out);
            maker.add(model, judged);
        }
        if let Some((_, maker)) = panel {
            panels.push(maker.finish(models.len(), judge)?);
        }
    }
    Ok((models, panels))
}

/// Features of the images of `sets` at the stage of the settings.
fn features_of(
    encoder: &dyn ImageEncoder,
    sets: &ImageSets,
    options: &InvarianceOptions,
) -> Result<ImageFeatures, RunError> {
    let parts: Vec<ImagePart> = sets.images.iter().map(ImagePart::from).collect();
    let request = FeatureRequest {
        parts: &parts,
        stages: &[options.measure.stage],
        pool: options.measure.pool,
        view: PartView::of_invariance(sets.side_px),
        numbers: options.measure.numbers,
        labels: &FeatureLabels::of_sets(sets),
        out: Some(&options.out),
        control: &options.control,
    };
    let mut stages = encoder.features(&request)?;
    Ok(stages.pop().expect("one entry for the one stage"))
}

/// Architecture of an encoder, and where its features are taken.
///
/// # Errors
/// The settings or the size of a data set's images do not fit the encoder.
fn described(
    (encoder, path): (&dyn ImageEncoder, &Path),
    all_sets: &[(&DataPath<ImageSetKind>, ImageSets)],
    options: &InvarianceOptions,
) -> Result<String, RunError> {
    let Measure { stage, pool, .. } = options.measure;
    let mut text = encoder.architecture();
    for (index, (_, sets)) in all_sets.iter().enumerate() {
        let readout = encoder.readout(sets.side_px, stage, pool);
        let readout = readout.map_err(ModelsError::readout(KEYS, path))?;
        if index == 0 {
            text.push_str(", ");
            text.push_str(&readout);
        }
    }
    Ok(text)
}

/// The subject, if it can be scored.
fn checked(subject: Result<Subject, LabelsError>, path: &Path) -> Result<Subject, ModelsError> {
    let checked = subject
        .map_err(|err| err.to_string())
        .and_then(|subject| subject.check().map(|()| subject));
    checked.map_err(|reason| unfit(path, reason))
}

/// Evaluates features: their values and number of units.
fn judged(
    judge: &Judge<'_>,
    subject: &Subject,
    (values, num_units): (Vec<f32>, usize),
    path: &Path,
) -> Result<Judged, RunError> {
    let features = Features::new(values, num_units).map_err(|err| unfit(path, err.to_string()))?;
    judge.judge(subject, &Arc::new(features))
}

fn sets_of(
    data: &DataPath<ImageSetKind>,
    options: &InvarianceOptions,
) -> Result<ImageSets, RunError> {
    let seed = Seed::of_run(options.measure.seed);
    // The cache key of the features contains paths: the same images must have the same key however their path is written.
    let root = data.path.canonicalize();
    let root = root.unwrap_or_else(|_| data.path.clone());
    let mut sets = image_sets(data.kind, &root, seed).map_err(|source| InvarianceError::Sets {
        kind: data.kind,
        source,
    })?;
    report_left_out(&sets.left_out, &options.control);
    if let Some(side_px) = options.measure.size_px {
        sets.side_px = side_px;
    }
    Ok(sets)
}

/// Names the parts of a data set that are left out, if every one is reported.
pub(super) fn report_left_out(left_out: &[LeftOut], control: &Control) {
    for LeftOut { what, reason } in left_out {
        control.report(&format!("left out: {reason}: {what}"));
    }
}

/// Draws the pictures of all cards.
///
/// - `parts`: the images with features.
fn draw_pictures(scores: &mut ModelScores, parts: &[ImagePart], encoder: &dyn ImageEncoder) {
    let targets = scores.most.iter_mut().chain(&mut scores.least);
    let of_targets = targets.flat_map(|card| &mut card.pictures);
    let units = scores.unit_cards.iter_mut();
    let of_units = units.flat_map(|card| &mut card.pictures);
    for CardPicture { image, jpeg, .. } in of_units.chain(of_targets) {
        let view = PartView::of_invariance(PICTURE_SIDE_PX);
        *jpeg = encoder.picture(&parts[*image], view);
    }
}
