//! `[invariance]`: how invariances are measured. Plain words and numbers: nothing here knows libtorch.

use std::path::Path;

use serde::{Serialize, Serializer};

use super::error::PipelineError;
use super::settings::Settings;
use super::train::{NumberFormat, choice};
use super::{check, file_text};

choice! {
    /// Whose maps are averaged to the units that are measured.
    StageName {
        /// What stands before the blocks.
        Stem = "stem",
        /// The first stage.
        Layer1 = "layer1",
        /// The second stage.
        Layer2 = "layer2",
        /// The third stage.
        Layer3 = "layer3",
        /// The last stage: the pooled output.
        Layer4 = "layer4",
    }
}

/// `[invariance]`, and the seed above it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measure {
    /// Where all randomness of the measure starts.
    pub seed: u64,
    /// How many of a target's most invariant units are averaged: K. Ascending, at least one.
    pub top: Vec<u32>,
    /// Share of the units that Goodfellow's score averages, 0 to 1.
    pub goodfellow_share: f64,
    /// Which units.
    pub stage: StageName,
    /// Side of the square that an image is resized to; `None` for the data set's own.
    #[serde(rename = "size")]
    pub size_px: Option<u32>,
    /// What the encoder computes in.
    pub numbers: NumberFormat,
    /// Times that classes are drawn anew for an interval.
    pub resamples: u32,
    /// The most images whose nearest neighbour is looked for.
    pub queries: u32,
}

impl Measure {
    /// Reads `seed` and `[invariance]` of a pipeline file, if one is given, and `overrides` of the form `table.key=value` over
    /// them. What else the file holds is not looked at, but that its tables and keys exist.
    ///
    /// # Errors
    /// As [`super::Pipeline::read`].
    pub fn read(path: Option<&Path>, overrides: &[String]) -> Result<Self, PipelineError> {
        let (text, name) = match path {
            Some(path) => (file_text(path)?, path.display().to_string()),
            None => (String::new(), "defaults".to_owned()),
        };
        check::measure(&Settings::read(&text, &name, overrides)?)
    }
}
