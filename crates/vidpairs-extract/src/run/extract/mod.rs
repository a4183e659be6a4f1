//! Runs `vidpairs extract`: turns video into shards of positive pairs.
//!
//! Workers take pieces of video through decode, sample, track, crop and encode. The caller's thread writes the records in the order of
//! the clips. The bytes depend on the source, the pipeline and its seed; not on the number of workers or of stops.

mod even;
mod fetch;
mod finish;
mod job;
mod journal;
mod known;
mod output;
mod parts;
mod piece;
mod pieces;
mod plan;
mod planned;
mod progress;
mod record;
mod regions;
mod resume;
mod rounds;
mod same;
mod stored_out;
mod view;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use vidpairs_pipeline::{Pipeline, Regions};
use vidpairs_run::{Control, RunError, StateFile, Verbosity, broken, counted};
use vidpairs_shard::{BoxCounts, CutCounts, Part};
use vidpairs_source::IgnoredFiles;
use vidpairs_store::store_url;
use vidpairs_types::parallel::run_in_pieces;

use self::fetch::Fetcher;
pub use self::fetch::Scratch;
use self::job::{ExtractJob, Item};
use self::output::ShardSink;
use self::progress::{Counters, Display};
use self::regions::by_reason;
use self::resume::Start;
use self::stored_out::StoredOut;
use crate::decode;
use crate::engine::Opencv;
use crate::propose::{ProposeError, ProposerKind};
use crate::run::ExtractError;
use crate::run::entries::Entry;
use crate::run::faults::Faults;
use crate::track::TrackError;

/// Options of `vidpairs extract`.
#[derive(Debug, Clone)]
pub struct ExtractOptions {
    /// Settings of the experiment.
    pub pipeline: Pipeline,
    /// Path or URL of the clips: a data set, a folder, a file, or a list of files.
    pub source: PathBuf,
    /// Where clips of an object store are fetched to, and where the files of an output folder in a store are written first.
    pub scratch: Scratch,
    /// Path or URL of the output folder: new, empty, or of a stopped run of the same pipeline.
    pub out: PathBuf,
    /// The part of the clips to extract, into a folder of its own below `out`; `None` for all clips, into `out` itself.
    pub part: Option<Part>,
    /// Whether to retry only the refused clips of a finished run.
    pub retry_refused: bool,
    /// OpenCV; `None` in a program without.
    pub opencv: Opencv,
    /// Threads, verbosity, and the signal to stop.
    pub control: Control,
}

/// Result of `vidpairs extract`; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExtractSummary {
    /// Number of clips in the source, and of other inputs of it that are listed in `refused.jsonl`.
    pub clips: u64,
    /// Number of refused clips: damaged or unreadable.
    pub refused: u64,
    /// Number of skipped clips: sound, but excluded by a rule.
    pub skipped: u64,
    /// Number of clips that gave pairs although a part of them is missing.
    pub partial: u64,
    /// Number of files of the source that are neither videos nor pictures of a clip, by extension.
    pub ignored: BTreeMap<String, u64>,
    /// Number of pairs in the data set.
    pub pairs: u64,
    /// Number of shards in the data set.
    pub shards: u64,
    /// Size of all shards, bytes.
    pub bytes: u64,
    /// Number of frames decoded, resumed work included.
    pub frames_decoded: u64,
    /// Number of frames through which at least one region was tracked, resumed work included.
    pub frames_tracked: u64,
    /// Number of tracker updates, forward and backward, resumed work included.
    pub tracker_updates: u64,
    /// Number of tracklets in the data set.
    pub tracklets: u64,
    /// Number of rejected tracklets by reason.
    pub rejected_tracklets: BTreeMap<String, u64>,
    /// Shot cuts, and the pairs that they cost; only if no pair may span one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuts: Option<CutCounts>,
    /// Annotated boxes, and those left out by reason; only if each box is an image of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boxes: Option<BoxCounts>,
    /// Time since the start of this command, seconds.
    pub seconds: f64,
    /// Whether more clips were refused than `extract.max_refused` allows.
    pub too_many_refused: bool,
    /// Whether the data set was complete before this command.
    #[serde(skip)]
    pub is_complete_already: bool,
}

/// Extracts pairs, or resumes a stopped run of the same pipeline.
///
/// # Errors
/// [`RunError`]. Finished work stays, and the same call resumes after it.
pub fn extract(options: &ExtractOptions) -> Result<ExtractSummary, RunError> {
    check_engines(options)?;
    let url = store_url(&options.out);
    even::check(options, url.is_some())?;
    match url {
        None => extract_into(&options.in_folder(), None),
        Some(url) => stored_out::extract_to(url, options, |local, stored| {
            extract_into(&local.in_folder(), Some(stored))
        }),
    }
}

/// Extracts into a folder of this machine.
///
/// - `stored`: the output folder, if it is in a store.
fn extract_into(
    options: &ExtractOptions,
    mut stored: Option<&mut StoredOut>,
) -> Result<ExtractSummary, RunError> {
    let start = Instant::now();
    let (out, control) = (&options.out, &options.control);
    decode::set_ffmpeg_log(control.verbosity >= Verbosity::Verbose);
    let ready = resume::start(options, stored.as_deref()).map_err(|err| of_part(err, options));
    let ready = ready.map_err(|err| err.named_if_full(out, "0 pairs"))?;
    let ready = match ready {
        Start::Complete(summary) => return Ok(*summary),
        Start::From(ready) => *ready,
    };
    if let Some(stored) = &mut stored {
        stored.begin(&ready)?;
    }
    let work = ready.work();
    let num_done = ready.progress.entries_done;
    let num_entries = work.len() as u64 + num_done;
    let mut display = Display::new(control, num_entries, num_done);
    let counters = Arc::new(Counters::default());
    let patience = Duration::from_secs(u64::from(options.pipeline.extract.video_timeout_seconds));
    let fetcher = match &ready.entries.store {
        None => None,
        Some(store) => {
            let is_clip = |item: &Item| matches!(*item.entry, Entry::Clip { .. });
            let clips = work.iter().filter(|item| is_clip(item)).cloned().collect();
            let (store, cancel) = (Arc::clone(store), Arc::clone(&control.cancel));
            Some(Fetcher::start(clips, store, &options.scratch, cancel)?)
        }
    };
    let queue = fetcher.as_ref().map(|fetcher| Arc::clone(&fetcher.queue));
    let job = ExtractJob {
        pipeline: options.pipeline.clone(),
        counters: Arc::clone(&counters),
        patience,
        opencv: options.opencv,
        faults: match &queue {
            Some(queue) => Faults::of_scratch(queue.folder()),
            // With a list, also a folder that vanished alone is no fault of its clips.
            None => {
                let list = ready.entries.list_xxh64.map(|_| options.source.as_path());
                Faults::of_sources([ready.entries.root.as_path()].into_iter().chain(list))
            }
        },
        queue: queue.clone(),
    };
    let mut sink = ShardSink {
        folder: even::folder_of(out, &ready.begin, &options.pipeline.shards)?,
        limits: options.pipeline.shards,
        entries: Arc::clone(&ready.entries.list),
        is_listed: ready.entries.list_xxh64.is_some(),
        first_shard: ready.begin.shard(0),
        state: StateFile::new(out, num_done, num_entries),
        journal: ready.journal,
        progress: ready.progress,
        writer: ready.writer,
        tracks: ready.tracks,
        queue,
        stored,
        counters: Arc::clone(&counters),
        display: &mut display,
    };
    let crew = control.crew(patience);
    let ended = run_in_pieces(work.into_iter(), Arc::new(job), &crew, &mut sink);
    let safe = counted(sink.progress.pairs, "pair");
    let outcome = ended.map_err(|end| broken(end, out, &safe)).and_then(|()| {
        finish::finish(sink, options, &ready.begin, &ready.entries.ignored, start)
            .map_err(|err| err.named_if_full(out, &safe))
    });
    display.end(&counters);
    outcome
}

/// An error of the folder of a part, with what to do: another `--out` would be that of another run.
fn of_part(err: RunError, options: &ExtractOptions) -> RunError {
    let problem = match &err {
        RunError::NotOurs { found, out: folder } if *folder == options.out => {
            format!("it holds {found}, but no dataset.json and no journal")
        }
        RunError::Journal { path } => format!("its journal {} is damaged", path.display()),
        _ => return err,
    };
    match options.part {
        Some(_) => ExtractError::DamagedPart {
            out: options.out.clone(),
            problem,
        }
        .into(),
        None => err,
    }
}

impl ExtractOptions {
    /// The same options with the folder of the part as output folder.
    fn in_folder(&self) -> Self {
        let mut options = self.clone();
        if let Some(part) = self.part {
            options.out.push(part.folder());
        }
        options
    }
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
        if self.pairs == 0 {
            write!(f, "; there is nothing to train on")?;
        }
        if self.tracklets > 0 {
            let num_rejected: u64 = self.rejected_tracklets.values().sum();
            let tracklets = counted(self.tracklets, "tracklet");
            write!(f, "; {num_rejected} of {tracklets} rejected")?;
            if num_rejected > 0 {
                write!(f, " ({})", by_reason(&self.rejected_tracklets))?;
            }
        }
        if let Some(cuts) = self.cuts.filter(|cuts| cuts.clips > 0) {
            let (found, clips) = (counted(cuts.cuts, "cut"), counted(cuts.clips, "clip"));
            let moved = counted(cuts.moved, "pair");
            let left_out = cuts.left_out;
            write!(
                f,
                "; {found} in {clips}: {moved} drawn anew, {left_out} left out"
            )?;
        }
        if let Some(boxes) = &self.boxes {
            let (num, annotated) = (boxes.num_left_out(), boxes.annotated);
            write!(
                f,
                "; {num} of {} left out",
                counted(annotated, "annotated object")
            )?;
            if num > 0 {
                write!(f, " ({})", by_reason(&boxes.left_out))?;
            }
        }
        if !self.ignored.is_empty() {
            let by_extension = self.ignored.clone();
            write!(f, "; ignored {}", IgnoredFiles { by_extension })?;
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
