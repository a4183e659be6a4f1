//! Runs `vidpairs export DIR --to mds|litdata|energon|folder`: the records of a data set in the form of loaders that do not read its shards.
//!
//! **Takes** a finished data set. **Gives** a folder that the loader opens. No image is decoded: the bytes of every member stay the same, and
//! each record is compared with its checksums. **Fails** with [`RunError`].

mod blocks;
mod energon;
mod folder;

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vidpairs_run::{Control, JOURNAL_FOLDER, OutFolder, Progress, RunError, Unit, counted, failed};
use vidpairs_shard::{DatasetReader, Record};
use vidpairs_types::{create_folders_of, read_regular, sync_folder};

/// What the folder holds, for errors.
const WHAT: &str = "an exported data set";
/// Folder of the files until all of them are whole, in the output folder. With their final names a loader would read a part of them.
const MAKING: &str = ".journal/export";
/// File that says that all are whole, and of which data set they are.
const EXPORTED: &str = ".vidpairs-export.json";
/// Most bytes of it that are read.
const MAX_EXPORTED_BYTES: u64 = 1 << 16;

/// Loader that shall read the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PairsFormat {
    /// MosaicML streaming.
    Mds,
    /// LitData.
    Litdata,
    /// Megatron Energon.
    Energon,
    /// Folders of images: ImageFolder of torchvision, lightly, lightly-train.
    Folder,
}

/// Options of the export.
#[derive(Debug, Clone)]
pub struct ExportPairsOptions {
    /// Data set to read.
    pub dir: PathBuf,
    /// Loader that shall read the records.
    pub to: PairsFormat,
    /// Output folder: new, empty, or of a stopped export.
    pub out: PathBuf,
    /// Verbosity, and the signal to stop.
    pub control: Control,
}

/// Result of the export; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportPairsSummary {
    /// Loader that shall read the records.
    pub to: PairsFormat,
    /// Number of records.
    pub records: u64,
    /// Number of files with records: shards, chunks, tars or images.
    pub files: u64,
    /// Their size, bytes.
    pub bytes: u64,
    /// Whether the export was complete before this command.
    #[serde(skip)]
    pub is_complete_already: bool,
}

/// Why records cannot be exported, beyond what every command shares.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportPairsError {
    /// The data set has no record.
    #[error("{} has no records: there is nothing to export", .0.display())]
    Empty(PathBuf),
    /// The user stopped the export.
    #[error("interrupted; nothing is in {} yet, and the same command begins anew", .0.display())]
    Interrupted(PathBuf),
    /// The disk of the output folder is full.
    #[error("the disk of {} is full; free some space and run the same command again: it begins anew", .0.display())]
    DiskFull(PathBuf),
    /// The output folder holds another export.
    #[error("{} holds an export of another data set, or for another loader: choose another folder for --out", .0.display())]
    Other(PathBuf),
    /// The loader reads no raw images.
    #[error("the images of {} are rgb-zstd, which no loader of image folders reads: extract with images.codec = \"jpeg\", or choose mds, litdata or energon", .0.display())]
    RawImages(PathBuf),
    /// A record has other members than the first one.
    #[error(
        "record {key} has the members {found}, and the first record {expected}: export data sets of one kind"
    )]
    OtherMembers {
        /// Key of the record.
        key: String,
        /// Its members.
        found: String,
        /// Those of the first record.
        expected: String,
    },
    /// A label cannot be the name of a folder.
    #[error("record {key} has the label {label:?}, which is too long for the name of a folder")]
    Label {
        /// Key of the record.
        key: String,
        /// The label.
        label: String,
    },
}

impl From<ExportPairsError> for RunError {
    fn from(error: ExportPairsError) -> Self {
        Self::of(error)
    }
}

/// Number and size of the files with records.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Files {
    files: u64,
    bytes: u64,
}

/// Exports a data set. The files have their final names when all are whole; a stopped export is begun anew by the same call.
///
/// # Errors
/// [`ExportPairsError`]; [`RunError::Shard`] for a damaged record; [`RunError`] of the output folder.
pub fn export_pairs(options: &ExportPairsOptions) -> Result<ExportPairsSummary, RunError> {
    let (dir, out) = (&options.dir, &options.out);
    let dataset = DatasetReader::open(dir)?;
    let records = dataset.num_records();
    if records == 0 {
        return Err(ExportPairsError::Empty(dir.clone()).into());
    }
    let asked = Exported {
        to: options.to,
        from_xxh64: dataset.manifest().fingerprint(),
        files: Files::default(),
    };
    if let Some(found) = Exported::read(&out.join(EXPORTED))? {
        if !found.is_of(&asked) {
            return Err(ExportPairsError::Other(out.clone()).into());
        }
        if OutFolder::is_begun(out, WHAT) {
            // Stopped at its very end.
            OutFolder::claim(out, WHAT)?.finish()?;
        }
        return Ok(found.summary(records, true));
    }
    if !OutFolder::is_begun(out, WHAT) {
        OutFolder::check(out, &[JOURNAL_FOLDER])?;
    }
    let mut claimed = OutFolder::claim(out, WHAT)?;
    let making = out.join(MAKING);
    let whole = Exported::read(&making.join(EXPORTED))?.filter(|found| found.is_of(&asked));
    let exported = match whole {
        Some(whole) => whole,
        None => {
            // Again: another export may have ended since.
            OutFolder::check(out, &[JOURNAL_FOLDER])?;
            match fs::remove_dir_all(&making) {
                Err(err) if err.kind() != ErrorKind::NotFound => {
                    return Err(failed("remove", &making)(err));
                }
                _ => {}
            }
            let files = make(options, &dataset, &claimed).map_err(|err| unfinished(err, out))?;
            let whole = Exported { files, ..asked };
            claimed.write_json(&format!("{MAKING}/{EXPORTED}"), &whole)?;
            whole
        }
    };
    publish(&making, out).map_err(failed("write to", out))?;
    claimed.finish()?;
    Ok(exported.summary(records, false))
}

/// An error of an export that is begun anew by the same command.
fn unfinished(err: RunError, out: &Path) -> RunError {
    let out = out.to_owned();
    match err.named_if_full(&out, "") {
        RunError::Stopped => ExportPairsError::Interrupted(out).into(),
        RunError::DiskFull { .. } => ExportPairsError::DiskFull(out).into(),
        err => err,
    }
}

/// Moves the files of `making`, which are whole, to their names in `out`, the one that says so last.
fn publish(making: &Path, out: &Path) -> io::Result<()> {
    for entry in fs::read_dir(making)? {
        let name = entry?.file_name();
        if name != EXPORTED {
            fs::rename(making.join(&name), out.join(&name))?;
        }
    }
    sync_folder(out)?;
    fs::rename(making.join(EXPORTED), out.join(EXPORTED))?;
    sync_folder(out)
}

/// Writes all files below [`MAKING`].
fn make(
    options: &ExportPairsOptions,
    dataset: &DatasetReader,
    out: &OutFolder,
) -> Result<Files, RunError> {
    let verbosity = options.control.verbosity;
    let mut source = Source {
        dir: &options.dir,
        dataset,
        control: &options.control,
        progress: Progress::new(Unit::Things("record"), dataset.num_records(), 0, verbosity),
        next: 0,
    };
    match options.to {
        PairsFormat::Mds => blocks::export(&mut source, out, blocks::Kind::Mds),
        PairsFormat::Litdata => blocks::export(&mut source, out, blocks::Kind::Litdata),
        PairsFormat::Energon => energon::export(&mut source, out),
        PairsFormat::Folder => folder::export(&mut source, out),
    }
}

/// What the file [`EXPORTED`] says.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Exported {
    to: PairsFormat,
    /// Fingerprint of the data set.
    from_xxh64: u64,
    #[serde(flatten)]
    files: Files,
}

impl Exported {
    /// Reads the file; `None` if it is not there.
    fn read(path: &Path) -> Result<Option<Self>, RunError> {
        match read_regular(path, MAX_EXPORTED_BYTES) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|err| failed("read", path)(err.into())),
            Err(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(err) => Err(failed("read", path)(err)),
        }
    }

    /// Whether it is the export that is asked for.
    fn is_of(&self, asked: &Self) -> bool {
        (self.to, self.from_xxh64) == (asked.to, asked.from_xxh64)
    }

    fn summary(self, records: u64, is_complete_already: bool) -> ExportPairsSummary {
        ExportPairsSummary {
            to: self.to,
            records,
            files: self.files.files,
            bytes: self.files.bytes,
            is_complete_already,
        }
    }
}

/// The records of a data set, one after the other.
struct Source<'a> {
    dir: &'a Path,
    dataset: &'a DatasetReader,
    control: &'a Control,
    progress: Progress,
    next: u64,
}

impl<'a> Source<'a> {
    /// The next record, compared with its checksums; `None` after the last one.
    fn next(&mut self) -> Result<Option<Record<'a>>, RunError> {
        if self.control.cancel.is_set() {
            return Err(RunError::Stopped);
        }
        if self.next == self.dataset.num_records() {
            return Ok(None);
        }
        let record = self.dataset.record(self.next)?;
        record.check()?;
        self.next += 1;
        self.progress.set(self.next, 0.0);
        Ok(Some(record))
    }
}

/// The path of the file `name` while it is made, whose folders are made.
fn path_in(out: &OutFolder, name: &str) -> Result<PathBuf, RunError> {
    let (root, name) = (out.path(), Path::new(MAKING).join(name));
    let path = root.join(&name);
    create_folders_of(root, &name).map_err(failed("create", &path))?;
    Ok(path)
}

/// Writes the file `name`, whole or not at all.
fn write(out: &OutFolder, name: &str, bytes: &[u8]) -> Result<(), RunError> {
    out.write(&format!("{MAKING}/{name}"), bytes)
}

impl fmt::Display for ExportPairsSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (records, files) = (counted(self.records, "record"), counted(self.files, "file"));
        write!(
            f,
            "{records} in {files}, {}",
            indicatif::HumanBytes(self.bytes)
        )?;
        match self.is_complete_already {
            true => write!(f, "; complete already, nothing was done"),
            false => Ok(()),
        }
    }
}
