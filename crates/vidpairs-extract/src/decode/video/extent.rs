//! Tells from the bytes of a container whether its end is missing, where the demuxer ends without an error.

use std::io;

use super::file::MediaFile;

/// Size of the largest page of Ogg, bytes.
const MAX_PAGE_BYTES: u64 = 65_307;

/// Whether the file ends before its container does. False where the container does not tell.
///
/// # Source
/// RIFF: size of the first chunk. Ogg (RFC 3533, section 6): the last page of a stream is marked. Flash Video (Adobe, annex E): each tag
/// is followed by its size.
pub(super) fn breaks_off(file: &MediaFile) -> io::Result<bool> {
    let num_bytes = file.version().len;
    let mut head = [0; 8];
    if num_bytes < 16 {
        return Ok(false);
    }
    file.read_at(&mut head, 0)?;
    let [kind @ .., _, _, _, _] = head;
    let [_, _, _, _, size @ ..] = head;
    Ok(match &kind {
        b"RIFF" => {
            let size = u32::from_le_bytes(size);
            // Programs that write without seeking leave 0 or the greatest number.
            size != 0 && size != u32::MAX && u64::from(size) + 8 > num_bytes
        }
        b"OggS" => {
            let tail = tail(file, MAX_PAGE_BYTES)?;
            let last = tail.windows(4).rposition(|bytes| bytes == b"OggS");
            last.is_none_or(|page| !is_whole_last_page(&tail[page..]))
        }
        [b'F', b'L', b'V', _] => {
            let size = tail(file, 4)?
                .iter()
                .fold(0, |sum, &byte| sum << 8 | u64::from(byte));
            let before = tail(file, size.saturating_add(4).min(num_bytes))?;
            let stated = before
                .get(1..4)
                .map(|size| size.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)));
            stated.map(|stated| stated + 11) != Some(size)
        }
        _ => false,
    })
}

fn is_whole_last_page(page: &[u8]) -> bool {
    let is_last = page.get(5).is_some_and(|flags| flags & 4 != 0);
    let num_segments = page.get(26).map_or(0, |&count| usize::from(count));
    let Some(sizes) = page.get(27..27 + num_segments) else {
        return false;
    };
    let num_bytes: usize = sizes.iter().map(|&size| usize::from(size)).sum();
    is_last && page.len() >= 27 + num_segments + num_bytes
}

/// The last bytes of the file, at most `count`.
fn tail(file: &MediaFile, count: u64) -> io::Result<Vec<u8>> {
    let num_bytes = file.version().len;
    let mut bytes = vec![0; count.min(num_bytes) as usize];
    file.read_at(&mut bytes, num_bytes.saturating_sub(count))?;
    Ok(bytes)
}
