//! Writes the files of each sequence, then a line of the journal.

use std::fmt::Write as _;
use std::sync::Arc;

use vidpairs_run::{Journal, Progress, RunError};
use vidpairs_types::parallel::Sink;

use super::data::{Sequence, TrackDataKind};
use super::follow::Track;
use super::job::Output;
use super::journal::Done;
use crate::track::TrackerKind;

/// Writer of the results.
pub(super) struct Writer {
    pub sequences: Arc<[Sequence]>,
    pub journal: Journal<Done>,
    pub done: Vec<Done>,
    pub workers: usize,
    pub progress: Progress,
}

impl Sink<Result<Output, RunError>> for Writer {
    type Error = RunError;

    fn push(&mut self, output: Result<Output, RunError>) -> Result<(), RunError> {
        let Output { done, tracks } = output?;
        let out = self.journal.out();
        if let Some(sequence) = self.sequences.get(done.ordinal) {
            for (result, track) in done.results.iter().zip(&tracks) {
                let names = FileNames::of(sequence, result.tracker);
                out.write(&names.boxes, boxes_text(track).as_bytes())?;
                out.write(&names.times, column_text(&track.seconds, 8).as_bytes())?;
                let confidence = column_text(&track.confidence, 6);
                out.write(&names.confidence, confidence.as_bytes())?;
            }
        }
        self.journal.add(&done)?;
        self.journal.sync()?;
        for refusal in &done.refused {
            self.progress.refused(refusal);
        }
        self.done.push(done);
        self.progress.advance(1);
        Ok(())
    }

    fn tick(&mut self) {
        self.progress.tick();
    }
}

/// Paths of the files of one tracker on one sequence, below the output folder.
pub(super) struct FileNames {
    pub boxes: String,
    pub times: String,
    pub confidence: String,
}

impl FileNames {
    /// The layout that the toolkit of the data set reads: GOT-10k's expects a folder for each sequence, TrackingNet's server a folder
    /// with boxes only.
    pub fn of(sequence: &Sequence, tracker: TrackerKind) -> Self {
        let Sequence { data, name, .. } = sequence;
        let tracker = tracker.name();
        let named = |part: &str| match sequence.kind {
            TrackDataKind::TrackingNet => match part {
                "001" => format!("{data}/{tracker}/{name}.txt"),
                part => format!("{data}/{tracker}-{part}/{name}.txt"),
            },
            TrackDataKind::Got10k | TrackDataKind::Mot => {
                let file = name.rsplit('/').next().unwrap_or(name);
                format!("{data}/{tracker}/{name}/{file}_{part}.txt")
            }
        };
        Self {
            boxes: named("001"),
            times: named("time"),
            confidence: named("confidence"),
        }
    }
}

/// `x,y,w,h`, a line per frame.
fn boxes_text(track: &Track) -> String {
    track.boxes.iter().fold(String::new(), |mut text, bbox| {
        let [x, y, w, h] = <[f64; 4]>::from(*bbox);
        let _ = writeln!(text, "{x:.3},{y:.3},{w:.3},{h:.3}");
        text
    })
}

/// A number, a line per frame; `nan`, as NumPy writes it, for a frame without one.
fn column_text(numbers: &[f64], decimals: usize) -> String {
    numbers.iter().fold(String::new(), |mut text, number| {
        let _ = match number.is_nan() {
            true => writeln!(text, "nan"),
            false => writeln!(text, "{number:.decimals$}"),
        };
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_was_never_seen_is_nan() {
        assert_eq!(column_text(&[0.5, f64::NAN], 8), "0.50000000\nnan\n");
    }
}
