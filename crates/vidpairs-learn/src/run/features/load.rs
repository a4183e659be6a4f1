//! Makes batches of views from image files on worker threads.

use std::sync::{Arc, Mutex, PoisonError};

use vidpairs_image::still;
use vidpairs_invariance::run::PartView;
use vidpairs_pipeline::Framing;
use vidpairs_run::loss_reason;
use vidpairs_types::parallel::{Heartbeat, Job, Loss};
use vidpairs_types::{ImagePart, Seed, with_causes};

use super::parts::Parts;
use super::{PATIENCE, Protocol, View};
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
    /// Indices of parts that were lost with their batch, because one of them stalled or panicked. To be tried one by one.
    pub lost: Vec<usize>,
}

/// An image that cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::run) struct Unreadable {
    /// Index of the part.
    pub part: usize,
    /// Reason.
    pub reason: String,
    /// Whether the file itself is damaged, so that another try fails too.
    pub is_lasting: bool,
}

/// Recipe of a view.
pub(super) fn recipe(view: PartView) -> Recipe {
    let side_px = view.side_px;
    match view.framing {
        Framing::Squash => Recipe::Squash { side_px },
        // As 256 px for a view of 224 px.
        Framing::CenterCrop => Recipe::CenterCrop {
            side_px,
            short_side_px: (side_px * 8).div_ceil(7),
        },
    }
}

/// Makes batches of `batch` images: batch `n` starts at `places[n * batch]`.
#[derive(Debug)]
pub(super) struct Loader {
    pub parts: Arc<Parts>,
    /// Indices of the parts to load, ascending.
    pub places: Vec<usize>,
    /// Number of images in a batch.
    pub batch: usize,
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
        self.num_values().saturating_mul(value_bytes * self.batch)
    }

    /// Number of values of a view.
    fn num_values(&self) -> usize {
        let side_px = self.protocol.side_px();
        Recipe::Squash { side_px }.num_values()
    }

    fn places(&self, number: usize) -> &[usize] {
        let mut batches = self.places.chunks(self.batch);
        batches.nth(number).unwrap_or_default()
    }

    fn load(&self, number: usize, heartbeat: &Heartbeat) -> Batch {
        let places = self.places(number);
        let num_values = self.num_values();
        let mut viewer = self.viewers().pop().unwrap_or_default();
        let mut batch = Batch {
            views: HostViews::zeros(num_values * places.len(), self.protocol.precision),
            kept: Vec::with_capacity(places.len()),
            left_out: Vec::new(),
            lost: Vec::new(),
        };
        for &place in places {
            if heartbeat.should_stop() {
                break;
            }
            let Some(part) = self.parts.all.get(place) else {
                continue;
            };
            let from = batch.kept.len() * num_values;
            let room = match &mut batch.views {
                HostViews::F32(values) => values.get_mut(from..from + num_values).map(Samples::F32),
                HostViews::Bf16(values) => {
                    values.get_mut(from..from + num_values).map(Samples::Bf16)
                }
            };
            match self.render((place, part), &mut viewer, room) {
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
        (place, part): (usize, &ImagePart),
        viewer: &mut Viewer,
        room: Option<Samples<'_>>,
    ) -> Result<(), (bool, String)> {
        let bytes = still::read_file(&part.path).map_err(|err| {
            // A file that was missing from the start has another key in the cache when it appears.
            let is_lasting = self.parts.missing.binary_search(&place).is_ok();
            (is_lasting, format!("cannot read it: {err}"))
        })?;
        let Some(room) = room else { return Ok(()) };
        StoredImage::of_file(&bytes)
            .and_then(|image| match self.protocol.view {
                View::Exact(view) => {
                    viewer.render_region(image, (part.region, view.beyond), &recipe(view), room)
                }
                View::Reduced { side_px } => {
                    let seed = Seed::of_run(0); // nothing is drawn
                    viewer.render(image, &Recipe::Squash { side_px }, seed, room)
                }
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
    type Output = Batch;

    fn work(&self, number: usize, heartbeat: &Arc<Heartbeat>) -> Batch {
        self.load(number, heartbeat)
    }

    fn lost(&self, number: usize, loss: Loss) -> Batch {
        let mut batch = Batch {
            views: HostViews::zeros(0, self.protocol.precision),
            kept: Vec::new(),
            left_out: Vec::new(),
            lost: Vec::new(),
        };
        match *self.places(number) {
            [part] => batch.left_out.push(Unreadable {
                part,
                reason: loss_reason(loss, PATIENCE).1,
                is_lasting: false,
            }),
            ref places => batch.lost.extend(places),
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loader(places: Vec<usize>, batch: usize) -> Loader {
        let part = |name: &str| ImagePart {
            path: name.into(),
            region: None,
        };
        Loader {
            parts: Arc::new(Parts {
                all: ["a.png", "b.png", "c.png"].map(part).to_vec(),
                of_images: vec![0, 1, 2],
                missing: Vec::new(),
            }),
            places,
            batch,
            protocol: Protocol {
                precision: NumberFormat::F32,
                view: View::Reduced { side_px: 8 },
            },
            viewers: Mutex::default(),
        }
    }

    #[test]
    fn the_images_of_a_lost_batch_are_tried_again_and_one_that_is_lost_alone_is_left_out() {
        let lost = loader(vec![0, 1, 2], 64).lost(0, Loss::Stalled);
        assert_eq!((lost.lost, lost.left_out.len()), (vec![0, 1, 2], 0));
        let alone = loader(vec![0, 2], 1).lost(1, Loss::Stalled);
        assert!(alone.lost.is_empty());
        let [image] = &alone.left_out[..] else {
            panic!("{:?}", alone.left_out)
        };
        assert_eq!((image.part, image.is_lasting), (2, false));
        assert!(image.reason.starts_with("no progress for"), "{image:?}");
    }
}
