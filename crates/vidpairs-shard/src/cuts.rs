//! `cuts.jsonl`: the shot cuts of the clips, one clip a line.

use std::io::{self, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};
use vidpairs_types::{NextLine, next_line, open_regular};
use xxhash_rust::xxh64::xxh64;

use crate::checksum;
use crate::error::ShardError;

/// File name of the cuts.
pub const CUTS_FILE: &str = "cuts.jsonl";

/// Longest line that is read, bytes: of a clip with a hundred thousand cuts.
pub(crate) const MAX_LINE_BYTES: usize = 16 << 20;

/// Description of `cuts.jsonl` in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutsEntry {
    /// File name: [`CUTS_FILE`].
    pub file: String,
    /// Length of the file, bytes.
    pub bytes: u64,
    /// xxh64 of the file; in JSON 16 hexadecimal digits.
    #[serde(with = "checksum::hex")]
    pub xxh64: u64,
    /// Sums over its lines.
    #[serde(flatten)]
    pub counts: CutCounts,
}

/// Numbers of cuts, and what they cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CutCounts {
    /// Number of clips with a cut.
    pub clips: u64,
    /// Number of cuts in the stretches that were looked at.
    pub cuts: u64,
    /// Number of pairs, in kind `regions` of anchors, that were drawn anew because they would have spanned a cut.
    pub moved: u64,
    /// Number of those that were left out, because no other place was found.
    pub left_out: u64,
}

/// The cuts of one clip: a line of `cuts.jsonl`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ClipCuts {
    /// Id of the clip.
    pub id: String,
    /// See [`CutCounts::moved`].
    pub moved: u64,
    /// See [`CutCounts::left_out`].
    pub left_out: u64,
    /// The cuts, in order, in the stretches that were looked at: from the anchor to the positive of each planned pair.
    pub cuts: Vec<StoredCut>,
}

/// One change of shot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredCut {
    /// Index of the last frame before it.
    pub before: u64,
    /// Index of the first frame after it. Frames between are of both shots, or were not looked at.
    pub after: u64,
    /// `hard`, or `gradual`.
    pub kind: String,
    /// Presentation time of frame `after`, s; `None` if the container does not state it.
    pub seconds: Option<f64>,
}

impl CutCounts {
    /// Adds a clip.
    pub fn add_clip(&mut self, clip: &ClipCuts) {
        self.clips = self.clips.saturating_add(1);
        self.cuts = self.cuts.saturating_add(clip.cuts.len() as u64);
        self.moved = self.moved.saturating_add(clip.moved);
        self.left_out = self.left_out.saturating_add(clip.left_out);
    }
}

impl CutsEntry {
    /// The text of `cuts.jsonl` for `clips`, and its description.
    pub fn of(clips: &[ClipCuts]) -> (Vec<u8>, Self) {
        let (mut text, mut counts) = (Vec::new(), CutCounts::default());
        for clip in clips {
            counts.add_clip(clip);
            text.extend(serde_json::to_vec(clip).unwrap_or_default());
            text.push(b'\n');
        }
        let entry = Self {
            file: CUTS_FILE.to_owned(),
            bytes: text.len() as u64,
            xxh64: xxh64(&text, 0),
            counts,
        };
        (text, entry)
    }
}

/// Reads the clips with cuts of the data set in `dir`.
///
/// # Errors
/// [`ShardError::Read`], also if a line cannot be understood.
pub fn read_cuts(dir: &Path) -> Result<Vec<ClipCuts>, ShardError> {
    let path = dir.join(CUTS_FILE);
    let read = || {
        let mut lines = BufReader::new(open_regular(&path)?);
        let (mut text, mut clips) = (Vec::new(), Vec::new());
        loop {
            match next_line(&mut lines, &mut text, MAX_LINE_BYTES)? {
                NextLine::End => return Ok(clips),
                NextLine::TooLong => return Err(io::ErrorKind::FileTooLarge.into()),
                NextLine::Line => clips.push(serde_json::from_slice(&text)?),
            }
        }
    };
    read().map_err(ShardError::read(&path))
}
