//! A kNN on labelled images, while training goes on: what the trunk has learnt so far.

use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};

use super::error::TrainError;
use crate::augment::{Recipe, Samples, StoredImage, Viewer};
use crate::model::{Pass, Precision, ResNet};
use crate::source::{LabelledImages, SourceError, labelled_images};
use crate::train::{KnnBank, KnnOptions, KnnTally, Rows};
use crate::types::{RgbImage, Seed, SizePx};

/// Images that go through the trunk at once.
const BATCH: usize = 64;

/// Labelled images of a folder: the first half of each label's is known, the second is asked about.
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

    /// Asks `trunk`.
    ///
    /// # Errors
    /// [`TrainError::LabelledImage`], [`TrainError::Knn`].
    pub fn ask(
        &self,
        trunk: &ResNet,
        device: Device,
        precision: Precision,
    ) -> Result<KnnTally, TrainError> {
        let halves = self.images.halves();
        let features = |places: &[usize]| self.features(places, trunk, device, precision);
        let (bank, bank_labels) = features(&halves.bank)?;
        let (queries, query_labels) = features(&halves.queries)?;
        let rows = |features: &Features| -> Result<KnnTally, TrainError> {
            let bank =
                Rows::new(&bank.values, bank.num_dims).map_err(crate::train::KnnError::from)?;
            let queries = Rows::new(&features.values, features.num_dims)
                .map_err(crate::train::KnnError::from)?;
            let bank = KnnBank::new(bank, &bank_labels, &self.options)?;
            Ok(bank.ask(queries, &query_labels)?)
        };
        rows(&queries)
    }

    fn features(
        &self,
        places: &[usize],
        trunk: &ResNet,
        device: Device,
        precision: Precision,
    ) -> Result<(Features, Vec<u32>), TrainError> {
        let recipe = Recipe::Squash {
            side_px: self.side_px,
        };
        let (len, side) = (recipe.num_values(), i64::from(self.side_px));
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
            let images = Tensor::from_slice(&samples)
                .view([places.len() as i64, side, side, 3])
                .permute([0, 3, 1, 2])
                .to_device(device);
            let found = tch::no_grad(|| trunk.forward(&images, Pass::Evaluation { precision }));
            features.add(&found);
        }
        Ok((features, labels))
    }
}

#[derive(Debug, Default)]
struct Features {
    values: Vec<f32>,
    num_dims: usize,
}

impl Features {
    fn add(&mut self, found: &Tensor) {
        let found = found
            .to_kind(Kind::Float)
            .to_device(Device::Cpu)
            .contiguous();
        let from = self.values.len();
        self.num_dims = usize::try_from(found.size()[1]).unwrap_or(1);
        self.values.resize(from + found.numel(), 0.0);
        found.copy_data(&mut self.values[from..], found.numel());
    }
}

/// Decodes a JPEG or a PNG and makes its evaluation view.
fn render(
    path: &PathBuf,
    recipe: &Recipe,
    viewer: &mut Viewer,
    room: &mut [f32],
) -> Result<(), String> {
    let bytes = std::fs::read(path).map_err(|err| err.to_string())?;
    let seed = Seed::of_run(0); // nothing is drawn
    let made = if bytes.starts_with(b"\x89PNG") {
        let image = decode_png(&bytes)?;
        viewer.render(StoredImage::Rgb(&image), recipe, seed, Samples::F32(room))
    } else {
        viewer.render(StoredImage::Jpeg(&bytes), recipe, seed, Samples::F32(room))
    };
    made.map_err(|err| crate::types::with_causes(&err))
}

fn decode_png(bytes: &[u8]) -> Result<RgbImage, String> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|err| err.to_string())?;
    let size = SizePx {
        width: reader.info().width,
        height: reader.info().height,
    };
    if !size.is_accepted() {
        return Err(format!("a PNG of {size} is not accepted"));
    }
    let len = reader.output_buffer_size().ok_or("a PNG of no size")?;
    let mut samples = vec![0; len];
    let frame = reader
        .next_frame(&mut samples)
        .map_err(|err| err.to_string())?;
    let channels = frame.color_type.samples();
    let pixels = samples
        .chunks_exact(channels)
        .flat_map(|pixel| match channels {
            1 | 2 => [pixel[0]; 3],
            _ => [pixel[0], pixel[1], pixel[2]],
        });
    let pixels: Vec<u8> = pixels.take(3 * size.area() as usize).collect();
    Ok(RgbImage { size, pixels })
}
