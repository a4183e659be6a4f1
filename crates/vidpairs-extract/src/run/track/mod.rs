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

use indicatif::{ProgressBar, ProgressStyle};

pub use data::{TrackData, TrackDataKind};
pub use sample::{SampledFrame, SampledSequence, SampledTrack, TrackSample, sample_tracks};
pub use score::TrackScore;
pub use summary::{SequenceScore, TrackSummary};

use vidpairs_run::{RunError, Verbosity, counted};
use vidpairs_types::parallel::{Cancel, Crew, Ended, run_ordered};

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
    /// Worker threads, at least 1.
    pub workers: usize,
    /// How much to tell.
    pub verbosity: Verbosity,
    /// Ends the run from outside.
    pub cancel: Arc<Cancel>,
}

/// Runs every tracker over every sequence; goes on where a stopped run with the same options was left.
///
/// # Errors
/// [`RunError`]. What was written stays, and the same call goes on from there.
pub fn track(options: &TrackOptions) -> Result<TrackSummary, RunError> {
    let begun = Instant::now();
    decode::set_ffmpeg_log(options.verbosity >= Verbosity::Verbose);
    let named = |err: RunError, done| err.named_if_full(&options.out, &counted(done, "sequence"));
    let ready = match start::start(options).map_err(|err| named(err, 0))? {
        Start::Complete(summary) => return Ok(*summary),
        Start::From(ready) => *ready,
    };
    let (num_done, num_all) = (ready.done.len(), ready.sequences.len());
    let mut writer = Writer {
        out: options.out.clone(),
        sequences: Arc::clone(&ready.sequences),
        journal: ready.journal,
        done: ready.done,
        workers: options.workers,
        bar: bar(options, num_done, num_all),
        verbosity: options.verbosity,
        error: None,
    };
    let job = TrackJob {
        sequences: ready.sequences,
        trackers: options.trackers.clone(),
        opencv: options.opencv,
    };
    let crew = Crew {
        workers: options.workers,
        window: 2 * options.workers,
        patience: PATIENCE,
        cancel: Arc::clone(&options.cancel),
    };
    let ended = run_ordered(num_done..num_all, Arc::new(job), &crew, &mut writer);
    writer.bar.finish_and_clear();
    let num_done = writer.done.len() as u64;
    match (ended.map_err(RunError::Thread)?, writer.error.take()) {
        (_, Some(err)) => Err(named(err, num_done)),
        (Ended::Complete, None) => results::finish(writer, &ready.begin, ready.refused, begun)
            .map_err(|err| named(err, num_done)),
        (Ended::Cancelled | Ended::Broken, None) => Err(RunError::Interrupted {
            out: options.out.clone(),
            safe: counted(num_done, "sequence"),
        }),
    }
}

fn bar(options: &TrackOptions, num_done: usize, num_all: usize) -> ProgressBar {
    if options.verbosity == Verbosity::Quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(
        "{wide_bar} {human_pos} of {human_len} sequences, {per_sec}, {eta} left",
    );
    let bar = ProgressBar::new(num_all as u64);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_position(num_done as u64);
    bar.reset_eta();
    bar
}
