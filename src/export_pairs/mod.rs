//! Runs `vidpairs export DIR --to mds|litdata|energon|folder`: the records of a data set in the form of loaders that do not read its shards.
//!
//! **Takes** a finished data set. **Gives** a folder that the loader opens. No image is decoded: the bytes of every member stay the same, and
//! each record is compared with its checksums. **Fails** with [`RunError`].

mod blocks;
mod energon;
mod folder;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use vidpairs_run::{Control, JOURNAL_FOLDER, OutFolder, Progress, RunError, Unit, counted, failed};
use vidpairs_shard::{DatasetReader, Record};
use vidpairs_types::create_folders_of;

/// What the folder holds, for errors.
const WHAT: &str = "an exported data set";

/// Loader that shall read the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
}

/// Why records cannot be exported, beyond what every command shares.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportPairsError {
    /// The data set has no record.
    #[error("{} has no records: there is nothing to export", .0.display())]
    Empty(PathBuf),
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
#[derive(Debug, Clone, Copy, Default)]
struct Files {
    files: u64,
    bytes: u64,
}

/// Exports a data set. A stopped export is begun anew by the same call.
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
    // Only what a stopped export left is cleared below.
    if !OutFolder::is_begun(out, WHAT) {
        OutFolder::check(out, &[JOURNAL_FOLDER])?;
    }
    let mut claimed = OutFolder::claim(out, WHAT)?;
    clear(out)?;
    let mut source = Source {
        dir,
        dataset: &dataset,
        control: &options.control,
        progress: Progress::new(
            Unit::Things("record"),
            records,
            0,
            options.control.verbosity,
        ),
        next: 0,
    };
    let made = match options.to {
        PairsFormat::Mds => blocks::export(&mut source, &claimed, blocks::Kind::Mds),
        PairsFormat::Litdata => blocks::export(&mut source, &claimed, blocks::Kind::Litdata),
        PairsFormat::Energon => energon::export(&mut source, &claimed),
        PairsFormat::Folder => folder::export(&mut source, &claimed),
    };
    let files = made?;
    claimed.finish()?;
    Ok(ExportPairsSummary {
        to: options.to,
        records,
        files: files.files,
        bytes: files.bytes,
    })
}

/// Removes what a stopped export left.
fn clear(out: &Path) -> Result<(), RunError> {
    let remove = || {
        for entry in fs::read_dir(out)? {
            let entry = entry?;
            if entry.file_name() == JOURNAL_FOLDER {
                continue;
            }
            match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path())?,
                false => fs::remove_file(entry.path())?,
            }
        }
        Ok(())
    };
    remove().map_err(failed("clear", out))
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

/// The path `name` below `out`, whose folders are made.
fn path_in(out: &OutFolder, name: &str) -> Result<PathBuf, RunError> {
    let path = out.path().join(name);
    create_folders_of(out.path(), Path::new(name)).map_err(failed("create", &path))?;
    Ok(path)
}

impl fmt::Display for ExportPairsSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (records, files) = (counted(self.records, "record"), counted(self.files, "file"));
        write!(
            f,
            "{records} in {files}, {}",
            indicatif::HumanBytes(self.bytes)
        )
    }
}
