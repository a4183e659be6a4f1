//! Intervals over test images.

use rand_chacha::ChaCha8Rng;
use vidpairs_types::Seed;

use super::bootstrap::{BootstrapOptions, Interval, IntervalError, draw};

/// A figure of test images, and its interval when images are resampled. It answers: would other images of the same kind give the same
/// figure? The classifier stays the same.
///
/// Two calls with the same seed, options and number of images draw the same resamples, so the interval of a difference between two models
/// on the same images is that of a `figure` that computes the difference. What makes an image hard for both cancels.
///
/// - `figure`: from the number of times that each image is there. `None` if it has no value there, because no positive was drawn for
///   example; such resamples are left out.
///
/// # Errors
/// [`IntervalError`]: `TooFew` for fewer than two images, `NoFigure`, `Option`.
///
/// # Examples
/// ```
/// use vidpairs_invariance::measure::interval::{BootstrapOptions, over_images};
/// use vidpairs_types::Seed;
///
/// let (first, second) = ([1, 1, 1, 0, 1, 1, 0, 1], [0, 1, 1, 0, 1, 0, 0, 1]);
/// let share = |right: &[u32; 8], counts: &[u32]| {
///     let num: u32 = right.iter().zip(counts).map(|(right, count)| right * count).sum();
///     f64::from(num) / f64::from(counts.iter().sum::<u32>())
/// };
/// let difference = |counts: &[u32]| Some(share(&first, counts) - share(&second, counts));
/// let interval = over_images(8, BootstrapOptions::default(), Seed::of_run(0), difference)?;
/// assert!((interval.estimate - 0.25).abs() < 1e-12 && interval.low >= 0.0);
/// # Ok::<(), vidpairs_invariance::measure::interval::IntervalError>(())
/// ```
pub fn over_images(
    num_images: usize,
    options: BootstrapOptions,
    seed: Seed,
    figure: impl Fn(&[u32]) -> Option<f64>,
) -> Result<Interval, IntervalError> {
    let resamples = ImageResamples::new(num_images, options, seed)?;
    let estimate = figure(&vec![1; num_images]).ok_or(IntervalError::NoFigure)?;
    let values = resamples.map(|counts| figure(&counts));
    options.interval_of_resamples(num_images, estimate, values)
}

impl BootstrapOptions {
    /// The interval of a figure of `num_images` images.
    ///
    /// - `estimate`: the figure of all images.
    /// - `values`: the figure of each of the [`ImageResamples`]; `None` is left out.
    ///
    /// # Errors
    /// [`IntervalError::NoFigure`] if no resample has a value.
    pub fn interval_of_resamples(
        &self,
        num_images: usize,
        estimate: f64,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Result<Interval, IntervalError> {
        let mut values: Vec<f64> = values.into_iter().flatten().collect();
        if values.is_empty() {
            return Err(IntervalError::NoFigure);
        }
        values.sort_unstable_by(f64::total_cmp);
        Ok(self.interval(estimate, num_images, &values))
    }
}

/// The resamples of [`over_images`], for a caller that computes the figures itself: an iterator over the number of times that each image is
/// there, one after another from one random generator.
#[derive(Debug)]
pub struct ImageResamples {
    num_images: usize,
    rng: ChaCha8Rng,
    num_left: usize,
}

impl ImageResamples {
    /// Resamples of `num_images` images.
    ///
    /// # Errors
    /// [`IntervalError`]: `TooFew` for fewer than two images, `Option`.
    pub fn new(
        num_images: usize,
        options: BootstrapOptions,
        seed: Seed,
    ) -> Result<Self, IntervalError> {
        if num_images < 2 {
            return Err(IntervalError::TooFew {
                what: "images",
                found: num_images,
                needed: 2,
            });
        }
        Ok(Self {
            num_images,
            rng: options.rng(seed)?,
            num_left: options.num_resamples,
        })
    }
}

impl Iterator for ImageResamples {
    type Item = Vec<u32>;

    fn next(&mut self) -> Option<Vec<u32>> {
        self.num_left = self.num_left.checked_sub(1)?;
        let mut counts = vec![0; self.num_images];
        for _ in 0..self.num_images {
            counts[draw(&mut self.rng, self.num_images)] += 1;
        }
        Some(counts)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.num_left, Some(self.num_left))
    }
}

impl ExactSizeIterator for ImageResamples {}
