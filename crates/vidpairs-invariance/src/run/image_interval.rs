//! Computes the confidence interval of a figure over test images, with resamples on many threads.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use vidpairs_run::RunError;
use vidpairs_types::Seed;

use super::Figure;
use super::blocks::{BlockCrew, over_items};
use crate::measure::interval::{BootstrapOptions, ImageResamples, IntervalError};

/// Photographs that the images come from. Boxes of one photograph are drawn together: they resemble each other.
#[derive(Debug, Clone)]
pub(super) struct Photographs {
    /// Index of the photograph of each image.
    of_images: Arc<Vec<usize>>,
    num_photographs: usize,
}

impl Photographs {
    /// Images of which each is a photograph of its own.
    pub fn each(num_images: usize) -> Self {
        Self {
            of_images: Arc::new((0..num_images).collect()),
            num_photographs: num_images,
        }
    }

    /// Of images in files at `paths`; images of one file are of one photograph.
    pub fn of_paths<'a>(paths: impl Iterator<Item = &'a Path>) -> Self {
        let mut indices: HashMap<&Path, usize> = HashMap::new();
        let of_images = paths.map(|path| {
            let next = indices.len();
            *indices.entry(path).or_insert(next)
        });
        Self {
            of_images: Arc::new(of_images.collect()),
            num_photographs: indices.len(),
        }
    }

    /// How many times each image is there, from the number of times that each photograph is.
    fn counts(&self, of_photographs: &[u32]) -> Vec<u32> {
        let of_images = self.of_images.iter();
        of_images
            .map(|&photograph| of_photographs[photograph])
            .collect()
    }
}

/// `figure` of all images and its interval, which is that of [`over_images`](crate::measure::interval::over_images) for any number of
/// threads; `None` if it has no value. Photographs are resampled. The figure of a single one has no interval.
///
/// - `figure`: from the number of times that each image is there.
///
/// # Errors
/// [`RunError`]: an option is out of range, a thread is lost, or the work was cancelled.
pub(super) fn figure_over_images(
    photographs: &Photographs,
    options: BootstrapOptions,
    seed: Seed,
    crew: BlockCrew<'_>,
    figure: impl Fn(&[u32]) -> Option<f64> + Send + Sync + 'static,
) -> Result<Option<Figure>, RunError> {
    let num_photographs = photographs.num_photographs;
    let Some(value) = figure(&vec![1; photographs.of_images.len()]) else {
        return Ok(None);
    };
    let without_interval = Figure {
        value,
        interval: None,
    };
    let resamples = match ImageResamples::new(num_photographs, options, seed) {
        Ok(resamples) => resamples,
        Err(IntervalError::TooFew { .. }) => return Ok(Some(without_interval)),
        Err(err) => return Err(lost(&err)),
    };
    let mut values = Vec::with_capacity(resamples.len());
    let of_images = photographs.clone();
    let of_resample = move |counts: Vec<u32>| figure(&of_images.counts(&counts));
    let what = ("confidence interval", "resample");
    over_items(what, resamples, crew, of_resample, |value| {
        values.push(value);
    })?;
    match options.interval_of_resamples(num_photographs, value, values) {
        Ok(interval) => Ok(Some(Figure {
            value,
            interval: Some([interval.low, interval.high]),
        })),
        Err(IntervalError::NoFigure) => Ok(Some(without_interval)),
        Err(err) => Err(lost(&err)),
    }
}

fn lost(err: &IntervalError) -> RunError {
    RunError::Lost {
        what: "a confidence interval",
        reason: err.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use vidpairs_types::parallel::Cancel;

    use super::*;
    use crate::measure::interval::over_images;

    fn options(num_resamples: usize) -> BootstrapOptions {
        BootstrapOptions {
            num_resamples,
            ..BootstrapOptions::default()
        }
    }

    /// Share of the images with an even index; undefined where the first image is absent.
    fn share(counts: &[u32]) -> Option<f64> {
        let even: u32 = counts.iter().step_by(2).sum();
        (counts[0] > 0).then(|| f64::from(even) / counts.len() as f64)
    }

    #[test]
    fn an_interval_is_the_same_for_any_number_of_workers_and_that_of_one_thread() {
        let seed = Seed::of_run(3);
        let expected = over_images(31, options(400), seed, share).unwrap();
        for workers in [1, 2, 7] {
            let cancel = Arc::default();
            let crew = BlockCrew::quiet(workers, &cancel);
            let found = figure_over_images(&Photographs::each(31), options(400), seed, crew, share)
                .unwrap();
            let found = found.unwrap();
            let interval = Some([expected.low, expected.high]);
            assert_eq!((found.value, found.interval), (expected.estimate, interval));
        }
    }

    #[test]
    fn images_of_one_photograph_are_drawn_together() {
        let seed = Seed::of_run(3);
        let paths = ["a", "b", "a", "c", "b", "a"].map(Path::new);
        let photographs = Photographs::of_paths(paths.into_iter());
        let together = |counts: &[u32]| {
            assert!(counts[0] == counts[2] && counts[2] == counts[5] && counts[1] == counts[4]);
            // All images once, or a resample of the three photographs.
            assert_eq!(counts[0] + counts[1] + counts[3], 3);
            Some(f64::from(counts[3]))
        };
        let cancel = Arc::default();
        let crew = BlockCrew::quiet(2, &cancel);
        let found = figure_over_images(&photographs, options(200), seed, crew, together).unwrap();
        assert_eq!(found.unwrap().value, 1.0);
    }

    #[test]
    fn a_figure_of_one_image_or_without_resamples_that_have_it_has_no_interval() {
        let of = |num_images, figure: fn(&[u32]) -> Option<f64>| {
            let cancel = Arc::default();
            let crew = BlockCrew::quiet(1, &cancel);
            let photographs = Photographs::each(num_images);
            figure_over_images(&photographs, options(50), Seed::of_run(0), crew, figure).unwrap()
        };
        let one = of(1, share).unwrap();
        assert_eq!((one.value, one.interval), (1.0, None));
        let only_of_all = of(40, |counts| {
            counts.iter().all(|&num| num == 1).then_some(0.5)
        });
        let only_of_all = only_of_all.unwrap();
        assert_eq!((only_of_all.value, only_of_all.interval), (0.5, None));
        assert!(of(3, |_| None).is_none());
    }

    #[test]
    fn resamples_that_would_take_minutes_end_within_a_second_of_the_stop() {
        let cancel = Arc::new(Cancel::default());
        let stopping = Arc::clone(&cancel);
        let stopper = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            stopping.set();
            Instant::now()
        });
        let slow = |counts: &[u32]| {
            thread::sleep(Duration::from_millis(5));
            share(counts)
        };
        let crew = BlockCrew::quiet(2, &cancel);
        let photographs = Photographs::each(10);
        let found = figure_over_images(&photographs, options(100_000), Seed::of_run(0), crew, slow);
        let ended = Instant::now();
        assert!(matches!(found, Err(RunError::Stopped)), "{found:?}");
        let waited = ended - stopper.join().unwrap();
        assert!(waited < Duration::from_secs(1), "{waited:?}");
    }
}
