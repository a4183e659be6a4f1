//! What of a run fits on a page: the sequences that went worst, what was said of each frame, some pictures.
//!
//! Read from the result files, the truth and the video: a run that was complete before can be shown too.

mod choose;
mod files;
mod pictures;

use std::collections::BTreeMap;
use std::sync::Arc;

use vidpairs_run::RunError;
use vidpairs_run::refusals::{self, SetAside};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{BoxXywh, SizePx};

use self::choose::frames_to_show;
use self::files::{read_boxes, read_column};
use super::data::{Sequence, Sequences};
use super::output::FileNames;
use super::summary::SequenceScore;
use super::truth::Truth;
use super::{TrackOptions, TrackSummary};
use crate::ope::got10k;
use crate::track::TrackerKind;

/// Pictures of a sequence.
const NUM_PICTURES: usize = 8;

/// What of a run is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackSample {
    /// The sequences that went worst, the worst first.
    pub sequences: Vec<SampledSequence>,
    /// What was not tracked, or not as a whole, by reason.
    pub set_aside: SetAside,
}

/// A sequence, and what the trackers said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledSequence {
    /// The data set, as it is called in the output.
    pub data: String,
    /// Its id there.
    pub id: String,
    /// The object's class.
    pub label: Option<String>,
    /// Index in the video of the first frame.
    pub first_frame: u64,
    /// Size of the frames.
    pub frame_size: SizePx,
    /// The true box of each frame that is scored.
    pub truth: Vec<Option<BoxXywh>>,
    /// In the order of the command line, without those that failed.
    pub tracks: Vec<SampledTrack>,
    /// From the first frame to the last.
    pub pictures: Vec<SampledFrame>,
}

/// What one tracker said of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledTrack {
    /// Which.
    pub tracker: TrackerKind,
    /// Average overlap.
    pub ao: Option<f64>,
    /// A box per frame.
    pub boxes: Vec<BoxXywh>,
    /// Its overlap with the true one, where the frame is scored.
    pub overlaps: Vec<Option<f64>>,
    /// The stated confidence, where the frame was seen.
    pub confidence: Vec<Option<f64>>,
}

/// A frame to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledFrame {
    /// Place in the sequence, from 0.
    pub frame: usize,
    /// A small JPEG, or why there is none.
    pub jpeg: Result<Vec<u8>, String>,
}

/// The `max` sequences in which the trackers did worst (by the mean of their average overlaps), the worst first;
/// those without a score last.
///
/// # Errors
/// [`RunError`] if a result file cannot be read, or somebody asked to stop.
pub fn sample_tracks(
    options: &TrackOptions,
    summary: &TrackSummary,
    max: usize,
) -> Result<TrackSample, RunError> {
    let heartbeat = Arc::new(Heartbeat::new(Arc::clone(&options.control.cancel)));
    let listed = Sequences::list(options)?.list;
    let mut sequences = Vec::new();
    for rows in worst_first(&summary.per_sequence).into_iter().take(max) {
        let Some(first) = rows.first() else { continue };
        let is_it = |it: &&Sequence| it.data == first.score.data && it.id == first.sequence;
        let Some(sequence) = listed.iter().find(is_it) else {
            continue;
        };
        sequences.extend(sample(options, sequence, &rows, &heartbeat)?);
        if heartbeat.should_stop() {
            return Err(RunError::Stopped);
        }
    }
    let set_aside = refusals::read(&options.out)?;
    Ok(TrackSample {
        sequences,
        set_aside,
    })
}

fn worst_first(all: &[SequenceScore]) -> Vec<Vec<&SequenceScore>> {
    let mut groups: BTreeMap<(&str, &str), Vec<&SequenceScore>> = BTreeMap::new();
    for row in all {
        let key = (row.score.data.as_str(), row.sequence.as_str());
        groups.entry(key).or_default().push(row);
    }
    let mean = |rows: &Vec<&SequenceScore>| {
        let known: Vec<f64> = rows.iter().filter_map(|it| it.score.ao).collect();
        match known.len() {
            0 => f64::INFINITY,
            num => known.iter().sum::<f64>() / num as f64,
        }
    };
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
    groups
}

/// `None` where the truth cannot be read any more.
fn sample(
    options: &TrackOptions,
    sequence: &Sequence,
    rows: &[&SequenceScore],
    heartbeat: &Arc<Heartbeat>,
) -> Result<Option<SampledSequence>, RunError> {
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let num_in_video = row.first_frame + row.score.frames;
    let Ok(truth) = Truth::read(sequence, num_in_video) else {
        return Ok(None);
    };
    let mut tracks = Vec::new();
    for &tracker in &options.trackers {
        let Some(row) = rows.iter().find(|it| it.score.tracker == tracker.name()) else {
            continue;
        };
        let names = FileNames::of(sequence, tracker);
        let boxes = read_boxes(&options.out.join(names.boxes))?;
        tracks.push(SampledTrack {
            tracker,
            ao: row.score.ao,
            overlaps: got10k::overlaps(&boxes, &truth.boxes, row.frame_size),
            confidence: read_column(&options.out.join(names.confidence))?,
            boxes,
        });
    }
    let overlaps: Vec<_> = tracks.iter().map(|it| it.overlaps.as_slice()).collect();
    let frames = frames_to_show(truth.boxes.len(), &overlaps, NUM_PICTURES);
    let pictures = pictures::read(sequence.media(), truth.first_frame, &frames, heartbeat);
    Ok(Some(SampledSequence {
        data: sequence.data.clone(),
        id: sequence.id.clone(),
        label: row.label.clone(),
        first_frame: truth.first_frame,
        frame_size: row.frame_size,
        truth: truth.boxes,
        tracks,
        pictures,
    }))
}
