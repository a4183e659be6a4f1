//! Lists the targets of MOTChallenge ground truth, with several targets in each video.
//!
//! The root is one truth file; a folder of `<clip>.txt`, with the clips beside them or in another folder; a sequence folder
//! (`gt/gt.txt`, `img1/`, `seqinfo.ini`); or a folder of sequence folders. Boxes are not shifted: MOTChallenge counts
//! pixels from 1, other programs from 0.
//!
//! **Source**: Milan et al., "MOT16: A Benchmark for Multi-Object Tracking", 2016, section 4.

mod layout;
mod rows;

use std::path::Path;

pub use rows::MotRow;
use vidpairs_types::{Media, Refusal, with_causes};

use crate::disk::Disk;
use crate::error::SourceError;
use crate::files::Files;
use crate::listing::{IgnoredFiles, Listing};

/// Target of a video, with its boxes.
#[derive(Debug, Clone, PartialEq)]
pub struct MotTrack {
    /// Id of the target, `<clip>/<id>`.
    pub id: String,
    /// Location of the frames.
    pub media: Media,
    /// Boxes, at least one, in ascending order of frames. Frames may be missing.
    pub rows: Vec<MotRow>,
}

/// Contents of a root.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MotListing {
    /// Targets, ordered by clip and then by id.
    pub tracks: Vec<MotTrack>,
    /// Truth files that cannot be read or whose frames are missing.
    pub refused: Vec<Refusal>,
}

/// Lists the targets below `root`.
///
/// - `media`: video or folder of frames of a truth file, or a folder with the videos of several truth files. If `None`,
///   they are searched beside the truth files.
///
/// # Errors
/// [`SourceError`] if the root does not exist, cannot be read, or has no target. A truth file in a folder is refused if it
/// is damaged or has no video.
pub fn mot_tracks(root: &Path, media: Option<&Path>) -> Result<MotListing, SourceError> {
    let mut listing = MotListing::default();
    let mut refusals = Listing::default();
    for truth in layout::truth_files(root)? {
        let parsed = layout::media_of(&truth, media).and_then(|media| {
            let text = Disk
                .read_text(&truth.path)
                .map_err(|err| with_causes(&err))?;
            let rows = rows::parse(&truth.path, &text).map_err(|err| err.to_string())?;
            Ok((media, rows))
        });
        match parsed {
            Ok((media, rows_by_id)) if rows_by_id.is_empty() => {
                let reason = format!("no usable row for {}", media.path().display());
                refusals.refuse(&truth.clip, &truth.path, reason);
            }
            Ok((media, rows_by_id)) => {
                let tracks = rows_by_id.into_iter().map(|(id, rows)| MotTrack {
                    id: format!("{}/{id}", truth.clip),
                    media: media.clone(),
                    rows,
                });
                listing.tracks.extend(tracks);
            }
            Err(reason) => refusals.refuse(&truth.clip, &truth.path, reason),
        }
    }
    listing.refused = refusals.refused;
    if listing.tracks.is_empty() {
        return Err(SourceError::NoClips {
            root: root.to_owned(),
            looked_for: "rows of frame,id,left,top,width,height in <clip>.txt or <sequence>/gt/gt.txt",
            ignored: IgnoredFiles::default(),
            refused: listing.refused,
        });
    }
    Ok(listing)
}
