//! Probes models: encoders on data sets, or features of other programs.

use std::path::Path;

use vidpairs_pipeline::ProbeName;
use vidpairs_run::RunError;
use vidpairs_source::{NamedKind, ProbeSetKind, ProbeSetOptions, probe_set};
use vidpairs_types::{ImagePart, LeftOut, Seed};

use super::ProbeOptions;
use super::divided::Divided;
use super::error::ProbeError;
use super::judge::{Judge, labels_error};
use super::linear::Sweep;
use super::pixels::segmentation_tables;
use super::protocol::{DataProtocol, probes_of_features, split_text, trunk, view_text, worded};
use super::result::{ProbeProtocol, ProbeScores, ProbeTable};
use super::subject::Subject;
use super::table::TableMaker;
use crate::npz::LabelledFeatures;
use crate::run::DataPath;
use crate::run::engine::{FeatureRequest, ImageEncoder, ImageFeatures, PartView};
use crate::run::error::ModelsError;
use crate::run::models::report_left_out;
use crate::run::named::{NamedFile, check_names};
use crate::run::result::MeasuredModel;

/// Side of the pictures on cards, px.
const PICTURE_SIDE_PX: u32 = 112;

/// Settings of the features.
const KEYS: &str = "probe.stages, probe.pool or probe.size";

/// Models and their results.
pub(super) type Probed = (Vec<MeasuredModel>, Vec<ProbeTable>);

/// Probes features of other programs: tables for each group of files with the same classes and splits.
///
/// # Errors
/// [`RunError`]: a file cannot be read or probed, or the work was cancelled.
pub(super) fn probe_features(files: &[NamedFile], judge: &Judge<'_>) -> Result<Probed, RunError> {
    check_names(files)?;
    let mut groups: Vec<(Subject, Vec<TableMaker>)> = Vec::new();
    for (model, file) in files.iter().enumerate() {
        let table = LabelledFeatures::read(&file.path).map_err(ModelsError::Npz)?;
        let subject = Subject::of_table(&table);
        let probes = probes_of_features(&subject, judge.settings);
        check_probes(&probes, &subject, &file.path)?;
        if probes.contains(&ProbeName::Linear) {
            let path = file.path.clone();
            return Err(ProbeError::NeedsImages { path }.into());
        }
        let comparable = groups
            .iter()
            .position(|(other, _)| other.is_same_as(&subject));
        let group = comparable.unwrap_or_else(|| {
            let tables = probes.iter().map(|&probe| {
                let protocol = ProbeProtocol {
                    split: split_text(None, &subject, judge.settings),
                    ..worded(probe, judge.settings)
                };
                TableMaker::new(("features", &file.path), None, protocol, &subject)
            });
            let mut tables: Vec<TableMaker> = tables.collect();
            if !groups.is_empty() {
                for table in &mut tables {
                    table.warn(format!(
                        "{} has other classes or splits than the files before it and is not compared with them",
                        file.name
                    ));
                }
            }
            groups.push((subject.clone(), tables));
            groups.len() - 1
        });
        let features = ImageFeatures {
            images: (0..subject.splits.len()).collect(),
            values: table.features,
            num_units: table.num_units,
            left_out: Vec::new(),
            speed: None,
            file: None,
        };
        let (subject, tables) = &mut groups[group];
        let mut run = Model {
            index: model,
            name: &file.name,
            path: &file.path,
            encoder: None,
        };
        run.judge(judge, (subject, None), features, &probes, tables.iter_mut())?;
    }
    let models = files.iter().map(|file| file.model(String::new()));
    let tables = groups.into_iter().flat_map(|(_, tables)| tables);
    let tables = tables.map(|table| table.finish(files.len(), judge));
    Ok((models.collect(), tables.collect::<Result<_, _>>()?))
}

/// Probes every encoder on every data set.
///
/// # Errors
/// [`RunError`]: weights or a data set cannot be read, features cannot be probed, or the work was cancelled. Weights and data sets are
/// opened before anything is computed.
pub(super) fn probe_encoders(
    (weights, prefix): (&[NamedFile], Option<&str>),
    data: &[DataPath<ProbeSetKind>],
    options: &ProbeOptions,
    judge: &Judge<'_>,
) -> Result<Probed, RunError> {
    check_names(weights)?;
    let engine = options.encoders.ok_or(ModelsError::NoEncoders)?;
    let sets: Vec<DataSet<'_>> = data
        .iter()
        .map(|data| DataSet::open(data, options))
        .collect::<Result<_, RunError>>()?;
    let device = options.device.as_deref();
    let encoders: Vec<Box<dyn ImageEncoder>> = weights
        .iter()
        .map(|file| engine.open(&file.path, prefix, device))
        .collect::<Result<_, _>>()?;
    let mut models = Vec::new();
    for (file, encoder) in weights.iter().zip(&encoders) {
        for set in &sets {
            for &stage in &set.protocol.stages {
                match set.subject.has_pixels() {
                    true => encoder.map_readout(stage, trunk(&options.settings))?,
                    false => {
                        let side_px = set.protocol.view.side_px;
                        let readout = encoder.readout(side_px, stage, options.settings.pool);
                        readout.map_err(ModelsError::readout(KEYS, &file.path))?
                    }
                };
            }
        }
        models.push(file.model(encoder.architecture()));
    }
    let mut tables = Vec::new();
    for set in &sets {
        if set.subject.has_pixels() {
            let models = (engine, weights, encoders.as_slice());
            tables.extend(segmentation_tables(set, models, options, judge)?);
            continue;
        }
        let mut makers = set.tables(options, &encoders)?;
        let labels = set.subject.feature_labels();
        let num_probes = set.protocol.probes.len();
        for (index, (file, encoder)) in weights.iter().zip(&encoders).enumerate() {
            let request = FeatureRequest {
                parts: &set.subject.parts,
                stages: &set.protocol.stages,
                pool: options.settings.pool,
                view: set.protocol.view,
                numbers: options.settings.numbers,
                labels: &labels,
                out: Some(&options.out),
                control: &options.control,
            };
            let stages = encoder.features(&request)?;
            let sweep = match &*stages {
                [first, ..] if set.protocol.probes.contains(&ProbeName::Linear) => {
                    let set = (&set.subject, &set.protocol, set.data.path.as_path());
                    let encoder = encoder.as_ref();
                    Some(Sweep::train(encoder, set, &first.images, options, judge)?)
                }
                _ => None,
            };
            // Features of a stage are dropped when its classifiers are tested.
            let of_stages = stages.into_iter().zip(makers.chunks_mut(num_probes));
            for (stage, (features, makers)) in of_stages.enumerate() {
                let mut run = Model {
                    index,
                    name: &file.name,
                    path: &set.data.path,
                    encoder: Some((encoder.as_ref(), set.protocol.view)),
                };
                let probes = &set.protocol.probes;
                let subject = (&set.subject, sweep.as_ref().map(|sweep| (sweep, stage)));
                run.judge(judge, subject, features, probes, makers.iter_mut())?;
            }
        }
        for maker in makers {
            tables.push(maker.finish(models.len(), judge)?);
        }
    }
    Ok((models, tables))
}

/// Classifiers that do not fit the labels are refused before any work.
fn check_probes(probes: &[ProbeName], subject: &Subject, path: &Path) -> Result<(), ProbeError> {
    let fits = |probe: &ProbeName| match (subject.has_pixels(), subject.has_many()) {
        (true, _) => *probe == ProbeName::Segmentation,
        (false, true) => *probe == ProbeName::Svm,
        (false, false) => *probe != ProbeName::Segmentation,
    };
    match probes.iter().find(|probe| !fits(probe)) {
        Some(&probe) => Err(labels_error(probe, subject, path)),
        None => Ok(()),
    }
}

/// A data set with its protocol.
pub(super) struct DataSet<'a> {
    pub data: &'a DataPath<ProbeSetKind>,
    pub subject: Subject,
    pub left_out: Vec<LeftOut>,
    pub protocol: DataProtocol,
}

impl<'a> DataSet<'a> {
    fn open(data: &'a DataPath<ProbeSetKind>, options: &ProbeOptions) -> Result<Self, RunError> {
        // The cache key of the features contains paths: the same images must have the same key however their path is written.
        let root = data.path.canonicalize();
        let root = root.unwrap_or_else(|_| data.path.clone());
        let listing = ProbeSetOptions {
            test_share: options.settings.test_share,
            seed: Seed::of_run(options.settings.seed),
        };
        let set = probe_set(data.kind, &root, &listing).map_err(|source| ProbeError::Images {
            kind: data.kind,
            source,
        })?;
        report_left_out(&set.left_out, &options.control);
        let subject = Subject::of_set(&set, options.settings.box_scale);
        let protocol = DataProtocol::of(data.kind, &options.settings);
        check_probes(&protocol.probes, &subject, &data.path)?;
        let all: Vec<usize> = (0..subject.splits.len()).collect();
        subject.check(&all).map_err(|reason| ProbeError::Unfit {
            path: data.path.clone(),
            reason,
        })?;
        Ok(Self {
            data,
            subject,
            left_out: set.left_out,
            protocol,
        })
    }

    /// A table for each classifier on each stage.
    fn tables(
        &self,
        options: &ProbeOptions,
        encoders: &[Box<dyn ImageEncoder>],
    ) -> Result<Vec<TableMaker>, RunError> {
        let settings = &options.settings;
        let view = self.protocol.view;
        let has_regions = self.subject.parts.iter().any(|part| part.region.is_some());
        let mut tables = Vec::new();
        for &stage in &self.protocol.stages {
            let mut poolings: Vec<String> = Vec::new();
            for encoder in encoders {
                let readout = encoder.readout(view.side_px, stage, settings.pool)?;
                let pooling = pooling_text(&readout);
                if !poolings.contains(&pooling) {
                    poolings.push(pooling);
                }
            }
            for &probe in &self.protocol.probes {
                let protocol = ProbeProtocol {
                    split: split_text(Some(self.data.kind), &self.subject, settings),
                    view: Some(view_text(view, has_regions, settings.box_scale)),
                    side_px: Some(view.side_px),
                    pooling: Some(poolings.join(" or ")),
                    ..worded(probe, settings)
                };
                let data = (self.data.kind.name(), self.data.path.as_path());
                let stage = Some(stage.name().to_owned());
                let mut table = TableMaker::new(data, stage, protocol, &self.subject);
                table.leave_out(&self.left_out);
                tables.push(table);
            }
        }
        Ok(tables)
    }
}

/// `layer4, mean over the map`; of a ViT with its own words.
fn pooling_text(readout: &str) -> String {
    match readout.contains(',') {
        true => readout.to_owned(),
        false => format!("{readout}, mean over the map"),
    }
}

/// A model on one data set.
struct Model<'a> {
    index: usize,
    name: &'a str,
    /// Data set or features.
    path: &'a Path,
    encoder: Option<(&'a dyn ImageEncoder, PartView)>,
}

impl Model<'_> {
    /// Fits and tests every classifier on features of one stage.
    fn judge<'t>(
        &mut self,
        judge: &Judge<'_>,
        (subject, sweep): (&Subject, Option<(&Sweep, usize)>),
        features: ImageFeatures,
        probes: &[ProbeName],
        tables: impl Iterator<Item = &'t mut TableMaker>,
    ) -> Result<(), RunError> {
        let not_scored = subject
            .check(&features.images)
            .map_err(|reason| ProbeError::Unfit {
                path: self.path.to_owned(),
                reason,
            })?;
        let (left_out, speed) = (features.left_out.clone(), features.speed);
        let divided = Divided::of(subject, features, self.path)?;
        let num_train = divided.train.images.len();
        for (&probe, table) in probes.iter().zip(tables) {
            table.leave_out(&left_out);
            table.leave_out(&not_scored);
            let mut judged = judge.judge(probe, subject, &divided, (self.path, sweep))?;
            judged.scores.images_per_second = speed.map(|speed| speed.images_per_second);
            judged.scores.waiting = speed.map(|speed| speed.waiting);
            self.draw_pictures(&mut judged.scores, &subject.parts);
            table.add(self.index, self.name, num_train, judged);
        }
        Ok(())
    }

    /// Draws the pictures of the cards.
    fn draw_pictures(&self, scores: &mut ProbeScores, parts: &[ImagePart]) {
        let Some((encoder, view)) = self.encoder else {
            return;
        };
        let view = PartView {
            side_px: PICTURE_SIDE_PX,
            ..view
        };
        for card in scores.best.iter_mut().chain(&mut scores.worst) {
            card.jpeg = encoder.picture(&parts[card.image], view);
        }
    }
}
