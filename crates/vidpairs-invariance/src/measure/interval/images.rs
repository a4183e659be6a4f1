//! Intervals over test images.

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
    if num_images < 2 {
        return Err(IntervalError::TooFew {
            what: "images",
            found: num_images,
            needed: 2,
        });
    }
    let mut counts = vec![1; num_images];
    let estimate = figure(&counts).ok_or(IntervalError::NoFigure)?;
    let mut values = options.resample(seed, |rng| {
        counts.fill(0);
        for _ in 0..num_images {
            counts[draw(rng, num_images)] += 1;
        }
        // Sorted behind all numbers.
        figure(&counts).unwrap_or(f64::NAN)
    })?;
    values.truncate(values.partition_point(|value| !value.is_nan()));
    if values.is_empty() {
        return Err(IntervalError::NoFigure);
    }
    Ok(options.interval(estimate, num_images, &values))
}
