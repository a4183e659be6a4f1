//! Reads the TOML file of an experiment, applies overrides and checks every setting. No other crate reads TOML.
//!
//! **Takes** a pipeline file and overrides of the form `table.key=value`.
//! **Gives** a [`Pipeline`]: all settings, with their defaults.
//! **Fails** before any work, with the key, its value, the accepted values and the line.
//! **Source**: `pipelines/README.md` documents the keys; its tables are generated from the declarations in this crate.

#[macro_use]
mod key;

mod error;
mod extract;
mod invariance;
mod pairs;
mod probe;
mod rule;
mod settings;
mod train;
mod values;

use std::path::Path;

pub use error::{PipelineError, Place};
pub use extract::{Codec, Extract, Images, ObjectRule, Shards, Source};
pub use invariance::Measure;
pub use pairs::{
    Anchors, PairRule, Pairs, Proposals, RegionRule, Regions, TrackRule, Tracker, TrustRules,
};
pub use probe::Probe;
pub use train::{Augment, ContrastKeys, MocoKeys, PirlKeys, Train, WatchKeys};
pub use values::{
    CutRule, Framing, KRange, MaxRefused, Network, NumberFormat, Pace, PoolName, ProbeName,
    ProposerKind, ScheduleName, StageName, StemName, TrackerKind, TrainMethod, Views,
};

use extract::RunKeys;
use key::Group;
use pairs::PairKeys;
use settings::{KeyPath, Settings};

/// All keys, in the order of the documentation. The keys of a table are adjacent.
const GROUPS: &[Group] = &[
    RunKeys::GROUP,
    Source::GROUP,
    ObjectRule::GROUP,
    PairKeys::GROUP,
    RegionRule::GROUP,
    TrackRule::GROUP,
    Proposals::GROUP,
    Tracker::GROUP,
    TrustRules::GROUP,
    Images::GROUP,
    Codec::GROUP,
    Shards::GROUP,
    Extract::GROUP,
    Augment::GROUP,
    Train::GROUP,
    ContrastKeys::GROUP,
    MocoKeys::GROUP,
    PirlKeys::GROUP,
    WatchKeys::GROUP,
    Measure::GROUP,
    Probe::GROUP,
];

table! {
    /// Checked settings of one experiment.
    #[derive(Debug, Clone, PartialEq)]
    "" struct Pipeline {
        /// Random seed.
        seed: u64 => |settings| RunKeys::seed.get(settings);
        /// Input clips.
        source: Source => extract::source;
        /// Pairs to extract.
        pairs: Pairs => pairs::pairs;
        /// Proposing and tracking of regions; `None` unless the kind of pair is `regions`.
        #[serde(flatten)]
        regions: Option<Regions> => pairs::regions;
        /// Format of stored images.
        images: Images => Images::from_settings;
        /// Size or number of shards.
        shards: Shards => extract::shards;
        /// Tolerance for bad inputs.
        extract: Extract => Extract::from_settings;
        /// Views for training. Not serialized, since extraction does not depend on it.
        #[serde(skip)]
        augment: Augment => Augment::from_settings;
        /// Training of an encoder. Not serialized, since extraction does not depend on it.
        #[serde(skip)]
        train: Train => train::train;
        /// Measuring of invariances. Not serialized, since extraction does not depend on it.
        #[serde(skip)]
        measure: Measure => invariance::measure;
        /// Classifiers on frozen features. Not serialized, since extraction does not depend on it.
        #[serde(skip)]
        probe: Probe => probe::probe;
    }
}

impl Pipeline {
    /// Reads a pipeline file and applies `overrides` of the form `table.key=value`.
    ///
    /// # Errors
    /// A file that cannot be read, is larger than 1 MiB or is not UTF-8; then as [`Pipeline::from_str`].
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self, PipelineError> {
        let text = settings::read_file(path)?;
        Self::from_str(&text, &path.display().to_string(), overrides)
    }

    /// Reads a pipeline from `text` and applies `overrides`. Errors give `name` as the name of the file.
    ///
    /// # Errors
    /// The first of: text that is not TOML; an unknown table or key; a missing required key; a value of the wrong type,
    /// out of range, or in conflict with another one.
    ///
    /// # Examples
    /// ```
    /// use vidpairs_pipeline::Pipeline;
    /// let text = "[source]\nkind = 'videos'\n[pairs]\nkind = 'frames'\nk = -3";
    /// let error = Pipeline::from_str(text, "a.toml", &[]).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "a.toml line 5: pairs.k is -3; \
    ///      expected a whole number from 1 to 100000, or a range [low, high] of such"
    /// );
    /// let pipeline = Pipeline::from_str(text, "a.toml", &["pairs.k=30".to_owned()])?;
    /// assert_eq!(pipeline.pairs.k().map(|k| k.high), Some(30));
    /// # Ok::<(), vidpairs_pipeline::PipelineError>(())
    /// ```
    pub fn from_str(text: &str, name: &str, overrides: &[String]) -> Result<Self, PipelineError> {
        Self::from_settings(&Settings::parse(text, name, overrides, all_keys())?)
    }

    /// All settings that training depends on, with their defaults: `seed`, `[augment]` and `[train]`.
    pub fn resolved_training(&self) -> serde_json::Value {
        serde_json::json!({ "seed": self.seed, "augment": self.augment, "train": self.train })
    }

    /// All settings that extraction depends on, with their defaults, under the tables and keys of the file. Equal
    /// experiments give equal values, however the file was written.
    pub fn resolved(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("keys are strings, so settings always serialize")
    }
}

impl Measure {
    /// Reads `seed` and `[invariance]` of a pipeline file, if one is given, and applies `overrides` of the form
    /// `table.key=value`. Values of other keys are not checked.
    ///
    /// # Errors
    /// As [`Pipeline::read`].
    pub fn read(path: Option<&Path>, overrides: &[String]) -> Result<Self, PipelineError> {
        invariance::measure(&read_settings(path, overrides)?)
    }
}

impl Probe {
    /// Reads `seed` and `[probe]` of a pipeline file, if one is given, and applies `overrides` of the form `table.key=value`. Values of
    /// other keys are not checked.
    ///
    /// # Errors
    /// As [`Pipeline::read`].
    pub fn read(path: Option<&Path>, overrides: &[String]) -> Result<Self, PipelineError> {
        probe::probe(&read_settings(path, overrides)?)
    }
}

/// The settings of a pipeline file, if one is given, with `overrides`.
fn read_settings(path: Option<&Path>, overrides: &[String]) -> Result<Settings, PipelineError> {
    let (text, name) = match path {
        Some(path) => (settings::read_file(path)?, path.display().to_string()),
        None => (String::new(), "defaults".to_owned()),
    };
    Settings::parse(&text, &name, overrides, all_keys())
}

fn all_keys() -> Vec<KeyPath> {
    let groups = GROUPS.iter().map(|group| group.keys);
    groups.flatten().copied().collect()
}

#[cfg(test)]
mod tests;
