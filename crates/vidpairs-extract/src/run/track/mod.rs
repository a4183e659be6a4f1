//! `vidpairs track`: one-pass evaluation of trackers over annotated video.
//!
//! Workers take sequences: a worker decodes the frames of one, shows each to every tracker, and compares what
//! they say with the truth. The caller's thread writes the results, in the order of the sequences. The boxes and
//! scores depend on the data and the trackers only, not on the workers, nor on how often the run was stopped;
//! the times are what this machine took with so many workers at once.

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
use crate::track::TrackerKind;

/// A frame takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(300);

/// What `vidpairs track` is asked to do.
#[derive(Debug, Clone)]
pub struct TrackOptions {
    /// Where the annotated video is.
    pub data: Vec<TrackData>,
    /// Video, or a folder of videos, for truth that lies elsewhere.
    pub media: Option<PathBuf>,
    /// Splits of TrackingNet and GOT-10k to take; the training splits if empty.
    pub splits: Vec<String>,
    /// Names of sequences to take, with `*` and `?`; all if empty.
    pub patterns: Vec<String>,
    /// Sequences of each data set at most.
    pub limit: Option<usize>,
    /// Which trackers to compare.
    pub trackers: Vec<TrackerKind>,
    /// OpenCV, where the program has it.
    pub opencv: Opencv,
    /// Where results go: an empty or new folder, or that of a stopped run with the same options.
    pub out: PathBuf,
    /// Threads, verbosity, and the wish to stop.
    pub control: Control,
}

/// Runs every tracker over every sequence; goes on where a stopped run with the same options was left.
///
/// # Errors
/// [`RunError`]. What was written stays, and the same call goes on from there.
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
    };
    let crew = control.crew(PATIENCE);
    let ended = run_ordered(num_done..num_all, Arc::new(job), &crew, &mut writer);
    writer.progress.finish();
    let safe = counted(writer.done.len() as u64, "sequence");
    ended.map_err(|end| broken(end, out, &safe))?;
    results::finish(writer, &ready.begin, ready.refused, begun)
        .map_err(|err| err.named_if_full(out, &safe))
}
