//! A walk from header to header through a tar, and past damaged ones.

use super::index::IndexLines;
use super::ustar::{BLOCK_BYTES, END_BYTES, padded_end, parse, split_name};
use super::{HeaderFault, IndexedMember};

/// Bytes that no header accounts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    pub offset: u64,
    pub bytes: u64,
    /// What stands where a header should.
    pub reason: HeaderFault,
}

/// What stands at a place where a header should.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'t> {
    Member(IndexedMember<'t>),
    Gap(Gap),
}

/// The members of a tar in order. Where a header is damaged, the walk goes on at the next block
/// that holds a sound one. It ends where only zeros are left.
pub(super) struct Walk<'t> {
    tar: &'t [u8],
    at: usize,
}

impl<'t> Walk<'t> {
    pub fn new(tar: &'t [u8]) -> Self {
        Self { tar, at: 0 }
    }

    fn member_at(&self, at: usize) -> Result<IndexedMember<'t>, HeaderFault> {
        let rest = self.tar.get(at..).unwrap_or_default();
        let block = rest.get(..BLOCK_BYTES).ok_or(HeaderFault::CutShort)?;
        let (name, size) = parse(block)?;
        let (_, extension) = split_name(name).ok_or(HeaderFault::Name)?;
        let offset = (at + BLOCK_BYTES) as u64;
        padded_end(offset, size)
            .filter(|&end| end <= self.tar.len() as u64)
            .ok_or(HeaderFault::CutShort)?;
        Ok(IndexedMember {
            extension,
            offset,
            size,
            name,
        })
    }

    /// The next block after `at` that is a sound header, else the end.
    fn resume_after(&self, at: usize) -> usize {
        let len = self.tar.len();
        let mut candidates = (at + BLOCK_BYTES..len).step_by(BLOCK_BYTES);
        let is_header = |&block: &usize| {
            let block = self.tar.get(block..block + BLOCK_BYTES);
            block.is_some_and(|block| parse(block).is_ok())
        };
        candidates.find(is_header).unwrap_or_else(|| {
            let end_blocks = len.saturating_sub(END_BYTES).max(at + BLOCK_BYTES);
            let tail = self.tar.get(end_blocks..).unwrap_or_default();
            let has_end = tail.len() == END_BYTES && is_zero(tail);
            if has_end { end_blocks } else { len }
        })
    }
}

impl<'t> Iterator for Walk<'t> {
    type Item = Found<'t>;

    fn next(&mut self) -> Option<Found<'t>> {
        let at = self.at;
        if is_zero(self.tar.get(at..)?) {
            return None;
        }
        Some(match self.member_at(at) {
            Ok(member) => {
                // `member_at` saw that this lies inside the tar.
                let end = padded_end(member.offset, member.size);
                self.at = end.map_or(self.tar.len(), |end| end as usize);
                Found::Member(member)
            }
            Err(reason) => {
                self.at = self.resume_after(at);
                Found::Gap(Gap {
                    offset: at as u64,
                    bytes: (self.at - at) as u64,
                    reason,
                })
            }
        })
    }
}

/// Builds the index of `tar` anew from its headers; members in a row with one key are one record.
pub(super) fn rebuild_index(tar: &[u8]) -> (IndexLines, Vec<Gap>) {
    let mut lines = IndexLines::default();
    let mut gaps = Vec::new();
    let mut record: Vec<IndexedMember> = Vec::new();
    let mut walk = Walk::new(tar);
    for found in walk.by_ref() {
        match found {
            Found::Gap(gap) => gaps.push(gap),
            Found::Member(member) => {
                if record
                    .first()
                    .is_some_and(|first| first.key() != member.key())
                {
                    lines.push(&record);
                    record.clear();
                }
                record.push(member);
            }
        }
    }
    if !record.is_empty() {
        lines.push(&record);
    }
    lines.end = walk.at as u64;
    (lines, gaps)
}

pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ustar::header;
    use super::*;

    /// A tar of members `k<i>.jpg`, each of `size` bytes of value 7.
    fn tar_of(num_members: usize, size: usize) -> Vec<u8> {
        let mut tar = Vec::new();
        for i in 0..num_members {
            tar.extend(header(&format!("k{i}.jpg"), size as u64).unwrap());
            tar.extend(vec![7; size]);
            tar.resize(tar.len().next_multiple_of(BLOCK_BYTES), 0);
        }
        tar.resize(tar.len() + END_BYTES, 0);
        tar
    }

    fn names<'t>(found: &[Found<'t>]) -> Vec<&'t str> {
        let name = |found: &Found<'t>| match found {
            Found::Member(member) => member.name,
            Found::Gap(_) => "gap",
        };
        found.iter().map(name).collect()
    }

    #[test]
    fn a_walk_goes_on_after_a_damaged_header() {
        let mut tar = tar_of(3, 600);
        tar[1536 + 3] ^= 1;
        let found: Vec<Found> = Walk::new(&tar).collect();
        assert_eq!(names(&found), ["k0.jpg", "gap", "k2.jpg"]);
        let gap = Gap {
            offset: 1536,
            bytes: 1536,
            reason: HeaderFault::Checksum,
        };
        assert_eq!(found[1], Found::Gap(gap));
    }

    #[test]
    fn a_hole_of_zeros_is_not_taken_for_the_end() {
        let mut tar = tar_of(4, 600);
        tar[1536..3 * 1536].fill(0);
        let found: Vec<Found> = Walk::new(&tar).collect();
        assert_eq!(names(&found), ["k0.jpg", "gap", "k3.jpg"]);
    }

    #[test]
    fn damage_to_the_last_header_leaves_the_end_blocks_in_place() {
        let mut tar = tar_of(2, 600);
        tar[1536] ^= 1;
        let (lines, gaps) = rebuild_index(&tar);
        assert_eq!((lines.num_records(), gaps.len()), (1, 1));
        assert_eq!(lines.end, (tar.len() - END_BYTES) as u64);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_walk_panic_and_its_steps_cover_the_tar(
            bytes in proptest::collection::vec(any::<u8>(), 0..3000),
            at in 0usize..6000,
            cut in 0usize..8000,
        ) {
            let mut tar = tar_of(4, 700);
            let end = (at + bytes.len()).min(tar.len());
            let start = at.min(end);
            tar[start..end].copy_from_slice(&bytes[..end - start]);
            tar.truncate(cut);
            for tar in [bytes, tar] {
                let mut covered = 0;
                for found in Walk::new(&tar) {
                    let (start, end) = match found {
                        Found::Member(member) => (
                            member.offset - BLOCK_BYTES as u64,
                            padded_end(member.offset, member.size).unwrap(),
                        ),
                        Found::Gap(gap) => (gap.offset, gap.offset + gap.bytes),
                    };
                    prop_assert_eq!(start, covered);
                    prop_assert!(end > start && end <= tar.len() as u64);
                    covered = end;
                }
                prop_assert!(is_zero(&tar[covered as usize..]));
            }
        }
    }
}
