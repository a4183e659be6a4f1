//! What is wrong with a shard, and where.

use std::fmt;

use serde::Serialize;

use super::{IndexFault, checksum};

/// One thing that is wrong with a data set: where, as closely as is known, and what.
///
/// # Examples
/// ```
/// use vidpairs_shard::{Damage, Fault};
/// let damage = Damage {
///     shard: "pairs-000002.tar".to_owned(),
///     record: Some(17),
///     key: Some("00000004-0001".to_owned()),
///     member: Some("anchor.jpg".to_owned()),
///     fault: Fault::Crc32 { found: 1, json: 2 },
/// };
/// assert_eq!(
///     damage.to_string(),
///     "pairs-000002.tar: record 17 (00000004-0001): anchor.jpg: crc32 is 1, the json says 2"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// File name of the shard's tar, or of the file in question.
    pub shard: String,
    /// Number of the record in the shard, from 0.
    pub record: Option<u64>,
    /// Key of the record.
    pub key: Option<String>,
    /// Extension of the member, `anchor.jpg` say.
    pub member: Option<String>,
    /// What is wrong.
    pub fault: Fault,
}

impl Damage {
    /// Damage to a file as a whole.
    pub fn of_file(file: &str, fault: Fault) -> Self {
        Self {
            shard: file.to_owned(),
            record: None,
            key: None,
            member: None,
            fault,
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.shard)?;
        if let Some(record) = self.record {
            write!(f, "record {record}")?;
            if let Some(key) = &self.key {
                write!(f, " ({key})")?;
            }
            write!(f, ": ")?;
        }
        if let Some(member) = &self.member {
            write!(f, "{member}: ")?;
        }
        write!(f, "{}", self.fault)
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// The manifest lists a tar that is not there.
    #[error("the file is missing")]
    TarMissing,
    /// The tar has no `.idx` beside it.
    #[error("its .idx is missing")]
    IndexMissing,
    /// A `pairs-*` file is in the folder that the manifest does not list.
    #[error("the manifest does not list this file")]
    NotInManifest,
    /// The manifest lists a file twice.
    #[error("the manifest lists this file more than once")]
    ListedTwice,
    /// The totals of the manifest are not the sums over its shards.
    #[error("the manifest's total of {total} is {stated}, its shards add up to {sum}")]
    Total {
        /// Which total.
        total: &'static str,
        /// What the manifest states.
        stated: u64,
        /// The sum over its shards.
        sum: u64,
    },
    /// The operating system could not read the file.
    #[error("cannot be read at byte {offset}: {reason}")]
    Unreadable {
        /// Bytes read before.
        offset: u64,
        /// What the operating system said.
        reason: String,
    },
    /// The tar is longer or shorter than the manifest says.
    #[error("holds {found} bytes, the manifest says {manifest}")]
    Bytes {
        /// Length of the file.
        found: u64,
        /// Length in the manifest.
        manifest: u64,
    },
    /// The tar's checksum is not that of the manifest.
    #[error("xxh64 is {found:016x}, the manifest says {manifest:016x}")]
    Xxh64 {
        /// xxh64 of the file.
        #[serde(with = "checksum::hex")]
        found: u64,
        /// xxh64 in the manifest.
        #[serde(with = "checksum::hex")]
        manifest: u64,
    },
    /// The shard holds more or fewer records than the manifest says.
    #[error("holds {found} records, the manifest says {manifest}")]
    Records {
        /// Records found.
        found: u64,
        /// Records in the manifest.
        manifest: u64,
    },
    /// The file holds more or fewer tracklets of this outcome than the manifest says.
    #[error("holds {found} tracklets that are {outcome}, the manifest says {manifest}")]
    Tracklets {
        /// `trusted`, or the reason of a rejection.
        outcome: String,
        /// Tracklets found.
        found: u64,
        /// Tracklets in the manifest.
        manifest: u64,
    },
    /// What stands at this line, or under it, is no tracklet.
    #[error("line {line} cannot be understood: {reason}")]
    LineUnreadable {
        /// From 1.
        line: u64,
        /// Why.
        reason: String,
    },
    /// The `.idx` is not a DALI index v1.2 of one gapless tar.
    #[error("its .idx cannot be used: {0}")]
    IndexUnreadable(IndexFault),
    /// The `.idx` is sound in itself but of another tar.
    #[error("its .idx is of a tar of {index} bytes, not of {tar}")]
    IndexOfAnotherTar {
        /// Length of the tar that the index describes.
        index: u64,
        /// Length of the tar.
        tar: u64,
    },
    /// A sound header names another member than the `.idx`.
    #[error(
        "the tar holds {tar} of {tar_bytes} bytes where the .idx says {index} of {index_bytes} bytes"
    )]
    IndexDiffers {
        /// Member name in the tar.
        tar: String,
        /// Its size in the tar.
        tar_bytes: u64,
        /// Member name in the index.
        index: String,
        /// Its size in the index.
        index_bytes: u64,
    },
    /// The header of a member is damaged.
    #[error("the header at byte {offset} is damaged: {reason}")]
    Header {
        /// Where the header begins.
        offset: u64,
        /// What is wrong with it.
        reason: HeaderFault,
    },
    /// Bytes that no header accounts for; reading went on after them.
    #[error("{bytes} bytes from byte {offset} on are lost: {reason}")]
    Gap {
        /// Where they begin.
        offset: u64,
        /// How many.
        bytes: u64,
        /// What stands where a header should.
        reason: HeaderFault,
    },
    /// The file ends before the member does.
    #[error("ends at byte {needed}, the file at byte {file}")]
    CutShort {
        /// Where the member ends, padding included.
        needed: u64,
        /// Length of the file.
        file: u64,
    },
    /// The bytes that fill up a member's last block are not zero.
    #[error("the padding after it is not zero")]
    Padding,
    /// The tar does not end in its two blocks of zeros and nothing else.
    #[error("does not end in two blocks of zeros at byte {offset}")]
    EndBlocks {
        /// Where they should begin.
        offset: u64,
    },
    /// `KEY.json` is not the json of a record.
    #[error("cannot be understood: {reason}")]
    JsonUnreadable {
        /// Where and why.
        reason: String,
    },
    /// The record's key is that of an earlier one, or belongs before it.
    #[error("does not come after the record before it: a pair is there twice, or out of order")]
    KeyOutOfOrder,
    /// Pairs of this clip lie in an earlier shard too.
    #[error(
        "holds pairs of clip {clip:08} from {first:04} on, which an earlier shard holds up to {last:04}"
    )]
    PairsTwice {
        /// Ordinal of the clip.
        clip: u64,
        /// First pair in this shard.
        first: u64,
        /// Last pair in the earlier one.
        last: u64,
    },
    /// The bytes of `KEY.json` are not those that were written.
    #[error("crc32 is {found}, its own json_crc32 says {stated}")]
    JsonCrc32 {
        /// crc32 of the bytes before the field.
        found: u32,
        /// What the field says.
        stated: u32,
    },
    /// `KEY.json` does not end in its own checksum.
    #[error("does not end in its json_crc32")]
    JsonUnsealed,
    /// A newer program wrote `KEY.json`.
    #[error("has schema {found}; this program reads up to {supported}")]
    SchemaNewer {
        /// Schema of the record.
        found: u32,
        /// The newest that this program reads.
        supported: u32,
    },
    /// `KEY.json` is that of another record.
    #[error("states the key {json}")]
    KeyDiffers {
        /// The key it states.
        json: String,
    },
    /// The bytes of an image member are not those that were written.
    #[error("crc32 is {found}, the json says {json}")]
    Crc32 {
        /// crc32 of the bytes.
        found: u32,
        /// crc32 in the json.
        json: u32,
    },
    /// A member that the record needs is not there.
    #[error("is missing")]
    MemberMissing,
    /// The json says nothing of this member.
    #[error("is not described by the json")]
    MemberUnknown,
}

/// What is wrong with a tar header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HeaderFault {
    /// The file ends inside the header or the member that it announces.
    #[error("the file ends inside the member")]
    CutShort,
    /// No ustar header stands there.
    #[error("no ustar header stands there")]
    NotUstar,
    /// The checksum does not match.
    #[error("its checksum does not match")]
    Checksum,
    /// It announces something else than a regular file.
    #[error("it announces no regular file")]
    NotRegular,
    /// Its name is not `KEY.EXTENSION`.
    #[error("its name is not KEY.EXTENSION")]
    Name,
    /// Its size is no number.
    #[error("its size is no number")]
    Size,
    /// It reads well, but is not the header that this program writes for that name and size.
    #[error("it is not as it was written")]
    Form,
}
