//! Makes batches of views from image files on worker threads.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use vidpairs_run::loss_reason;
use vidpairs_types::parallel::{Heartbeat, Job, Loss};
use vidpairs_types::{read_regular, with_causes};

use super::error::FeatureError;
use super::parts::{Part, Parts};
use super::{MAX_IMAGE_BYTES, PATIENCE, Protocol};
use crate::augment::{Recipe, Samples, StoredImage, Viewer};
use crate::model::{HostViews, NumberFormat};

/// Number of images in a batch.
pub(super) const BATCH: usize = 64;

/// Views of one batch.
#[derive(Debug)]
pub(super) struct Batch {
    /// Views of the readable images, one after the other.
    pub views: HostViews,
    /// Indices of their parts.
    pub kept: Vec<usize>,
    /// Unreadable images.
    pub left_out: Vec<Unreadable>,
}

/// An image that cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unreadable {
    /// Index of the part.
    pub part: usize,
    /// Reason.
    pub reason: String,
    /// Whether the file itself is damaged, so that another try fails too.
    pub is_lasting: bool,
}

/// Makes batches: batch `n` starts at image `n * BATCH`.
#[derive(Debug)]
pub(super) struct Loader {
    pub parts: Arc<Parts>,
    pub protocol: Protocol,
    /// Buffers that threads reuse.
    pub viewers: Mutex<Vec<Viewer>>,
}

impl Loader {
    /// Size of the views of a batch, bytes.
    pub fn batch_bytes(&self) -> usize {
        let value_bytes = match self.protocol.precision {
            NumberFormat::F32 => 4,
            NumberFormat::Bf16 => 2,
        };
        self.num_values().saturating_mul(value_bytes * BATCH)
    }

    /// Number of values of a view.
    fn num_values(&self) -> usize {
        let side_px = self.protocol.side_px;
        Recipe::Squash { side_px }.num_values()
    }

    fn range(&self, number: usize) -> Range<usize> {
        let first = number * BATCH;
        first..(first + BATCH).min(self.parts.all.len())
    }

    fn load(&self, number: usize, heartbeat: &Heartbeat) -> Batch {
        let range = self.range(number);
        let num_values = self.num_values();
        let mut viewer = self.viewers().pop().unwrap_or_default();
        let mut batch = Batch {
            views: HostViews::zeros(num_values * range.len(), self.protocol.precision),
            kept: Vec::with_capacity(range.len()),
            left_out: Vec::new(),
        };
        for (place, part) in range
            .clone()
            .zip(self.parts.all.get(range).unwrap_or_default())
        {
            if heartbeat.should_stop() {
                break;
            }
            let from = batch.kept.len() * num_values;
            let room = match &mut batch.views {
                HostViews::F32(values) => values.get_mut(from..from + num_values).map(Samples::F32),
                HostViews::Bf16(values) => {
                    values.get_mut(from..from + num_values).map(Samples::Bf16)
                }
            };
            match self.render(part, &mut viewer, room) {
                Ok(()) => batch.kept.push(place),
                Err((is_lasting, reason)) => batch.left_out.push(Unreadable {
                    part: place,
                    reason,
                    is_lasting,
                }),
            }
            heartbeat.beat();
        }
        self.viewers().push(viewer);
        batch.views.truncate(batch.kept.len() * num_values);
        batch
    }

    /// Renders the view of an image. The error is whether another try would fail too, and the reason.
    fn render(
        &self,
        part: &Part,
        viewer: &mut Viewer,
        room: Option<Samples<'_>>,
    ) -> Result<(), (bool, String)> {
        // A file that appears later has another key in the cache.
        let bytes = read_regular(&part.path, MAX_IMAGE_BYTES).map_err(|err| {
            let is_lasting = !part.path.exists();
            (is_lasting, format!("cannot read it: {err}"))
        })?;
        let side_px = self.protocol.side_px;
        StoredImage::of_file(&bytes)
            .and_then(|image| match room {
                Some(room) => viewer.render_box(image, part.region, side_px, room),
                None => Ok(()),
            })
            .map_err(|err| (true, with_causes(&err)))
    }

    fn viewers(&self) -> std::sync::MutexGuard<'_, Vec<Viewer>> {
        self.viewers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job for Loader {
    /// Number of a batch.
    type Item = usize;
    type Output = Result<Batch, FeatureError>;

    fn work(&self, number: usize, heartbeat: &Arc<Heartbeat>) -> Self::Output {
        Ok(self.load(number, heartbeat))
    }

    fn lost(&self, number: usize, loss: Loss) -> Self::Output {
        let (_, reason) = loss_reason(loss, PATIENCE);
        let first = &self.parts.all[self.range(number).start];
        Err(FeatureError::Lost {
            path: first.path.clone(),
            reason,
        })
    }
}
