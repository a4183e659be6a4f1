//! Which scores are wanted.

use std::fmt;

/// A way of computing the score. In all of them a unit fires for images that lie strictly beyond its threshold, and what a
/// unit is worth to a target is `I = L / G`: its firing rate on the target's sets over its firing rate on all images.
///
/// Every score is given in percent, `100 * G * I`, so that a unit that fires for all that it should and nothing else has 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// The definition, as the paper prints it.
    ///
    /// `G = 1 / C` for `C` targets; `L_y` is the mean over the sets of target `y` of the share of the set's images for which the unit
    /// fires. Every set counts, whatever its size.
    ///
    /// Our choices: a unit's threshold is the smallest of its values above which at most `floor(N / C)` images lie, so
    /// images at the threshold do not fire and a constant unit scores 0; `I` is divided by the nominal `G`, so nothing scores
    /// more than 100; of the two signs a unit has the one with the larger sum of `I_y` over the targets, the positive one
    /// where they are equal; a class that no set's first image has is no target.
    Formula,
    /// What the authors' program computes.
    ///
    /// `G = max(1 / C, 5 %)`, `C` the number of classes that images have. The thresholds are the values at place
    /// `int(N * (100 - 100 G) // 100)` of a unit's values sorted up (positive sign) and down (negative); `G_i` is the share of
    /// images at or above the first. In each set of at least 3 images the sign for which more images fire is taken, and `L`
    /// is the mean over those sets of a class in which any fires. `I = L / G_i`, and the score is `100 * G * I`.
    PublishedCode,
    /// Goodfellow et al., 2009: no targets; the same units for all inputs.
    ///
    /// `G = 1 %`; `L` is the mean over the sets in which the unit fires at all of the share of the set's images for
    /// which it fires; the score is the mean over the top share of units ([`ScoreOptions::top_share`]).
    ///
    /// Our choices: thresholds as in [`Version::Formula`], for `max(floor(N / 100), 1)` images; the sign with the larger `L`, the positive
    /// one where they are equal; a unit that fires in no set scores 0; sets of one image, in which every unit would be perfect, are left
    /// out.
    Goodfellow,
}

impl Version {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Formula, Self::PublishedCode, Self::Goodfellow];

    /// `formula`, `published-code` or `goodfellow`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Formula => "formula",
            Self::PublishedCode => "published-code",
            Self::Goodfellow => "goodfellow",
        }
    }

    /// The version of that [`name`](Self::name).
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == name)
    }

    /// How many images a set must have.
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

/// What is to be scored.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreOptions {
    /// At least one.
    pub versions: Vec<Version>,
    /// `K`: for each target the mean over its `K` best units is taken, over all `D` where there are fewer. At least one, each at least
    /// 1. [`Version::Goodfellow`] has `top_share` instead.
    pub top: Vec<usize>,
    /// Of [`Version::Goodfellow`]: the share of the units, best first, that are averaged; above 0, at most 1. Rounded to whole units,
    /// at least one.
    pub top_share: f64,
}

impl Default for ScoreOptions {
    /// All versions; 10 and 25, as in the paper; a share of 20 %, which is our choice.
    fn default() -> Self {
        Self {
            versions: Version::ALL.to_vec(),
            top: vec![10, 25],
            top_share: 0.2,
        }
    }
}

/// An option is out of range. Stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {value}; expected {expected}")]
pub struct OptionError {
    /// Its name.
    pub key: &'static str,
    /// As it was given.
    pub value: String,
    /// What is accepted.
    pub expected: &'static str,
}

impl ScoreOptions {
    /// # Errors
    /// [`OptionError`].
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

    /// How many of `num_units` units the share is, at least 1.
    pub(super) fn num_in_share(&self, num_units: usize) -> usize {
        ((self.top_share * num_units as f64).round() as usize).clamp(1, num_units.max(1))
    }
}
