//! Keeps the features of a pass that has not ended, in segments: `OUT/features/KEY.unfinished/BATCH.npz`.
//!
//! A segment holds the rows of a stretch of whole batches. BATCH is the number of its first one. KEY is a hash of everything but the
//! stages; each stage is an array named as its file in the cache, so a pass over fewer stages continues too. A batch is encoded as it was
//! the first time, so a resumed pass ends with the same bytes. The folder is removed when the features are complete.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use vidpairs_invariance::npz::{ArrayValues, NamedArray, NpzArchive, NpzError, write_npz};
use vidpairs_run::{RunError, failed};
use vidpairs_types::{create_own_folder, replace_whole_by};

use super::cache::{COMPLETE, Cache, FOLDER};
use super::load::{BATCH, Unreadable};

/// Time from one segment to the next: as much work is lost at most.
const PERIOD: Duration = Duration::from_secs(300);

/// What a pass over the parts has found so far, in the order in which it came.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Found {
    /// Number of batches behind it.
    pub num_batches: usize,
    /// Values and number of units of each stage.
    pub stages: Vec<(Vec<f32>, usize)>,
    /// Indices of the parts with a row.
    pub kept: Vec<usize>,
    pub left_out: Vec<Unreadable>,
    /// Indices of parts that were lost with their batch, to be tried one by one.
    pub lost: Vec<usize>,
}

impl Found {
    /// Nothing yet, of so many stages.
    pub fn of_stages(num_stages: usize) -> Self {
        Self {
            stages: vec![(Vec::new(), 0); num_stages],
            ..Self::default()
        }
    }

    fn append(&mut self, next: Self) {
        self.num_batches = next.num_batches;
        for ((values, num_units), (more, units)) in self.stages.iter_mut().zip(next.stages) {
            values.extend(more);
            *num_units = units;
        }
        self.kept.extend(next.kept);
        self.left_out.extend(next.left_out);
        self.lost.extend(next.lost);
    }
}

/// The array `about` of a segment: JSON in bytes.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    key: String,
    /// First batch, and the one after the last.
    batches: [usize; 2],
    left_out: Vec<(usize, String)>,
    /// Parts to be tried again.
    lost: Vec<usize>,
}

/// The segments of one pass.
#[derive(Debug)]
pub(in crate::run) struct Segments {
    out: PathBuf,
    folder: PathBuf,
    key: String,
    /// Names of the stages: their keys in the cache.
    stages: Vec<String>,
    saved_at: Instant,
    /// Lengths of the lists of [`Found`] that are in segments.
    saved: Saved,
}

#[derive(Debug, Clone, Copy, Default)]
struct Saved {
    num_batches: usize,
    kept: usize,
    left_out: usize,
    lost: usize,
}

impl Segments {
    /// Of the pass with this key that fills `caches`, below the output folder `out`.
    pub(super) fn of<'a>(out: &Path, key: String, caches: impl Iterator<Item = &'a Cache>) -> Self {
        Self {
            out: out.to_owned(),
            folder: out.join(FOLDER).join(format!("{key}.unfinished")),
            key,
            stages: caches.map(|cache| cache.key().to_owned()).collect(),
            saved_at: Instant::now(),
            saved: Saved::default(),
        }
    }

    /// Reads what earlier runs found, up to the first segment that is missing or damaged.
    ///
    /// - `num_parts`: number of parts of the pass.
    pub(super) fn restore(&mut self, num_parts: usize) -> Found {
        let mut found = Found::of_stages(self.stages.len());
        while let Some(next) = self.read(&found, num_parts) {
            found.append(next);
        }
        self.saved = Saved::of(&found);
        found
    }

    /// The segment behind `found`, if it is whole.
    fn read(&self, found: &Found, num_parts: usize) -> Option<Found> {
        let read = || -> Result<_, NpzError> {
            let mut archive = NpzArchive::open(&self.path(found.num_batches))?;
            let about = archive.array("about")?.into_bytes()?;
            let kept = archive.array("image")?.into_integers()?;
            let stage = |stage: &String| {
                let array = archive.array(stage)?;
                let shape = array.header().shape.clone();
                Ok((array.into_f32s()?, shape))
            };
            let stages: Result<Vec<_>, NpzError> = self.stages.iter().map(stage).collect();
            Ok((about, kept, stages?))
        };
        let (about, kept, stages) = read().ok()?;
        let about: About = serde_json::from_slice(&about).ok()?;
        let [first, end] = about.batches;
        let kept = kept.into_iter().map(|image| usize::try_from(image).ok());
        let kept: Vec<usize> = kept.collect::<Option<_>>()?;
        let left_out = about.left_out.into_iter();
        let left_out = left_out.map(|(part, reason)| Unreadable {
            part,
            reason,
            is_lasting: true,
        });
        let left_out: Vec<Unreadable> = left_out.collect();
        let is_next = about.key == self.key
            && first == found.num_batches
            && (first + 1..=num_parts.div_ceil(BATCH)).contains(&end);
        if !is_next {
            return None;
        }
        // Every part of the batches is in one of the lists.
        let mut parts: Vec<usize> = (kept.iter().copied())
            .chain(left_out.iter().map(|image| image.part))
            .chain(about.lost.iter().copied())
            .collect();
        parts.sort_unstable();
        if !parts
            .into_iter()
            .eq(first * BATCH..(end * BATCH).min(num_parts))
        {
            return None;
        }
        let stages = stages.into_iter().zip(&found.stages);
        let stages = stages.map(|((values, shape), (_, before))| {
            let [num_rows, num_units] = shape[..] else {
                return None;
            };
            // Without rows the number of units is not known.
            let has_rows = num_rows > 0;
            let is_sound = num_rows == kept.len()
                && (num_units > 0 || !has_rows)
                && (*before == 0 || *before == num_units || !has_rows)
                && values.iter().all(|value| value.is_finite());
            is_sound.then_some((values, num_units.max(*before)))
        });
        let stages = stages.collect::<Option<Vec<_>>>()?;
        Some(Found {
            num_batches: end,
            stages,
            kept,
            left_out,
            lost: about.lost,
        })
    }

    /// Whether so much time has passed that a segment is due.
    pub(super) fn is_due(&self) -> bool {
        self.saved_at.elapsed() >= PERIOD
    }

    /// Writes a segment of what was found since the last one. An image that could not be read for a passing reason is tried again by the
    /// run that resumes.
    ///
    /// # Errors
    /// [`RunError::File`], or [`RunError::DiskFull`].
    pub(super) fn save(&mut self, found: &Found) -> Result<(), RunError> {
        self.saved_at = Instant::now();
        let Saved {
            num_batches,
            kept,
            left_out,
            lost,
        } = self.saved;
        if found.num_batches == num_batches {
            return Ok(());
        }
        let images: Vec<i64> = found.kept[kept..].iter().map(|&part| part as i64).collect();
        let new_left_out = &found.left_out[left_out..];
        let passing = new_left_out.iter().filter(|image| !image.is_lasting);
        let lasting = new_left_out.iter().filter(|image| image.is_lasting);
        let about = About {
            key: self.key.clone(),
            batches: [num_batches, found.num_batches],
            left_out: lasting
                .map(|image| (image.part, image.reason.clone()))
                .collect(),
            lost: (found.lost[lost..].iter().copied())
                .chain(passing.map(|image| image.part))
                .collect(),
        };
        let about = serde_json::to_vec(&about).expect("numbers and texts have a JSON form");
        let shapes: Vec<[usize; 2]> = (found.stages.iter())
            .map(|(_, num_units)| [images.len(), *num_units])
            .collect();
        let (num_images, num_bytes) = ([images.len()], [about.len()]);
        let mut arrays = vec![
            NamedArray {
                name: "about",
                shape: &num_bytes,
                values: ArrayValues::U8(&about),
            },
            NamedArray {
                name: "image",
                shape: &num_images,
                values: ArrayValues::I64(&images),
            },
        ];
        for ((name, shape), (values, num_units)) in
            self.stages.iter().zip(&shapes).zip(&found.stages)
        {
            arrays.push(NamedArray {
                name,
                shape,
                values: ArrayValues::F32(&values[kept * num_units..]),
            });
        }
        let path = self.path(num_batches);
        let write = || {
            create_own_folder(&self.folder)?;
            replace_whole_by(&path, |file| {
                write_npz(file, &arrays).map_err(|err| match err {
                    NpzError::Write(source) => source,
                    other => io::Error::other(other),
                })
            })
        };
        write()
            .map_err(failed("write", &path))
            .map_err(|err| err.named_if_full(&self.out, COMPLETE))?;
        self.saved = Saved::of(found);
        Ok(())
    }

    /// Number of parts whose features are safe.
    pub(super) fn num_saved(&self) -> usize {
        self.saved.kept
    }

    /// Removes the segments: the features are complete. A folder that cannot be removed only takes room.
    pub(super) fn remove(self) {
        let _ = fs::remove_dir_all(&self.folder);
    }

    fn path(&self, batch: usize) -> PathBuf {
        self.folder.join(format!("{batch:09}.npz"))
    }
}

impl Saved {
    fn of(found: &Found) -> Self {
        Self {
            num_batches: found.num_batches,
            kept: found.kept.len(),
            left_out: found.left_out.len(),
            lost: found.lost.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tch::{Device, Kind, Tensor};
    use vidpairs_image::jpeg::compress;
    use vidpairs_invariance::run::PartView;
    use vidpairs_run::Control;
    use vidpairs_types::parallel::{Broken, Cancel};
    use vidpairs_types::{BoxXywh, ImagePart, RgbImage, SizePx};

    use super::super::encode::Encoded;
    use super::super::{Protocol, View, encode_parts};
    use super::*;
    use crate::model::{FeatureNetwork, NumberFormat, Pass, Pooling, Readout, StageName};
    use crate::run::features::Parts;

    /// A network whose features are sums of pixels, and which stops the run when it has encoded a batch of this number.
    struct Sums {
        stops_at: usize,
        num_batches: AtomicUsize,
        cancel: Arc<Cancel>,
    }

    impl FeatureNetwork for Sums {
        fn device(&self) -> Device {
            Device::Cpu
        }

        fn features(&self, images: &Tensor, readouts: &[Readout], _: Pass) -> Vec<Tensor> {
            if self.num_batches.fetch_add(1, Ordering::Relaxed) + 1 == self.stops_at {
                self.cancel.set();
            }
            let of_channels = images.sum_dim_intlist([2, 3].as_slice(), false, Kind::Float);
            let place = |at: usize| of_channels.narrow(1, 0, 1 + at as i64);
            (0..readouts.len()).map(place).collect()
        }
    }

    fn draw(path: &Path) {
        let pixels: Vec<u8> = (0..64 * 48 * 3).map(|at| (at * 7 % 251) as u8).collect();
        let image = RgbImage {
            size: SizePx {
                width: 64,
                height: 48,
            },
            pixels,
        };
        fs::write(path, compress(&image, 90).unwrap()).unwrap();
    }

    /// Boxes of an image, and one of an image that does not exist, in five batches.
    fn parts(folder: &Path) -> Arc<Parts> {
        let path = folder.join("image.jpg");
        draw(&path);
        let part = |at: usize| ImagePart {
            path: match at {
                100 => folder.join("away.jpg"),
                _ => path.clone(),
            },
            region: Some(BoxXywh::from([
                (at % 40) as f64,
                (at / 40) as f64,
                20.0,
                20.0,
            ])),
        };
        let mut parts = Parts::of(&(0..4 * BATCH + 10).map(part).collect::<Vec<_>>());
        // Sorted by path, it is the first.
        parts.missing = vec![0];
        Arc::new(parts)
    }

    fn segments(out: &Path) -> Segments {
        Segments {
            out: out.to_owned(),
            folder: out.join("features/of.unfinished"),
            key: "of".to_owned(),
            stages: ["a", "b"].map(str::to_owned).to_vec(),
            saved_at: Instant::now(),
            saved: Saved::default(),
        }
    }

    /// A run that is stopped at the batch of this number, and the number of batches that it has encoded.
    fn run(
        parts: &Arc<Parts>,
        stops_at: usize,
        segments: Option<&mut Segments>,
    ) -> (
        Result<Encoded, Broken<crate::run::features::FeatureError>>,
        usize,
    ) {
        let control = Control::quiet(2);
        let network = Sums {
            stops_at,
            num_batches: AtomicUsize::new(0),
            cancel: Arc::clone(&control.cancel),
        };
        let readouts = [StageName::Layer3, StageName::Layer4].map(|stage| Readout {
            stage,
            pooling: Pooling::Mean,
        });
        let protocol = Protocol {
            precision: NumberFormat::F32,
            view: View::Exact(PartView::of_invariance(16)),
        };
        let encoded = encode_parts(&network, parts, (&readouts, &protocol), &control, segments);
        (encoded, network.num_batches.into_inner())
    }

    #[test]
    fn a_pass_that_was_stopped_twice_continues_to_the_rows_of_a_whole_one() {
        let folder = tempfile::tempdir().unwrap();
        let parts = parts(folder.path());
        let whole = run(&parts, usize::MAX, None).0.unwrap();
        assert_eq!((whole.stages.len(), whole.stages[0].left_out.len()), (2, 1));
        let mut num_batches = 0;
        for _ in 0..2 {
            let (stopped, num) = run(&parts, 1, Some(&mut segments(folder.path())));
            assert!(matches!(stopped, Err(Broken::Cancelled)));
            num_batches += num;
        }
        let mut last = segments(folder.path());
        let (resumed, num) = run(&parts, usize::MAX, Some(&mut last));
        assert_eq!(num_batches + num, 5, "no batch is encoded twice");
        assert_eq!(resumed.unwrap().stages, whole.stages);
        last.remove();
        assert!(!folder.path().join("features/of.unfinished").exists());
    }

    #[test]
    fn a_damaged_segment_and_those_behind_it_are_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let parts = parts(folder.path());
        let whole = run(&parts, usize::MAX, None).0.unwrap();
        for _ in 0..2 {
            assert!(
                run(&parts, 1, Some(&mut segments(folder.path())))
                    .0
                    .is_err()
            );
        }
        let mut of_both = segments(folder.path());
        of_both.restore(parts.all.len());
        let first = of_both.path(0);
        let sound = fs::read(&first).unwrap();
        for at in (0..sound.len()).step_by(61) {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x10;
            fs::write(&first, damaged).unwrap();
            let found = segments(folder.path()).restore(parts.all.len());
            // A byte that no reader looks at may have changed.
            if found.num_batches == 0 {
                assert_eq!(found, Found::of_stages(2));
                continue;
            }
            assert_eq!(found.num_batches, of_both.saved.num_batches);
            for (stage, whole) in found.stages.iter().zip(&whole.stages) {
                assert!(whole.values.starts_with(&stage.0) && whole.kept.starts_with(&found.kept));
            }
        }
        fs::write(&first, &sound[..sound.len() / 2]).unwrap();
        let (resumed, num) = run(&parts, usize::MAX, Some(&mut segments(folder.path())));
        assert_eq!(num, 5);
        assert_eq!(resumed.unwrap().stages, whole.stages);
        // Another data set or other weights have another key.
        let mut other = segments(folder.path());
        other.key = "other".to_owned();
        assert_eq!(other.restore(parts.all.len()), Found::of_stages(2));
    }

    /// One batch of 64 rows, whose stages have one unit.
    fn one_batch() -> Found {
        let rows = || (0..BATCH).map(|at| at as f32).collect();
        Found {
            num_batches: 1,
            stages: vec![(rows(), 1), (rows(), 1)],
            kept: (0..BATCH).collect(),
            left_out: Vec::new(),
            lost: Vec::new(),
        }
    }

    #[test]
    fn a_segment_that_does_not_tell_of_each_image_once_is_made_anew() {
        let restored = |change: &dyn Fn(&mut Found)| {
            let folder = tempfile::tempdir().unwrap();
            let mut found = one_batch();
            change(&mut found);
            segments(folder.path()).save(&found).unwrap();
            segments(folder.path()).restore(200)
        };
        assert_eq!(restored(&|_| {}), one_batch());
        let changes: [&dyn Fn(&mut Found); 6] = [
            &|found| found.kept[1] = 0,
            &|found| found.kept[1] = BATCH,
            &|found| found.lost = vec![3],
            &|found| found.num_batches = 1 << 58,
            &|found| found.stages[1].0[7] = f32::NAN,
            &|found| found.stages[0] = (Vec::new(), 0),
        ];
        for (at, change) in changes.into_iter().enumerate() {
            assert_eq!(restored(change), Found::of_stages(2), "change {at}");
        }
    }

    #[test]
    fn fewer_stages_in_another_order_continue_too_and_further_ones_begin_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut found = one_batch();
        found.stages[1].0[0] = 7.0;
        segments(folder.path()).save(&found).unwrap();
        let restored = |stages: &[&str]| {
            let mut segments = segments(folder.path());
            segments.stages = stages.iter().map(|&name| name.to_owned()).collect();
            segments.restore(200)
        };
        assert_eq!(restored(&["b"]).stages, found.stages[1..]);
        let [a, b] = &found.stages[..] else { panic!() };
        assert_eq!(restored(&["b", "a"]).stages, [b.clone(), a.clone()]);
        assert_eq!(restored(&["a", "c"]), Found::of_stages(2));
    }

    #[test]
    fn an_image_that_is_away_for_a_while_is_tried_again_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut parts = Parts::clone(&parts(folder.path()));
        parts.missing.clear();
        let parts = Arc::new(parts);
        let mut first = segments(folder.path());
        let (found, num) = run(&parts, usize::MAX, Some(&mut first));
        let found = found.unwrap();
        assert_eq!((num, found.stages[0].left_out.len()), (5, 1));
        assert!(!found.stages[0].is_lasting());
        draw(&folder.path().join("away.jpg"));
        let (found, num) = run(&parts, usize::MAX, Some(&mut segments(folder.path())));
        let (found, whole) = (found.unwrap(), run(&parts, usize::MAX, None).0.unwrap());
        assert_eq!(num, 1, "only the image itself");
        assert_eq!(found.stages[0].kept, whole.stages[0].kept);
        let off = (found.stages[0].values.iter().zip(&whole.stages[0].values))
            .map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f32::max) < 1e-2);
    }
}
