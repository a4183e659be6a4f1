//! Encodes batches of images on the caller's thread.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use vidpairs_run::{Progress, counted};
use vidpairs_types::LeftOut;
use vidpairs_types::parallel::Sink;

use super::error::FeatureError;
use super::load::{Batch, Unreadable};
use super::parts::Parts;
use super::segments::{Found, Segments};
use super::{FeatureSpeed, ImageFeatures, Protocol};
use crate::model::{FeatureNetwork, Readout};

/// Features of the parts at one stage, in their order.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::run) struct PartRows {
    /// `N x D`.
    pub values: Vec<f32>,
    pub num_units: usize,
    /// Indices of the parts with a row, ascending, N.
    pub kept: Vec<usize>,
    /// Parts without a row, in their order.
    pub left_out: Vec<Unreadable>,
}

impl PartRows {
    /// Whether another try would give the same rows.
    pub fn is_lasting(&self) -> bool {
        self.left_out.iter().all(|image| image.is_lasting)
    }

    /// Puts rows in the order of the parts: those of lost batches come last.
    fn sort(&mut self) {
        if self.kept.is_sorted() {
            return;
        }
        let rows = self.values.chunks_exact(self.num_units.max(1));
        let mut numbered: Vec<(usize, &[f32])> = self.kept.iter().copied().zip(rows).collect();
        numbered.sort_by_key(|(part, _)| *part);
        let values = numbered.iter().flat_map(|(_, row)| row.iter().copied());
        self.values = values.collect();
        self.kept.sort_unstable();
    }

    /// Rows in the order of the images of the data set.
    pub fn in_order(
        self,
        parts: &Parts,
        speed: Option<FeatureSpeed>,
        file: Option<PathBuf>,
    ) -> ImageFeatures {
        let mut row_of = vec![None; parts.all.len()];
        let rows = self.values.chunks_exact(self.num_units.max(1));
        for (&part, row) in self.kept.iter().zip(rows) {
            if let Some(place) = row_of.get_mut(part) {
                *place = Some(row);
            }
        }
        let mut features = ImageFeatures {
            values: Vec::with_capacity(parts.of_images.len() * self.num_units),
            num_units: self.num_units,
            images: Vec::with_capacity(parts.of_images.len()),
            left_out: Vec::new(),
            speed,
            file,
        };
        for (image, &part) in parts.of_images.iter().enumerate() {
            if let Some(row) = row_of.get(part).copied().flatten() {
                features.values.extend_from_slice(row);
                features.images.push(image);
                continue;
            }
            let unreadable = self
                .left_out
                .binary_search_by_key(&part, |image| image.part);
            let unreadable = unreadable.ok().and_then(|place| self.left_out.get(place));
            let what = parts
                .all
                .get(part)
                .map(|part| part.path.display().to_string());
            features.left_out.push(LeftOut {
                what: what.unwrap_or_default(),
                reason: unreadable
                    .map(|image| image.reason.clone())
                    .unwrap_or_default(),
            });
        }
        features
    }
}

/// Whether so many images cannot be read that the data set is to be repaired: more than a tenth, and more than a few.
pub(in crate::run) fn is_too_many(num_unreadable: usize, num_images: usize) -> bool {
    num_unreadable > num_images.div_ceil(10).max(4)
}

/// Rows and their throughput.
#[derive(Debug)]
pub(in crate::run) struct Encoded {
    /// Rows of each stage, all of the same parts.
    pub stages: Vec<PartRows>,
    pub speed: FeatureSpeed,
}

/// Sink that encodes batches.
pub(in crate::run) struct Encoding<'a> {
    network: &'a dyn FeatureNetwork,
    parts: &'a Parts,
    readouts: &'a [Readout],
    protocol: Protocol,
    progress: Progress,
    found: Found,
    /// Where unfinished features are kept.
    segments: Option<&'a mut Segments>,
    /// Number of rows of earlier runs.
    num_restored: usize,
    started: Instant,
    /// End of the last batch.
    idle_since: Instant,
    waited: Duration,
}

impl<'a> Encoding<'a> {
    /// - `found`: what earlier runs have found.
    /// - `segments`: where what is found is kept until it is complete.
    pub fn new(
        network: &'a dyn FeatureNetwork,
        parts: &'a Parts,
        (readouts, protocol): (&'a [Readout], Protocol),
        progress: Progress,
        (found, segments): (Found, Option<&'a mut Segments>),
    ) -> Self {
        let started = Instant::now();
        Self {
            network,
            parts,
            readouts,
            protocol,
            progress,
            num_restored: found.kept.len(),
            found,
            segments,
            started,
            idle_since: started,
            waited: Duration::ZERO,
        }
    }

    /// Keeps what was found so far for a later run.
    ///
    /// # Errors
    /// [`FeatureError::Keep`].
    pub fn keep(&mut self) -> Result<(), FeatureError> {
        let Some(segments) = &mut self.segments else {
            return Ok(());
        };
        let kept = segments.save(&self.found);
        kept.map_err(|err| FeatureError::Keep(Box::new(err)))
    }

    /// Indices of the parts that were lost with their batch, ascending. They come last, one by one, and are in no segment.
    ///
    /// # Errors
    /// As [`keep`](Self::keep).
    pub fn take_lost(&mut self) -> Result<Vec<usize>, FeatureError> {
        let is_passing = |image: &Unreadable| !image.is_lasting;
        if !self.found.lost.is_empty() || self.found.left_out.iter().any(is_passing) {
            self.keep()?;
            self.segments = None;
        }
        let mut lost = std::mem::take(&mut self.found.lost);
        lost.sort_unstable();
        Ok(lost)
    }

    /// The encoded rows.
    ///
    /// # Errors
    /// [`FeatureError`] if no image could be read, or too many could not.
    pub fn finish(mut self) -> Result<Encoded, FeatureError> {
        self.progress.finish();
        let Found {
            stages,
            kept,
            mut left_out,
            ..
        } = self.found;
        left_out.sort_by_key(|image| image.part);
        let mut passing = left_out.iter().filter(|image| !image.is_lasting);
        if let Some(first) = passing.next() {
            let path = path_of(self.parts, first.part);
            self.progress.say(&format!(
                "{} could not be read now; the next run tries again, and the features are not stored until then. The first, {}: {}",
                counted(1 + passing.count() as u64, "image"),
                path.display(),
                first.reason
            ));
        }
        let path_of = |part: usize| path_of(self.parts, part);
        if kept.is_empty() {
            let first = left_out.first();
            let part = first.and_then(|image| Some((image, self.parts.all.get(image.part)?)));
            return Err(match part {
                Some((image, part)) => FeatureError::NoImage {
                    num_images: self.parts.all.len(),
                    path: part.path.clone(),
                    reason: image.reason.clone(),
                },
                None => FeatureError::Empty,
            });
        }
        if let Some(image) = left_out.first()
            && is_too_many(left_out.len(), self.parts.all.len())
        {
            return Err(FeatureError::TooManyUnreadable {
                num_unreadable: left_out.len(),
                num_images: self.parts.all.len(),
                path: path_of(image.part),
                reason: image.reason.clone(),
            });
        }
        let seconds = self.started.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
        let speed = FeatureSpeed {
            images_per_second: (kept.len() - self.num_restored) as f64 / seconds,
            waiting: self.waited.as_secs_f64() / seconds,
        };
        let rows = |(values, num_units)| {
            let mut rows = PartRows {
                values,
                num_units,
                kept: kept.clone(),
                left_out: left_out.clone(),
            };
            rows.sort();
            rows
        };
        Ok(Encoded {
            stages: stages.into_iter().map(rows).collect(),
            speed,
        })
    }

    fn encode(&mut self, batch: Batch) -> Result<(), FeatureError> {
        let side_px = self.protocol.side_px();
        let precision = self.protocol.precision;
        for image in &batch.left_out {
            if let Some(part) = self.parts.all.get(image.part) {
                self.left_out(&part.path, &image.reason);
            }
        }
        let num_read = batch.kept.len() + batch.left_out.len();
        self.found.num_batches += 1;
        self.found.left_out.extend(batch.left_out);
        self.found.lost.extend(batch.lost);
        if !batch.kept.is_empty() {
            let found = (self.network).encode(&batch.views, side_px, self.readouts, precision);
            let found = found.map_err(FeatureError::Libtorch)?;
            for of_stage in &found {
                self.check(&batch.kept, of_stage)?;
            }
            for ((values, num_units), of_stage) in self.found.stages.iter_mut().zip(found) {
                *num_units = of_stage.len() / batch.kept.len();
                values.extend(of_stage);
            }
            self.found.kept.extend(batch.kept);
        }
        self.progress.advance(num_read as u64);
        Ok(())
    }

    /// Reports an image that is left out, if every one is reported.
    fn left_out(&self, path: &Path, reason: &str) {
        if self.progress.is_verbose() {
            self.progress
                .say(&format!("left out: {reason}: {}", path.display()));
        }
    }

    fn check(&self, kept: &[usize], found: &[f32]) -> Result<(), FeatureError> {
        let num_units = (found.len() / kept.len().max(1)).max(1);
        let bad = found
            .iter()
            .enumerate()
            .find(|(_, value)| !value.is_finite());
        let Some((place, &value)) = bad else {
            return Ok(());
        };
        let part = kept.get(place / num_units);
        Err(FeatureError::NotFinite {
            path: part
                .map(|&part| path_of(self.parts, part))
                .unwrap_or_default(),
            unit: place % num_units,
            value,
        })
    }
}

fn path_of(parts: &Parts, part: usize) -> PathBuf {
    let part = parts.all.get(part);
    part.map(|part| part.path.clone()).unwrap_or_default()
}

impl Sink<Batch> for Encoding<'_> {
    type Error = FeatureError;

    fn push(&mut self, batch: Batch) -> Result<(), FeatureError> {
        self.waited += self.idle_since.elapsed();
        let mut done = self.encode(batch);
        if done.is_ok() && self.segments.as_ref().is_some_and(|kept| kept.is_due()) {
            done = self.keep();
        }
        self.idle_since = Instant::now();
        done
    }

    fn tick(&mut self) {
        self.progress.tick();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_come_late_are_put_in_the_order_of_the_parts() {
        let mut rows = PartRows {
            values: vec![3.0, 3.5, 0.0, 0.5, 2.0, 2.5],
            num_units: 2,
            kept: vec![3, 0, 2],
            left_out: Vec::new(),
        };
        rows.sort();
        assert_eq!(rows.kept, [0, 2, 3]);
        assert_eq!(rows.values, [0.0, 0.5, 2.0, 2.5, 3.0, 3.5]);
    }

    #[test]
    fn a_tenth_of_the_images_may_be_unreadable_and_a_few_of_few() {
        let limits = [
            (4, 5, false),
            (5, 5, true),
            (10, 100, false),
            (11, 100, true),
            (102, 1013, false),
        ];
        for (num_unreadable, num_images, expected) in limits {
            assert_eq!(
                is_too_many(num_unreadable, num_images),
                expected,
                "{num_unreadable} of {num_images}"
            );
        }
    }
}
