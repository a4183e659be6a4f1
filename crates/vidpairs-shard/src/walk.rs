//! Walks through a tar from header to header, past damaged ones, to rebuild its index.

use std::io;

use crate::damage::{Damage, DamageList, Fault, HeaderFault};
use crate::index::IndexLines;
use crate::span::ReadAt;
use crate::ustar::{BLOCK_BYTES, END_BYTES, IndexedMember, padded_end, parse};

/// Bytes per read.
const WINDOW_BYTES: usize = 64 << 10;

/// Step of a walk.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Member {
        name: String,
        /// Offset of its bytes.
        offset: u64,
        size: u64,
    },
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
struct Walk<'t, T: ReadAt + ?Sized> {
    tar: &'t T,
    tar_bytes: u64,
    /// Position of the next header, at most the length of the tar.
    at: u64,
    /// Bytes of the tar from `window_start`.
    window: Vec<u8>,
    window_start: u64,
}

impl<'t, T: ReadAt + ?Sized> Walk<'t, T> {
    fn new(tar: &'t T, tar_bytes: u64) -> Self {
        Self {
            tar,
            tar_bytes,
            at: 0,
            window: Vec::new(),
            window_start: 0,
        }
    }

    /// The block at `at`, shorter where the tar ends inside it.
    fn block(&mut self, at: u64) -> io::Result<&[u8]> {
        let num_wanted = self.tar_bytes.saturating_sub(at).min(BLOCK_BYTES as u64) as usize;
        let place_in = |start: u64| usize::try_from(at.checked_sub(start)?).ok();
        let is_there = place_in(self.window_start)
            .is_some_and(|place| place + num_wanted <= self.window.len());
        if !is_there {
            let len = self.tar_bytes.saturating_sub(at).min(WINDOW_BYTES as u64);
            self.window.resize(len as usize, 0);
            let num_read = self.tar.read_up_to(&mut self.window, at)?;
            self.window.truncate(num_read);
            self.window_start = at;
        }
        let place = place_in(self.window_start).unwrap_or_default();
        let end = (place + num_wanted).min(self.window.len());
        Ok(self.window.get(place..end).unwrap_or_default())
    }

    fn member_at(&mut self, at: u64) -> io::Result<Result<Step, HeaderFault>> {
        let tar_bytes = self.tar_bytes;
        let (name, size) = match parse(self.block(at)?) {
            Ok((name, size)) => (name.to_owned(), size),
            Err(reason) => return Ok(Err(reason)),
        };
        let offset = at + BLOCK_BYTES as u64;
        let end = padded_end(offset, size).filter(|&end| end <= tar_bytes);
        Ok(match end {
            Some(_) => Ok(Step::Member { name, offset, size }),
            None => Err(HeaderFault::CutShort),
        })
    }

    /// Position of the next sound header after `at`; without one, of the blocks that end the tar, or the length of the
    /// tar.
    fn resume_after(&mut self, at: u64) -> io::Result<u64> {
        let mut next = at + BLOCK_BYTES as u64;
        while next < self.tar_bytes {
            if parse(self.block(next)?).is_ok() {
                return Ok(next);
            }
            next += BLOCK_BYTES as u64;
        }
        let end_blocks = self.tar_bytes.saturating_sub(END_BYTES as u64);
        let end_blocks = end_blocks.max(at + BLOCK_BYTES as u64);
        let has_end = self.tar_bytes.checked_sub(end_blocks) == Some(END_BYTES as u64)
            && self.is_zero_from(end_blocks)?;
        Ok(if has_end { end_blocks } else { self.tar_bytes })
    }

    /// Whether only zeros are left.
    fn is_zero_from(&mut self, mut at: u64) -> io::Result<bool> {
        while at < self.tar_bytes {
            let block = self.block(at)?;
            if !is_zero(block) {
                return Ok(false);
            }
            at += BLOCK_BYTES as u64;
        }
        Ok(true)
    }

    fn step(&mut self) -> io::Result<Option<Step>> {
        let at = self.at;
        if self.is_zero_from(at)? {
            return Ok(None);
        }
        Ok(Some(match self.member_at(at)? {
            Ok(step) => {
                if let Step::Member { offset, size, .. } = step {
                    // Inside the tar, as `member_at` checked.
                    self.at = padded_end(offset, size).unwrap_or(self.tar_bytes);
                }
                step
            }
            Err(reason) => {
                self.at = self.resume_after(at)?;
                Step::Gap {
                    offset: at,
                    bytes: self.at - at,
                    reason,
                }
            }
        }))
    }
}

impl<T: ReadAt + ?Sized> Iterator for Walk<'_, T> {
    type Item = io::Result<Step>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

/// Rebuilds the index of a tar from its headers. Consecutive members with the same key form a record. Also returns the
/// gaps, as [`Fault::Gap`].
///
/// # Errors
/// Errors of reading the tar.
pub(crate) fn rebuild_index(
    file_name: &str,
    tar: &(impl ReadAt + ?Sized),
    tar_bytes: u64,
) -> io::Result<(IndexLines, DamageList)> {
    let mut lines = IndexLines::default();
    let mut gaps = DamageList::default();
    let mut record: Vec<(String, u64, u64)> = Vec::new();
    let mut walk = Walk::new(tar, tar_bytes);
    for step in walk.by_ref() {
        match step? {
            Step::Gap {
                offset,
                bytes,
                reason,
            } => {
                let fault = Fault::Gap {
                    offset,
                    bytes,
                    reason,
                };
                gaps.push(Damage::of_file(file_name, fault));
            }
            Step::Member { name, offset, size } => {
                let key = |name: &str| name.split('.').next().map(str::to_owned);
                if record
                    .first()
                    .is_some_and(|(first, ..)| key(first) != key(&name))
                {
                    push(&mut lines, &record);
                    record.clear();
                }
                record.push((name, offset, size));
            }
        }
    }
    if !record.is_empty() {
        push(&mut lines, &record);
    }
    lines.end = walk.at;
    Ok((lines, gaps))
}

fn push(lines: &mut IndexLines, record: &[(String, u64, u64)]) {
    let members = record.iter().map(|(name, offset, size)| IndexedMember {
        name,
        offset: *offset,
        size: *size,
    });
    lines.push(&members.collect::<Vec<_>>());
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

    fn walked(tar: &[u8]) -> Vec<Step> {
        let steps = Walk::new(tar, tar.len() as u64);
        steps.collect::<io::Result<_>>().unwrap()
    }

    fn names(steps: &[Step]) -> Vec<&str> {
        steps
            .iter()
            .map(|step| match step {
                Step::Member { name, .. } => name.as_str(),
                Step::Gap { .. } => "gap",
            })
            .collect()
    }

    #[test]
    fn a_walk_continues_after_a_damaged_header() {
        let mut tar = tar_of(3, 600);
        tar[1536 + 3] ^= 1;
        let steps = walked(&tar);
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
        let steps = walked(&tar);
        assert_eq!(names(&steps), ["k0.jpg", "gap", "k3.jpg"]);
    }

    #[test]
    fn a_damaged_last_header_does_not_hide_the_end_blocks() {
        let mut tar = tar_of(2, 600);
        tar[1536] ^= 1;
        let len = tar.len() as u64;
        let (lines, gaps) = rebuild_index("a.tar", &tar[..], len).unwrap();
        assert_eq!((lines.num_records(), gaps.num()), (1, 1));
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
                for step in walked(&tar) {
                    let (start, end) = match step {
                        Step::Member { offset, size, .. } => (
                            offset - BLOCK_BYTES as u64,
                            padded_end(offset, size).unwrap(),
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
