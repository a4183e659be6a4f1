//! Runs `vidpairs track`: one-pass evaluation of trackers on annotated video.
//!
//! A worker decodes the frames of one sequence, updates every tracker with each frame, and scores the boxes against the truth. The
//! caller's thread writes the results in the order of the sequences. Boxes and scores depend on the data and the trackers only, not on
//! the number of workers or of stops; times depend on the machine and on the number of workers.

mod data;
mod follow;
mod job;
mod journal;
mod output;
mod pattern;
mod results;
mod sample;
mod score;
mod start;
mod summary;
mod truth;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use data::{TrackData, TrackDataKind};
pub use sample::{SampledFrame, SampledSequence, SampledTrack, TrackSample, sample_tracks};
pub use score::TrackScore;
pub use summary::{SequenceScore, TrackSummary};

use vidpairs_run::{Control, Progress, RunError, Unit, Verbosity, broken, counted};
use vidpairs_types::parallel::run_ordered;

use self::job::TrackJob;
use self::output::Writer;
use self::start::Start;
use crate::decode;
use crate::engine::Opencv;
use crate::run::faults::Faults;
use crate::track::TrackerKind;

/// Time without progress after which a sequence is given up; a frame takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(300);

/// Options of `vidpairs track`.
#[derive(Debug, Clone)]
pub struct TrackOptions {
    /// Annotated data sets.
    pub data: Vec<TrackData>,
    /// Video, or a folder of videos, if the truth lies elsewhere.
    pub media: Option<PathBuf>,
    /// Splits of TrackingNet and GOT-10k; empty for the training splits.
    pub splits: Vec<String>,
    /// Names of sequences, with `*` and `?`; empty for all.
    pub patterns: Vec<String>,
    /// Maximum number of sequences of each data set.
    pub limit: Option<usize>,
    /// Trackers to compare.
    pub trackers: Vec<TrackerKind>,
    /// OpenCV; `None` in a program without.
    pub opencv: Opencv,
    /// Output folder: new, empty, or of a stopped run with the same options.
    pub out: PathBuf,
    /// Threads, verbosity, and the signal to stop.
    pub control: Control,
}

/// Runs every tracker on every sequence, or resumes a stopped run with the same options.
///
/// # Errors
/// [`RunError`]. Finished work stays, and the same call resumes after it.
pub fn track(options: &TrackOptions) -> Result<TrackSummary, RunError> {
    let begun = Instant::now();
    let (out, control) = (&options.out, &options.control);
    decode::set_ffmpeg_log(control.verbosity >= Verbosity::Verbose);
    let started = start::start(options).map_err(|err| err.named_if_full(out, "0 sequences"))?;
    let ready = match started {
        Start::Complete(summary) => return Ok(*summary),
        Start::Open(ready) => *ready,
    };
    let (num_done, num_all) = (ready.done.len(), ready.sequences.len());
    let unit = Unit::Things("sequence");
    let mut writer = Writer {
        sequences: Arc::clone(&ready.sequences),
        journal: ready.journal,
        done: ready.done,
        workers: control.workers,
        progress: Progress::new(unit, num_all as u64, num_done as u64, control.verbosity),
    };
    let job = TrackJob {
        sequences: ready.sequences,
        trackers: options.trackers.clone(),
        opencv: options.opencv,
        faults: Faults::of_sources(
            (options.data.iter().map(|data| data.root.as_path())).chain(options.media.as_deref()),
        ),
    };
    let crew = control.crew(PATIENCE);
    let ended = run_ordered(num_done..num_all, Arc::new(job), &crew, &mut writer);
    writer.progress.finish();
    let safe = counted(writer.done.len() as u64, "sequence");
    ended.map_err(|end| broken(end, out, &safe))?;
    results::finish(writer, &ready.begin, ready.refused, begun)
        .map_err(|err| err.named_if_full(out, &safe))
}
