//! Invariance scores of random features.

use rand::RngExt;
use rand_distr::StandardNormal;
use vidpairs_invariance::measure::{Features, Labels, ScoreOptions, Version, score};
use vidpairs_types::Seed;

/// Chance level of an invariance of ALOI.
pub struct ChanceLevel {
    /// Name of the invariance.
    pub invariance: &'static str,
    /// Number of images of each object.
    pub images_per_object: usize,
    /// Top-10 score of independent features of 2,048 units by the published code, percent; from `scripts/golden/chance.py`.
    pub exact: f64,
}

/// Chance levels of all invariances of ALOI.
pub const CHANCE_LEVELS: [ChanceLevel; 3] = [
    ChanceLevel {
        invariance: "viewpoint",
        images_per_object: 72,
        exact: 14.489,
    },
    ChanceLevel {
        invariance: "illumination direction",
        images_per_object: 24,
        exact: 22.717,
    },
    ChanceLevel {
        invariance: "illumination colour",
        images_per_object: 12,
        exact: 32.602,
    },
];

/// Top-10 score of standard normal features of 2,048 units by the published code, percent.
pub fn score_of_noise(
    num_objects: usize,
    images_per_object: usize,
) -> Result<f64, Box<dyn std::error::Error>> {
    const NUM_UNITS: usize = 2048;
    let num_images = num_objects * images_per_object;
    let rng = Seed::of_run(0)
        .for_step("noise", &num_images.to_string())
        .rng();
    let values: Vec<f32> = rng
        .sample_iter(StandardNormal)
        .take(num_images * NUM_UNITS)
        .collect();
    let features = Features::new(values, NUM_UNITS)?;
    let objects = (0..num_images).map(|image| (image / images_per_object) as u32);
    let labels = Labels::of_instances(&objects.collect::<Vec<_>>())?;
    let options = ScoreOptions {
        versions: vec![Version::PublishedCode],
        top: vec![10],
        ..ScoreOptions::default()
    };
    let scores = score(&features, &labels, &options)?;
    let top = scores.first().and_then(|score| score.top.first());
    Ok(top.ok_or("no score")?.mean)
}
