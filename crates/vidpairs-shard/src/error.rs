//! Errors of writing and reading shards.

use std::io;
use std::path::{Path, PathBuf};

use crate::damage::Damage;

/// Error of writing or reading shards.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShardError {
    /// A file could not be written, renamed or removed. If the disk is full, the source has
    /// `ErrorKind::StorageFull`. Stop the run; the unfinished shard can be resumed from its last mark.
    #[error("cannot write {}", .path.display())]
    Write {
        /// Path of the file or folder.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        source: io::Error,
    },
    /// A file could not be opened or read. Stop, or continue with another shard.
    #[error("cannot read {}", .path.display())]
    Read {
        /// Path of the file or folder.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        source: io::Error,
    },
    /// A record breaks a rule of the format, because of a bug in the code that made it. Nothing was written, and the shard
    /// is sound. Refuse the record's clip.
    #[error("record {key} cannot be stored in a shard")]
    UnfitRecord {
        /// Key of the record.
        key: String,
        /// Rule that the record breaks.
        #[source]
        unfit: Unfit,
    },
    /// The unfinished shard is shorter than its mark: something else shortened it. Write the shard again from its first
    /// record.
    #[error("{} has {found_bytes} bytes; its mark states {mark_bytes}", .path.display())]
    CutBelowMark {
        /// Path of the unfinished shard.
        path: PathBuf,
        /// Length of the file.
        found_bytes: u64,
        /// Length stated by the mark.
        mark_bytes: u64,
    },
    /// The unfinished shard differs from its mark. Write the shard again from its first record.
    #[error("the first {bytes} bytes of {} have xxh64 {found:016x}; its mark states {mark:016x}", .path.display())]
    DiffersFromMark {
        /// Path of the unfinished shard.
        path: PathBuf,
        /// Length stated by the mark.
        bytes: u64,
        /// xxh64 of as many bytes of the file.
        found: u64,
        /// xxh64 stated by the mark.
        mark: u64,
    },
    /// The bytes match the mark, but the number of records does not: the mark was edited or belongs to another program.
    /// Write the shard again from its first record.
    #[error("{} has {found_records} records; its mark states {mark_records}", .path.display())]
    RecordsDifferFromMark {
        /// Path of the unfinished shard.
        path: PathBuf,
        /// Number of records found.
        found_records: u64,
        /// Number of records stated by the mark.
        mark_records: u64,
    },
    /// A shard or one of its records is damaged. Skip the record or stop; other records can still be read.
    #[error("{0}")]
    Damaged(Box<Damage>),
    /// The data set or shard has no record of this number. Use a number below `num_records`.
    #[error("there is no record {record}; expected a number below {num_records}")]
    NoSuchRecord {
        /// Requested number.
        record: u64,
        /// Number of records.
        num_records: u64,
    },
    /// The data set has no shard of this index. Use an index below `num_shards`.
    #[error("there is no shard {shard_index}; expected an index below {num_shards}")]
    NoSuchShard {
        /// Requested index.
        shard_index: usize,
        /// Number of shards.
        num_shards: usize,
    },
    /// The folder does not exist. Use another folder.
    #[error("there is no folder {}", .dir.display())]
    NoSuchFolder {
        /// Path of the folder.
        dir: PathBuf,
    },
    /// The folder holds the state of a stopped run. Finish the run.
    #[error("the run in {} is not finished: run the same command again, which resumes it", .dir.display())]
    RunUnfinished {
        /// Path of the folder.
        dir: PathBuf,
    },
    /// The folder holds parts that were not merged. Merge them.
    #[error("{} holds parts of a data set: run `vidpairs merge` on it when all of them are complete", .dir.display())]
    NotMerged {
        /// Path of the folder.
        dir: PathBuf,
    },
    /// The folder holds no manifest. Use another folder.
    #[error("{} is not a data set: it has no dataset.json", .dir.display())]
    NotADataset {
        /// Path of the folder.
        dir: PathBuf,
    },
    /// The manifest cannot be parsed: it was edited or damaged. Stop.
    #[error("{} cannot be parsed", .path.display())]
    ManifestUnreadable {
        /// Path of the manifest.
        path: PathBuf,
        /// Position and reason.
        #[source]
        source: serde_json::Error,
    },
    /// A value in the manifest is not valid: it was edited or damaged. Stop.
    #[error("{}: {key} is {value}; expected {expected}", .path.display())]
    ManifestRefused {
        /// Path of the manifest.
        path: PathBuf,
        /// Key of the value.
        key: &'static str,
        /// Value in the manifest.
        value: String,
        /// Valid values.
        expected: &'static str,
    },
    /// A newer version wrote the data set. Use that version.
    #[error("{} has format version {found}; this program reads versions up to {supported}: use a newer vidpairs", .path.display())]
    ManifestNewer {
        /// Path of the manifest.
        path: PathBuf,
        /// Format version of the data set.
        found: u64,
        /// Newest version that this program reads.
        supported: u32,
    },
}

impl ShardError {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Write { path, source }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Read { path, source }
    }
}

impl From<Damage> for ShardError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(Box::new(damage))
    }
}

/// Rule of the format that a record breaks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// The key is not valid: loaders split key and extension at the first dot, and the index is split at spaces.
    #[error("its key is not 1 to 64 ASCII letters, digits, `-` or `_`")]
    Key,
    /// The key repeats that of the previous record: loaders would take both for one sample.
    #[error("the previous record has the same key")]
    RepeatedKey,
    /// The images are not those that the JSON describes, in the order of the roles.
    #[error("its members are [{members}]; its JSON describes [{views}]")]
    Members {
        /// Roles of the images.
        members: String,
        /// Roles of the views in the JSON.
        views: String,
    },
    /// The checksum of an image differs from that in the JSON.
    #[error("{role} has crc32 {found}; its JSON states {stated}")]
    Crc32 {
        /// Role of the image.
        role: &'static str,
        /// Checksum of the image.
        found: u32,
        /// Checksum in the JSON.
        stated: u32,
    },
    /// A box holds NaN or infinity, which JSON cannot express.
    #[error("the box of {role} is not four finite numbers")]
    Box {
        /// Role of the view.
        role: &'static str,
    },
    /// The name or the size of a member does not fit into a ustar header.
    #[error("{member} of {bytes} bytes does not fit into a ustar header")]
    Header {
        /// Name of the member.
        member: String,
        /// Size of the member, bytes.
        bytes: u64,
    },
    /// The record is larger than readers accept.
    #[error("it has {bytes} bytes; expected at most {limit}")]
    TooLarge {
        /// Size of the record in the tar, bytes.
        bytes: u64,
        /// Largest size.
        limit: u64,
    },
    /// The JSON could not be written.
    #[error("its JSON cannot be written")]
    Json(#[source] serde_json::Error),
}
