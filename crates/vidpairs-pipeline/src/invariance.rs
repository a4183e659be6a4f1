//! Declares the table `[invariance]`.

use super::error::PipelineError;
use super::extract::RunKeys;
use super::rule::{Number, Optional, Whole, Wholes, Word};
use super::settings::Settings;
use super::values::{NumberFormat, PoolName, StageName};

table! {
    /// `[invariance]` and the random seed: measuring of invariances.
    #[derive(Debug, Clone, PartialEq)]
    "invariance" struct Measure {
        /// Random seed.
        seed: u64 => |settings| RunKeys::seed.get(settings);
        /// Numbers of most invariant units of a target over which a score is averaged (K), ascending, at least one number.
        top: Vec<u32> = [10, 25], Wholes("[10, 25]"), "units";
        /// Share of the units over which Goodfellow's score is averaged, the most invariant ones.
        goodfellow_share: f64 = 0.2, Number(0.001..=1.0), "ratio";
        /// Stage of the encoder whose output is pooled to the measured units: of a ResNet, or after each quarter of the blocks of a ViT.
        /// `layer4` gives the output of the network.
        stage: StageName = "layer4", Word;
        /// Pooling of the stage to units. `auto` is what the architecture was trained with: the class token of a ViT, but the mean of its
        /// patches if its last norm is `fc_norm`; the mean of a ResNet's map, which has no class token.
        pool: PoolName = "auto", Word;
        /// Side of the square to which an image is resized.
        size_px as "size": Option<u32> = (|_| Ok(None), "the data set's, 128 or 224"), Optional(Whole(16..=1024)), "px";
        /// Number format of the encoder's convolutions.
        numbers: NumberFormat = "f32", Word;
        /// Bootstrap resamples of the classes for a confidence interval.
        resamples: u32 = 1000, Whole(100..=100_000), "resamples";
        /// Maximum number of query images in retrieval. If there are more images, evenly spaced ones are queries.
        queries: u32 = 10000, Whole(1..=10_000_000), "images";
    }
}

/// Reads the random seed and `[invariance]`.
///
/// # Errors
/// The first refused setting.
pub(crate) fn measure(settings: &Settings) -> Result<Measure, PipelineError> {
    let measure = Measure::from_settings(settings)?;
    if measure.top.is_empty() {
        let expected = "a list of at least one whole number, such as [10, 25]";
        return Err(settings.refusal(Measure::top.path, expected));
    }
    Ok(measure)
}
