//! Computes the kNN accuracy of the trunk on labelled images during training.

use std::path::Path;

use vidpairs_source::{LabelledImages, SourceError, labelled_images};
use vidpairs_types::{Seed, read_regular, with_causes};

use super::error::TrainError;
use crate::augment::{Recipe, Samples, StoredImage, Viewer};
use crate::model::{HostViews, NumberFormat, ResNet, StageName};
use crate::train::{KnnBank, KnnOptions, KnnTally, Rows};

/// Number of images in a batch.
const BATCH: usize = 64;
/// Largest file of an image, bytes.
const MAX_IMAGE_BYTES: u64 = 256 << 20;

/// Labelled images of a folder: the first half of each label is the bank, the second half the queries.
#[derive(Debug)]
pub(super) struct LabelledFolder {
    images: LabelledImages,
    side_px: u32,
    options: KnnOptions,
}

impl LabelledFolder {
    /// Lists the images of `root`, at most `max_images`.
    ///
    /// # Errors
    /// [`TrainError::Labelled`], [`TrainError::KnnImages`].
    pub fn list(
        root: &Path,
        max_images: u32,
        side_px: u32,
        num_neighbours: u32,
    ) -> Result<Self, TrainError> {
        let images = labelled_images(root, max_images as usize).map_err(|err| match err {
            SourceError::MaxImages { num_labels, .. } => TrainError::KnnImages {
                max_images,
                num_labels,
            },
            other => TrainError::Labelled(Box::new(other)),
        })?;
        Ok(Self {
            images,
            side_px,
            options: KnnOptions {
                num_neighbours: num_neighbours as usize,
                ..KnnOptions::default()
            },
        })
    }

    /// Computes the kNN accuracy of `trunk`.
    ///
    /// # Errors
    /// [`TrainError::LabelledImage`], [`TrainError::Knn`], [`TrainError::Torch`].
    pub fn ask(&self, trunk: &ResNet, precision: NumberFormat) -> Result<KnnTally, TrainError> {
        let halves = self.images.halves();
        let features = |places: &[usize]| self.features(places, trunk, precision);
        let (bank, bank_labels) = features(&halves.bank)?;
        let (queries, query_labels) = features(&halves.queries)?;
        let rows = |features: &Features| -> Result<KnnTally, TrainError> {
            let bank =
                Rows::new(&bank.values, bank.num_dims).map_err(crate::train::KnnError::from)?;
            let queries = Rows::new(&features.values, features.num_dims)
                .map_err(crate::train::KnnError::from)?;
            let bank = KnnBank::new(bank, &bank_labels, &self.options)?;
            Ok(bank.evaluate(queries, &query_labels)?)
        };
        rows(&queries)
    }

    fn features(
        &self,
        places: &[usize],
        trunk: &ResNet,
        precision: NumberFormat,
    ) -> Result<(Features, Vec<u32>), TrainError> {
        let recipe = Recipe::Squash {
            side_px: self.side_px,
        };
        let len = recipe.num_values();
        let mut viewer = Viewer::default();
        let mut features = Features::default();
        let mut labels = Vec::new();
        for places in places.chunks(BATCH) {
            let mut samples = vec![0f32; len * places.len()];
            for (room, &place) in samples.chunks_exact_mut(len).zip(places) {
                let Some(image) = self.images.images.get(place) else {
                    continue;
                };
                labels.push(image.label_index as u32);
                render(&image.path, &recipe, &mut viewer, room).map_err(|reason| {
                    TrainError::LabelledImage {
                        path: image.path.clone(),
                        reason,
                    }
                })?;
            }
            let views = HostViews::F32(samples);
            let found = trunk.encode(&views, self.side_px, StageName::Layer4, precision);
            let found = found.map_err(|refused| TrainError::Torch {
                what: "ask the kNN",
                reason: refused.reason,
            })?;
            features.num_dims = (found.len() / places.len()).max(1);
            features.values.extend(found);
        }
        Ok((features, labels))
    }
}

#[derive(Debug, Default)]
struct Features {
    values: Vec<f32>,
    num_dims: usize,
}

/// Makes the evaluation view of the image in a file.
fn render(
    path: &Path,
    recipe: &Recipe,
    viewer: &mut Viewer,
    room: &mut [f32],
) -> Result<(), String> {
    let bytes = read_regular(path, MAX_IMAGE_BYTES).map_err(|err| err.to_string())?;
    let seed = Seed::of_run(0); // nothing is drawn
    StoredImage::of_file(&bytes)
        .and_then(|image| viewer.render(image, recipe, seed, Samples::F32(room)))
        .map_err(|err| with_causes(&err))
}
