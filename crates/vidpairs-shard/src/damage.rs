//! Damage to a data set: problems, and where they are.

use std::fmt;

use serde::Serialize;

use crate::checksum;

/// One problem of a data set, with its place as far as it is known.
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
///     "pairs-000002.tar: record 17 (00000004-0001): anchor.jpg: crc32 is 1; the JSON states 2"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// File name of the shard's tar, or of another file of the data set.
    pub shard: String,
    /// Number of the record in the shard, from 0.
    pub record: Option<u64>,
    /// Key of the record.
    pub key: Option<String>,
    /// Extension of the member, such as `anchor.jpg`.
    pub member: Option<String>,
    /// Problem.
    pub fault: Fault,
}

impl Damage {
    /// Damage to a whole file.
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

/// The damage that was found: the first [`MAX_LISTED`](Self::MAX_LISTED) in full, and the number of all, so that a file made of nothing
/// but damage takes neither memory nor pages of output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DamageList {
    listed: Vec<Damage>,
    num: u64,
}

impl DamageList {
    /// Most damage that is kept in full.
    pub const MAX_LISTED: usize = 100;

    /// Adds one.
    pub fn push(&mut self, damage: Damage) {
        self.num += 1;
        if self.listed.len() < Self::MAX_LISTED {
            self.listed.push(damage);
        }
    }

    /// Adds all of `other`.
    pub fn append(&mut self, other: Self) {
        self.num += other.num;
        let room = Self::MAX_LISTED.saturating_sub(self.listed.len());
        self.listed.extend(other.listed.into_iter().take(room));
    }

    /// The first, in the order they were found.
    pub fn listed(&self) -> &[Damage] {
        &self.listed
    }

    /// Number of all.
    pub fn num(&self) -> u64 {
        self.num
    }
}

impl Extend<Damage> for DamageList {
    fn extend<I: IntoIterator<Item = Damage>>(&mut self, all: I) {
        all.into_iter().for_each(|damage| self.push(damage));
    }
}

/// Problem of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// The tar is missing.
    #[error("the file is missing")]
    TarMissing,
    /// The `.idx` is missing.
    #[error("its .idx is missing")]
    IndexMissing,
    /// The folder holds a `pairs-*` file that the manifest does not list.
    #[error("the manifest does not list this file")]
    NotInManifest,
    /// The manifest lists a file twice.
    #[error("the manifest lists this file more than once")]
    ListedTwice,
    /// A total in the manifest is not the sum over its shards.
    #[error("totals.{total} is {stated}; the sum over the shards is {sum}")]
    Total {
        /// Name of the total.
        total: &'static str,
        /// Total in the manifest.
        stated: u64,
        /// Sum over the shards.
        sum: u64,
    },
    /// The operating system could not read the file.
    #[error("cannot be read at byte {offset}: {reason}")]
    Unreadable {
        /// Number of bytes read before the error.
        offset: u64,
        /// Error of the operating system.
        reason: String,
    },
    /// The length of the file is not that of the manifest.
    #[error("has {found} bytes; the manifest states {manifest}")]
    Bytes {
        /// Length of the file.
        found: u64,
        /// Length in the manifest.
        manifest: u64,
    },
    /// The checksum of the file is not that of the manifest.
    #[error("xxh64 is {found:016x}; the manifest states {manifest:016x}")]
    Xxh64 {
        /// xxh64 of the file.
        #[serde(with = "checksum::hex")]
        found: u64,
        /// xxh64 in the manifest.
        #[serde(with = "checksum::hex")]
        manifest: u64,
    },
    /// The number of records is not that of the manifest.
    #[error("has {found} records; the manifest states {manifest}")]
    Records {
        /// Number of records found.
        found: u64,
        /// Number of records in the manifest.
        manifest: u64,
    },
    /// The number of tracklets with an outcome is not that of the manifest.
    #[error("has {found} tracklets with outcome {outcome}; the manifest states {manifest}")]
    Tracklets {
        /// `trusted`, or the reason for a rejection.
        outcome: String,
        /// Number of tracklets found.
        found: u64,
        /// Number of tracklets in the manifest.
        manifest: u64,
    },
    /// A sum over the clips with cuts is not that of the manifest.
    #[error("has {found} {what}; the manifest states {manifest}")]
    Cuts {
        /// What is summed up.
        what: &'static str,
        /// Sum over the lines.
        found: u64,
        /// Number in the manifest.
        manifest: u64,
    },
    /// A line of the tracklets file is not a tracklet, or the file cannot be read any further.
    #[error("line {line} cannot be read: {reason}")]
    LineUnreadable {
        /// Number of the line, from 1.
        line: u64,
        /// Reason.
        reason: String,
    },
    /// The `.idx` is not a DALI index v1.2 of a tar without gaps.
    #[error("its .idx cannot be used: {0}")]
    IndexUnreadable(IndexFault),
    /// The `.idx` is sound, but belongs to another tar.
    #[error("its .idx describes a tar of {index} bytes; the tar has {tar}")]
    IndexOfAnotherTar {
        /// Length of the tar that the index describes, bytes.
        index: u64,
        /// Length of the tar, bytes.
        tar: u64,
    },
    /// The header of a member is sound, but its name or size is not that of the `.idx`.
    #[error(
        "the tar has {tar} of {tar_bytes} bytes; the .idx states {index} of {index_bytes} bytes"
    )]
    IndexDiffers {
        /// Name of the member in the tar.
        tar: String,
        /// Size of the member in the tar, bytes.
        tar_bytes: u64,
        /// Name of the member in the index.
        index: String,
        /// Size of the member in the index, bytes.
        index_bytes: u64,
    },
    /// The record of the tar does not end where the `.idx` states.
    #[error("its record ends at byte {tar}; the .idx states byte {index}")]
    RecordEnd {
        /// End of the record in the tar.
        tar: u64,
        /// End of the record in the index.
        index: u64,
    },
    /// A record is larger than any that this program writes or reads.
    #[error("has {bytes} bytes; the most of a record are {limit}")]
    RecordTooLarge {
        /// Size of the record.
        bytes: u64,
        /// Largest size.
        limit: u64,
    },
    /// Clips of the source have neither pairs nor a line in `refused.jsonl`, or both.
    #[error(
        "the pairs and refused.jsonl account for {found} clips; the source had {stated}: pairs of clips are missing, or \
         were not made"
    )]
    Clips {
        /// Clips with pairs, and clips that were refused or skipped.
        found: u64,
        /// `totals.clips` of the manifest.
        stated: u64,
    },
    /// Two parts of a data set hold pairs of the same clip, or a part holds them in two places.
    #[error("clip {clip} has pairs here and in {other}")]
    ClipTwice {
        /// Ordinal of the clip.
        clip: u64,
        /// First shard of the other part.
        other: String,
    },
    /// The order of the records is damaged: it does not name each record once, or a record has a key of another form.
    #[error("it does not give the order of the records; make it anew with `vidpairs merge`")]
    NoOrder,
    /// The order of the records is not that of the keys in the shards.
    #[error("it is not the order of the shards that are there; make it anew with `vidpairs merge`")]
    OtherOrder,
    /// The number of lines of `refused.jsonl` with an outcome is not that of the manifest.
    #[error("has {found} {outcome} clips; the manifest states {stated}")]
    SetAside {
        /// `refused`, `skipped` or `partial`.
        outcome: &'static str,
        /// Number of lines.
        found: u64,
        /// Total of the manifest.
        stated: u64,
    },
    /// The header of a member is damaged.
    #[error("the header at byte {offset} is damaged: {reason}")]
    Header {
        /// Offset of the header.
        offset: u64,
        /// Problem of the header.
        reason: HeaderFault,
    },
    /// Bytes that belong to no member. Reading continued after them.
    #[error("{bytes} bytes from byte {offset} are lost: {reason}")]
    Gap {
        /// Offset of the first lost byte.
        offset: u64,
        /// Number of lost bytes.
        bytes: u64,
        /// Problem of the header expected at `offset`.
        reason: HeaderFault,
    },
    /// The file ends inside the member.
    #[error("ends at byte {needed}; the file ends at byte {file}")]
    CutShort {
        /// End of the member with its padding.
        needed: u64,
        /// Length of the file.
        file: u64,
    },
    /// The padding after the member is not zero.
    #[error("the padding after it is not zero")]
    Padding,
    /// The tar does not end in exactly two blocks of zeros after its last member.
    #[error("does not end in two blocks of zeros at byte {offset}")]
    EndBlocks {
        /// Offset at which the two blocks should start.
        offset: u64,
    },
    /// `KEY.json` cannot be parsed.
    #[error("cannot be parsed: {reason}")]
    JsonUnreadable {
        /// Position and reason.
        reason: String,
    },
    /// The key is not greater than that of the previous record.
    #[error("does not follow the previous record: a pair is repeated or out of order")]
    KeyOutOfOrder,
    /// An earlier shard holds pairs of the same clip.
    #[error(
        "repeats pairs of clip {clip:08}: it has them from {first:04}, an earlier shard up to {last:04}"
    )]
    PairsTwice {
        /// Ordinal of the clip.
        clip: u64,
        /// Ordinal of the first pair of the clip in this shard.
        first: u64,
        /// Ordinal of its last pair in the earlier shard.
        last: u64,
    },
    /// The bytes of `KEY.json` do not match its own CRC-32.
    #[error("crc32 is {found}; its json_crc32 states {stated}")]
    JsonCrc32 {
        /// CRC-32 of the bytes before the field.
        found: u32,
        /// CRC-32 in the field.
        stated: u32,
    },
    /// `KEY.json` does not end in its own CRC-32.
    #[error("does not end in its json_crc32")]
    JsonUnsealed,
    /// A newer version wrote `KEY.json`.
    #[error("has schema {found}; this program reads schemas up to {supported}")]
    SchemaNewer {
        /// Schema of the record.
        found: u32,
        /// Newest schema that this program reads.
        supported: u32,
    },
    /// `KEY.json` belongs to another record.
    #[error("belongs to key {json}")]
    KeyDiffers {
        /// Key in the JSON.
        json: String,
    },
    /// The bytes of an image do not match their CRC-32 in the JSON.
    #[error("crc32 is {found}; the JSON states {json}")]
    Crc32 {
        /// CRC-32 of the bytes.
        found: u32,
        /// CRC-32 in the JSON.
        json: u32,
    },
    /// The JSON describes an image that is missing, or the JSON itself is missing.
    #[error("is missing")]
    MemberMissing,
    /// The JSON does not describe this member.
    #[error("is not described by the JSON")]
    MemberUnknown,
}

/// Problem of a tar header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HeaderFault {
    /// The file ends inside the header or its member.
    #[error("the file ends inside the member")]
    CutShort,
    /// The block is not a ustar header.
    #[error("the block is not a ustar header")]
    NotUstar,
    /// The checksum does not match.
    #[error("its checksum does not match")]
    Checksum,
    /// The header is not that of a regular file.
    #[error("it is not the header of a regular file")]
    NotRegular,
    /// Its name is not `KEY.EXTENSION`.
    #[error("its name is not KEY.EXTENSION")]
    Name,
    /// Its size is not a number.
    #[error("its size is not a number")]
    Size,
    /// The header is valid, but is not the one that this program writes for its name and size.
    #[error("it is not as it was written")]
    Form,
}

/// Problem of an `.idx` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct IndexFault {
    /// Number of the line, from 1.
    pub line: u64,
    /// Problem of the line.
    pub problem: &'static str,
}
