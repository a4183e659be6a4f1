//! One tar member: its header, written and read with distrust.

use tar::{EntryType, Header};

use super::{Fault, HeaderFault, IndexedMember};

/// Tar counts in blocks.
pub(super) const BLOCK_BYTES: usize = 512;

/// A tar ends in two blocks of zeros.
pub(super) const END_BYTES: usize = 2 * BLOCK_BYTES;

/// Longest name without the ustar prefix field, which some readers join differently.
const MAX_NAME_BYTES: usize = 100;

/// Eleven octal digits: below 8 GiB.
const MAX_SIZE_BYTES: u64 = (1 << 33) - 1;

/// The header of a member: a function of name and size alone, so that equal inputs give equal
/// tars. `None` if the name or the size has no room in it.
pub(super) fn header(name: &str, size: u64) -> Option<[u8; BLOCK_BYTES]> {
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

/// Name and size that a header block states, if it is one of a regular `KEY.EXTENSION` member.
pub(super) fn parse(block: &[u8]) -> Result<(&str, u64), HeaderFault> {
    if block.len() != BLOCK_BYTES {
        return Err(HeaderFault::CutShort); // `from_byte_slice` panics on any other length
    }
    let header = Header::from_byte_slice(block);
    let ustar = header.as_ustar().ok_or(HeaderFault::NotUstar)?;
    // The sum is taken with the checksum field itself as eight spaces.
    let sum_of = |bytes: &[u8]| bytes.iter().map(|&byte| u32::from(byte)).sum::<u32>();
    let sum = sum_of(block) - sum_of(&ustar.cksum) + 8 * u32::from(b' ');
    if header.cksum().ok() != Some(sum) {
        return Err(HeaderFault::Checksum);
    }
    if ustar.typeflag != *b"0" {
        return Err(HeaderFault::NotRegular);
    }
    let name = ustar.name.split(|&byte| byte == 0).next();
    let name = name.and_then(|name| std::str::from_utf8(name).ok());
    let name = name.filter(|name| split_name(name).is_some() && ustar.prefix.starts_with(&[0]));
    let size = header.entry_size().map_err(|_| HeaderFault::Size)?;
    Ok((name.ok_or(HeaderFault::Name)?, size))
}

/// Key and extension: split at the first dot, as WebDataset does.
pub(super) fn split_name(name: &str) -> Option<(&str, &str)> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'/';
    let (key, extension) = name.split_once('.')?;
    (name.bytes().all(is_plain) && !key.is_empty() && !extension.is_empty())
        .then_some((key, extension))
}

/// Where a member of `size` bytes at `offset` ends, its padding included.
pub(super) fn padded_end(offset: u64, size: u64) -> Option<u64> {
    offset
        .checked_add(size)?
        .checked_next_multiple_of(BLOCK_BYTES as u64)
}

/// `size` bytes of `tar` from `offset` on, if they are all there.
pub(super) fn bytes_at(tar: &[u8], offset: u64, size: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    let end = usize::try_from(offset.checked_add(size)?).ok()?;
    tar.get(start..end)
}

/// The bytes of `member`, after its header was seen to announce the same name and size.
pub(super) fn read_member<'t>(tar: &'t [u8], member: &IndexedMember) -> Result<&'t [u8], Fault> {
    let cut_short = || Fault::CutShort {
        needed: padded_end(member.offset, member.size).unwrap_or(u64::MAX),
        file: tar.len() as u64,
    };
    let bytes = bytes_at(tar, member.offset, member.size).ok_or_else(cut_short)?;
    let (name, size) = header_of(tar, member).and_then(|(offset, block)| {
        parse(block).map_err(|reason| Fault::Header { offset, reason })
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

/// Whether the blocks of `member` are, outside its bytes, what the writer put there.
pub(super) fn check_form(tar: &[u8], member: &IndexedMember) -> Result<(), Fault> {
    let (offset, block) = header_of(tar, member)?;
    if header(member.name, member.size).is_none_or(|as_written| as_written != block) {
        let reason = HeaderFault::Form;
        return Err(Fault::Header { offset, reason });
    }
    let needed = padded_end(member.offset, member.size).unwrap_or(u64::MAX);
    let end = member.offset.saturating_add(member.size);
    let file = tar.len() as u64;
    let padding = bytes_at(tar, end, needed.saturating_sub(end));
    match padding.ok_or(Fault::CutShort { needed, file })? {
        padding if padding.iter().all(|&byte| byte == 0) => Ok(()),
        _ => Err(Fault::Padding),
    }
}

/// The block in front of the member's bytes, and where it begins.
fn header_of<'t>(tar: &'t [u8], member: &IndexedMember) -> Result<(u64, &'t [u8]), Fault> {
    let block_bytes = BLOCK_BYTES as u64;
    let offset = member.offset.saturating_sub(block_bytes);
    let block = bytes_at(tar, offset, block_bytes).ok_or(Fault::CutShort {
        needed: offset.saturating_add(block_bytes),
        file: tar.len() as u64,
    })?;
    Ok((offset, block))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_any_other_byte_in_it_is_seen() {
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
    fn a_header_has_no_room_for_a_long_name_or_for_eight_gibibytes() {
        assert!(header(&format!("{}.jpg", "k".repeat(96)), 0).is_some());
        assert!(header(&format!("{}.jpg", "k".repeat(97)), 0).is_none());
        assert!(header("k.jpg", MAX_SIZE_BYTES).is_some());
        assert!(header("k.jpg", MAX_SIZE_BYTES + 1).is_none());
    }
}
