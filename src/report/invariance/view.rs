//! What the page and the tables are made from: plain values, in percent and words.

use crate::report::page::Fact;
use crate::report::picture::Picture;

/// Several models on several invariances. All text is escaped where it is set; a number that is not finite counts as
/// not known, and is neither drawn nor written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InvariancePage {
    /// Its name.
    pub title: String,
    /// What was measured, in one line.
    pub headline: String,
    /// Facts in the order in which they are shown.
    pub facts: Vec<Fact>,
    /// The models, in the order of everything that is told of each.
    pub models: Vec<ModelName>,
    /// Which score the plots and the tables show; the others are in the full table and the CSV.
    pub shown: ScoreKind,
    /// One for each invariance of each data set, in the order in which they are shown.
    pub panels: Vec<Panel>,
}

/// A model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelName {
    /// Short: it stands beside its marks.
    pub name: String,
    /// What else is to be known of it, in a few words; may be empty.
    pub note: String,
}

/// Which number a score is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScoreKind {
    /// The Representation Invariance Score as its definition has it, over the K best units of each target.
    Formula {
        /// How many units count.
        k: usize,
    },
    /// The same as the authors' script computes it.
    PublishedCode {
        /// How many units count.
        k: usize,
    },
    /// The measure of Goodfellow et al. 2009: one set of units for all targets.
    Goodfellow,
}

/// One invariance of one data set: nothing in it may be compared with another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Panel {
    /// `Viewpoint`.
    pub invariance: String,
    /// `ALOI`.
    pub data_set: String,
    /// Where its images or features are, as it was given. The CSV tells it; the page and the table where another panel has the
    /// same invariance and data set.
    pub path: String,
    /// What a set is, in one line: `72 views of one object on a turntable`.
    pub about: String,
    /// How much was scored.
    pub counts: Counts,
    /// What units should respond to.
    pub target: TargetWord,
    /// Which images are left out as neighbours, in words: `views less than 60 degrees away`.
    pub near: String,
    /// What retrieval finds by chance, percent.
    pub retrieval_chance: Option<f64>,
    /// Of each of [`InvariancePage::models`]; `None` for one that was not scored.
    pub models: Vec<Option<ModelResult>>,
    /// Two models against each other. The page draws the first [`MAX_PAIRS`](super::MAX_PAIRS).
    pub pairs: Vec<PairedScores>,
    /// What to know before trusting a number of this panel, a sentence each.
    pub warnings: Vec<String>,
    /// What the data set names and was not scored.
    pub left_out: Vec<LeftOutNote>,
}

/// What was scored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Images.
    pub images: usize,
    /// Sets of images.
    pub sets: usize,
    /// Classes or objects.
    pub targets: usize,
}

/// What a target is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TargetWord {
    /// Several things of a kind.
    #[default]
    Class,
    /// One thing.
    Object,
}

/// What one model does on one invariance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelResult {
    /// Width of its representation.
    pub num_units: usize,
    /// One of each kind.
    pub scores: Vec<Score>,
    /// Share of the images whose nearest neighbour is the same object or class, percent.
    pub retrieval: Option<Estimate>,
    /// Score of every target under [`InvariancePage::shown`], percent, in any order.
    pub target_scores: Vec<f64>,
    /// Units chosen by the formula, most invariant first. The page shows the first [`MAX_UNITS`](super::MAX_UNITS).
    pub units: Vec<UnitCard>,
    /// The most invariant targets, the best first. The page shows the first [`MAX_TARGETS`](super::MAX_TARGETS).
    pub most: Vec<TargetCard>,
    /// The least invariant targets, the worst first; as many.
    pub least: Vec<TargetCard>,
}

/// A number and its 95 % interval.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Estimate {
    /// Percent.
    pub value: f64,
    /// Lower and upper end, percent: of a bootstrap over targets, unless it is said otherwise.
    pub interval: Option<[f64; 2]>,
}

/// A score and the levels it is to be read against.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Which.
    pub kind: ScoreKind,
    /// Percent, with its interval over targets.
    pub estimate: Estimate,
    /// Lower and upper end of the interval over sets, percent.
    pub interval_over_sets: Option<[f64; 2]>,
    /// What Gaussian features of the same shape get, percent.
    pub control_gaussian: Option<f64>,
    /// What the model's features get when they are shuffled over the images, percent.
    pub control_shuffled: Option<f64>,
    /// The highest that can be reached, percent.
    pub ceiling: Option<f64>,
}

/// A unit of a model, and what fires it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnitCard {
    /// Its place in the representation, from 0.
    pub unit: usize,
    /// The target it responds to.
    pub target: String,
    /// Share of the target's images that fire it, percent.
    pub fires_for_target: f64,
    /// Share of all images that fire it, percent.
    pub fires_for_all: f64,
    /// Sets of the target.
    pub num_sets: usize,
    /// Images of the set of the target in which it fires most, in the order of what varies. The page shows at most
    /// [`MAX_PICTURES`](super::MAX_PICTURES), taken evenly.
    pub pictures: Vec<SetPicture>,
    /// How it goes while the transformation runs, where that has an order.
    pub curve: Option<Curve>,
}

/// An image of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct SetPicture {
    /// A thumbnail, some 100 to 160 px wide; or why it cannot be shown.
    pub picture: Result<Picture, String>,
    /// What varies, in a word: `40°`, `l3c2`.
    pub caption: String,
    /// Where it lies along the unit's curve: degrees of azimuth, or which of the names from 0; `None` where that is not known.
    pub place: Option<f64>,
    /// Whether it fires the unit; `None` where no unit is meant.
    pub fires: Option<bool>,
}

/// A unit over the transformation.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Where the values lie.
    pub along: Along,
    /// What they are.
    pub quantity: Quantity,
    /// The target's first, then what it is to be seen against. Each has a value per place; `None` is a gap.
    pub lines: Vec<CurveLine>,
}

/// The places of a curve.
#[derive(Debug, Clone, PartialEq)]
pub enum Along {
    /// Degrees, 0 up to 360; the curve closes.
    Azimuth(Vec<f64>),
    /// Names of lights, colours, covers, in their order.
    Named(Vec<String>),
}

/// What a curve shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// Share of the images that fire, 0 to 1.
    Share,
    /// The unit's mean response, in its own unit.
    Response {
        /// Where it begins to fire.
        threshold: f64,
        /// Whether it fires above the threshold, or below it.
        fires: Side,
    },
}

/// A side of a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where responses are greater.
    Above,
    /// Where responses are less.
    Below,
}

/// One line of a curve.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CurveLine {
    /// `object 17`, `all others`.
    pub name: String,
    /// In the order of the places.
    pub values: Vec<Option<f64>>,
}

/// A class or an object, and its score.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TargetCard {
    /// Its name.
    pub name: String,
    /// Percent.
    pub score: f64,
    /// Some of its images. The page shows at most [`MAX_TARGET_PICTURES`](super::MAX_TARGET_PICTURES), taken evenly.
    pub pictures: Vec<SetPicture>,
}

/// Two models on the same targets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PairedScores {
    /// Place of A in [`InvariancePage::models`].
    pub a: usize,
    /// Place of B.
    pub b: usize,
    /// One per target.
    pub points: Vec<PairedPoint>,
    /// B less A in [`InvariancePage::shown`], percentage points.
    pub difference: Estimate,
    /// B less A in retrieval, percentage points.
    pub retrieval_difference: Option<Estimate>,
}

/// A target's scores under two models.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PairedPoint {
    /// The target.
    pub name: String,
    /// Under A, percent.
    pub a: f64,
    /// Under B, percent.
    pub b: f64,
}

/// What was left out for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOutNote {
    /// How many.
    pub count: usize,
    /// Why.
    pub reason: String,
    /// The first of them; the page names at most [`MAX_NAMES`](super::MAX_NAMES).
    pub first: Vec<String>,
}

impl Default for ScoreKind {
    fn default() -> Self {
        Self::Formula { k: 10 }
    }
}

impl ScoreKind {
    /// `RIS, top 10`.
    pub fn words(self) -> String {
        match self {
            Self::Formula { k } => format!("RIS, top {k}"),
            Self::PublishedCode { k } => format!("RIS as published code has it, top {k}"),
            Self::Goodfellow => "Goodfellow 2009".to_owned(),
        }
    }

    /// `formula`, `published-code`, `goodfellow`: as in files.
    pub fn version(self) -> &'static str {
        match self {
            Self::Formula { .. } => "formula",
            Self::PublishedCode { .. } => "published-code",
            Self::Goodfellow => "goodfellow",
        }
    }

    /// How many units of each target count; not told for Goodfellow's.
    pub fn k(self) -> Option<usize> {
        match self {
            Self::Formula { k } | Self::PublishedCode { k } => Some(k),
            Self::Goodfellow => None,
        }
    }
}

impl TargetWord {
    /// One of them.
    pub fn one(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Object => "object",
        }
    }

    /// Several.
    pub fn many(self) -> &'static str {
        match self {
            Self::Class => "classes",
            Self::Object => "objects",
        }
    }
}

impl ModelResult {
    /// Its score of a kind.
    pub fn score(&self, kind: ScoreKind) -> Option<&Score> {
        self.scores.iter().find(|it| it.kind == kind)
    }
}

impl Score {
    /// The higher of the two controls: below it nothing was learnt.
    pub fn control(&self) -> Option<f64> {
        let both = [self.control_gaussian, self.control_shuffled];
        let known = both.into_iter().flatten().filter(|it| it.is_finite());
        known.reduce(f64::max)
    }
}
