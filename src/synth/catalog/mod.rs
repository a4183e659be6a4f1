//! Objects to render: what there is, what it is called, and where its files lie.

use serde::{Deserialize, Serialize};

/// Which half of a catalogue an object belongs to, by a rule on its id alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Half {
    /// To train on.
    Training,
    /// To measure with: never in a training image.
    HeldOut,
}
