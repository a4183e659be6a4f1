//! The ways of proposing by name.

use serde::{Deserialize, Serialize};

/// Who proposes the regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProposerKind {
    /// Ours: regions merged from segments, scored by contrast, size and motion.
    Fast,
    /// OpenCV's selective search (Uijlings et al., 2013) on a small image.
    SelectiveSearch,
    /// Boxes all over the frame in a random order, whatever it shows: for tests, and as a control.
    Grid,
}

impl ProposerKind {
    /// All of them, ours first.
    pub const ALL: &'static [Self] = &[Self::Fast, Self::SelectiveSearch, Self::Grid];

    /// Whether OpenCV provides it.
    pub fn is_opencv(self) -> bool {
        self == Self::SelectiveSearch
    }

    /// The name used in pipeline files, on the command line and in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::SelectiveSearch => "selective-search",
            Self::Grid => "grid",
        }
    }
}
