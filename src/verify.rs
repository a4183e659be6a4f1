//! Runs `vidpairs verify`: checks every byte of the shards and the tracklets against its checksums.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use vidpairs_run::{RunError, Verbosity, counted};
use vidpairs_shard::{
    ClipSpan, Damage, Fault, Manifest, ShardEntry, ShardError, ShardVerdict, TracksEntry,
    verify_manifest, verify_shard, verify_tracks,
};
use vidpairs_types::parallel::{
    Cancel, Crew, Ended, Heartbeat, Job, Loss, Planned, Sink, run_ordered,
};

/// Time without a byte after which a read is given up.
const PATIENCE: Duration = Duration::from_secs(600);

/// Result of `vidpairs verify`; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VerifySummary {
    /// Number of shards.
    pub shards: u64,
    /// Number of records found.
    pub records: u64,
    /// Size of all shards according to the manifest, bytes.
    pub bytes: u64,
    /// All damage, in the order of the shards.
    pub damage: Vec<Damage>,
}

impl std::fmt::Display for VerifySummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for damage in &self.damage {
            writeln!(f, "{damage}")?;
        }
        let (records, shards) = (
            counted(self.records, "record"),
            counted(self.shards, "shard"),
        );
        let bytes = indicatif::HumanBytes(self.bytes);
        match self.damage.len() as u64 {
            0 => write!(f, "{records} in {shards}, {bytes}: no damage"),
            found => write!(
                f,
                "{records} in {shards}, {bytes}: {}",
                counted(found, "fault")
            ),
        }
    }
}

/// Checks the finished data set in `dir` on `workers` threads, with a progress bar on a terminal unless `verbosity` is quiet. Damage is
/// a result, not an error.
///
/// # Errors
/// [`RunError`] if there is no readable manifest, or `cancel` was set.
pub fn verify(
    dir: &Path,
    workers: usize,
    verbosity: Verbosity,
    cancel: &Arc<Cancel>,
) -> Result<VerifySummary, RunError> {
    let manifest = Manifest::read(dir)?;
    let damage = verify_manifest(dir, &manifest)?;
    let bytes_done = Arc::new(AtomicU64::new(0));
    let job = VerifyJob {
        dir: dir.to_owned(),
        bytes_done: Arc::clone(&bytes_done),
    };
    let crew = Crew {
        workers,
        window: 2 * workers,
        patience: PATIENCE,
        cancel: Arc::clone(cancel),
    };
    let (shards, bytes) = (manifest.shards.len() as u64, manifest.totals.bytes);
    let tracks_bytes = manifest.tracks.as_ref().map_or(0, |tracks| tracks.bytes);
    let summary = VerifySummary {
        shards,
        records: 0,
        bytes,
        damage,
    };
    let mut verdicts = Verdicts {
        summary,
        error: None,
        pairs: HashMap::new(),
        bar: bar(bytes + tracks_bytes, verbosity),
        bytes_done,
    };
    let parts = manifest.shards.into_iter().map(Part::Shard);
    let ended = run_ordered(
        parts.chain(manifest.tracks.map(Part::Tracks)),
        Arc::new(job),
        &crew,
        &mut verdicts,
    );
    verdicts.bar.finish_and_clear();
    match (ended.map_err(RunError::Thread)?, verdicts.error) {
        (_, Some(err)) => Err(err.into()),
        (Ended::Complete, None) => Ok(verdicts.summary),
        (Ended::Cancelled | Ended::Broken, None) => Err(RunError::Stopped),
    }
}

/// Every byte is read twice: for the checksum of its tar, and as part of its record.
fn bar(bytes: u64, verbosity: Verbosity) -> ProgressBar {
    if verbosity == Verbosity::Quiet {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{wide_bar} {percent} %, {binary_bytes_per_sec}, {eta} left");
    ProgressBar::new(2 * bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A file of the data set.
#[derive(Clone)]
enum Part {
    Shard(ShardEntry),
    Tracks(TracksEntry),
}

impl Part {
    fn file(&self) -> &str {
        match self {
            Self::Shard(shard) => &shard.file,
            Self::Tracks(tracks) => &tracks.file,
        }
    }
}

struct VerifyJob {
    dir: PathBuf,
    bytes_done: Arc<AtomicU64>,
}

impl Job for VerifyJob {
    type Item = Part;
    type Piece = ();
    type Output = Result<ShardVerdict, ShardError>;

    fn plan(&self, part: Part, heartbeat: &Arc<Heartbeat>) -> Planned<(), Self::Output> {
        let keep_going = |bytes: u64| {
            self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
            heartbeat.beat();
            !heartbeat.should_stop()
        };
        let verdict = match &part {
            Part::Shard(shard) => verify_shard(&self.dir, shard, &keep_going),
            Part::Tracks(tracks) => verify_tracks(&self.dir, tracks, &keep_going),
        };
        Planned::Done(verdict.ok_or_else(|| unreadable(&self.dir.join(part.file()), "stopped")))
    }

    fn work(&self, (): (), _: &Arc<Heartbeat>) -> Self::Output {
        Err(unreadable(&self.dir, "a file is one piece"))
    }

    fn lost_item(&self, part: Part, loss: Loss) -> Self::Output {
        Err(unreadable(
            &self.dir.join(part.file()),
            &format!("{loss:?}"),
        ))
    }

    fn lost_piece(&self, (): (), _: Loss) -> Self::Output {
        Err(unreadable(&self.dir, "a file is one piece"))
    }
}

fn unreadable(path: &Path, why: &str) -> ShardError {
    ShardError::Read {
        path: path.to_owned(),
        source: std::io::Error::other(why.to_owned()),
    }
}

struct Verdicts {
    summary: VerifySummary,
    /// Number of the last pair so far, by clip.
    pairs: HashMap<u64, u64>,
    bar: ProgressBar,
    bytes_done: Arc<AtomicU64>,
    error: Option<ShardError>,
}

impl Sink<Result<ShardVerdict, ShardError>> for Verdicts {
    fn push(&mut self, verdict: Result<ShardVerdict, ShardError>) -> ControlFlow<()> {
        match verdict {
            Ok(verdict) => {
                self.summary.records += verdict.records;
                self.summary.damage.extend(verdict.damage);
                for ClipSpan { clip, first, last } in verdict.clips {
                    let before = self.pairs.insert(clip, last);
                    if let Some(last) = before.filter(|&before| before >= first) {
                        let fault = Fault::PairsTwice { clip, first, last };
                        let damage = Damage::of_file(&verdict.file, fault);
                        self.summary.damage.push(damage);
                    }
                }
                ControlFlow::Continue(())
            }
            Err(err) => {
                self.error = Some(err);
                ControlFlow::Break(())
            }
        }
    }

    fn tick(&mut self) {
        self.bar
            .set_position(self.bytes_done.load(Ordering::Relaxed));
    }
}
