//! Runs `vidpairs reshard`: the same records in another number of shards, and perhaps in another order.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vidpairs_run::{
    Control, Journal, OutFolder, Progress, REFUSED_FILE, RunError, RunLayout, Started, Unit,
    counted, failed,
};
use vidpairs_shard::{
    CARD_FILE, CUTS_FILE, CutsEntry, Damage, DatasetReader, EpochOrder, Fault, MANIFEST_FILE,
    Manifest, Resharded, Seed, ShardEntry, ShardError, ShardName, ShardWriter, TRACKS_FILE, Totals,
    TracksEntry, even_range,
};
use vidpairs_types::{open_regular, read_regular};

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
    /// The data set has no record.
    #[error("{} has no records: there is nothing to reshard", .0.display())]
    Empty(PathBuf),
    /// The output folder holds a data set of another command.
    #[error("{} holds a data set that is not resharded: choose another folder for --out", .0.display())]
    NotResharded(PathBuf),
    /// A part is no data set of its own.
    #[error("{} is a part of a data set: merge the parts first (vidpairs merge), and reshard the whole", .0.display())]
    Part(PathBuf),
}

impl From<ReshardError> for RunError {
    fn from(error: ReshardError) -> Self {
        Self::of(error)
    }
}

/// Largest card that is copied, bytes.
const MAX_CARD_BYTES: u64 = 16 << 20;

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
        return Err(ReshardError::Part(dir.clone()).into());
    }
    if num_records == 0 {
        return Err(ReshardError::Empty(dir.clone()).into());
    }
    if u64::from(options.count) > num_records {
        return Err(ReshardError::TooMany {
            dir: dir.clone(),
            count: options.count,
            records: num_records,
        }
        .into());
    }
    if let Ok(theirs) = Manifest::read(out)
        && theirs.resharded.is_none()
    {
        return Err(ReshardError::NotResharded(out.clone()).into());
    }
    let others = Others::open(dir, manifest)?;
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
    let finished = made.and_then(|()| finish(&dataset, others, options, begin, journal, shards));
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
    let done = even_range(num_records, count, shards.len() as u64).start;
    let verbosity = options.control.verbosity;
    let mut progress = Progress::new(Unit::Things("record"), num_records, done, verbosity);
    let folder = journal.out().journal_folder();
    for shard in shards.len() as u64..count {
        let mut writer = ShardWriter::create(&folder, ShardName::from(shard))?;
        for position in even_range(num_records, count, shard) {
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
    others: Others,
    options: &ReshardOptions,
    begin: Resharded,
    journal: Journal<Line>,
    shards: Vec<ShardEntry>,
) -> Result<Manifest, RunError> {
    let before = dataset.manifest();
    let out = journal.out();
    // What its user wrote there holds for the records. That of a merged data set names its shards in other folders.
    let card = options.dir.join(CARD_FILE);
    let card = match before.parts {
        Some(_) => None,
        None => read_regular(&card, MAX_CARD_BYTES).ok(),
    };
    let (cuts, tracks) = others.copy(before, out)?;
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
    if let Some(card) = &card {
        out.write(CARD_FILE, card)?;
    }
    vidpairs_run::write_card(out, &manifest)?;
    manifest.write_atomically(&options.out)?;
    journal.finish()?;
    Ok(manifest)
}

/// The other files of a data set, opened before its shards are copied: it must not turn out hours later that one is missing.
struct Others {
    refused: File,
    cuts: Option<Listed>,
    tracks: Vec<Listed>,
}

/// A file whose checksum the manifest states.
struct Listed {
    name: String,
    xxh64: u64,
    file: File,
}

impl Others {
    fn open(dir: &Path, manifest: &Manifest) -> Result<Self, RunError> {
        let open = |name: &str| {
            let path = dir.join(name);
            open_regular(&path).map_err(failed("read", &path))
        };
        let listed = |name: &str, xxh64: u64| {
            let file = open(name)?;
            let name = name.to_owned();
            Ok::<_, RunError>(Listed { name, xxh64, file })
        };
        let cuts = manifest.cuts.as_ref();
        let tracks = manifest.tracks_files();
        Ok(Self {
            refused: open(REFUSED_FILE)?,
            cuts: cuts
                .map(|cuts| listed(&cuts.file, cuts.xxh64))
                .transpose()?,
            tracks: tracks
                .map(|(_, tracks)| listed(&tracks.file, tracks.xxh64))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Copies them. Returns what the new manifest states of the cuts and the tracklets.
    fn copy(
        mut self,
        manifest: &Manifest,
        out: &OutFolder,
    ) -> Result<(Option<CutsEntry>, Option<TracksEntry>), RunError> {
        out.write_by(REFUSED_FILE, |mut file| {
            io::copy(&mut self.refused, &mut file)?;
            Ok(file)
        })?;
        let cuts = match (self.cuts, &manifest.cuts) {
            (Some(file), Some(before)) => {
                let (bytes, xxh64) = copy_joined(out, vec![file], CUTS_FILE)?;
                Some(CutsEntry {
                    file: CUTS_FILE.to_owned(),
                    bytes,
                    xxh64,
                    ..before.clone()
                })
            }
            _ => None,
        };
        if self.tracks.is_empty() {
            return Ok((cuts, None));
        }
        // Files of zstd may be joined.
        let (bytes, xxh64) = copy_joined(out, self.tracks, TRACKS_FILE)?;
        let tracks = TracksEntry {
            file: TRACKS_FILE.to_owned(),
            bytes,
            xxh64,
            counts: manifest.tracklets().unwrap_or_default(),
        };
        Ok((cuts, Some(tracks)))
    }
}

/// Writes the bytes of `files`, one after the other, as `name`. Returns their number and xxh64.
///
/// # Errors
/// [`ShardError::Damaged`] if a file has not its checksum; [`RunError::File`].
fn copy_joined(out: &OutFolder, files: Vec<Listed>, name: &str) -> Result<(u64, u64), RunError> {
    let (mut written, mut damage) = ((0, 0), None);
    let copied = out.write_by(name, |file| {
        let mut all = HashingWriter::new(file);
        for mut listed in files {
            let mut one = HashingWriter::new(&mut all);
            io::copy(&mut listed.file, &mut one)?;
            let (_, _, found) = one.finish();
            let manifest = listed.xxh64;
            if found != manifest {
                let fault = Fault::Xxh64 { found, manifest };
                damage = Some(Damage::of_file(&listed.name, fault));
                return Err(io::Error::other("it is damaged"));
            }
        }
        let (file, bytes, xxh64) = all.finish();
        written = (bytes, xxh64);
        Ok(file)
    });
    match damage {
        Some(damage) => Err(ShardError::Damaged(Box::new(damage)).into()),
        None => copied.map(|()| written),
    }
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
