//! Result of a run, as an object and as a table.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};
use vidpairs_run::{REFUSED_FILE, counted};
use vidpairs_types::SizePx;

use super::score::TrackScore;

/// Result of `vidpairs track`; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackSummary {
    /// Number of sequences in all data sets.
    pub sequences: u64,
    /// Number of sequences on which at least one tracker failed.
    pub refused: u64,
    /// Number of sequences that were tracked although a part of them is missing.
    pub partial: u64,
    /// Whether more than a tenth of the sequences were refused.
    pub too_many_refused: bool,
    /// Scores of each tracker on each data set, and on all of them.
    pub scores: Vec<TrackScore>,
    /// A row for each tracker on each sequence.
    #[serde(skip)]
    pub per_sequence: Vec<SequenceScore>,
    /// Number of sequences tracked in parallel; more of them slow each update down.
    pub workers: usize,
    /// Time of the command that finished the run, seconds.
    pub seconds: f64,
    /// Whether the results were complete before this command.
    #[serde(default)]
    pub is_complete_already: bool,
}

/// Score of a tracker on one sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SequenceScore {
    /// Id of the sequence.
    pub sequence: String,
    /// Class of the object.
    pub label: Option<String>,
    /// Index in the video of the first frame.
    pub first_frame: u64,
    /// Size of the frames.
    pub frame_size: SizePx,
    /// Scores, without curves.
    #[serde(flatten)]
    pub score: TrackScore,
}

impl TrackSummary {
    /// A table with a row for each tracker on each sequence.
    pub fn sequence_table(&self) -> String {
        let row = |row: &SequenceScore| {
            let words = [&row.score.tracker, &row.score.data, &row.sequence].map(String::clone);
            [&words[..], &row.score.cells()].concat()
        };
        let headings = ["tracker", "data", "sequence"];
        table(&headings, self.per_sequence.iter().map(row))
    }

    fn score_table(&self) -> String {
        let row = |score: &TrackScore| {
            let words =
                [&score.tracker, &score.data, &score.sequences.to_string()].map(String::clone);
            [&words[..], &score.cells()].concat()
        };
        table(&["tracker", "data", "seqs"], self.scores.iter().map(row))
    }
}

/// A table with columns as wide as their widest cell. `headings` are followed by those of the scores. The first two columns are aligned
/// left, and so is a third called `sequence`.
fn table(headings: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let heading: Vec<String> = headings
        .iter()
        .chain(&TrackScore::HEADINGS)
        .map(|heading| (*heading).to_owned())
        .collect();
    let rows: Vec<Vec<String>> = std::iter::once(heading).chain(rows).collect();
    let is_word = |column: usize| {
        headings
            .get(column)
            .is_some_and(|heading| *heading != "seqs")
    };
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = width(column);
            match is_word(column) {
                true => format!("{cell:<width$}"),
                false => format!("{cell:>width$}"),
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

impl Display for TrackSummary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.score_table())?;
        write!(f, "{}", counted(self.sequences, "sequence"))?;
        if self.is_complete_already {
            write!(f, "; complete already, nothing was done")?;
        } else {
            let workers = counted(self.workers as u64, "worker");
            write!(f, " in {:.1} s with {workers}", self.seconds)?;
        }
        if self.refused + self.partial > 0 {
            let (refused, partial) = (self.refused, self.partial);
            write!(
                f,
                "; {refused} refused, {partial} partial: {REFUSED_FILE} says why"
            )?;
        }
        let counts = || {
            self.scores
                .iter()
                .map(|score| (&score.data, score.sequences))
        };
        if counts()
            .any(|(data, num)| counts().any(|(other, theirs)| other == data && theirs != num))
        {
            write!(
                f,
                "\nnote: not every tracker went through every sequence; those figures do not compare"
            )?;
        }
        Ok(())
    }
}
