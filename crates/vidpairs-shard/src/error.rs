//! Why shards could not be written or read.

use std::io;
use std::path::{Path, PathBuf};

use super::Damage;

/// Why shards could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShardError {
    /// A file could not be written, renamed or removed; a full disk is `ErrorKind::StorageFull`.
    /// Stop the run: the unfinished shard stays, and a later run goes on from its last mark.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A file could not be opened or read. Stop, or go on with another shard.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A record breaks the rules of a shard. Nothing of it was written, the shard is sound: refuse
    /// the record's clip. It is a bug of the step that made the record.
    #[error("record {key} does not fit into a shard")]
    UnfitRecord {
        /// The record's key.
        key: String,
        /// The rule it breaks.
        #[source]
        unfit: Unfit,
    },
    /// The unfinished shard is shorter than its mark: something else cut it. Start the shard again
    /// from its first record.
    #[error("{} holds {found_bytes} bytes, its mark says {mark_bytes}", .path.display())]
    CutBelowMark {
        /// The unfinished shard.
        path: PathBuf,
        /// Its length.
        found_bytes: u64,
        /// The mark's length.
        mark_bytes: u64,
    },
    /// The unfinished shard does not begin with the bytes of its mark. Start the shard again from
    /// its first record.
    #[error("the first {bytes} bytes of {} have xxh64 {found:016x}, its mark says {mark:016x}", .path.display())]
    DiffersFromMark {
        /// The unfinished shard.
        path: PathBuf,
        /// The mark's length.
        bytes: u64,
        /// xxh64 of so many bytes of the file.
        found: u64,
        /// xxh64 that the mark states.
        mark: u64,
    },
    /// The bytes are those of the mark, but they are not the records it counts: the mark is
    /// another program's or was edited. Start the shard again from its first record.
    #[error("{} holds {found_records} records, its mark says {mark_records}", .path.display())]
    RecordsDifferFromMark {
        /// The unfinished shard.
        path: PathBuf,
        /// Records found.
        found_records: u64,
        /// Records that the mark counts.
        mark_records: u64,
    },
    /// A shard or one of its records is damaged. Skip the record or stop; the others can be read.
    #[error("{0}")]
    Damaged(Box<Damage>),
    /// There is no record of that number. Ask for one below `num_records`.
    #[error("there is no record {record}: numbers go from 0 to below {num_records}")]
    NoSuchRecord {
        /// The number asked for.
        record: u64,
        /// Records there are.
        num_records: u64,
    },
    /// There is no shard of that index. Ask for one below `num_shards`.
    #[error("there is no shard {shard_index}: they go from 0 to below {num_shards}")]
    NoSuchShard {
        /// The shard asked for.
        shard_index: usize,
        /// Shards there are.
        num_shards: usize,
    },
    /// The folder does not exist. Name another.
    #[error("there is no folder {}", .dir.display())]
    NoSuchFolder {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder holds the state of a run that was stopped. Finish the run.
    #[error("the run in {} is not finished: run the same `vidpairs extract` again", .dir.display())]
    RunUnfinished {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder holds no manifest. Name another.
    #[error("{} is no data set: it holds no dataset.json", .dir.display())]
    NotADataset {
        /// The folder.
        dir: PathBuf,
    },
    /// The manifest is not what this program writes. Stop: it was edited or damaged.
    #[error("{} cannot be understood", .path.display())]
    ManifestUnreadable {
        /// The manifest.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// The manifest states something that cannot be. Stop: it was edited or damaged.
    #[error("{}: {key} is {value}; expected {expected}", .path.display())]
    ManifestRefused {
        /// The manifest.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What it says.
        value: String,
        /// What it must say.
        expected: &'static str,
    },
    /// A newer program wrote the data set. Use that one.
    #[error("{} has format version {found}; this program reads up to {supported}: use a newer vidpairs", .path.display())]
    ManifestNewer {
        /// The manifest.
        path: PathBuf,
        /// Its format version.
        found: u64,
        /// The newest that this program reads.
        supported: u32,
    },
}

impl ShardError {
    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Write { path, source }
    }

    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Read { path, source }
    }
}

impl From<Damage> for ShardError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(Box::new(damage))
    }
}

/// The rule that a record breaks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// Loaders split key and extension at the first dot, the index splits at spaces.
    #[error("its key is not 1 to 64 ASCII letters, digits, `-` or `_`")]
    Key,
    /// Loaders would take both for one sample.
    #[error("the record before it has the same key")]
    RepeatedKey,
    /// Image members and the views of the json are not the same, in the order of the roles.
    #[error("its members are [{members}], its json describes [{views}]")]
    Members {
        /// Roles of the members.
        members: String,
        /// Roles of the views.
        views: String,
    },
    /// The json states another checksum than the member has.
    #[error("{role} has crc32 {found}, its json says {stated}")]
    Crc32 {
        /// The member.
        role: &'static str,
        /// The checksum of its bytes.
        found: u32,
        /// The checksum in the json.
        stated: u32,
    },
    /// Json has no word for NaN and infinity in a box.
    #[error("the box of {role} is not four finite numbers")]
    Box {
        /// The view.
        role: &'static str,
    },
    /// A ustar header has no room for the name or the size.
    #[error("{member} of {bytes} bytes has no ustar header")]
    Header {
        /// Name of the member.
        member: String,
        /// Its size.
        bytes: u64,
    },
    /// The json could not be written.
    #[error("its json cannot be written")]
    Json(#[source] serde_json::Error),
}
