//! Why parts cannot be looked at or merged, beyond what every command shares.

use std::path::PathBuf;

use vidpairs_run::RunError;

/// Why `vidpairs status` or `vidpairs merge` failed. Every variant is final; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartsError {
    /// There is no such folder.
    #[error("there is no folder {}", .0.display())]
    NoFolder(PathBuf),
    /// The folder holds no run of `vidpairs extract`.
    #[error("{} holds no run of `vidpairs extract`: name the folder that was given as --out", .0.display())]
    NoRun(PathBuf),
    /// The folder holds a run without parts.
    #[error("{} holds a run without parts: there is nothing to merge", .0.display())]
    NoParts(PathBuf),
    /// The folder holds a data set that was made without parts.
    #[error("{} holds a data set that was not made of its parts: move its dataset.json, refused.jsonl and shards away", .0.display())]
    OtherDataset(PathBuf),
    /// Parts are missing or unfinished.
    #[error(
        "{num} of {of} parts are not complete, and no process works on {missing}: run these (`sbatch --array={missing}`, or extract \
         --part I/{of} for each), then merge again"
    )]
    Incomplete {
        /// Number of the parts that are not complete.
        num: usize,
        /// Number of all parts.
        of: u32,
        /// Indices of those that no process works on.
        missing: String,
    },
    /// Processes work on the last parts.
    #[error("{num} of {of} parts are running: {running}; merge again when they are complete")]
    Running {
        /// Number of these parts.
        num: usize,
        /// Number of all parts.
        of: u32,
        /// Their indices.
        running: String,
    },
    /// The folder of a part is of a run in another number of parts.
    #[error("{} is of a run in another number of parts than {of}: move it away", .folder.display())]
    ForeignPart {
        /// The folder.
        folder: PathBuf,
        /// Number of parts.
        of: u32,
    },
    /// A part was made otherwise than the others.
    #[error("{} is not of this run: {difference}; move it away and make the part again", .folder.display())]
    OtherPart {
        /// Its folder.
        folder: PathBuf,
        /// What differs, with both values.
        difference: String,
    },
    /// The index of a shard is damaged, or not its own.
    #[error(
        "{problem}; bring back the `.idx` files of this part, or move its folder away and make the part again"
    )]
    Index {
        /// The damage, with the name of the shard.
        problem: String,
    },
    /// There are parts, and the file that describes them is missing.
    #[error("{} holds parts, but no parts.json: run any of them again, which writes it", .0.display())]
    NoPartsFile(PathBuf),
    /// A shard or another file of a part is missing, or has another length.
    #[error("{}: {problem}; bring it back, or move the folder of the part away and make the part again", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl From<PartsError> for RunError {
    fn from(error: PartsError) -> Self {
        Self::of(error)
    }
}
