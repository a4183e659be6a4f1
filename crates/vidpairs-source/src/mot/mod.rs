//! Truth in the form of MOTChallenge: many targets in a video, each with an id.
//!
//! Accepted below a root: one truth file; a folder of `<clip>.txt`, the clips beside them or in another folder;
//! a sequence folder (`gt/gt.txt`, `img1/`, `seqinfo.ini`), or a folder of those. Boxes are taken as they are
//! written: MOTChallenge counts px from 1, other programs from 0.
//!
//! Source: Milan et al., "MOT16: A Benchmark for Multi-Object Tracking", 2016, section 4.

mod layout;
mod rows;

use std::path::Path;

use vidpairs_types::{BoxXywh, Media, Refusal};

use super::disk::read_text;
use super::{Listing, SourceError};

/// One target of a video: where it is in some of the frames.
#[derive(Debug, Clone, PartialEq)]
pub struct MotTrack {
    /// `<clip>/<id>`.
    pub id: String,
    /// Where the frames are.
    pub media: Media,
    /// At least one, ascending by frame; frames between may be missing.
    pub rows: Vec<MotRow>,
}

/// Where the target is in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotRow {
    /// Index of the frame, from 0.
    pub frame: u64,
    /// The target, px; valid.
    pub bbox: BoxXywh,
    /// `false` where the truth says that nothing of the target can be seen.
    pub is_visible: bool,
}

/// What a root holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MotListing {
    /// By clip, then by id.
    pub tracks: Vec<MotTrack>,
    /// Truth files that cannot be read, or whose frames are not there.
    pub refused: Vec<Refusal>,
}

/// Lists the targets below `root`.
///
/// - `media`: the video or the folder of frames of a truth file; or a folder with the videos of a folder of
///   truth files. Without it they are looked for beside the truth.
///
/// # Errors
/// [`SourceError`] if the root does not exist, cannot be read, or has not one target. A truth file below a
/// folder that is damaged, or has no video, is refused, and the others are listed.
pub fn mot_tracks(root: &Path, media: Option<&Path>) -> Result<MotListing, SourceError> {
    let mut listing = MotListing::default();
    let mut set_aside = Listing::default();
    for truth in layout::truth_files(root)? {
        let found = layout::media_of(&truth, media).and_then(|media| {
            let text = read_text(&truth.path).map_err(|err| vidpairs_types::with_causes(&err))?;
            let rows = rows::parse(&truth.path, &text).map_err(|err| err.to_string())?;
            Ok((media, rows))
        });
        match found {
            Ok((media, rows_by_id)) if rows_by_id.is_empty() => {
                let reason = format!("no row to go by for {}", media.path().display());
                set_aside.refuse(&truth.clip, &truth.path, reason);
            }
            Ok((media, rows_by_id)) => {
                listing
                    .tracks
                    .extend(rows_by_id.into_iter().map(|(id, rows)| MotTrack {
                        id: format!("{}/{id}", truth.clip),
                        media: media.clone(),
                        rows,
                    }));
            }
            Err(reason) => set_aside.refuse(&truth.clip, &truth.path, reason),
        }
    }
    listing.refused = set_aside.refused;
    if listing.tracks.is_empty() {
        return Err(SourceError::NoClips {
            root: root.to_owned(),
            looked_for: "rows of frame,id,left,top,width,height in <clip>.txt or <sequence>/gt/gt.txt",
            num_ignored: 0,
            refused: listing.refused,
        });
    }
    Ok(listing)
}
