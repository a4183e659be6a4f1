//! Samples a finished run for a page: the worst sequences with ground truth, boxes, overlaps and pictures of some frames.
//!
//! Reads result files, ground truth and video only, so a run that was complete before can be shown too.

mod choose;
mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

use vidpairs_run::RunError;
use vidpairs_run::refusals::{self, SetAside};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{BoxXywh, SizePx};

use self::choose::frames_to_show;
use self::read::{read_boxes, read_column, read_pictures};
use super::data::{Sequence, Sequences};
use super::output::FileNames;
use super::summary::SequenceScore;
use super::truth::Truth;
use super::{TrackOptions, TrackSummary};
use crate::ope::got10k;
use crate::run::faults::Faults;
use crate::track::TrackerKind;

/// Pictures of a sequence.
const NUM_PICTURES: usize = 8;

/// The part of a run that a page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackSample {
    /// The worst sequences, worst first.
    pub sequences: Vec<SampledSequence>,
    /// Sequences that were refused or tracked in part, by reason.
    pub set_aside: SetAside,
}

/// A sequence, its ground truth and its tracks.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledSequence {
    /// Name of the data set in the output.
    pub data: String,
    /// Id of the sequence in its data set.
    pub id: String,
    /// Class of the target.
    pub label: Option<String>,
    /// Index in the video of the first frame.
    pub first_frame: u64,
    /// Size of the frames.
    pub frame_size: SizePx,
    /// Ground-truth box of each frame; `None` if the frame is not scored.
    pub truth: Vec<Option<BoxXywh>>,
    /// In the order of the command line, without the trackers that failed.
    pub tracks: Vec<SampledTrack>,
    /// Some frames, ascending.
    pub pictures: Vec<SampledFrame>,
}

/// Result of one tracker on one sequence. Each vector has a value per frame.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledTrack {
    /// The tracker.
    pub tracker: TrackerKind,
    /// Average overlap.
    pub ao: Option<f64>,
    /// Boxes.
    pub boxes: Vec<BoxXywh>,
    /// Overlap with the ground truth, 0 to 1; `None` if the frame is not scored.
    pub overlaps: Vec<Option<f64>>,
    /// Stated confidence, 0 to 1; `None` if the frame was not decoded, and in the first frame, whose box is given.
    pub confidence: Vec<Option<f64>>,
}

/// Picture of a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledFrame {
    /// Index in the sequence.
    pub frame: usize,
    /// A small JPEG, or the reason why there is none.
    pub jpeg: Result<Vec<u8>, String>,
}

/// Samples the `max` sequences with the lowest mean of the trackers' average overlaps, the lowest first; sequences without a score
/// come last.
///
/// # Errors
/// [`RunError`] if a result file cannot be read, or the user stopped the command.
pub fn sample_tracks(
    options: &TrackOptions,
    summary: &TrackSummary,
    max: usize,
) -> Result<TrackSample, RunError> {
    let heartbeat = Arc::new(Heartbeat::new(Arc::clone(&options.control.cancel)));
    let listed = Sequences::list(options)?.list;
    let mut sequences = Vec::new();
    for rows in worst_first(&summary.per_sequence).into_iter().take(max) {
        let (data, id) = (&rows[0].score.data, &rows[0].sequence);
        let mut listed = listed.iter();
        let sequence = listed.find(|sequence| sequence.data == *data && sequence.id == *id);
        if let Some(sequence) = sequence {
            sequences.extend(sample(options, sequence, &rows, &heartbeat)?);
        }
        if heartbeat.should_stop() {
            return Err(RunError::Stopped);
        }
    }
    Ok(TrackSample {
        sequences,
        set_aside: refusals::read(&options.out)?,
    })
}

/// The rows of each sequence, at least one, by the mean of their average overlaps.
fn worst_first(all: &[SequenceScore]) -> Vec<Vec<&SequenceScore>> {
    let mut by_sequence: BTreeMap<(&str, &str), Vec<&SequenceScore>> = BTreeMap::new();
    for row in all {
        let key = (row.score.data.as_str(), row.sequence.as_str());
        by_sequence.entry(key).or_default().push(row);
    }
    let mean = |rows: &Vec<&SequenceScore>| {
        let known: Vec<f64> = rows.iter().filter_map(|row| row.score.ao).collect();
        match known.len() {
            0 => f64::INFINITY,
            num => known.iter().sum::<f64>() / num as f64,
        }
    };
    let mut sequences: Vec<_> = by_sequence.into_values().collect();
    sequences.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
    sequences
}

/// Reads one sequence; `None` if its ground truth is no longer readable.
///
/// - `rows`: scores of the trackers on the sequence, at least one.
fn sample(
    options: &TrackOptions,
    sequence: &Sequence,
    rows: &[&SequenceScore],
    heartbeat: &Arc<Heartbeat>,
) -> Result<Option<SampledSequence>, RunError> {
    let first = rows[0];
    let num_in_video = first.first_frame + first.score.frames;
    let Ok(truth) = Truth::read(sequence, num_in_video, &Faults::of_sources([])) else {
        return Ok(None);
    };
    let mut tracks = Vec::new();
    for &tracker in &options.trackers {
        let mut rows = rows.iter();
        let Some(row) = rows.find(|row| row.score.tracker == tracker.name()) else {
            continue;
        };
        let names = FileNames::of(sequence, tracker);
        let boxes = read_boxes(&options.out.join(names.boxes))?;
        let mut confidence = read_column(&options.out.join(names.confidence))?;
        if let Some(first) = confidence.first_mut() {
            *first = None;
        }
        tracks.push(SampledTrack {
            tracker,
            ao: row.score.ao,
            overlaps: got10k::overlaps(&boxes, &truth.boxes, row.frame_size),
            confidence,
            boxes,
        });
    }
    let overlaps: Vec<_> = tracks
        .iter()
        .map(|track| track.overlaps.as_slice())
        .collect();
    let frames = frames_to_show(truth.boxes.len(), &overlaps, NUM_PICTURES);
    let pictures = read_pictures(sequence.media(), truth.first_frame, &frames, heartbeat);
    Ok(Some(SampledSequence {
        data: sequence.data.clone(),
        id: sequence.id.clone(),
        label: first.label.clone(),
        first_frame: truth.first_frame,
        frame_size: first.frame_size,
        truth: truth.boxes,
        tracks,
        pictures,
    }))
}
