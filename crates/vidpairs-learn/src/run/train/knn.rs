//! Computes the kNN accuracy of the trunk on labelled images during training.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vidpairs_invariance::measure::Features;
use vidpairs_invariance::probe::knn::{KnnBank, KnnError, KnnOptions, KnnTally};
use vidpairs_pipeline::WatchKeys;
use vidpairs_run::{Control, RunError, counted, stopped};
use vidpairs_source::{LabelledImages, SourceError, labelled_images};
use vidpairs_types::ImagePart;
use vidpairs_types::parallel::Broken;

use super::error::TrainError;
use super::torch::Work;
use crate::model::{NumberFormat, Pooling, Readout, ResNet, StageName};
use crate::run::features::{
    FeatureError, PartRows, Parts, Protocol, View, encode_parts, is_too_many,
};

/// Labelled images of a folder: the first half of each label is the bank, the second half the queries.
#[derive(Debug)]
pub(super) struct LabelledFolder {
    images: LabelledImages,
    /// Indices of the images that could be read so far, ascending.
    usable: Vec<usize>,
    side_px: u32,
    options: KnnOptions,
    control: Control,
}

/// kNN accuracy, and the images that it is not computed on.
pub(super) struct KnnAnswer {
    pub tally: KnnTally,
    /// Number of images that cannot be read.
    pub num_left_out: usize,
    /// Says which images were found to be unreadable; `None` if all are known.
    pub warning: Option<String>,
}

impl LabelledFolder {
    /// Lists the images of `root`, at most `max_images`, to be decoded on `workers` threads.
    ///
    /// # Errors
    /// [`TrainError::Labelled`], [`TrainError::KnnImages`].
    pub fn list(
        root: &Path,
        watch: &WatchKeys,
        side_px: u32,
        workers: usize,
    ) -> Result<Self, TrainError> {
        let max_images = watch.knn_images;
        let images = labelled_images(root, max_images as usize).map_err(|err| match err {
            SourceError::MaxImages { num_labels, .. } => TrainError::KnnImages {
                max_images,
                num_labels,
            },
            other => TrainError::Labelled(Box::new(other)),
        })?;
        Ok(Self {
            usable: (0..images.images.len()).collect(),
            images,
            side_px,
            options: KnnOptions {
                num_neighbours: watch.knn_neighbours as usize,
                ..KnnOptions::default()
            },
            // An accuracy that has begun is completed before the run stops, so that a resumed run has the same metrics.
            control: Control::quiet(workers),
        })
    }

    /// Computes the kNN accuracy of `trunk`. An image that cannot be read is left out, in this run for good.
    ///
    /// # Errors
    /// [`TrainError::KnnUnreadable`], [`TrainError::Knn`], [`TrainError::Torch`]; [`RunError`] if threads cannot be started or hang.
    pub fn ask(&mut self, trunk: &ResNet, precision: NumberFormat) -> Result<KnnAnswer, RunError> {
        let parts = Arc::new(self.parts());
        let protocol = Protocol {
            precision,
            view: View::Reduced {
                side_px: self.side_px,
            },
        };
        let readouts = [Readout {
            stage: StageName::Layer4,
            pooling: Pooling::Mean,
        }];
        let how = (readouts.as_slice(), &protocol);
        let encoded = encode_parts(trunk, &parts, how, &self.control, None).map_err(|end| {
            stopped(match end {
                Broken::Cancelled => Broken::Cancelled,
                Broken::Thread(error) => Broken::Thread(error),
                Broken::Hung { num_threads } => Broken::Hung { num_threads },
                Broken::Sink(error) => Broken::Sink(self.knn_error(error)),
            })
        })?;
        let rows = encoded.stages.first().expect("one stage was asked for");
        let warning = self.leave_out(rows, &parts)?;
        let num_all = self.images.images.len();
        Ok(KnnAnswer {
            tally: self.tally(rows)?,
            num_left_out: num_all - self.usable.len(),
            warning,
        })
    }

    /// The usable images.
    fn parts(&self) -> Parts {
        let images = self.usable.iter();
        let images = images.filter_map(|&image| self.images.images.get(image));
        let part = |image: &vidpairs_source::LabelledImage| ImagePart {
            path: image.path.clone(),
            region: None,
        };
        Parts {
            all: images.map(part).collect(),
            of_images: (0..self.usable.len()).collect(),
            missing: Vec::new(),
        }
    }

    fn knn_error(&self, error: FeatureError) -> TrainError {
        match error {
            FeatureError::NoImage { path, reason, .. } => {
                self.unreadable(self.usable.len(), path, reason)
            }
            FeatureError::TooManyUnreadable {
                num_unreadable,
                path,
                reason,
                ..
            } => self.unreadable(num_unreadable, path, reason),
            FeatureError::Libtorch(refused) => Work::Knn.refused(refused.reason),
            other => TrainError::KnnFeatures(Box::new(other)),
        }
    }

    /// - `num_more`: images that cannot be read besides those that are known.
    fn unreadable(&self, num_more: usize, path: PathBuf, reason: String) -> TrainError {
        let num_images = self.images.images.len();
        TrainError::KnnUnreadable {
            num_unreadable: num_images - self.usable.len() + num_more,
            num_images,
            path,
            reason,
        }
    }

    /// Removes the images that could not be read from the usable ones, and gives a warning that names the first.
    fn leave_out(&mut self, rows: &PartRows, parts: &Parts) -> Result<Option<String>, TrainError> {
        let left_out = &rows.left_out;
        let first = left_out
            .first()
            .and_then(|image| Some((parts.all.get(image.part)?, image)));
        let Some((part, image)) = first else {
            return Ok(None);
        };
        let num_images = self.images.images.len();
        if is_too_many(num_images - rows.kept.len(), num_images) {
            return Err(self.unreadable(left_out.len(), part.path.clone(), image.reason.clone()));
        }
        let warning = format!(
            "--knn: {} cannot be read; left out. The first, {}: {}",
            counted(left_out.len() as u64, "image"),
            part.path.display(),
            image.reason
        );
        let kept = rows.kept.iter();
        self.usable = kept
            .filter_map(|&part| self.usable.get(part).copied())
            .collect();
        Ok(Some(warning))
    }

    /// Accuracy of the queries. Row `i` is that of image `usable[i]`.
    fn tally(&self, rows: &PartRows) -> Result<KnnTally, TrainError> {
        let halves = self.images.halves(&self.usable);
        let num_dims = rows.num_units.max(1);
        let features = |half: &[usize]| {
            let (mut values, mut labels) = (Vec::new(), Vec::new());
            let of_images = rows.values.chunks_exact(num_dims);
            for (&place, row) in self.usable.iter().zip(of_images) {
                let image = self.images.images.get(place);
                if let Some(image) = image.filter(|_| half.binary_search(&place).is_ok()) {
                    values.extend_from_slice(row);
                    labels.push(image.label_index as u32);
                }
            }
            (values, labels)
        };
        let (bank, bank_labels) = features(&halves.bank);
        let (queries, query_labels) = features(&halves.queries);
        let features = |values| Features::new(values, num_dims).map_err(KnnError::from);
        let bank = Arc::new(features(bank)?);
        let bank = KnnBank::new(&bank, &bank_labels, &self.options)?;
        Ok(bank.evaluate(&features(queries)?, &query_labels)?)
    }
}
