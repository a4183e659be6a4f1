//! Makes batches of augmented views of labelled images on worker threads.

use std::sync::{Arc, Mutex, PoisonError};

use vidpairs_image::still;
use vidpairs_run::loss_reason;
use vidpairs_shard::EpochOrder;
use vidpairs_types::parallel::{Heartbeat, Job, Loss};
use vidpairs_types::{Beyond, ImagePart, Seed, with_causes};

use crate::augment::{Recipe, Samples, StoredImage, Viewer};
use crate::model::{HostViews, NumberFormat};
use crate::run::features::{FeatureError, PATIENCE};

/// Views of one step, and their classes.
#[derive(Debug)]
pub(super) struct LabelledViews {
    pub views: HostViews,
    pub classes: Vec<i64>,
}

/// Makes the batch of a step from the step and the seed. The last batch of an epoch may be smaller.
#[derive(Debug)]
pub(super) struct LabelledLoader {
    pub parts: Vec<ImagePart>,
    /// Class of each part.
    pub classes: Vec<i64>,
    /// What becomes of a region that leaves its image.
    pub beyond: Beyond,
    pub recipe: Recipe,
    /// Number of images of a batch.
    pub batch: u64,
    pub seed: Seed,
    pub numbers: NumberFormat,
    /// Buffers that threads reuse.
    pub viewers: Mutex<Vec<Viewer>>,
}

impl LabelledLoader {
    /// Number of batches of an epoch, at least 1.
    pub fn steps_per_epoch(&self) -> u64 {
        (self.parts.len() as u64).div_ceil(self.batch).max(1)
    }

    /// Size of the views of a batch, bytes.
    pub fn batch_bytes(&self) -> usize {
        let value_bytes = match self.numbers {
            NumberFormat::F32 => 4,
            NumberFormat::Bf16 => 2,
        };
        (self.recipe.num_values() * value_bytes).saturating_mul(self.batch as usize)
    }

    fn load(&self, step: u64, heartbeat: &Heartbeat) -> Result<LabelledViews, FeatureError> {
        let num_parts = self.parts.len() as u64;
        let (epoch, of_epoch) = (step / self.steps_per_epoch(), step % self.steps_per_epoch());
        let order = EpochOrder::new(num_parts, self.seed.for_step("order", ""), epoch);
        let positions = of_epoch * self.batch..num_parts.min((of_epoch + 1) * self.batch);
        let len = self.recipe.num_values();
        let num_views = positions.clone().count();
        let mut views = HostViews::zeros(len * num_views, self.numbers);
        let mut classes = Vec::with_capacity(num_views);
        let mut viewer = self.viewers().pop().unwrap_or_default();
        for (place, position) in positions.enumerate() {
            if heartbeat.should_stop() {
                break;
            }
            let number = order.record_at(position);
            let seed = self.seed.for_step("views", "").for_view(epoch, number, 0);
            let range = place * len..(place + 1) * len;
            let room = match &mut views {
                HostViews::F32(values) => Samples::F32(&mut values[range]),
                HostViews::Bf16(values) => Samples::Bf16(&mut values[range]),
            };
            let part = &self.parts[number as usize];
            let rendered = self.render(part, &mut viewer, seed, room);
            rendered.map_err(|reason| FeatureError::Unreadable {
                path: part.path.clone(),
                reason,
            })?;
            classes.push(self.classes[number as usize]);
            heartbeat.beat();
        }
        self.viewers().push(viewer);
        Ok(LabelledViews { views, classes })
    }

    fn render(
        &self,
        part: &ImagePart,
        viewer: &mut Viewer,
        seed: Seed,
        room: Samples<'_>,
    ) -> Result<(), String> {
        let bytes = still::read_file(&part.path).map_err(|err| err.to_string())?;
        let render = || {
            let image = StoredImage::of_file(&bytes)?;
            let Some(region) = part.region else {
                return viewer.render(image, &self.recipe, seed, room);
            };
            let cut = viewer.cut(image, (region, self.beyond))?;
            viewer.render(StoredImage::Rgb(&cut), &self.recipe, seed, room)
        };
        render().map_err(|err| with_causes(&err))
    }

    fn viewers(&self) -> std::sync::MutexGuard<'_, Vec<Viewer>> {
        self.viewers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job for LabelledLoader {
    /// A step.
    type Item = u64;
    type Output = Result<LabelledViews, FeatureError>;

    fn work(&self, step: u64, heartbeat: &Arc<Heartbeat>) -> Self::Output {
        self.load(step, heartbeat)
    }

    fn lost(&self, step: u64, loss: Loss) -> Self::Output {
        let (_, reason) = loss_reason(loss, PATIENCE);
        Err(FeatureError::LostBatch { step, reason })
    }
}
