//! Versions of the score, and the options of scoring.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A way of computing the score. In every version a unit fires for images strictly beyond its threshold, and its invariance for a target
/// is `I = L / G`: its firing rate on the target's sets over its firing rate on all images.
///
/// Scores are given in percent, `100 * G * I`: a unit that fires for all images of a target and for no others scores 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Version {
    /// The definition in the paper.
    ///
    /// `G = 1 / C` for `C` targets; `L_y` is the mean over the sets of target `y` of the share of the set's images for which the unit
    /// fires. Every set counts, whatever its size.
    ///
    /// Our choices:
    /// - The threshold is the smallest of the unit's values above which at most `floor(N / C)` images lie. Images at the threshold do
    ///   not fire, so a constant unit scores 0.
    /// - `L` is divided by the nominal `G`, so no score exceeds 100.
    /// - The sign is the one with the larger sum of `I_y` over the targets, positive if they are equal.
    /// - A class is a target if it is the class of a set, which is the class of the set's first image.
    Formula,
    /// The computation of the authors' program.
    ///
    /// `G = max(1 / C, 5 %)`, where `C` is the number of classes of the images. The thresholds are the values at index
    /// `int(N * (100 - 100 G) // 100)` of the unit's values sorted ascending (positive sign) and descending (negative sign); `G_i` is
    /// the share of images at or above the first threshold. Each set of at least 3 images takes the sign for which more of its images
    /// fire. `L` is the mean over those sets of a class in which any image fires. `I = L / G_i`, and the score is `100 * G * I`.
    PublishedCode,
    /// Goodfellow et al., 2009: no targets; the same units for all inputs.
    ///
    /// `G = 1 %`. `L` is the mean, over the sets in which the unit fires, of the share of the set's images for which it fires. The score
    /// is the mean over the top share of units ([`ScoreOptions::top_share`]).
    ///
    /// Our choices:
    /// - Thresholds are set as in [`Version::Formula`], for `max(floor(N / 100), 1)` images.
    /// - The sign is the one with the larger `L`, positive if they are equal.
    /// - A unit that fires in no set scores 0.
    /// - Sets of one image, in which every unit would be perfect, are left out.
    Goodfellow,
}

impl Version {
    /// All versions.
    pub const ALL: [Self; 3] = [Self::Formula, Self::PublishedCode, Self::Goodfellow];

    /// `formula`, `published-code` or `goodfellow`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Formula => "formula",
            Self::PublishedCode => "published-code",
            Self::Goodfellow => "goodfellow",
        }
    }

    /// The version with this [`name`](Self::name).
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == name)
    }

    /// Smallest number of images with which a set counts.
    pub fn min_images(self) -> usize {
        match self {
            Self::Formula => 1,
            Self::PublishedCode => 3,
            Self::Goodfellow => 2,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Options of scoring.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreOptions {
    /// Versions to compute, at least one.
    pub versions: Vec<Version>,
    /// Values of `K`, at least one, each at least 1: the score of a target is the mean over its `K` best units, or over all `D` if
    /// there are fewer. [`Version::Goodfellow`] uses `top_share` instead.
    pub top: Vec<usize>,
    /// Share of the best units that [`Version::Goodfellow`] averages; above 0, at most 1. Rounded to whole units, at least one.
    pub top_share: f64,
}

impl Default for ScoreOptions {
    /// All versions; `K` of 10 and 25, as in the paper; a share of 20 %, our choice.
    fn default() -> Self {
        Self {
            versions: Version::ALL.to_vec(),
            top: vec![10, 25],
            top_share: 0.2,
        }
    }
}

/// An option out of range. Stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {value}; expected {expected}")]
pub struct OptionError {
    /// Name of the option.
    pub key: &'static str,
    /// Value given.
    pub value: String,
    /// Accepted values.
    pub expected: &'static str,
}

impl ScoreOptions {
    /// Checks the ranges.
    pub(super) fn check(&self) -> Result<(), OptionError> {
        let refuse = |key, value: String, expected| {
            Err(OptionError {
                key,
                value,
                expected,
            })
        };
        if self.versions.is_empty() {
            return refuse("versions", "empty".to_owned(), "at least one");
        }
        if self.top.is_empty() || self.top.contains(&0) {
            let value = format!("{:?}", self.top);
            return refuse("top", value, "numbers of units, each at least 1");
        }
        if !(self.top_share > 0.0 && self.top_share <= 1.0) {
            let value = self.top_share.to_string();
            return refuse("top_share", value, "a number above 0 and at most 1");
        }
        Ok(())
    }

    /// `top_share` as a number of units, at least 1.
    pub(super) fn num_in_share(&self, num_units: usize) -> usize {
        ((self.top_share * num_units as f64).round() as usize).clamp(1, num_units.max(1))
    }
}
