//! Makes batches of random crops with their labels on worker threads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vidpairs_image::still;
use vidpairs_invariance::run::{SegmentationImage, SegmentationRecipe};
use vidpairs_run::loss_reason;
use vidpairs_shard::EpochOrder;
use vidpairs_types::parallel::{Heartbeat, Job, Loss};
use vidpairs_types::{Seed, with_causes};

use super::labels::read_labels;
use crate::augment::{Samples, StoredImage, Viewer, Window};
use crate::model::{HostViews, NumberFormat, UNLABELLED};
use crate::run::features::{FeatureError, PATIENCE};

/// Crops of one step.
#[derive(Debug)]
pub(super) struct Crops {
    /// `N x side x side x 3`.
    pub views: HostViews,
    /// `N x side x side`: classes, or [`UNLABELLED`].
    pub labels: Vec<u8>,
    pub side_px: u32,
}

/// Makes the batch of a step from the step and the seed. The last batch of an epoch may be smaller.
#[derive(Debug)]
pub(super) struct CropLoader {
    pub images: Vec<SegmentationImage>,
    pub num_classes: usize,
    /// Side of a crop, px.
    pub crop_px: u32,
    /// Crops are padded to a multiple of this, px.
    pub stride: u32,
    /// Number of images of a batch.
    pub batch: u64,
    pub seed: Seed,
    pub numbers: NumberFormat,
    /// Buffers that threads reuse.
    pub viewers: Mutex<Vec<Viewer>>,
}

impl CropLoader {
    /// Number of batches of an epoch, at least 1.
    pub fn steps_per_epoch(&self) -> u64 {
        (self.images.len() as u64).div_ceil(self.batch).max(1)
    }

    /// Side of a padded crop, px.
    fn side_px(&self) -> u32 {
        self.crop_px.next_multiple_of(self.stride)
    }

    /// Size of a batch, bytes.
    pub fn batch_bytes(&self) -> usize {
        let value_bytes = match self.numbers {
            NumberFormat::F32 => 4,
            NumberFormat::Bf16 => 2,
        };
        let num_px = (self.side_px() as usize).pow(2);
        (num_px * (3 * value_bytes + 1)).saturating_mul(self.batch as usize)
    }

    fn load(&self, step: u64, heartbeat: &Heartbeat) -> Result<Crops, FeatureError> {
        let num_images = self.images.len() as u64;
        let (epoch, of_epoch) = (step / self.steps_per_epoch(), step % self.steps_per_epoch());
        let order = EpochOrder::new(num_images, self.seed.for_step("order", ""), epoch);
        let positions = of_epoch * self.batch..num_images.min((of_epoch + 1) * self.batch);
        let num_px = (self.side_px() as usize).pow(2);
        let num_crops = positions.clone().count();
        let mut crops = Crops {
            views: HostViews::zeros(3 * num_px * num_crops, self.numbers),
            labels: vec![UNLABELLED; num_px * num_crops],
            side_px: self.side_px(),
        };
        let mut viewer = self.viewers().pop().unwrap_or_default();
        for (place, position) in positions.enumerate() {
            if heartbeat.should_stop() {
                break;
            }
            let number = order.record_at(position);
            let seed = self.seed.for_step("crops", "").for_view(epoch, number, 0);
            let image = &self.images[number as usize];
            let drawn = self.draw(image, seed, (&mut crops, place * num_px), &mut viewer);
            drawn.map_err(|reason| FeatureError::Unreadable {
                path: image.path.clone(),
                reason,
            })?;
            heartbeat.beat();
        }
        self.viewers().push(viewer);
        Ok(crops)
    }

    /// Writes a crop of `image` and its labels at px `start` of `crops`. What the image does not fill stays unlabelled, with the mean colour.
    fn draw(
        &self,
        image: &SegmentationImage,
        seed: Seed,
        (crops, start): (&mut Crops, usize),
        viewer: &mut Viewer,
    ) -> Result<(), String> {
        let bytes = still::read_file(&image.path).map_err(|err| err.to_string())?;
        let labels = read_labels(&bytes, &image.labels, self.num_classes)?;
        let window = Window::drawn(labels.size, self.crop_px, SegmentationRecipe::SCALES, seed);
        let (width, side) = (window.region.width as usize, crops.side_px as usize);
        let num_values = 3 * width * window.region.height as usize;
        let mut render = |room| {
            StoredImage::of_file(&bytes)
                .and_then(|stored| viewer.render_window(stored, &window, room))
                .map_err(|err| with_causes(&err))
        };
        match &mut crops.views {
            HostViews::F32(values) => {
                let mut rows = vec![0.0; num_values];
                render(Samples::F32(&mut rows))?;
                copy_rows(&rows, 3 * width, &mut values[3 * start..], 3 * side);
            }
            HostViews::Bf16(values) => {
                let mut rows = vec![0; num_values];
                render(Samples::Bf16(&mut rows))?;
                copy_rows(&rows, 3 * width, &mut values[3 * start..], 3 * side);
            }
        }
        window.nearest(&labels.classes, labels.size, |place, class| {
            crops.labels[start + place / width * side + place % width] = class;
        });
        Ok(())
    }

    fn viewers(&self) -> MutexGuard<'_, Vec<Viewer>> {
        self.viewers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Copies rows of `width` values to the beginnings of the rows of `to`, which are `stride` apart.
pub(super) fn copy_rows<T: Copy>(from: &[T], width: usize, to: &mut [T], stride: usize) {
    for (from, to) in from.chunks_exact(width).zip(to.chunks_mut(stride)) {
        to[..width].copy_from_slice(from);
    }
}

impl Job for CropLoader {
    /// A step.
    type Item = u64;
    type Output = Result<Crops, FeatureError>;

    fn work(&self, step: u64, heartbeat: &Arc<Heartbeat>) -> Self::Output {
        self.load(step, heartbeat)
    }

    fn lost(&self, step: u64, loss: Loss) -> Self::Output {
        let (_, reason) = loss_reason(loss, PATIENCE);
        Err(FeatureError::LostBatch { step, reason })
    }
}
