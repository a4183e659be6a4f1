//! The TOML file that names one experiment: read, override, check. Nothing below knows TOML.
//!
//! **Takes** a pipeline file and overrides of the form `table.key=value`.
//! **Gives** a [`Pipeline`]: every setting checked, every default filled in.
//! **Fails** with the key, its value, what is accepted, and the line, before any work is done.
//! **Source**: `pipelines/README.md` documents the keys.

mod accept;
mod check;
mod codec;
mod error;
mod invariance;
mod keys;
mod pair_rule;
mod proposer_kind;
mod settings;
mod suggest;
mod tables;
mod tracker_kind;
mod train;
mod trust_rules;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Serialize;

pub use codec::Codec;
pub use error::{PipelineError, Place};
pub use invariance::{Measure, StageName};
pub use pair_rule::{Anchors, KRange, PairRule, RegionRule, TrackRule};
pub use proposer_kind::ProposerKind;
use settings::{Settings, line_at};
pub use tables::{Extract, Images, MaxRefused, Pairs, Proposals, Regions, Shards, Source, Tracker};
pub use tracker_kind::TrackerKind;
pub use train::{
    Augment, ContrastKeys, MocoKeys, Network, NumberFormat, Pace, PirlKeys, ScheduleName, StemName,
    Train, TrainMethod, Views, WatchKeys,
};
pub use trust_rules::TrustRules;

/// The largest pipeline file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// One experiment: every setting, checked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pipeline {
    /// Where all randomness of a run starts.
    pub seed: u64,
    /// Where the clips are.
    pub source: Source,
    /// Which pairs to make.
    pub pairs: Pairs,
    /// How regions are found and followed; in kind `regions` alone.
    #[serde(flatten)]
    pub regions: Option<Regions>,
    /// How images are stored.
    pub images: Images,
    /// When a shard is full.
    pub shards: Shards,
    /// How a run bears bad inputs.
    pub extract: Extract,
    /// How views are made; no part of what was extracted.
    #[serde(skip)]
    pub augment: Augment,
    /// How encoders are trained; no part of what was extracted.
    #[serde(skip)]
    pub train: Train,
    /// How invariances are measured; no part of what was extracted.
    #[serde(skip)]
    pub measure: Measure,
}

impl Pipeline {
    /// Reads a pipeline file, and `overrides` of the form `table.key=value` over it.
    ///
    /// # Errors
    /// A file that cannot be read, is above 1 MiB or is not UTF-8; then as [`Pipeline::from_str`].
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self, PipelineError> {
        Self::from_str(&file_text(path)?, &path.display().to_string(), overrides)
    }

    /// The pipeline that `text` describes, `overrides` over it; `name` stands for the file in errors.
    ///
    /// # Errors
    /// Text that is not TOML; an unknown table or key; a required key that is missing; a value of
    /// the wrong type, out of range, or at odds with another. The first one found.
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
        check::pipeline(&Settings::read(text, name, overrides)?)
    }

    /// Every setting that training looks at, defaults included: `seed`, `[augment]` and `[train]`.
    pub fn resolved_training(&self) -> serde_json::Value {
        serde_json::json!({ "seed": self.seed, "augment": self.augment, "train": self.train })
    }

    /// Every setting that extraction looks at, defaults included, with the tables and keys of the file: the same value for
    /// the same experiment, however it was written.
    pub fn resolved(&self) -> serde_json::Value {
        // Keys are strings and numbers finite, so this cannot fail. Were it to, a text equals no
        // table, and no run is taken for another.
        serde_json::to_value(self).unwrap_or_else(|error| error.to_string().into())
    }
}

/// What a pipeline file holds.
///
/// # Errors
/// A file that cannot be read, is above 1 MiB or is not UTF-8.
fn file_text(path: &Path) -> Result<String, PipelineError> {
    let unreadable = |source| PipelineError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // Read with a limit, not measured first: a pipe or a device has no length to ask for.
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(PipelineError::TooLarge {
            path: path.to_owned(),
            max_bytes: MAX_FILE_BYTES,
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        PipelineError::NotUtf8 {
            place: Place::Line {
                file: path.display().to_string(),
                line: line_at(error.as_bytes(), valid),
            },
        }
    })
}

#[cfg(test)]
mod tests;
