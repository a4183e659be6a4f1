//! Walks the boxes of MP4 and QuickTime files: what their index declares, and whether it is there.
//!
//! FFmpeg makes one entry in memory for every sample that the index declares. A run length declares a hundred million samples in a
//! few bytes, and an edit list repeats them. So they are counted before FFmpeg opens the file.
//!
//! **Source**: ISO/IEC 14496-12, 4.2 (boxes), 8.6 (edit lists), 8.7 (sample tables), 8.8 (fragments).

use vidpairs_types::parallel::Heartbeat;

use super::file::MediaFile;
use crate::decode::error::DecodeError;

/// Largest number of samples, repetitions included, in the tracks of a file. Two days of video at 60 Hz have ten million.
pub(super) const MAX_SAMPLES: u64 = 12_000_000;

/// Samples of zero bytes that are tolerated: a file has fewer other samples than bytes.
pub(super) const NUM_EMPTY: u64 = 4096;

/// Boxes with boxes inside, as FFmpeg reads them. It takes each of them inside any other, down to [`MAX_DEPTH`].
const PARENTS: [&[u8; 4]; 19] = [
    b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"mvex", b"moof", b"traf", b"udta",
    b"dinf", b"gmhd", b"tref", b"wave", b"sinf", b"schi", b"ilst", b"iprp", b"ipco",
];

/// Boxes that make FFmpeg's index. Their place is not inside a sample description, but FFmpeg takes them there too.
const INDEX_TABLES: [&[u8; 4]; 8] = [
    b"stsz", b"stz2", b"trun", b"stco", b"co64", b"elst", b"stts", b"stsc",
];

/// Depth at which FFmpeg stops too.
const MAX_DEPTH: u32 = 10;

/// Frames of uncompressed sound in an entry of FFmpeg's index.
const FRAMES_PER_ENTRY: u64 = 1024;

/// A box: its type, and the places of its content.
struct FoundBox {
    kind: [u8; 4],
    content: u64,
    end: u64,
}

/// The tables of one track.
#[derive(Default)]
struct Track {
    num_samples: u64,
    num_edits: u64,
    num_chunks: u64,
    max_in_chunk: u64,
    is_sound: bool,
    /// Whether all samples last one tick: uncompressed sound, if the track is sound.
    is_unit: bool,
}

impl Track {
    fn num_entries(&self) -> u64 {
        if !(self.is_sound && self.is_unit) {
            return self.num_samples;
        }
        let per_chunk = self.max_in_chunk / FRAMES_PER_ENTRY + 1;
        self.num_chunks.saturating_mul(per_chunk)
    }
}

struct Walk<'a> {
    file: &'a MediaFile,
    heartbeat: &'a Heartbeat,
    track: Track,
    num_samples: u64,
    num_repeated: u64,
}

/// Counts the samples that the index of `file` declares.
///
/// # Errors
/// [`DecodeError::Budget`] for more than [`MAX_SAMPLES`], or more than the file has bytes.
pub(super) fn check(file: &MediaFile, heartbeat: &Heartbeat) -> Result<(), DecodeError> {
    let mut walk = Walk {
        file,
        heartbeat,
        track: Track::default(),
        num_samples: 0,
        num_repeated: 0,
    };
    let len = file.version().len;
    walk.boxes(0, len, 0)?;
    walk.end_track();
    let (declared, repeated) = (walk.num_samples, walk.num_repeated);
    if declared > len.saturating_add(NUM_EMPTY) {
        let text = format!("the index declares {declared} samples in a file of {len} bytes");
        return Err(DecodeError::Budget(text));
    }
    if repeated > MAX_SAMPLES {
        let text = format!(
            "the index declares {repeated} samples, repetitions by the edit list included; at most {MAX_SAMPLES} are \
             read, so split the file"
        );
        return Err(DecodeError::Budget(text));
    }
    Ok(())
}

/// Why FFmpeg finds no index in `file`; `None` if the reason is another.
pub(super) fn without_index(file: &MediaFile) -> Option<DecodeError> {
    let len = file.version().len;
    let (mut place, mut is_known) = (0, false);
    while let Some(found) = next_box(file, place, len) {
        let is_cut = found.end > len;
        match &found.kind {
            b"moov" if is_cut => {
                let end = found.end;
                return Some(DecodeError::NoIndex(format!(
                    "the index (moov box) ends at byte {end}, but the file has {len} bytes"
                )));
            }
            b"moov" => return None,
            b"ftyp" | b"mdat" | b"wide" | b"free" | b"skip" | b"moof" => is_known = true,
            _ => {}
        }
        place = found.end;
    }
    is_known.then(|| DecodeError::NoIndex("the file has no index (moov box)".to_owned()))
}

/// The box at `place`; `None` at `end`, or where no box can be.
fn next_box(file: &MediaFile, place: u64, end: u64) -> Option<FoundBox> {
    let mut head = [0; 16];
    let num_read = file.read_at(&mut head, place).ok()?;
    if num_read < 8 || place.checked_add(8)? > end {
        return None;
    }
    let (size, header_len) = match be_u32(&head, 0)? {
        0 => (end - place, 8),
        1 if num_read == 16 => (
            u64::from(be_u32(&head, 8)?) << 32 | u64::from(be_u32(&head, 12)?),
            16,
        ),
        size => (u64::from(size), 8),
    };
    if size < header_len {
        return None;
    }
    Some(FoundBox {
        kind: [head[4], head[5], head[6], head[7]],
        content: place + header_len,
        end: place.checked_add(size)?,
    })
}

fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

impl Walk<'_> {
    fn boxes(&mut self, start: u64, end: u64, depth: u32) -> Result<(), DecodeError> {
        let mut place = start;
        while let Some(found) = next_box(self.file, place, end) {
            if self.heartbeat.should_stop() {
                return Err(DecodeError::Stopped);
            }
            self.heartbeat.beat();
            let inner_end = found.end.min(end);
            if &found.kind == b"trak" {
                self.end_track();
            }
            let inner = match &found.kind {
                kind if PARENTS.contains(&kind) => Some(found.content),
                b"meta" => self.behind_words(&found, inner_end),
                b"free" | b"hoov" => self.renamed_index(&found),
                _ => None,
            };
            if let Some(inner) = inner.filter(|_| depth < MAX_DEPTH) {
                self.boxes(inner, inner_end, depth + 1)?;
            } else if &found.kind == b"stsd" {
                self.sample_descriptions(&found, inner_end)?;
            } else if &found.kind == b"cmov" {
                let text = "the index is compressed, as old QuickTime files have it; rewrite it with ffmpeg -i FILE -c copy";
                return Err(DecodeError::Budget(text.to_owned()));
            } else {
                self.table(&found, inner_end);
            }
            place = found.end;
        }
        Ok(())
    }

    /// Where the boxes inside a `meta` box start, as FFmpeg finds them: at the first aligned `hdlr`. ISO files have 4 bytes before it,
    /// QuickTime files do not.
    fn behind_words(&self, found: &FoundBox, end: u64) -> Option<u64> {
        let (mut place, mut bytes) = (found.content, [0; 4096]);
        while place < end && !self.heartbeat.should_stop() {
            let num_read = self.file.read_at(&mut bytes, place).ok()?;
            let is_handler = |word: &[u8]| word == b"hdlr";
            if let Some(at) = bytes[..num_read].chunks_exact(4).position(is_handler) {
                return (place + 4 * at as u64)
                    .checked_sub(4)
                    .filter(|&start| start < end);
            }
            if num_read < bytes.len() {
                return None;
            }
            place += num_read as u64;
        }
        None
    }

    /// Where the boxes start inside a box that some programs rename to hide an index: FFmpeg takes it for the index.
    fn renamed_index(&self, found: &FoundBox) -> Option<u64> {
        let mut head = [0; 8];
        self.file.read_at(&mut head, found.content).ok()?;
        matches!(&head[4..], b"mvhd" | b"cmov").then_some(found.content)
    }

    /// Refuses an index table inside the sample descriptions. Boxes follow there after fields whose length depends on the codec, so
    /// every byte may start one.
    fn sample_descriptions(&self, found: &FoundBox, end: u64) -> Result<(), DecodeError> {
        let (mut place, mut bytes) = (found.content, [0; 4096]);
        while place < end && !self.heartbeat.should_stop() {
            let num_read = self.file.read_at(&mut bytes, place).unwrap_or(0);
            let num_inside = num_read.min(usize::try_from(end - place).unwrap_or(num_read));
            let is_table = |word: &[u8]| INDEX_TABLES.iter().any(|kind| &kind[..] == word);
            if bytes[..num_inside].windows(4).any(is_table) {
                let text =
                    "the index has a table of samples inside a description of samples (stsd box)";
                return Err(DecodeError::Budget(text.to_owned()));
            }
            if num_read < bytes.len() {
                break;
            }
            place += num_read as u64 - 3; // a word across the end is read again
        }
        Ok(())
    }

    /// Counts the entries of a table. A full box starts with version and flags, 4 bytes.
    fn table(&mut self, found: &FoundBox, end: u64) {
        let mut head = [0; 16];
        let num_read = self.file.read_at(&mut head, found.content).unwrap_or(0);
        let num_inside = usize::try_from(end.saturating_sub(found.content)).unwrap_or(usize::MAX);
        let head = &head[..num_read.min(num_inside)];
        let word = |at| be_u32(head, at).map_or(0, u64::from);
        let track = &mut self.track;
        match &found.kind {
            b"stsz" | b"stz2" => track.num_samples = track.num_samples.saturating_add(word(8)),
            b"trun" => track.num_samples = track.num_samples.saturating_add(word(4)),
            b"stco" | b"co64" => track.num_chunks = track.num_chunks.saturating_add(word(4)),
            b"elst" => track.num_edits = track.num_edits.saturating_add(word(4)),
            b"stts" => track.is_unit = word(4) == 1 && word(12) == 1,
            b"hdlr" => track.is_sound = track.is_sound || head.get(8..12) == Some(b"soun"),
            b"stsc" => self.chunk_sizes(found.content + 8, end),
            _ => {}
        }
    }

    /// Notes the largest number of samples in a chunk. An entry has 12 bytes: first chunk, number of samples, description.
    fn chunk_sizes(&mut self, start: u64, end: u64) {
        let (mut place, mut bytes) = (start, [0; 12 * 512]);
        while place < end {
            let num_read = self.file.read_at(&mut bytes, place).unwrap_or(0);
            for entry in bytes[..num_read].chunks_exact(12) {
                let num_samples = be_u32(entry, 4).map_or(0, u64::from);
                self.track.max_in_chunk = self.track.max_in_chunk.max(num_samples);
            }
            if num_read < bytes.len() {
                break;
            }
            place += num_read as u64;
        }
    }

    fn end_track(&mut self) {
        let track = std::mem::take(&mut self.track);
        let num_entries = track.num_entries();
        let num_repeated = num_entries.saturating_mul(track.num_edits.max(1));
        self.num_samples = self.num_samples.saturating_add(num_entries);
        self.num_repeated = self.num_repeated.saturating_add(num_repeated);
    }
}
