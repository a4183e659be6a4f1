//! Tar members: writes their headers, parses them, and checks them against the index.

use tar::{EntryType, Header};

use crate::damage::{Fault, HeaderFault};
use crate::span::Span;

/// Size of a tar block.
pub(crate) const BLOCK_BYTES: usize = 512;

/// Size of the end of a tar: two blocks of zeros.
pub(crate) const END_BYTES: usize = 2 * BLOCK_BYTES;

/// Longest name without the prefix field of ustar, which some readers join differently.
const MAX_NAME_BYTES: usize = 100;

/// Largest size in eleven octal digits: below 8 GiB.
const MAX_SIZE_BYTES: u64 = (1 << 33) - 1;

/// Place of one member in its tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexedMember<'a> {
    /// Name of the member, `KEY.EXTENSION`.
    pub name: &'a str,
    /// Offset of the member's bytes in the tar, after its header.
    pub offset: u64,
    /// Size of the member, bytes.
    pub size: u64,
}

impl<'a> IndexedMember<'a> {
    /// Part of the name before its first dot.
    pub fn key(&self) -> &'a str {
        self.name.split_once('.').map_or(self.name, |(key, _)| key)
    }

    /// Part of the name after its first dot; empty if the name has none.
    pub fn extension(&self) -> &'a str {
        self.name.split_once('.').map_or("", |(_, rest)| rest)
    }

    /// Offset of the member's header in the tar.
    pub(crate) fn header_offset(&self) -> u64 {
        self.offset - BLOCK_BYTES as u64
    }

    /// End of the member's last block.
    pub(crate) fn end(&self) -> u64 {
        padded_end(self.offset, self.size)
            .expect("offset and size were checked when the member was indexed")
    }
}

/// Header of a member; `None` if name or size do not fit. It depends on name and size only, so that equal inputs give
/// equal tars.
pub(crate) fn header(name: &str, size: u64) -> Option<[u8; BLOCK_BYTES]> {
    if name.len() > MAX_NAME_BYTES || size > MAX_SIZE_BYTES {
        return None;
    }
    let mut header = Header::new_ustar();
    header.set_path(name).ok()?;
    header.set_mode(0o444);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    Some(*header.as_bytes())
}

/// Parses the header of a regular member `KEY.EXTENSION`; returns its name and size.
pub(crate) fn parse(block: &[u8]) -> Result<(&str, u64), HeaderFault> {
    if block.len() != BLOCK_BYTES {
        return Err(HeaderFault::CutShort); // `from_byte_slice` panics on any other length
    }
    let header = Header::from_byte_slice(block);
    let ustar = header.as_ustar().ok_or(HeaderFault::NotUstar)?;
    // The checksum field itself counts as eight spaces.
    let sum_of = |bytes: &[u8]| bytes.iter().map(|&byte| u32::from(byte)).sum::<u32>();
    let sum = sum_of(block) - sum_of(&ustar.cksum) + 8 * u32::from(b' ');
    if header.cksum().ok() != Some(sum) {
        return Err(HeaderFault::Checksum);
    }
    if ustar.typeflag != *b"0" {
        return Err(HeaderFault::NotRegular);
    }
    let size = header.entry_size().map_err(|_| HeaderFault::Size)?;
    let name = ustar.name.split(|&byte| byte == 0).next();
    name.and_then(|name| std::str::from_utf8(name).ok())
        .filter(|name| is_member_name(name) && ustar.prefix.starts_with(&[0]))
        .map(|name| (name, size))
        .ok_or(HeaderFault::Name)
}

/// Whether `name` has the form `KEY.EXTENSION`, split at the first dot as WebDataset does.
pub(crate) fn is_member_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'/';
    name.bytes().all(is_plain)
        && name
            .split_once('.')
            .is_some_and(|(key, extension)| !key.is_empty() && !extension.is_empty())
}

/// End of the last block of a member of `size` bytes at `offset`; `None` beyond 2^64.
pub(crate) fn padded_end(offset: u64, size: u64) -> Option<u64> {
    offset
        .checked_add(size)?
        .checked_next_multiple_of(BLOCK_BYTES as u64)
}

/// Returns the bytes of `member` after checking that its header states the same name and size.
pub(crate) fn read_member<'t>(tar: Span<'t>, member: &IndexedMember) -> Result<&'t [u8], Fault> {
    let (header, bytes) = header_and_bytes(tar, member)?;
    let (name, size) = parse(header).map_err(|reason| Fault::Header {
        offset: member.header_offset(),
        reason,
    })?;
    if (name, size) != (member.name, member.size) {
        return Err(Fault::IndexDiffers {
            tar: name.to_owned(),
            tar_bytes: size,
            index: member.name.to_owned(),
            index_bytes: member.size,
        });
    }
    Ok(bytes)
}

/// Checks that header and padding of `member` are as the writer leaves them.
pub(crate) fn check_form(tar: Span<'_>, member: &IndexedMember) -> Result<(), Fault> {
    let (block, _) = header_and_bytes(tar, member)?;
    if header(member.name, member.size).is_none_or(|expected| expected != block) {
        return Err(Fault::Header {
            offset: member.header_offset(),
            reason: HeaderFault::Form,
        });
    }
    let end = member.offset + member.size;
    match tar.at(end, member.end() - end) {
        Some(padding) if padding.iter().all(|&byte| byte == 0) => Ok(()),
        Some(_) => Err(Fault::Padding),
        None => Err(cut_short(tar, member)),
    }
}

/// Header block and bytes of `member`.
fn header_and_bytes<'t>(
    tar: Span<'t>,
    member: &IndexedMember,
) -> Result<(&'t [u8], &'t [u8]), Fault> {
    tar.at(member.header_offset(), BLOCK_BYTES as u64 + member.size)
        .map(|whole| whole.split_at(BLOCK_BYTES))
        .ok_or_else(|| cut_short(tar, member))
}

fn cut_short(tar: Span<'_>, member: &IndexedMember) -> Fault {
    Fault::CutShort {
        needed: member.end(),
        file: tar.tar_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_parses_back_and_any_changed_byte_is_detected() {
        let sound = header("00000000-0001.anchor.jpg", 1234).unwrap();
        assert_eq!(parse(&sound), Ok(("00000000-0001.anchor.jpg", 1234)));
        for at in 0..BLOCK_BYTES {
            let mut damaged = sound;
            damaged[at] ^= 1 << (at % 8);
            if let Ok((name, size)) = parse(&damaged) {
                assert_ne!(header(name, size), Some(damaged), "byte {at}");
            }
        }
    }

    #[test]
    fn names_over_100_bytes_and_sizes_of_8_gib_have_no_header() {
        assert!(header(&format!("{}.jpg", "k".repeat(96)), 0).is_some());
        assert!(header(&format!("{}.jpg", "k".repeat(97)), 0).is_none());
        assert!(header("k.jpg", MAX_SIZE_BYTES).is_some());
        assert!(header("k.jpg", MAX_SIZE_BYTES + 1).is_none());
    }
}
