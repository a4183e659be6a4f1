//! Makes batches from shards on worker threads, and replaces damaged records.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tch::{Device, Tensor};
use vidpairs_pipeline::MaxRefused;
use vidpairs_run::{is_machine_fault, loss_reason};
use vidpairs_shard::{EpochOrder, Record, ShardError};
use vidpairs_types::parallel::{Heartbeat, Job, Loss};
use vidpairs_types::{RecordMeta, Role, Seed, with_causes};

use super::PATIENCE;
use super::data::{Data, Labels, LostRecords};
use super::error::TrainError;
use super::views::ViewOf;
use crate::augment::{Samples, StoredImage, Viewer};
use crate::model::{HostViews, NumberFormat};
use crate::train::StepInputs;

/// Maximum size of the batches in memory, bytes: with many cores each would hold a batch.
const MAX_BATCHES_BYTES: usize = 8 << 30;
/// Maximum number of records tried for one place of a batch.
const MAX_TRIED: u64 = 32;

/// A batch on the CPU.
#[derive(Debug)]
pub(super) struct Batch {
    /// Step of the batch.
    pub step: u64,
    /// Views and labels.
    pub inputs: StepInputs,
}

/// Makes batches. The batch of a step depends on the step, the seed and the data only.
#[derive(Debug)]
pub(super) struct Loader {
    pub data: Arc<Data>,
    pub labels: Labels,
    pub views: Vec<ViewOf>,
    pub batch: u64,
    pub epochs: u32,
    pub seed: Seed,
    pub precision: NumberFormat,
    pub device: Device,
    /// Buffers that threads reuse.
    pub viewers: Mutex<Vec<Viewer>>,
    /// Damaged records.
    pub damaged: Mutex<Damaged>,
}

/// Damaged records.
#[derive(Debug, Default)]
pub(super) struct Damaged {
    numbers: BTreeSet<u64>,
    /// Reason of the first.
    first: String,
    /// Reasons that have not been reported.
    unreported: Vec<String>,
}

impl Damaged {
    /// Records that are known to be lost before the first step.
    pub fn lost(lost: &[LostRecords]) -> Self {
        let numbers = lost.iter().flat_map(|lost| &lost.numbers);
        Self {
            numbers: numbers.copied().collect(),
            first: lost
                .first()
                .map_or_else(String::new, |lost| lost.reason.clone()),
            unreported: Vec::new(),
        }
    }

    fn add(&mut self, number: u64, reason: &str) {
        if self.numbers.is_empty() {
            reason.clone_into(&mut self.first);
        }
        if self.numbers.insert(number) {
            self.unreported.push(reason.to_owned());
        }
    }

    /// Number of damaged records.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The reasons since the last call.
    pub fn take_unreported(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unreported)
    }

    /// Fails if more of `num_records` records are damaged than `limit` allows.
    ///
    /// # Errors
    /// [`TrainError::TooManyDamaged`].
    pub fn check(&self, limit: MaxRefused, num_records: u64) -> Result<(), TrainError> {
        let num_damaged = self.len() as u64;
        match limit.is_exceeded(num_damaged, num_records) {
            false => Ok(()),
            true => Err(TrainError::TooManyDamaged {
                num_damaged,
                num_records,
                limit: limit.to_string(),
                reason: self.first.clone(),
            }),
        }
    }
}

impl Loader {
    /// Number of whole batches in an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.data.num_records / self.batch
    }

    /// Number of batches of the whole run.
    pub fn total_steps(&self) -> u64 {
        u64::from(self.epochs) * self.steps_per_epoch()
    }

    /// Maximum number of batches in memory, those in preparation included: as many as fit into [`MAX_BATCHES_BYTES`], at least two.
    pub fn most_batches(&self) -> usize {
        let of_record: usize = self.views.iter().map(|view| view.recipe.num_values()).sum();
        let value_bytes = match self.precision {
            NumberFormat::F32 => 4,
            NumberFormat::Bf16 => 2,
        };
        let batch_bytes = (of_record * value_bytes).saturating_mul(self.batch as usize);
        (MAX_BATCHES_BYTES / batch_bytes.max(1)).max(2)
    }

    fn load(&self, step: u64, heartbeat: &Heartbeat) -> Result<Batch, TrainError> {
        let steps_per_epoch = self.steps_per_epoch().max(1);
        let epoch = step / steps_per_epoch;
        let order = EpochOrder::new(
            self.data.num_records,
            self.seed.for_step("order", ""),
            epoch,
        );
        let first = step % steps_per_epoch * self.batch;
        let mut viewer = lock(&self.viewers).pop().unwrap_or_default();
        let mut views: Vec<ViewBuffer> = (self.views.iter())
            .map(|view| ViewBuffer::new(view, self.batch, self.precision))
            .collect();
        let mut records = Vec::new();
        for place in 0..self.batch {
            if heartbeat.should_stop() {
                break;
            }
            let number = self.fill(place, &order, first + place, epoch, &mut viewer, &mut views)?;
            records.push(number as i64);
            heartbeat.beat();
        }
        lock(&self.viewers).push(viewer);
        let labels: Vec<i64> = (records.iter())
            .map(|&number| self.labels.of(number as u64))
            .collect();
        let views = views.into_iter().map(|view| {
            let tensor = view.into_tensor();
            match self.device {
                Device::Cuda(_) => tensor.pin_memory(self.device),
                _ => tensor,
            }
        });
        Ok(Batch {
            step,
            inputs: StepInputs {
                records: Tensor::from_slice(&records),
                labels: Tensor::from_slice(&labels),
                views: views.collect(),
            },
        })
    }

    /// Fills one place of the batch and returns the number of its record: the one of the order, or a replacement if that is damaged. The
    /// replacement depends on the place only.
    fn fill(
        &self,
        place: u64,
        order: &EpochOrder,
        position: u64,
        epoch: u64,
        viewer: &mut Viewer,
        views: &mut [ViewBuffer],
    ) -> Result<u64, TrainError> {
        let num_records = order.num_records();
        let mut last = String::new();
        let num_tried = MAX_TRIED.min(num_records);
        for attempt in 0..num_tried {
            // Of another batch each time; once around, a place further.
            let away = attempt * self.batch;
            let other = (position + away + away / num_records) % num_records;
            let number = order.record_at(other);
            match self.make_views(number, place, epoch, viewer, views) {
                Ok(()) => return Ok(number),
                Err(Unusable::Record(reason)) => {
                    lock(&self.damaged).add(number, &reason);
                    last = reason;
                }
                Err(Unusable::Machine(err)) => return Err(TrainError::Machine(err)),
            }
        }
        Err(TrainError::Damaged {
            num_tried,
            reason: last,
        })
    }

    fn make_views(
        &self,
        number: u64,
        place: u64,
        epoch: u64,
        viewer: &mut Viewer,
        buffers: &mut [ViewBuffer],
    ) -> Result<(), Unusable> {
        let record = self.data.record(number)?;
        record.check()?;
        let meta = record.meta()?;
        let seed = self.seed.for_step("views", "");
        for (index, (view, buffer)) in (0u32..).zip(self.views.iter().zip(buffers)) {
            let said = |reason: String| {
                let name = view.role.name();
                Unusable::Record(format!(
                    "{}: record {} ({}): {name}: {reason}",
                    record.shard(),
                    record.number(),
                    record.key()
                ))
            };
            let image = stored_image(&record, &meta, view.role)
                .ok_or_else(|| said(TrainError::NoImage(view.role).to_string()))?;
            let seed = seed.for_view(epoch, number, index);
            viewer
                .render(image, &view.recipe, seed, buffer.place(place))
                .map_err(|err| said(with_causes(&err)))?;
        }
        Ok(())
    }
}

fn stored_image<'a>(
    record: &'a Record<'_>,
    meta: &RecordMeta,
    role: Role,
) -> Option<StoredImage<'a>> {
    let member = record.image(role)?;
    let (_, view) = meta.views().find(|(of, _)| *of == role)?;
    match member.extension.ends_with(".jpg") {
        true => Some(StoredImage::Jpeg(member.bytes)),
        false => Some(StoredImage::RgbZstd(member.bytes, view.image_size)),
    }
}

/// Buffer for one view of a whole batch.
#[derive(Debug)]
struct ViewBuffer {
    samples: HostViews,
    /// Number of values of one record.
    len: usize,
    side_px: u32,
}

impl ViewBuffer {
    fn new(view: &ViewOf, batch: u64, precision: NumberFormat) -> Self {
        let len = view.recipe.num_values();
        let all = len * batch as usize;
        Self {
            samples: HostViews::zeros(all, precision),
            len,
            side_px: view.recipe.side_px(),
        }
    }

    /// Buffer for the view of the record at `place`.
    fn place(&mut self, place: u64) -> Samples<'_> {
        let from = place as usize * self.len;
        match &mut self.samples {
            HostViews::F32(samples) => Samples::F32(&mut samples[from..from + self.len]),
            HostViews::Bf16(samples) => Samples::Bf16(&mut samples[from..from + self.len]),
        }
    }

    /// `images x 3 x side x side`, channels last.
    fn into_tensor(self) -> Tensor {
        self.samples.tensor(self.side_px)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a record gives no views.
#[derive(Debug)]
enum Unusable {
    /// It is damaged, with the reason: another takes its place.
    Record(String),
    /// Any other could not be read either.
    Machine(Box<ShardError>),
}

impl From<ShardError> for Unusable {
    fn from(err: ShardError) -> Self {
        match is_machine_fault(&err) {
            true => Self::Machine(Box::new(err)),
            false => Self::Record(with_causes(&err)),
        }
    }
}

impl Job for Loader {
    /// A step.
    type Item = u64;
    type Output = Result<Batch, TrainError>;

    fn work(&self, step: u64, heartbeat: &Arc<Heartbeat>) -> Self::Output {
        self.load(step, heartbeat)
    }

    fn lost(&self, step: u64, loss: Loss) -> Self::Output {
        let (_, reason) = loss_reason(loss, PATIENCE);
        Err(TrainError::Lost { step, reason })
    }
}

#[cfg(test)]
mod tests;
