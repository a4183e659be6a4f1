//! Walks through a tar from header to header, past damaged ones, to rebuild its index.

use crate::damage::{Fault, HeaderFault};
use crate::index::IndexLines;
use crate::ustar::{BLOCK_BYTES, END_BYTES, IndexedMember, padded_end, parse};

/// Step of a walk.
#[derive(Debug, PartialEq, Eq)]
enum Step<'t> {
    Member(IndexedMember<'t>),
    /// Bytes that belong to no member.
    Gap {
        offset: u64,
        bytes: u64,
        /// Problem with the header expected at `offset`.
        reason: HeaderFault,
    },
}

/// Iterator over the members of a tar. After a damaged header it continues at the next block that holds a sound one.
/// It ends where only zeros are left.
struct Walk<'t> {
    tar: &'t [u8],
    /// Position of the next header, at most the length of the tar.
    at: usize,
}

impl<'t> Walk<'t> {
    fn new(tar: &'t [u8]) -> Self {
        Self { tar, at: 0 }
    }

    fn member_at(&self, at: usize) -> Result<IndexedMember<'t>, HeaderFault> {
        let block = self.tar.get(at..at + BLOCK_BYTES);
        let (name, size) = parse(block.ok_or(HeaderFault::CutShort)?)?;
        let offset = (at + BLOCK_BYTES) as u64;
        padded_end(offset, size)
            .filter(|&end| end <= self.tar.len() as u64)
            .ok_or(HeaderFault::CutShort)?;
        Ok(IndexedMember { name, offset, size })
    }

    /// Position of the next sound header after `at`; without one, of the blocks that end the tar, or the length of the
    /// tar.
    fn resume_after(&self, at: usize) -> usize {
        let len = self.tar.len();
        let is_header = |&block: &usize| {
            let block = self.tar.get(block..block + BLOCK_BYTES);
            block.is_some_and(|block| parse(block).is_ok())
        };
        (at + BLOCK_BYTES..len)
            .step_by(BLOCK_BYTES)
            .find(is_header)
            .unwrap_or_else(|| {
                let end_blocks = len.saturating_sub(END_BYTES).max(at + BLOCK_BYTES);
                let tail = self.tar.get(end_blocks..);
                let has_end = tail.is_some_and(|tail| tail.len() == END_BYTES && is_zero(tail));
                if has_end { end_blocks } else { len }
            })
    }
}

impl<'t> Iterator for Walk<'t> {
    type Item = Step<'t>;

    fn next(&mut self) -> Option<Step<'t>> {
        let at = self.at;
        if is_zero(&self.tar[at..]) {
            return None;
        }
        Some(match self.member_at(at) {
            Ok(member) => {
                self.at = member.end() as usize; // inside the tar, as `member_at` checked
                Step::Member(member)
            }
            Err(reason) => {
                self.at = self.resume_after(at);
                Step::Gap {
                    offset: at as u64,
                    bytes: (self.at - at) as u64,
                    reason,
                }
            }
        })
    }
}

/// Rebuilds the index of `tar` from its headers. Consecutive members with the same key form a record. Also returns the
/// gaps, as [`Fault::Gap`].
pub(crate) fn rebuild_index(tar: &[u8]) -> (IndexLines, Vec<Fault>) {
    let mut lines = IndexLines::default();
    let mut gaps = Vec::new();
    let mut record: Vec<IndexedMember> = Vec::new();
    let mut walk = Walk::new(tar);
    for step in walk.by_ref() {
        match step {
            Step::Gap {
                offset,
                bytes,
                reason,
            } => gaps.push(Fault::Gap {
                offset,
                bytes,
                reason,
            }),
            Step::Member(member) => {
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

pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ustar::header;

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

    fn names<'t>(steps: &[Step<'t>]) -> Vec<&'t str> {
        let name = |step: &Step<'t>| match step {
            Step::Member(member) => member.name,
            Step::Gap { .. } => "gap",
        };
        steps.iter().map(name).collect()
    }

    #[test]
    fn a_walk_continues_after_a_damaged_header() {
        let mut tar = tar_of(3, 600);
        tar[1536 + 3] ^= 1;
        let steps: Vec<Step> = Walk::new(&tar).collect();
        assert_eq!(names(&steps), ["k0.jpg", "gap", "k2.jpg"]);
        let gap = Step::Gap {
            offset: 1536,
            bytes: 1536,
            reason: HeaderFault::Checksum,
        };
        assert_eq!(steps[1], gap);
    }

    #[test]
    fn zeros_in_the_middle_are_a_gap_and_not_the_end() {
        let mut tar = tar_of(4, 600);
        tar[1536..3 * 1536].fill(0);
        let steps: Vec<Step> = Walk::new(&tar).collect();
        assert_eq!(names(&steps), ["k0.jpg", "gap", "k3.jpg"]);
    }

    #[test]
    fn a_damaged_last_header_does_not_hide_the_end_blocks() {
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
                for step in Walk::new(&tar) {
                    let (start, end) = match step {
                        Step::Member(member) => (
                            member.offset - BLOCK_BYTES as u64,
                            padded_end(member.offset, member.size).unwrap(),
                        ),
                        Step::Gap { offset, bytes, .. } => (offset, offset + bytes),
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
