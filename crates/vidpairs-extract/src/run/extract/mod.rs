//! `vidpairs extract`: video to shards of positive pairs.
//!
//! Workers take pieces of video through decode, sample, track, crop and encode; the caller's thread writes
//! what they make, in the order of the clips. The bytes depend on the source, the pipeline and its
//! seed; not on the workers, nor on how often the run was stopped.

mod entries;
mod finish;
mod job;
mod journal;
mod known;
mod output;
mod piece;
mod pieces;
mod planned;
mod progress;
mod record;
mod regions;
mod resume;
mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use vidpairs_pipeline::{Pipeline, Regions};
use vidpairs_run::{Control, RunError, Verbosity, broken, counted};
use vidpairs_types::parallel::run_in_pieces;

use self::job::ExtractJob;
use self::output::ShardSink;
use self::progress::{Counters, Display};
use self::regions::by_reason;
use self::resume::Start;
use crate::decode;
use crate::engine::Opencv;
use crate::propose::{ProposeError, ProposerKind};
use crate::run::ExtractError;
use crate::track::TrackError;

/// What `vidpairs extract` is asked to do.
#[derive(Debug, Clone)]
pub struct ExtractOptions {
    /// The experiment.
    pub pipeline: Pipeline,
    /// Where the clips are.
    pub source: PathBuf,
    /// Where shards go: an empty or new folder, or one of a stopped run of the same pipeline.
    pub out: PathBuf,
    /// Only try the refused clips of a finished run again.
    pub retry_refused: bool,
    /// OpenCV, where the program has it.
    pub opencv: Opencv,
    /// Threads, verbosity, and the wish to stop.
    pub control: Control,
}

/// What came of it; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExtractSummary {
    /// Clips of the source.
    pub clips: u64,
    /// Clips refused: damaged or unreadable.
    pub refused: u64,
    /// Clips left out by a rule.
    pub skipped: u64,
    /// Clips that gave pairs though something of them is missing.
    pub partial: u64,
    /// Pairs in the data set.
    pub pairs: u64,
    /// Shards in the data set.
    pub shards: u64,
    /// Bytes of all shards.
    pub bytes: u64,
    /// Frames decoded for this run, stops included.
    pub frames_decoded: u64,
    /// Frames through which at least one region was followed, stops included.
    pub frames_tracked: u64,
    /// Updates of trackers, back and forth, stops included.
    pub tracker_updates: u64,
    /// Tracklets of the data set.
    pub tracklets: u64,
    /// Those that were rejected, by reason.
    pub rejected_tracklets: BTreeMap<String, u64>,
    /// Seconds since this command was started.
    pub seconds: f64,
    /// Whether more clips were refused than `extract.max_refused` allows.
    pub too_many_refused: bool,
    /// Whether the data set was complete before this command.
    #[serde(skip)]
    pub is_complete_already: bool,
}

/// Extracts pairs; goes on where a stopped run of the same pipeline was left.
///
/// # Errors
/// [`RunError`]. What was written stays, and the same call goes on from there.
pub fn extract(options: &ExtractOptions) -> Result<ExtractSummary, RunError> {
    let start = Instant::now();
    check_engines(options)?;
    let (out, control) = (&options.out, &options.control);
    decode::set_ffmpeg_log(control.verbosity >= Verbosity::Verbose);
    let ready = resume::start(options).map_err(|err| err.named_if_full(out, "0 pairs"))?;
    let ready = match ready {
        Start::Complete(summary) => return Ok(*summary),
        Start::From(ready) => *ready,
    };
    let work = ready.work();
    let num_done = ready.progress.entries_done;
    let mut display = Display::new(control, work.len() as u64 + num_done, num_done);
    let counters = Arc::new(Counters::default());
    let patience = Duration::from_secs(u64::from(options.pipeline.extract.video_timeout_seconds));
    let job = ExtractJob {
        pipeline: options.pipeline.clone(),
        counters: Arc::clone(&counters),
        patience,
        opencv: options.opencv,
    };
    let mut sink = ShardSink {
        out: out.clone(),
        limits: options.pipeline.shards,
        entries: Arc::clone(&ready.entries.list),
        first_shard: ready.begin.first_shard,
        journal: ready.journal,
        progress: ready.progress,
        writer: ready.writer,
        tracks: ready.tracks,
        counters: Arc::clone(&counters),
        display: &mut display,
    };
    let crew = control.crew(patience);
    let ended = run_in_pieces(work.into_iter(), Arc::new(job), &crew, &mut sink);
    let safe = counted(sink.progress.pairs, "pair");
    let outcome = ended.map_err(|end| broken(end, out, &safe)).and_then(|()| {
        finish::finish(sink, options, &ready.begin, start)
            .map_err(|err| err.named_if_full(out, &safe))
    });
    display.end(&counters);
    outcome
}

/// Whether this program has everything that the pipeline names.
fn check_engines(options: &ExtractOptions) -> Result<(), ExtractError> {
    let Some(Regions { proposals, tracker }) = &options.pipeline.regions else {
        return Ok(());
    };
    let (kind, has_opencv) = (tracker.name, options.opencv.is_some());
    if kind.is_opencv() && !has_opencv {
        return Err(TrackError::NoOpencv { kind }.into());
    }
    let kind = proposals.kind;
    if kind == ProposerKind::SelectiveSearch && !has_opencv {
        return Err(ProposeError::NoOpencv { kind }.into());
    }
    Ok(())
}

impl std::fmt::Display for ExtractSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = indicatif::HumanBytes(self.bytes);
        let (pairs, clips) = (counted(self.pairs, "pair"), counted(self.clips, "clip"));
        write!(
            f,
            "{pairs} of {clips} in {}, {bytes}",
            counted(self.shards, "shard")
        )?;
        if self.is_complete_already {
            write!(f, "; complete already, nothing was done")?;
        } else {
            let frames = counted(self.frames_decoded, "frame");
            write!(f, "; {frames} decoded in {:.1} s", self.seconds)?;
        }
        if self.tracklets > 0 {
            let num_rejected: u64 = self.rejected_tracklets.values().sum();
            let tracklets = counted(self.tracklets, "tracklet");
            write!(f, "; {num_rejected} of {tracklets} rejected")?;
            if num_rejected > 0 {
                write!(f, " ({})", by_reason(&self.rejected_tracklets))?;
            }
        }
        let Self {
            refused,
            skipped,
            partial,
            ..
        } = self;
        if refused + skipped + partial > 0 {
            let refused = counted(*refused, "clip");
            write!(
                f,
                "; {refused} refused, {skipped} skipped, {partial} partial: refused.jsonl beside the shards says why"
            )?;
        }
        Ok(())
    }
}
