//! Combines the results of all models for one classifier on one stage of one data set.

use std::path::Path;
use std::sync::Arc;

use vidpairs_pipeline::ProbeName;
use vidpairs_run::RunError;
use vidpairs_types::LeftOut;

use super::judge::{Judge, Judged};
use super::protocol::neighbours_text;
use super::result::{ProbePair, ProbeProtocol, ProbeTable};
use super::subject::Subject;
use crate::run::left_out::add_left_out;

/// A table under construction.
pub(super) struct TableMaker {
    table: ProbeTable,
    /// Index and results of each model.
    judged: Vec<(usize, Judged)>,
}

impl TableMaker {
    pub fn new(
        (kind, path): (&str, &Path),
        stage: Option<String>,
        protocol: ProbeProtocol,
        subject: &Subject,
    ) -> Self {
        let table = ProbeTable {
            kind: kind.to_owned(),
            path: path.to_owned(),
            stage,
            protocol,
            classes: subject.classes.clone(),
            ..ProbeTable::default()
        };
        Self {
            table,
            judged: Vec::new(),
        }
    }

    /// Adds what was not used.
    pub fn leave_out(&mut self, left_out: &[LeftOut]) {
        add_left_out(&mut self.table.left_out, left_out);
    }

    /// Adds a warning unless it is there already.
    pub fn warn(&mut self, warning: String) {
        if !self.table.warnings.contains(&warning) {
            self.table.warnings.push(warning);
        }
    }

    /// Adds the results of the model with this index.
    ///
    /// - `num_train`: number of its training images.
    pub fn add(&mut self, model: usize, name: &str, num_train: usize, judged: Judged) {
        for warning in &judged.scores.warnings {
            self.warn(format!("{name}: {warning}"));
        }
        match self.judged.first() {
            None => {
                self.table.train_images = num_train;
                self.table.test_images = judged.test_images.len();
                self.table.chance = judged.chance;
            }
            Some((_, first)) if first.test_images != judged.test_images => self.warn(
                "models were tested on different images: some images could be read for one model only"
                    .to_owned(),
            ),
            Some(_) => {}
        }
        self.judged.push((model, judged));
    }

    /// Compares the models and returns the table, with an entry for each of `num_models` models.
    ///
    /// # Errors
    /// [`RunError::Lost`] if a difference cannot be computed.
    pub fn finish(self, num_models: usize, judge: &Judge<'_>) -> Result<ProbeTable, RunError> {
        let mut table = self.table;
        if table.protocol.probe == ProbeName::Knn.name() {
            table.protocol.classifier = neighbours_text(judge.settings, Some(table.train_images));
        }
        for (place, (a, first)) in self.judged.iter().enumerate() {
            for (b, second) in self.judged.iter().skip(place + 1) {
                if first.test_images != second.test_images {
                    continue;
                }
                let photographs = &first.photographs;
                let outcomes = || (Arc::clone(&first.outcome), Arc::clone(&second.outcome));
                let (of_first, of_second) = outcomes();
                let difference = judge.figure(photographs, move |counts| {
                    Some(of_second.score(counts)? - of_first.score(counts)?)
                })?;
                let (of_first, of_second) = outcomes();
                let top5 =
                    move |counts: &[u32]| Some(of_second.top5(counts)? - of_first.top5(counts)?);
                let top5_difference = match first.scores.top5.is_some() {
                    true => judge.figure(photographs, top5)?,
                    false => None,
                };
                table.pairs.extend(difference.map(|difference| ProbePair {
                    a: *a,
                    b: *b,
                    difference,
                    top5_difference,
                }));
            }
        }
        table.models.resize(num_models, None);
        for (model, judged) in self.judged {
            table.models[model] = Some(judged.scores);
        }
        Ok(table)
    }
}
