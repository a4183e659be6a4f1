//! Runs `vidpairs verify`: checks every byte of the shards and the tracklets against its checksums.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use vidpairs_run::{Control, Progress, RunError, Unit, counted, loss_reason, stopped};
use vidpairs_shard::{
    ClipSpan, Damage, Fault, Manifest, ShardEntry, ShardError, ShardVerdict, TracksEntry,
    verify_manifest, verify_shard, verify_tracks,
};
use vidpairs_types::parallel::{Heartbeat, Job, Loss, Sink, run_ordered};

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
pub fn verify(dir: &Path, control: &Control) -> Result<VerifySummary, RunError> {
    let manifest = Manifest::read(dir)?;
    let damage = verify_manifest(dir, &manifest)?;
    let bytes_done = Arc::new(AtomicU64::new(0));
    let job = VerifyJob {
        dir: dir.to_owned(),
        bytes_done: Arc::clone(&bytes_done),
    };
    let (shards, bytes) = (manifest.shards.len() as u64, manifest.totals.bytes);
    let tracks_bytes = manifest.tracks.as_ref().map_or(0, |tracks| tracks.bytes);
    // Every byte is read twice: for the checksum of its tar, and as a part of its record.
    let all_bytes = 2 * (bytes + tracks_bytes);
    let mut verdicts = Verdicts {
        summary: VerifySummary {
            shards,
            records: 0,
            bytes,
            damage,
        },
        pairs: HashMap::new(),
        progress: Progress::new(Unit::Bytes, all_bytes, 0, control.verbosity),
        bytes_done,
    };
    let parts = manifest.shards.into_iter().map(Part::Shard);
    run_ordered(
        parts.chain(manifest.tracks.map(Part::Tracks)),
        Arc::new(job),
        &control.crew(PATIENCE),
        &mut verdicts,
    )
    .map_err(stopped)?;
    Ok(verdicts.summary)
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
    type Output = Result<ShardVerdict, ShardError>;

    fn work(&self, part: Part, heartbeat: &Arc<Heartbeat>) -> Self::Output {
        let keep_going = |bytes: u64| {
            self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
            heartbeat.beat();
            !heartbeat.should_stop()
        };
        let verdict = match &part {
            Part::Shard(shard) => verify_shard(&self.dir, shard, &keep_going),
            Part::Tracks(tracks) => verify_tracks(&self.dir, tracks, &keep_going),
        };
        verdict.ok_or_else(|| unreadable(&self.dir.join(part.file()), "stopped"))
    }

    fn lost(&self, part: Part, loss: Loss) -> Self::Output {
        let (_, reason) = loss_reason(loss, PATIENCE);
        Err(unreadable(&self.dir.join(part.file()), &reason))
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
    progress: Progress,
    bytes_done: Arc<AtomicU64>,
}

impl Sink<Result<ShardVerdict, ShardError>> for Verdicts {
    type Error = ShardError;

    fn push(&mut self, verdict: Result<ShardVerdict, ShardError>) -> Result<(), ShardError> {
        let verdict = verdict?;
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
        Ok(())
    }

    fn tick(&mut self) {
        let bytes = self.bytes_done.load(Ordering::Relaxed);
        self.progress.set(bytes, 0.0);
    }
}
