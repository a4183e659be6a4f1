//! Finding clips, and reading the boxes that people drew on them.
//!
//! - **Takes** a root: a folder of videos, one video, a list of paths, TrackingNet or GOT-10k as distributed.
//! - **Gives** a [`Listing`]: [`Clip`]s sorted by id, the same on every machine; later, when a clip's turn
//!   comes, its [`Annotations`].
//!   [`mot_tracks`] gives targets rather than clips: truth in MOTChallenge's form, where a video has many;
//!   [`labelled_images`] gives images in a folder for each label, [`image_sets()`] the sets that invariances are
//!   measured on.
//! - **Fails** with [`SourceError`] where the root is not what it was said to be. One bad input below a good
//!   root is a [`Refusal`] in the listing, never an error.
//! - **Source**: Müller et al., "TrackingNet", ECCV 2018; Huang et al., "GOT-10k", TPAMI 2021.
//!
//! No video, image or zip is decoded here: that is the decoder's work. Of an image whose boxes must lie inside it the
//! size is read from its head.

mod annotations;
mod cover;
mod disk;
mod error;
mod got10k;
mod image_sets;
mod labelled;
mod labels;
mod mot;
mod path_list;
mod splits;
#[cfg(test)]
mod test_tree;
mod trackingnet;
mod videos;

use std::path::Path;

pub use annotations::{Annotations, TrackBox, annotations};
pub use cover::cover;
pub use error::SourceError;
pub use image_sets::{ImageSetKind, UnknownImageSetKind, image_sets};
pub use labelled::{BankAndQueries, LabelledImage, LabelledImages, labelled_images};
pub use mot::{MotListing, MotRow, MotTrack, mot_tracks};
use vidpairs_types::{Clip, Outcome, Refusal, SourceKind, Stage};

use splits::Split;

/// What to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceOptions {
    /// The layout below the root.
    pub kind: SourceKind,
    /// Names of the splits to take. Empty: the default ones, every `TRAIN_*` of TrackingNet, `train` of
    /// GOT-10k. [`SourceKind::Videos`] has none.
    pub splits: Vec<String>,
}

/// What a source holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// At least one; sorted by the bytes of the id, ids unique.
    pub clips: Vec<Clip>,
    /// What should have been a clip but cannot be, sorted by id.
    pub refused: Vec<Refusal>,
    /// Number of files that are no video and no part of the layout, passed over in silence.
    pub ignored: u64,
}

/// Lists the clips below `root`.
///
/// The order depends on names only, not on the file system. Hidden files and folders (a leading `.`) are
/// left out unless named. Only regular files become clips: nothing that could block is ever opened.
///
/// # Errors
/// [`SourceError`] if the root does not exist, does not have the layout of `options.kind`, lacks a split
/// that was asked for, or holds no clip.
///
/// # Examples
/// ```
/// use vidpairs_source::{SourceOptions, list};
/// use vidpairs_types::SourceKind;
///
/// let root = tempfile::tempdir()?;
/// std::fs::write(root.path().join("cat.mp4"), b"")?;
/// let options = SourceOptions { kind: SourceKind::Videos, splits: Vec::new() };
/// assert_eq!(list(root.path(), &options)?.clips[0].id, "cat.mp4");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn list(root: &Path, options: &SourceOptions) -> Result<Listing, SourceError> {
    let mut listing = match options.kind {
        SourceKind::Videos => videos::list(root, &options.splits),
        SourceKind::TrackingNet => trackingnet::list(root, &options.splits),
        SourceKind::Got10k => got10k::list(root, &options.splits),
    }?;
    if listing.clips.is_empty() {
        return Err(SourceError::NoClips {
            root: root.to_owned(),
            looked_for: match options.kind {
                SourceKind::Videos => "video files, .zip files, folders of JPEGs",
                SourceKind::TrackingNet => "zips/<video>.zip, frames/<video>/",
                SourceKind::Got10k => "sequence folders",
            },
            num_ignored: listing.ignored,
            refused: listing.refused,
        });
    }
    listing.clips.sort_by(|a, b| a.id.cmp(&b.id));
    let key = |refusal: &Refusal| (refusal.id.clone(), refusal.path.clone());
    listing.refused.sort_by_cached_key(key);
    Ok(listing)
}

impl Listing {
    /// Notes a damaged or unreadable input.
    fn refuse(&mut self, id: &str, path: &Path, reason: impl Into<String>) {
        self.set_aside(Outcome::Refused, id, path, reason.into());
    }

    /// Notes a sound input that a rule leaves out.
    fn skip(&mut self, id: &str, path: &Path, reason: impl Into<String>) {
        self.set_aside(Outcome::Skipped, id, path, reason.into());
    }

    /// Notes a split in which nothing was found, neither good nor bad.
    fn refuse_split_if_empty(&mut self, split: &Split, num_noted_before: usize) {
        if self.num_noted() == num_noted_before {
            self.refuse(&split.name, &split.path, "a split without videos");
        }
    }

    fn num_noted(&self) -> usize {
        self.clips.len() + self.refused.len()
    }

    fn set_aside(&mut self, outcome: Outcome, id: &str, path: &Path, reason: String) {
        let retry = match outcome {
            Outcome::Skipped => "nothing to do",
            Outcome::Refused | Outcome::Partial => {
                "mend it under the same name, then run the same command with --retry-refused; removed or renamed, it needs a new --out"
            }
        };
        self.refused.push(Refusal {
            id: id.to_owned(),
            path: path.display().to_string(),
            outcome,
            stage: Stage::Source,
            reason,
            retry: retry.to_owned(),
        });
    }
}
