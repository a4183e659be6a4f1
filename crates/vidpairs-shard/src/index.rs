//! DALI index v1.2: offset and size of every member of a tar, as text with one line per record.
//!
//! The first line is `v1.2 <records>`. Each further line lists the members of a record as `<extension> <offset> <size>
//! <name>`, separated by single spaces. Offsets are those of the member's bytes.

use std::fmt;

use crate::damage::IndexFault;
use crate::ustar::{BLOCK_BYTES, IndexedMember, is_member_name, padded_end};

const VERSION: &str = "v1.2";

/// Place of a record in its tar, from its first header to the padding of its last member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordSpan {
    pub start: u64,
    pub end: u64,
}

impl RecordSpan {
    /// The span of `members`, at least one.
    pub fn of(members: &[IndexedMember<'_>]) -> Self {
        Self {
            start: members.first().map_or(0, IndexedMember::header_offset),
            end: members.last().map_or(0, IndexedMember::end),
        }
    }
}

/// Index of one tar.
pub struct ShardIndex {
    text: Vec<u8>,
    /// Start of the line of each record in `text`.
    line_starts: Vec<usize>,
    spans: Vec<RecordSpan>,
    /// End of the last member, with its padding.
    end: u64,
}

impl ShardIndex {
    /// Parses the text of an `.idx` file.
    ///
    /// # Errors
    /// [`IndexFault`] unless every member follows the previous one without a gap, the members of each line have the
    /// same key, and the number of lines is the one stated. Whether the tar is long enough is checked when a member is
    /// read.
    pub fn parse(text: Vec<u8>) -> Result<Self, IndexFault> {
        let mut lines = text.split_inclusive(|&byte| byte == b'\n');
        let fault = |line, problem| IndexFault { line, problem };
        let first = lines.next().unwrap_or_default();
        let stated_records =
            parse_first_line(first).ok_or(fault(1, "expected `v1.2 <number of records>`"))?;

        let (mut start, mut end) = (first.len(), 0);
        // They grow with the lines, never by a number from the file.
        let (mut line_starts, mut spans) = (Vec::new(), Vec::new());
        for (line, number) in lines.zip(2..) {
            let faulty = |problem| fault(number, problem);
            let members = parse_line(line).map_err(faulty)?;
            end = end_without_gaps(&members, end).map_err(faulty)?;
            line_starts.push(start);
            spans.push(RecordSpan::of(&members));
            start += line.len();
        }
        if stated_records != line_starts.len() as u64 {
            return Err(fault(1, "the number of records differs from that of lines"));
        }
        Ok(Self {
            text,
            line_starts,
            spans,
            end,
        })
    }

    /// Number of records.
    pub fn num_records(&self) -> u64 {
        self.line_starts.len() as u64
    }

    /// Offset of the two blocks of zeros that end the tar: the end of the last member with its padding.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Place of each record in the tar.
    pub(crate) fn into_spans(self) -> Vec<RecordSpan> {
        self.spans
    }

    /// Members of record `record`, at least one; `None` if there is no such record.
    ///
    /// # Errors
    /// [`IndexFault`] if the line is damaged, which [`parse`](Self::parse) excludes.
    pub fn record(&self, record: u64) -> Option<Result<Vec<IndexedMember<'_>>, IndexFault>> {
        let start = *self.line_starts.get(usize::try_from(record).ok()?)?;
        let line = self.text[start..]
            .split_inclusive(|&byte| byte == b'\n')
            .next()
            .expect("every start is that of a line");
        Some(parse_line(line).map_err(|problem| IndexFault {
            line: record + 2,
            problem,
        }))
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

/// Index under construction.
#[derive(Default)]
pub(crate) struct IndexLines {
    text: String,
    line_starts: Vec<usize>,
    spans: Vec<RecordSpan>,
    /// Offset of the next header. After bytes that belong to no member it is beyond the end of the last member.
    pub end: u64,
}

impl IndexLines {
    /// Adds a record.
    pub fn push(&mut self, members: &[IndexedMember]) {
        self.line_starts.push(self.text.len());
        self.spans.push(RecordSpan::of(members));
        for (position, member) in members.iter().enumerate() {
            let separator = if position == 0 { "" } else { " " };
            let IndexedMember { name, offset, size } = member;
            let extension = member.extension();
            self.text
                .push_str(&format!("{separator}{extension} {offset} {size} {name}"));
            self.end = member.end();
        }
        self.text.push('\n');
    }

    /// Number of records so far.
    pub fn num_records(&self) -> u64 {
        self.line_starts.len() as u64
    }

    /// Key of the last record.
    pub fn last_key(&self) -> Option<&str> {
        let line = &self.text[*self.line_starts.last()?..];
        let members = parse_line(line.as_bytes()).expect("`push` writes lines that parse");
        members.first().map(IndexedMember::key)
    }

    /// Text of the `.idx` file.
    pub fn file_text(&self) -> String {
        format!("{VERSION} {}\n{}", self.num_records(), self.text)
    }

    /// Index of the records so far.
    pub fn into_index(self) -> ShardIndex {
        ShardIndex {
            text: self.text.into_bytes(),
            line_starts: self.line_starts,
            spans: self.spans,
            end: self.end,
        }
    }
}

fn parse_first_line(line: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (version, records) = line.split_once(' ')?;
    parse_number(records).filter(|_| version == VERSION)
}

/// Parses the members of a record, at least one.
fn parse_line(line: &[u8]) -> Result<Vec<IndexedMember<'_>>, &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
    let line = line.strip_suffix('\n').ok_or("the line is incomplete")?;
    let mut words = line.split(' ');
    let mut members: Vec<IndexedMember> = Vec::new();
    while let Some(extension) = words.next() {
        let mut word = || words.next().ok_or("the line is incomplete");
        let (offset, size, name) = (word()?, word()?, word()?);
        let member = IndexedMember {
            name,
            offset: parse_number(offset).ok_or("an offset is not a number")?,
            size: parse_number(size).ok_or("a size is not a number")?,
        };
        if !is_member_name(name) {
            return Err("a name is not KEY.EXTENSION");
        }
        if extension != member.extension() {
            return Err("an extension differs from that of the name after it");
        }
        if members
            .first()
            .is_some_and(|first| first.key() != member.key())
        {
            return Err("the members have different keys");
        }
        if member.offset < BLOCK_BYTES as u64 || padded_end(member.offset, member.size).is_none() {
            return Err("an offset or a size is out of range");
        }
        members.push(member);
    }
    Ok(members)
}

/// End of the last of `members`, if the first follows a member that ends at `end`, and each the one before it.
fn end_without_gaps(members: &[IndexedMember], end: u64) -> Result<u64, &'static str> {
    members.iter().try_fold(end, |end, member| {
        if end.checked_add(BLOCK_BYTES as u64) != Some(member.offset) {
            return Err("an offset is not one block after the end of the member before it");
        }
        Ok(member.end())
    })
}

/// Parses a number of digits only and without leading zeros, so that every number has a single form.
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
        assert_eq!(members[1].extension(), "json");
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
    fn an_index_built_record_by_record_has_the_same_text() {
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
        fn no_bytes_make_the_parser_panic_and_every_record_it_accepts_can_be_read(
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
