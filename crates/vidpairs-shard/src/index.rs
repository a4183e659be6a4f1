//! The DALI index v1.2: offset and size of every member, as text, one line a record.
//!
//! `v1.2 <records>`, then per record `<extension> <offset> <size> <name>` once a member, all
//! separated by single spaces. Offsets point at the member's bytes. The reader keeps the text
//! mapped and only the place of each line in memory: 8 bytes a record, whatever its members.

use std::fmt;
use std::ops::Deref;

use memmap2::Mmap;
use serde::Serialize;

use super::ustar::{BLOCK_BYTES, padded_end, split_name};

const VERSION: &str = "v1.2";

/// Where one member lies in its tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexedMember<'a> {
    /// The part of the name after its first dot.
    pub extension: &'a str,
    /// Offset of the member's bytes in the tar.
    pub offset: u64,
    /// How many bytes they are.
    pub size: u64,
    /// `KEY.EXTENSION`.
    pub name: &'a str,
}

impl<'a> IndexedMember<'a> {
    /// The part of the name before its first dot.
    pub fn key(&self) -> &'a str {
        self.name.split('.').next().unwrap_or_default()
    }
}

/// Why a text is not the index of a tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct IndexFault {
    /// Line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The index of one tar.
pub struct ShardIndex {
    text: Text,
    /// Where in `text` the line of each record begins.
    line_starts: Vec<usize>,
    /// Where the last member ends, its padding included.
    end: u64,
}

impl ShardIndex {
    /// Reads the text of an `.idx`.
    ///
    /// # Errors
    /// [`IndexFault`] unless every member follows the one before it without a gap, members of a
    /// line share their key, and there are as many lines as the first one says. Whether the tar
    /// is that long is asked where a member is read.
    pub fn parse(text: Vec<u8>) -> Result<Self, IndexFault> {
        Self::parse_text(Text::Owned(text))
    }

    pub(super) fn parse_mapped(text: Mmap) -> Result<Self, IndexFault> {
        Self::parse_text(Text::Mapped(text))
    }

    fn parse_text(text: Text) -> Result<Self, IndexFault> {
        let mut lines = text.split_inclusive(|&byte| byte == b'\n');
        let fault = |line, problem| IndexFault { line, problem };
        let first = lines.next().unwrap_or_default();
        let stated_records =
            parse_first_line(first).ok_or(fault(1, "expected `v1.2 <number of records>`"))?;

        let (mut start, mut end) = (first.len(), 0);
        let mut line_starts = Vec::new(); // grows by lines seen, never by a number from the file
        for (line, number) in lines.zip(2..) {
            end = parse_line(line)
                .and_then(|members| end_of_gapless(&members, end))
                .map_err(|problem| fault(number, problem))?;
            line_starts.push(start);
            start += line.len();
        }
        if stated_records != line_starts.len() as u64 {
            return Err(fault(1, "the number of records is not that of the lines"));
        }
        Ok(Self {
            text,
            line_starts,
            end,
        })
    }

    /// Records of the tar.
    pub fn num_records(&self) -> u64 {
        self.line_starts.len() as u64
    }

    /// Where the last member ends, its padding included: the tar's two blocks of zeros follow.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The members of record `record`; `None` if there is no such record.
    ///
    /// # Errors
    /// [`IndexFault`] if the file was changed after it was opened.
    pub fn record(&self, record: u64) -> Option<Result<Vec<IndexedMember<'_>>, IndexFault>> {
        let start = *self.line_starts.get(usize::try_from(record).ok()?)?;
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.split_inclusive(|&byte| byte == b'\n').next();
        Some(
            parse_line(line.unwrap_or_default()).map_err(|problem| IndexFault {
                line: record + 2,
                problem,
            }),
        )
    }
}

impl From<IndexLines> for ShardIndex {
    fn from(lines: IndexLines) -> Self {
        Self {
            text: Text::Owned(lines.text.into_bytes()),
            line_starts: lines.line_starts,
            end: lines.end,
        }
    }
}

impl fmt::Debug for ShardIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardIndex")
            .field("num_records", &self.num_records())
            .field("end", &self.end)
            .finish()
    }
}

/// An index that grows record by record.
#[derive(Default)]
pub(super) struct IndexLines {
    text: String,
    line_starts: Vec<usize>,
    /// Where the next header will stand; a walk past lost bytes moves it further than its members.
    pub end: u64,
}

impl IndexLines {
    /// Adds one record.
    pub fn push(&mut self, members: &[IndexedMember]) {
        self.line_starts.push(self.text.len());
        for (position, member) in members.iter().enumerate() {
            let separator = if position == 0 { "" } else { " " };
            let IndexedMember {
                extension,
                offset,
                size,
                name,
            } = member;
            self.text
                .push_str(&format!("{separator}{extension} {offset} {size} {name}"));
            self.end = padded_end(*offset, *size).unwrap_or(self.end);
        }
        self.text.push('\n');
    }

    /// Records so far.
    pub fn num_records(&self) -> u64 {
        self.line_starts.len() as u64
    }

    /// Key of the last record.
    pub fn last_key(&self) -> Option<&str> {
        let line = self.text.get(*self.line_starts.last()?..)?;
        Some(parse_line(line.as_bytes()).ok()?.first()?.key())
    }

    /// The text of the `.idx`.
    pub fn file_text(&self) -> String {
        format!("{VERSION} {}\n{}", self.num_records(), self.text)
    }
}

/// The text, in memory or mapped.
enum Text {
    Owned(Vec<u8>),
    Mapped(Mmap),
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Mapped(bytes) => bytes,
        }
    }
}

fn parse_first_line(line: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (version, records) = line.split_once(' ')?;
    parse_number(records).filter(|_| version == VERSION)
}

fn parse_line(line: &[u8]) -> Result<Vec<IndexedMember<'_>>, &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "is not text")?;
    let line = line.strip_suffix('\n').ok_or("is cut off")?;
    let mut words = line.split(' ');
    let mut members: Vec<IndexedMember> = Vec::new();
    while let Some(extension) = words.next() {
        let mut word = || words.next().ok_or("is cut off");
        let (offset, size, name) = (word()?, word()?, word()?);
        let offset = parse_number(offset).ok_or("an offset is no number")?;
        let size = parse_number(size).ok_or("a size is no number")?;
        let (key, extension_of_name) = split_name(name).ok_or("a name is not KEY.EXTENSION")?;
        if extension != extension_of_name {
            return Err("an extension is not that of the name after it");
        }
        if members.first().is_some_and(|first| first.key() != key) {
            return Err("members of two keys");
        }
        padded_end(offset, size).ok_or("a member ends beyond any file")?;
        members.push(IndexedMember {
            extension,
            offset,
            size,
            name,
        });
    }
    Ok(members)
}

/// Where the last of `members` ends, if the first follows a member that ends at `end`, and so on.
fn end_of_gapless(members: &[IndexedMember], end: u64) -> Result<u64, &'static str> {
    members.iter().try_fold(end, |end, member| {
        if end.checked_add(BLOCK_BYTES as u64) != Some(member.offset) {
            return Err("an offset is not one block after the member before it");
        }
        padded_end(member.offset, member.size).ok_or("a member ends beyond any file")
    })
}

/// Digits only and no leading zero, so that one number has one text.
fn parse_number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_padded = text.len() > 1 && text.starts_with('0');
    text.parse().ok().filter(|_| is_plain && !is_padded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "v1.2 2\n\
        anchor.jpg 512 700 00000000-0000.anchor.jpg json 2048 3 00000000-0000.json\n\
        anchor.jpg 3072 0 00000000-0001.anchor.jpg json 3584 512 00000000-0001.json\n";

    fn parse(text: &str) -> Result<ShardIndex, IndexFault> {
        ShardIndex::parse(text.as_bytes().to_vec())
    }

    #[test]
    fn an_index_gives_the_place_of_every_member() {
        let index = parse(TEXT).unwrap();
        assert_eq!((index.num_records(), index.end()), (2, 4096));
        let members = index.record(1).unwrap().unwrap();
        assert_eq!(members[1].extension, "json");
        assert_eq!((members[1].offset, members[1].size), (3584, 512));
        assert_eq!(members[1].key(), "00000000-0001");
        assert!(index.record(2).is_none());
    }

    #[test]
    fn a_damaged_index_is_refused_with_the_line() {
        let line_of = |from: &str, to: &str| parse(&TEXT.replace(from, to)).unwrap_err().line;
        assert_eq!(line_of("v1.2 2", "v1.1 2"), 1);
        assert_eq!(line_of("v1.2 2", "v1.2 18446744073709551615"), 1);
        assert_eq!(line_of("2048 3", "2560 3"), 2);
        assert_eq!(line_of("2048 3", "2048 03"), 2);
        assert_eq!(line_of("700", "18446744073709551615"), 2);
        assert_eq!(line_of("00000000-0001.json", "00000000-0002.json"), 3);
        assert_eq!(line_of("json 3584", "jsom 3584"), 3);
        assert_eq!(line_of("0001.json\n", "0001.json"), 3);
        assert_eq!(parse("").unwrap_err().line, 1);
    }

    #[test]
    fn an_index_that_grew_reads_back() {
        let index = parse(TEXT).unwrap();
        let mut lines = IndexLines::default();
        for record in 0..index.num_records() {
            lines.push(&index.record(record).unwrap().unwrap());
        }
        assert_eq!(lines.file_text(), TEXT);
        assert_eq!(lines.last_key(), Some("00000000-0001"));
        assert_eq!(lines.end, index.end());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic_and_what_it_takes_it_can_give(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            at in 0..TEXT.len(),
            cut in 0..TEXT.len(),
        ) {
            let mut text = TEXT.as_bytes().to_vec();
            text.truncate(cut);
            text.splice(at.min(cut).., bytes.iter().copied());
            for text in [bytes, text] {
                if let Ok(index) = ShardIndex::parse(text) {
                    for record in 0..index.num_records() {
                        prop_assert!(index.record(record).unwrap().is_ok());
                    }
                }
            }
        }
    }
}
