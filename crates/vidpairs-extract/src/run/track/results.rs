//! Writes the last files of a run: refusals, a line per sequence, the summary.

use std::fmt::Write as _;
use std::time::Instant;

use serde_json::json;
use vidpairs_run::RunError;
use vidpairs_types::{Outcome, Refusal};

use super::data::Sequence;
use super::journal::{Begin, Done};
use super::output::Writer;
use super::score::{Sum, TrackScore};
use super::summary::{SequenceScore, TrackSummary};
use crate::run::TrackRunError;

/// Summary of the run, written last.
pub(super) const SUMMARY_FILE: &str = "summary.json";
/// A line for each tracker on each sequence.
pub(super) const SEQUENCES_FILE: &str = "sequences.csv";
/// Tolerance for refused sequences, percent.
const MAX_REFUSED_PERCENT: u64 = 10;

/// Writes the last files and removes the journal.
pub(super) fn finish(
    writer: Writer,
    begin: &Begin,
    listed_refused: Vec<Refusal>,
    begun: Instant,
) -> Result<TrackSummary, RunError> {
    let (out, all) = (writer.journal.out(), &writer.done);
    let of_sequences = all.iter().flat_map(|done| &done.refused).cloned();
    let refused: Vec<Refusal> = listed_refused.into_iter().chain(of_sequences).collect();
    if all.iter().all(|done| done.results.is_empty()) {
        let first = refused
            .iter()
            .find(|refusal| refusal.outcome == Outcome::Refused);
        let (sequence, reason) = first.map_or_else(Default::default, |first| {
            (first.id.clone(), first.reason.clone())
        });
        return Err(TrackRunError::NothingTracked {
            num_sequences: begin.sequences,
            sequence,
            reason,
        }
        .into());
    }
    let summary = TrackSummary {
        workers: writer.workers,
        seconds: begun.elapsed().as_secs_f64(),
        ..summary(&writer.sequences, all, begin, &refused)
    };
    out.write_refusals(&refused)?;
    let table = csv(&summary.per_sequence);
    out.write(SEQUENCES_FILE, table.as_bytes())?;
    out.write_json(
        SUMMARY_FILE,
        &json!({
            "format_version": 1,
            "run": begin,
            "summary": summary,
            "per_sequence": summary.per_sequence,
        }),
    )?;
    writer.journal.finish()?;
    Ok(summary)
}

fn summary(
    sequences: &[Sequence],
    all: &[Done],
    begin: &Begin,
    refused: &[Refusal],
) -> TrackSummary {
    let mut data: Vec<&str> = Vec::new();
    for sequence in sequences {
        if !data.contains(&sequence.data.as_str()) {
            data.push(&sequence.data);
        }
    }
    let mut scores = Vec::new();
    for &tracker in &begin.trackers {
        let of = |name: Option<&str>| {
            let mut sum = Sum::default();
            for done in all {
                let is_in = sequences
                    .get(done.ordinal)
                    .is_some_and(|sequence| name.is_none_or(|name| sequence.data == name));
                let frames = done.scene.as_ref().map_or(0, |scene| scene.frames);
                let result = done
                    .results
                    .iter()
                    .find(|result| result.tracker == tracker && is_in);
                if let Some(result) = result {
                    sum.add(result, frames);
                }
            }
            sum.score(tracker.name(), name.unwrap_or("all"))
        };
        scores.extend(data.iter().map(|name| of(Some(name))));
        scores.extend((data.len() > 1).then(|| of(None)));
    }
    let is_refused = |done: &&Done| {
        done.refused
            .iter()
            .any(|refusal| refusal.outcome == Outcome::Refused)
    };
    let is_partial = |done: &&Done| {
        done.refused
            .iter()
            .any(|refusal| refusal.outcome == Outcome::Partial)
    };
    let num_refused_by_run = all.iter().filter(is_refused).count() as u64;
    let num_listed = refused.len() as u64
        - all
            .iter()
            .map(|done| done.refused.len() as u64)
            .sum::<u64>();
    let (num_refused, num_all) = (
        num_refused_by_run + num_listed,
        begin.sequences + num_listed,
    );
    TrackSummary {
        sequences: num_all,
        refused: num_refused,
        partial: all.iter().filter(is_partial).count() as u64,
        too_many_refused: 100 * num_refused > MAX_REFUSED_PERCENT * num_all,
        scores,
        per_sequence: per_sequence(sequences, all),
        workers: 0,
        seconds: 0.0,
        is_complete_already: false,
    }
}

fn per_sequence(sequences: &[Sequence], all: &[Done]) -> Vec<SequenceScore> {
    let mut rows = Vec::new();
    for done in all {
        let (Some(sequence), Some(scene)) = (sequences.get(done.ordinal), &done.scene) else {
            continue;
        };
        for result in &done.results {
            let mut sum = Sum::default();
            sum.add(result, scene.frames);
            let score = TrackScore {
                confidence: Vec::new(),
                success_curve: Vec::new(),
                ..sum.score(result.tracker.name(), &sequence.data)
            };
            rows.push(SequenceScore {
                sequence: sequence.id.clone(),
                label: scene.label.clone(),
                first_frame: scene.first_frame,
                frame_size: scene.frame_size,
                score,
            });
        }
    }
    rows
}

/// A heading and a line per row; unknown values are empty.
fn csv(rows: &[SequenceScore]) -> String {
    let mut text = "tracker,data,sequence,label,first_frame,frames,scored_frames,ao,sr50,sr75,success,precision,\
                    normalized_precision,start_ms,median_ms,p95_ms,updates_per_second,lost_share,brier_score\n"
        .to_owned();
    for row in rows {
        let score = &row.score;
        let number =
            |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.6}"));
        let speed = |value: fn(&crate::ope::Speed) -> f64| number(score.speed.as_ref().map(value));
        let words = [
            &score.tracker,
            &score.data,
            &row.sequence,
            row.label.as_deref().unwrap_or(""),
        ];
        let counts =
            [row.first_frame, score.frames, score.scored_frames].map(|count| count.to_string());
        let numbers = [
            number(score.ao),
            number(score.sr50),
            number(score.sr75),
            number(score.success),
            number(score.precision),
            number(score.normalized_precision),
            number(Some(score.start_ms)),
            speed(|times| times.median_ms),
            speed(|times| times.p95_ms),
            speed(|times| times.updates_per_second),
            number(Some(score.lost_share)),
            number(score.brier_score),
        ];
        let words = words.map(quoted);
        let line = words.iter().chain(&counts).chain(&numbers);
        let line: Vec<&str> = line.map(String::as_str).collect();
        let _ = writeln!(text, "{}", line.join(","));
    }
    text
}

/// A field of the table, in quotes if it holds a comma or a quote (RFC 4180).
fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_with_the_tables_own_signs_is_quoted() {
        assert_eq!(quoted("sports, ball"), "\"sports, ball\"");
        assert_eq!(quoted("8\" disc"), "\"8\"\" disc\"");
        assert_eq!(quoted("cat"), "cat");
    }
}
