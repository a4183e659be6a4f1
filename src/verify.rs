//! Runs `vidpairs verify`: checks every byte of the shards, the tracklets and the cuts against its checksums.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use vidpairs_run::{
    Control, Progress, REFUSED_FILE, RunError, Unit, counted, loss_reason, refusals, stopped,
};
use vidpairs_shard::{
    ClipSpan, CutsEntry, Damage, DamageList, Fault, MANIFEST_FILE, Manifest, ShardEntry,
    ShardError, ShardVerdict, Totals, TracksEntry, verify_cuts, verify_manifest, verify_order,
    verify_shard, verify_tracks,
};
use vidpairs_types::parallel::{Heartbeat, Job, Loss, Sink, run_ordered};
use vidpairs_types::{Outcome, with_causes};

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
    /// Damage in the order of the shards; at most 100.
    pub damage: Vec<Damage>,
    /// Number of all damages.
    pub num_damage: u64,
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
        let more = self.num_damage.saturating_sub(self.damage.len() as u64);
        if more > 0 {
            writeln!(f, "... and {} more", indicatif::HumanCount(more))?;
        }
        match self.num_damage {
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
        is_shuffled: manifest.is_shuffled(),
        bytes_done: Arc::clone(&bytes_done),
    };
    let totals = manifest.totals;
    let (shards, bytes) = (manifest.shards.len() as u64, manifest.totals.bytes);
    let tracks: Vec<TracksEntry> = manifest
        .tracks_files()
        .map(|(_, tracks)| tracks.clone())
        .collect();
    let cuts = manifest.cuts.clone();
    let others = tracks.iter().map(|tracks| tracks.bytes);
    let others = others.chain(cuts.iter().map(|cuts| cuts.bytes));
    let all_bytes = others.fold(bytes, u64::saturating_add);
    let mut verdicts = Verdicts {
        records: 0,
        damage,
        pairs: Pairs::new(manifest.is_shuffled()),
        progress: Progress::new(Unit::Bytes, all_bytes, 0, control.verbosity),
        bytes_done,
    };
    // A shard that is listed twice was reported, and is read once.
    let mut seen = HashSet::new();
    let shards_once = manifest.shards.clone().into_iter();
    let shards_once = shards_once.filter(move |shard| seen.insert(shard.file.clone()));
    let files = shards_once.map(DataFile::Shard);
    run_ordered(
        files
            .chain(tracks.into_iter().map(DataFile::Tracks))
            .chain(cuts.into_iter().map(DataFile::Cuts)),
        Arc::new(job),
        &control.crew(PATIENCE),
        &mut verdicts,
    )
    .map_err(stopped)?;
    let Verdicts {
        records,
        mut damage,
        pairs,
        ..
    } = verdicts;
    match refusals::count(dir) {
        Ok(set_aside) => check_set_aside(&totals, set_aside, &mut damage),
        Err(err) => {
            let fault = Fault::Unreadable {
                offset: 0,
                reason: with_causes(&err),
            };
            damage.push(Damage::of_file(REFUSED_FILE, fault));
        }
    }
    // Where pairs are damaged or missing, so are their clips and their order.
    if damage.num() == 0 {
        let keep_going = || !control.cancel.is_set();
        let order = verify_order(dir, &manifest, &keep_going)?;
        damage.append(order.ok_or(RunError::Stopped)?);
        check_clips(&totals, pairs.num_clips(), &mut damage);
    }
    Ok(VerifySummary {
        shards,
        records,
        bytes,
        num_damage: damage.num(),
        damage: damage.listed().to_vec(),
    })
}

/// Checks that `refused.jsonl` has the clips that the manifest counts.
fn check_set_aside(totals: &Totals, found: [u64; 3], damage: &mut DamageList) {
    let stated = [totals.refused, totals.skipped, totals.partial];
    let outcomes = [Outcome::Refused, Outcome::Skipped, Outcome::Partial];
    for ((outcome, found), stated) in outcomes.into_iter().zip(found).zip(stated) {
        if found != stated {
            let fault = Fault::SetAside {
                outcome: outcome.name(),
                found,
                stated,
            };
            damage.push(Damage::of_file(REFUSED_FILE, fault));
        }
    }
}

/// Checks that every clip of the source has pairs, or was refused or skipped.
fn check_clips(totals: &Totals, with_pairs: u64, damage: &mut DamageList) {
    let without = totals.refused.saturating_add(totals.skipped);
    let (found, stated) = (with_pairs.saturating_add(without), totals.clips);
    if found != stated {
        let fault = Fault::Clips { found, stated };
        damage.push(Damage::of_file(MANIFEST_FILE, fault));
    }
}

/// A file of the data set.
#[derive(Clone)]
enum DataFile {
    Shard(ShardEntry),
    Tracks(TracksEntry),
    Cuts(CutsEntry),
}

impl DataFile {
    fn name(&self) -> &str {
        match self {
            Self::Shard(shard) => &shard.file,
            Self::Tracks(tracks) => &tracks.file,
            Self::Cuts(cuts) => &cuts.file,
        }
    }
}

struct VerifyJob {
    dir: PathBuf,
    is_shuffled: bool,
    bytes_done: Arc<AtomicU64>,
}

impl Job for VerifyJob {
    type Item = DataFile;
    type Output = Result<ShardVerdict, ShardError>;

    fn work(&self, file: DataFile, heartbeat: &Arc<Heartbeat>) -> Self::Output {
        let keep_going = |bytes: u64| {
            self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
            heartbeat.beat();
            !heartbeat.should_stop()
        };
        let verdict = match &file {
            DataFile::Shard(shard) => verify_shard(&self.dir, shard, self.is_shuffled, &keep_going),
            DataFile::Tracks(tracks) => verify_tracks(&self.dir, tracks, &keep_going),
            DataFile::Cuts(cuts) => verify_cuts(&self.dir, cuts, &keep_going),
        };
        verdict.ok_or_else(|| unreadable(&self.dir.join(file.name()), "stopped"))
    }

    fn lost(&self, file: DataFile, loss: Loss) -> Self::Output {
        let (_, reason) = loss_reason(loss, PATIENCE);
        Err(unreadable(&self.dir.join(file.name()), &reason))
    }
}

fn unreadable(path: &Path, why: &str) -> ShardError {
    ShardError::Read {
        path: path.to_owned(),
        source: std::io::Error::other(why.to_owned()),
    }
}

struct Verdicts {
    records: u64,
    damage: DamageList,
    pairs: Pairs,
    progress: Progress,
    bytes_done: Arc<AtomicU64>,
}

/// The pairs that were found.
enum Pairs {
    /// Number of the last pair so far, by clip: pairs are in order.
    InOrder(HashMap<u64, u64>),
    /// All pairs, by clip: about 20 bytes each.
    Shuffled(HashMap<u64, HashSet<u64>>),
}

impl Pairs {
    fn new(is_shuffled: bool) -> Self {
        match is_shuffled {
            false => Self::InOrder(HashMap::new()),
            true => Self::Shuffled(HashMap::new()),
        }
    }

    /// Adds the pairs of a shard; returns the fault if one of them was there.
    fn add(&mut self, ClipSpan { clip, first, last }: ClipSpan) -> Option<Fault> {
        match self {
            Self::InOrder(lasts) => {
                let before = lasts.insert(clip, last).filter(|&before| before >= first)?;
                let last = before;
                Some(Fault::PairsTwice { clip, first, last })
            }
            Self::Shuffled(pairs) => {
                let is_new = pairs.entry(clip).or_default().insert(first);
                (!is_new).then_some(Fault::PairsTwice { clip, first, last })
            }
        }
    }

    fn num_clips(&self) -> u64 {
        match self {
            Self::InOrder(lasts) => lasts.len() as u64,
            Self::Shuffled(pairs) => pairs.len() as u64,
        }
    }
}

impl Sink<Result<ShardVerdict, ShardError>> for Verdicts {
    type Error = ShardError;

    fn push(&mut self, verdict: Result<ShardVerdict, ShardError>) -> Result<(), ShardError> {
        let verdict = verdict?;
        self.records += verdict.records;
        self.damage.append(verdict.damage);
        for span in verdict.clips {
            if let Some(fault) = self.pairs.add(span) {
                self.damage.push(Damage::of_file(&verdict.file, fault));
            }
        }
        Ok(())
    }

    fn tick(&mut self) {
        // Every byte is read twice: for the checksum of its file, and as a part of its record.
        let bytes = self.bytes_done.load(Ordering::Relaxed) / 2;
        self.progress.set(bytes, 0.0);
    }
}
