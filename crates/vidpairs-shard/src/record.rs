//! Members of a record, and their damage.

use std::fs::File;
use std::io;
use std::ops::Range;

use vidpairs_types::{RecordMeta, Role, SCHEMA};

use crate::checksum::json_crc32;
use crate::damage::{Damage, Fault};
use crate::error::ShardError;
use crate::index::RecordSpan;
use crate::span::{Span, SpanBytes};
use crate::ustar::{BLOCK_BYTES, padded_end, parse};

/// Largest record, with headers and padding, bytes: two views and their whole frames in 8K, raw. A larger one cannot be written, so that
/// the numbers of a damaged or sparse file never take the memory.
pub(crate) const MAX_RECORD_BYTES: u64 = 512 << 20;

/// Member of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// Part of the name after the key and its dot, such as `anchor.jpg` or `json`.
    pub extension: &'a str,
    /// Bytes of the member.
    pub bytes: &'a [u8],
}

/// Record of a shard.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    shard: &'a str,
    number: u64,
    /// Empty until a member is known.
    key: String,
    members: Vec<MemberPlace>,
    /// Place of `bytes` in the tar.
    start: u64,
    bytes: SpanBytes,
    tar_bytes: u64,
}

/// Extension of a member, and its place in the bytes of the record.
#[derive(Debug, Clone)]
struct MemberPlace {
    extension: String,
    place: Range<usize>,
}

impl<'a> Record<'a> {
    /// Reads the bytes of a record, fewer if the tar ends before. Its members are still to be found.
    ///
    /// # Errors
    /// Errors of the operating system.
    pub(crate) fn read(
        shard: &'a str,
        number: u64,
        tar: &File,
        span: RecordSpan,
        tar_bytes: u64,
    ) -> io::Result<Self> {
        let len = span.end.min(tar_bytes).saturating_sub(span.start);
        let len = usize::try_from(len.min(MAX_RECORD_BYTES)).unwrap_or(usize::MAX);
        let bytes = SpanBytes::read(tar, span.start, len)?;
        // Shorter only if something has cut the tar since it was opened.
        let tar_bytes = match bytes.len() < len {
            true => span.start + bytes.len() as u64,
            false => tar_bytes,
        };
        Ok(Self {
            shard,
            number,
            key: String::new(),
            members: Vec::new(),
            start: span.start,
            bytes,
            tar_bytes,
        })
    }

    /// Finds the members in their headers, which must end where the index states.
    pub(crate) fn find_members(&mut self, span: RecordSpan) -> Result<(), ShardError> {
        let bytes = span.end.saturating_sub(span.start);
        if bytes > MAX_RECORD_BYTES {
            let limit = MAX_RECORD_BYTES;
            return Err(self
                .damage(None, Fault::RecordTooLarge { bytes, limit })
                .into());
        }
        let mut at = span.start;
        while at < span.end {
            let cut_short = Fault::CutShort {
                needed: span.end,
                file: self.tar_bytes,
            };
            let Some(header) = self.span().at(at, BLOCK_BYTES as u64) else {
                return Err(self.damage(None, cut_short).into());
            };
            let (name, size) = parse(header).map_err(|reason| {
                let offset = at;
                ShardError::from(self.damage(None, Fault::Header { offset, reason }))
            })?;
            let (key, extension) = name.split_once('.').unwrap_or((name, ""));
            let offset = at + BLOCK_BYTES as u64;
            let end = padded_end(offset, size).unwrap_or(u64::MAX);
            let is_other = !self.members.is_empty() && key != self.key;
            if is_other || end > span.end {
                let (tar, index) = (if is_other { at } else { end }, span.end);
                return Err(self.damage(None, Fault::RecordEnd { tar, index }).into());
            }
            let (key, extension) = (key.to_owned(), extension.to_owned());
            self.key = key;
            if self.span().at(offset, size).is_none() {
                return Err(self.damage(Some(&extension), cut_short).into());
            }
            self.add_member(extension, offset, size);
            at = end;
        }
        Ok(())
    }

    /// Adds a member whose bytes are in those of the record.
    ///
    /// - `offset`: place of its bytes in the tar.
    pub(crate) fn add_member(&mut self, extension: String, offset: u64, size: u64) {
        let start = offset.saturating_sub(self.start) as usize;
        let place = start..start.saturating_add(size as usize);
        self.members.push(MemberPlace { extension, place });
    }

    pub(crate) fn set_key(&mut self, key: &str) {
        key.clone_into(&mut self.key);
    }

    /// The bytes with their place in the tar.
    pub(crate) fn span(&self) -> Span<'_> {
        Span {
            start: self.start,
            bytes: &self.bytes,
            tar_bytes: self.tar_bytes,
        }
    }

    /// File name of the shard.
    pub fn shard(&self) -> &'a str {
        self.shard
    }

    /// Number of the record in the shard, from 0.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Key of the record.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Members, in the order of the tar.
    pub fn members(&self) -> impl ExactSizeIterator<Item = Member<'_>> {
        self.members.iter().map(|member| Member {
            extension: &member.extension,
            bytes: self.bytes.get(member.place.clone()).unwrap_or_default(),
        })
    }

    /// Image of the view `role`: a JPEG, or zstd-compressed RGB if its extension ends in `.rgb.zst`. `None` if the
    /// record has no such view.
    pub fn image(&self, role: Role) -> Option<Member<'_>> {
        let is_of_role = |member: &Member| {
            let rest = member.extension.strip_prefix(role.name());
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        self.members().find(is_of_role)
    }

    /// Parses `KEY.json`, after checking its CRC-32.
    ///
    /// # Errors
    /// [`ShardError::Damaged`] if it is missing, damaged, of another record or of a newer schema.
    pub fn meta(&self) -> Result<RecordMeta, ShardError> {
        self.read_meta().map_err(ShardError::Damaged)
    }

    /// Compares every image with its CRC-32 in the JSON.
    ///
    /// # Errors
    /// [`ShardError::Damaged`] with shard, number, key and member of the first that is missing or differs; the errors
    /// of [`meta`](Self::meta).
    pub fn check(&self) -> Result<(), ShardError> {
        match self.damages().into_iter().next() {
            Some(damage) => Err(damage.into()),
            None => Ok(()),
        }
    }

    /// All damage that [`check`](Self::check) can find.
    pub fn damages(&self) -> Vec<Damage> {
        let meta = match self.read_meta() {
            Ok(meta) => meta,
            Err(damage) => return vec![*damage],
        };
        let mut damages = Vec::new();
        for (role, view) in meta.views() {
            let Some(image) = self.image(role) else {
                damages.push(self.damage(Some(role.name()), Fault::MemberMissing));
                continue;
            };
            let (found, json) = (crc32fast::hash(image.bytes), view.crc32);
            if found != json {
                let fault = Fault::Crc32 { found, json };
                damages.push(self.damage(Some(image.extension), fault));
            }
        }
        let is_described = |member: &Member| {
            let is_image_of_view = |(role, _)| self.image(role) == Some(*member);
            member.extension == "json" || meta.views().any(is_image_of_view)
        };
        for member in self.members().filter(|member| !is_described(member)) {
            damages.push(self.damage(Some(member.extension), Fault::MemberUnknown));
        }
        damages
    }

    fn read_meta(&self) -> Result<RecordMeta, Box<Damage>> {
        let damage = |fault| Box::new(self.damage(Some("json"), fault));
        let mut members = self.members();
        let json = members
            .find(|member| member.extension == "json")
            .ok_or_else(|| damage(Fault::MemberMissing))?;
        match json_crc32(json.bytes) {
            Some((found, stated)) if found == stated => {}
            Some((found, stated)) => return Err(damage(Fault::JsonCrc32 { found, stated })),
            None => return Err(damage(Fault::JsonUnsealed)),
        }
        let meta: RecordMeta = serde_json::from_slice(json.bytes).map_err(|error| {
            damage(Fault::JsonUnreadable {
                reason: error.to_string(),
            })
        })?;
        if meta.schema > SCHEMA {
            return Err(damage(Fault::SchemaNewer {
                found: meta.schema,
                supported: SCHEMA,
            }));
        }
        if meta.key != self.key {
            return Err(damage(Fault::KeyDiffers { json: meta.key }));
        }
        Ok(meta)
    }

    /// Damage of this record, or of its member with the extension `member`.
    pub(crate) fn damage(&self, member: Option<&str>, fault: Fault) -> Damage {
        Damage {
            shard: self.shard.to_owned(),
            record: Some(self.number),
            key: (!self.key.is_empty()).then(|| self.key.clone()),
            member: member.map(str::to_owned),
            fault,
        }
    }
}
