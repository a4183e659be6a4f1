//! Runs `vidpairs reshard`: the same records in another number of shards, and perhaps in another order.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vidpairs_run::{
    Control, Journal, OutFolder, Progress, REFUSED_FILE, RunError, RunLayout, Started, Unit,
    counted, failed,
};
use vidpairs_shard::{
    CUTS_FILE, CutsEntry, DatasetReader, EpochOrder, MANIFEST_FILE, Manifest, Resharded, Seed,
    ShardEntry, ShardName, ShardWriter, TRACKS_FILE, Totals, TracksEntry,
};
use vidpairs_types::open_regular;

use crate::hashing::HashingWriter;

const LAYOUT: RunLayout = RunLayout {
    what: "a resharded data set",
    manifest: MANIFEST_FILE,
    begin_key: "resharded",
};

/// Options of `vidpairs reshard`.
#[derive(Debug, Clone)]
pub struct ReshardOptions {
    /// Data set to read.
    pub dir: PathBuf,
    /// Output folder: new, empty, or of a stopped run with the same options.
    pub out: PathBuf,
    /// Number of shards. Their numbers of records differ by at most one.
    pub count: u32,
    /// Seed of a random order of the records; `None` keeps their order.
    pub shuffle: Option<u64>,
    /// Verbosity, and the signal to stop.
    pub control: Control,
}

/// Result of `vidpairs reshard`; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReshardSummary {
    /// Counts of the new data set.
    #[serde(flatten)]
    pub totals: Totals,
    /// Fewest and most records of a shard.
    pub records_of_shards: [u64; 2],
    /// Whether the data set was complete before this command.
    #[serde(skip)]
    pub is_complete_already: bool,
}

/// Why a data set cannot be resharded, beyond what every command shares.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReshardError {
    /// There would be shards without a record.
    #[error("--count is {count}, and {} has {records} records: choose at most that many shards", .dir.display())]
    TooMany {
        /// The data set.
        dir: PathBuf,
        /// Number of shards asked for.
        count: u32,
        /// Number of its records.
        records: u64,
    },
    /// A part is no data set of its own.
    #[error("{} is a part of a data set: merge the parts first (vidpairs merge), and reshard the whole", .0.display())]
    Part(PathBuf),
}

/// A finished shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line(ShardEntry);

/// Copies the records of a data set into another number of shards. No image is decoded, and the bytes of every member stay the same.
/// Every record is compared with its checksums.
///
/// # Errors
/// [`ReshardError`]; [`RunError::Shard`] for a damaged record; [`RunError`] of the output folder. Finished shards stay, and the same call
/// resumes after them.
pub fn reshard(options: &ReshardOptions) -> Result<ReshardSummary, RunError> {
    let (dir, out) = (&options.dir, &options.out);
    let dataset = DatasetReader::open(dir)?;
    let (manifest, num_records) = (dataset.manifest(), dataset.num_records());
    if manifest.part.is_some() {
        return Err(RunError::of(ReshardError::Part(dir.clone())));
    }
    if u64::from(options.count) > num_records {
        return Err(RunError::of(ReshardError::TooMany {
            dir: dir.clone(),
            count: options.count,
            records: num_records,
        }));
    }
    let begin = Resharded {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        shards: options.count,
        shuffle: options.shuffle,
        from_xxh64: manifest.fingerprint(),
    };
    let (mut journal, mut shards) = match LAYOUT.start::<Line>(out, &begin)? {
        Started::Complete(_) => {
            let manifest = Manifest::read(out)?;
            return Ok(summary_of(&manifest, true));
        }
        Started::Open(journal, lines) => {
            let shards: Vec<ShardEntry> = lines.into_iter().map(|Line(shard)| shard).collect();
            (journal, shards)
        }
    };
    let is_there = |shard: &ShardEntry| {
        let tar = fs::symlink_metadata(out.join(&shard.file));
        tar.is_ok_and(|tar| tar.len() == shard.bytes)
    };
    let num_there = shards.iter().take_while(|shard| is_there(shard)).count();
    shards.truncate(num_there);
    journal.keep(num_there)?;
    let made = copy_shards(&dataset, options, &mut journal, &mut shards);
    let safe = counted(shards.len() as u64, "shard");
    let finished = made.and_then(|()| finish(&dataset, options, begin, journal, shards));
    finished
        .map(|manifest| summary_of(&manifest, false))
        .map_err(|err| match err {
            RunError::Stopped => RunError::Interrupted {
                out: out.clone(),
                safe,
            },
            err => err.named_if_full(out, &safe),
        })
}

fn copy_shards(
    dataset: &DatasetReader,
    options: &ReshardOptions,
    journal: &mut Journal<Line>,
    shards: &mut Vec<ShardEntry>,
) -> Result<(), RunError> {
    let (num_records, count) = (dataset.num_records(), u64::from(options.count));
    let order = options
        .shuffle
        .map(|seed| EpochOrder::new(num_records, Seed::of_run(seed), 0));
    let first_of =
        |shard: u64| (u128::from(num_records) * u128::from(shard) / u128::from(count)) as u64;
    let done = first_of(shards.len() as u64);
    let verbosity = options.control.verbosity;
    let mut progress = Progress::new(Unit::Things("record"), num_records, done, verbosity);
    let folder = journal.out().journal_folder();
    for shard in shards.len() as u64..count {
        let mut writer = ShardWriter::create(&folder, ShardName::from(shard))?;
        for position in first_of(shard)..first_of(shard + 1) {
            if options.control.cancel.is_set() {
                return Err(RunError::Stopped);
            }
            let number = order
                .as_ref()
                .map_or(position, |order| order.record_at(position));
            let record = dataset.record(number)?;
            record.check()?;
            writer.copy(&record)?;
            progress.set(position + 1, 0.0);
        }
        let entry = writer.finish(&options.out)?;
        journal.add(&Line(entry.clone()))?;
        shards.push(entry);
    }
    Ok(())
}

/// Writes everything but the shards, the manifest last.
fn finish(
    dataset: &DatasetReader,
    options: &ReshardOptions,
    begin: Resharded,
    journal: Journal<Line>,
    shards: Vec<ShardEntry>,
) -> Result<Manifest, RunError> {
    let before = dataset.manifest();
    let out = journal.out();
    let refused = options.dir.join(REFUSED_FILE);
    copy_file(out, &[refused], REFUSED_FILE)?;
    let cuts = match &before.cuts {
        None => None,
        Some(entry) => {
            let file = options.dir.join(&entry.file);
            let (bytes, xxh64) = copy_file(out, &[file], CUTS_FILE)?;
            Some(CutsEntry {
                bytes,
                xxh64,
                ..entry.clone()
            })
        }
    };
    let tracks: Vec<&TracksEntry> = before.tracks_files().map(|(_, tracks)| tracks).collect();
    let tracks = match tracks.is_empty() {
        true => None,
        false => {
            let files: Vec<PathBuf> = tracks
                .iter()
                .map(|entry| options.dir.join(&entry.file))
                .collect();
            // Files of zstd may be joined.
            let (bytes, xxh64) = copy_file(out, &files, TRACKS_FILE)?;
            Some(TracksEntry {
                file: TRACKS_FILE.to_owned(),
                bytes,
                xxh64,
                counts: before.tracklets().unwrap_or_default(),
            })
        }
    };
    let manifest = Manifest {
        totals: Totals {
            shards: shards.len() as u64,
            bytes: shards.iter().map(|shard| shard.bytes).sum(),
            ..before.totals
        },
        tracks,
        cuts,
        shards,
        resharded: Some(begin),
        ..before.clone().without_parts()
    };
    vidpairs_run::write_card(out, &manifest)?;
    manifest.write_atomically(&options.out)?;
    journal.finish()?;
    Ok(manifest)
}

/// Writes the bytes of `files`, one after the other, as `name`. Returns their number and xxh64.
fn copy_file(out: &OutFolder, files: &[PathBuf], name: &str) -> Result<(u64, u64), RunError> {
    let open = |from: &PathBuf| open_regular(from).map_err(failed("read", from));
    let opened = files.iter().map(open).collect::<Result<Vec<File>, _>>()?;
    let mut written = (0, 0);
    out.write_by(name, |file| {
        let mut copy = HashingWriter::new(file);
        for mut from in opened {
            io::copy(&mut from, &mut copy)?;
        }
        let (file, bytes, xxh64) = copy.finish();
        written = (bytes, xxh64);
        Ok(file)
    })?;
    Ok(written)
}

fn summary_of(manifest: &Manifest, is_complete_already: bool) -> ReshardSummary {
    let records = manifest.shards.iter().map(|shard| shard.records);
    ReshardSummary {
        totals: manifest.totals,
        records_of_shards: [
            records.clone().min().unwrap_or(0),
            records.max().unwrap_or(0),
        ],
        is_complete_already,
    }
}

impl fmt::Display for ReshardSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (records, shards) = (
            counted(self.totals.records, "pair"),
            counted(self.totals.shards, "shard"),
        );
        let bytes = indicatif::HumanBytes(self.totals.bytes);
        let [fewest, most] = self.records_of_shards;
        write!(f, "{records} in {shards} of {fewest} to {most}, {bytes}")?;
        match self.is_complete_already {
            true => write!(f, "; complete already, nothing was done"),
            false => Ok(()),
        }
    }
}
