//! Encoders on images: weights to features, features to panels.

use std::sync::Arc;

use vidpairs_run::RunError;
use vidpairs_source::image_sets;
use vidpairs_types::{ImageSets, Seed};

use super::engine::ImageEncoder;
use super::judge::Judge;
use super::panel::PanelMaker;
use super::subject::Subject;
use super::{
    InvarianceData, InvarianceError, InvarianceOptions, Measured, MeasuredModel, NamedFile,
    check_names, thumbnails,
};
use crate::measure::Features;

/// Measures every encoder on every data set.
///
/// # Errors
/// [`RunError`]. Weights and data sets are opened before anything is computed.
pub(super) fn measure(
    weights: &[NamedFile],
    data: &[InvarianceData],
    options: &InvarianceOptions,
    judge: &Judge<'_>,
) -> Result<Measured, RunError> {
    check_names(weights)?;
    let engine = options.encoders.ok_or(InvarianceError::NoEncoders)?;
    let all_sets: Vec<(&InvarianceData, ImageSets)> = data
        .iter()
        .map(|it| Ok((it, sets_of(it, options)?)))
        .collect::<Result<_, RunError>>()?;
    let device = options.device.as_deref();
    let encoders: Vec<Box<dyn ImageEncoder>> = weights
        .iter()
        .map(|file| engine.open(&file.path, device))
        .collect::<Result<_, _>>()?;
    let models = weights.iter().zip(&encoders);
    let models: Vec<MeasuredModel> = models
        .map(|(file, encoder)| MeasuredModel {
            name: file.name.clone(),
            file: file.path.clone(),
            note: format!(
                "{}, {}",
                encoder.architecture(),
                options.measure.stage.name()
            ),
        })
        .collect();
    let mut panels = Vec::new();
    for (data, sets) in &all_sets {
        let mut panel: Option<(Subject, PanelMaker)> = None;
        for (place, encoder) in encoders.iter().enumerate() {
            let made = encoder.features(sets, options)?;
            let unfit = |reason: String| InvarianceError::Unfit {
                path: data.path.clone(),
                reason,
            };
            let subject =
                Subject::of_sets(sets, &made.images).map_err(|err| unfit(err.to_string()))?;
            subject.check().map_err(&unfit)?;
            let features = Features::new(made.values, made.num_units);
            let features = Arc::new(features.map_err(|err| unfit(err.to_string()))?);
            let mut judged = judge.judge(&subject, &features)?;
            judged.scores.images_per_second = made.speed.map(|it| it.images_per_second);
            judged.scores.waiting = made.speed.map(|it| it.waiting);
            thumbnails::draw(&mut judged.scores, &subject.pictures, encoder.as_ref());
            let (first, maker) = panel.get_or_insert_with(|| {
                let name = data.kind.name();
                let maker = PanelMaker::of_sets(name, &data.path, sets, &subject);
                (subject.clone(), maker)
            });
            if !first.is_same_as(&subject) {
                maker.warn(
                    "models were measured on different images: some could be read for one and not for another"
                        .to_owned(),
                );
            }
            maker.leave_out(&made.left_out);
            maker.add(place, judged);
        }
        panels.extend(panel.map(|(_, maker)| maker.finish(models.len(), judge)));
    }
    Ok((models, panels))
}

fn sets_of(data: &InvarianceData, options: &InvarianceOptions) -> Result<ImageSets, RunError> {
    let seed = Seed::of_run(options.measure.seed);
    // However the path is written, the images are the same, and so are their features.
    let root = data
        .path
        .canonicalize()
        .unwrap_or_else(|_| data.path.clone());
    let mut sets = image_sets(data.kind, &root, seed).map_err(|source| InvarianceError::Sets {
        kind: data.kind,
        source,
    })?;
    if let Some(side_px) = options.measure.size_px {
        sets.side_px = side_px;
    }
    Ok(sets)
}
