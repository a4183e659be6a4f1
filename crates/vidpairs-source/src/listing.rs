//! Clips and refusals of a source.

use std::path::Path;

use vidpairs_types::{Clip, Outcome, Refusal, Stage};

/// Contents of a source.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// Clips, at least one, sorted by the bytes of their ids, which are unique.
    pub clips: Vec<Clip>,
    /// Inputs that look like clips but cannot be used, sorted by id.
    pub refused: Vec<Refusal>,
    /// Number of other files, which are neither videos nor part of the layout.
    pub ignored: u64,
}

impl Listing {
    /// Adds a damaged or unreadable input.
    pub(crate) fn refuse(&mut self, id: &str, path: &Path, reason: impl Into<String>) {
        let retry = "repair it under the same name, then run the same command with --retry-refused; if it is removed or \
                     renamed, use a new --out";
        self.add(Outcome::Refused, id, path, reason.into(), retry);
    }

    /// Adds a sound input that a rule excludes.
    pub(crate) fn skip(&mut self, id: &str, path: &Path, reason: impl Into<String>) {
        self.add(Outcome::Skipped, id, path, reason.into(), "nothing to do");
    }

    /// Number of clips and refusals.
    pub(crate) fn num_inputs(&self) -> usize {
        self.clips.len() + self.refused.len()
    }

    fn add(&mut self, outcome: Outcome, id: &str, path: &Path, reason: String, retry: &str) {
        self.refused.push(Refusal {
            id: id.to_owned(),
            path: path.display().to_string(),
            outcome,
            stage: Stage::Source,
            reason,
            retry: retry.to_owned(),
        });
    }
}
