//! Reads the scores of models: `invariance.json` and `probe.json`.

use std::fs;
use std::path::{Path, absolute};

use serde::de::DeserializeOwned;
use serde_json::Value;
use vidpairs_invariance::run::probe::ProbeSummary;
use vidpairs_invariance::run::{InvarianceSummary, LeftOutGroup, MeasuredModel};
use vidpairs_run::ResultsKind;

use super::parsed;

/// Largest number of images in a cell of a confusion, far below where sums overflow.
const MAX_COUNT: usize = 1 << 40;

/// Scores of models, and the training runs that the models come from.
#[derive(Debug, Clone)]
pub struct Measured<S> {
    /// The scores.
    pub summary: S,
    /// For each model, the index of its run in [`Experiment::runs`](super::Experiment::runs); `None` if it was not read.
    pub runs: Vec<Option<usize>>,
}

/// Scores of several models, as a command writes them.
pub trait Summary: DeserializeOwned {
    /// The models.
    fn models(&self) -> &[MeasuredModel];

    /// A list whose length or whose indices do not fit the others, in words; `None` if all fit.
    fn misfit(&self) -> Option<&'static str>;
}

impl<S: Summary> Measured<S> {
    pub(super) fn read(dir: &Path, kind: ResultsKind, json: &Value) -> Result<Self, String> {
        let summary: S = parsed(dir, kind, json)?;
        if let Some(misfit) = summary.misfit() {
            let path = dir.join(kind.file());
            return Err(format!("{} is damaged: {misfit}", path.display()));
        }
        let runs = vec![None; summary.models().len()];
        Ok(Self { summary, runs })
    }

    /// Finds the runs of the models: their weights lie in the folder of the run, or below it.
    pub(super) fn link(&mut self, folders: &[&Path]) {
        for (model, run) in self.summary.models().iter().zip(&mut self.runs) {
            let file = fs::canonicalize(&model.file).or_else(|_| absolute(&model.file));
            *run = file.ok().and_then(|file| {
                let holds = |folder: &&Path| file.starts_with(folder);
                folders.iter().position(holds)
            });
        }
    }
}

impl Summary for InvarianceSummary {
    fn models(&self) -> &[MeasuredModel] {
        &self.models
    }

    fn misfit(&self) -> Option<&'static str> {
        let num = self.models.len();
        for panel in &self.panels {
            if panel.models.len() != num {
                return Some("a panel has not one entry for each model");
            }
            if panel
                .pairs
                .iter()
                .any(|pair| pair.a >= num || pair.b >= num)
            {
                return Some("a difference names a model that does not exist");
            }
            if !are_sound(&panel.left_out) {
                return Some("more names were left out than counted");
            }
        }
        None
    }
}

impl Summary for ProbeSummary {
    fn models(&self) -> &[MeasuredModel] {
        &self.models
    }

    fn misfit(&self) -> Option<&'static str> {
        let num = self.models.len();
        for table in &self.tables {
            let classes = table.classes.len();
            if table.models.len() != num {
                return Some("a table has not one entry for each model");
            }
            if table
                .pairs
                .iter()
                .any(|pair| pair.a >= num || pair.b >= num)
            {
                return Some("a difference names a model that does not exist");
            }
            let mut counts = (table.models.iter().flatten())
                .filter_map(|scores| scores.confusion.as_ref())
                .flat_map(|confusion| &confusion.counts);
            if counts
                .any(|&(of, answer, num)| of >= classes || answer >= classes || num > MAX_COUNT)
            {
                return Some("a confusion names a class that does not exist, or too many images");
            }
            if !are_sound(&table.left_out) {
                return Some("more names were left out than counted");
            }
        }
        None
    }
}

fn are_sound(groups: &[LeftOutGroup]) -> bool {
    groups.iter().all(|group| group.first.len() <= group.count)
}
