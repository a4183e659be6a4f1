//! Lists the clips of video and image data sets, reads their boxes, and lists labelled images.
//!
//! - **Takes** a root: a folder of videos or of still images, one video, a list of paths, or TrackingNet, GOT-10k, MSCOCO or
//!   Pascal VOC as distributed.
//! - **Gives** from [`list`] a [`Listing`] of clips, sorted by id and the same on every machine; from [`annotations()`]
//!   the boxes of one clip, from [`objects`] those of a still image. [`list_tree`] lists a root in an object store, from the
//!   names of its objects; it never talks to a store itself.
//!   [`mot_tracks`] lists the targets of MOTChallenge annotations, with many in each video.
//!   [`labelled_images`] lists images in one folder for each label, [`image_sets()`] the image sets on which
//!   invariances are measured, and [`probe_set()`] the labelled images that probes are fitted and tested on.
//! - **Fails** with [`SourceError`] if the root is not as stated. A single unusable input below the root is a
//!   [`Refusal`](vidpairs_types::Refusal) in the listing.
//! - **Source**: Müller et al., "TrackingNet", ECCV 2018; Huang et al., "GOT-10k", TPAMI 2021; Lin et al.,
//!   "Microsoft COCO", ECCV 2014; Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge", IJCV 2010.
//!
//! This crate decodes no video, image or zip. If boxes must lie inside an image, its size is read from its header.

mod annotations;
mod coco;
mod disk;
mod error;
mod files;
mod got10k;
mod image_sets;
mod kinds;
mod labelled;
mod labels;
mod listing;
mod media;
mod mot;
mod natural;
mod path_list;
mod probe_sets;
mod splits;
mod stills;
mod store;
#[cfg(test)]
mod test_tree;
mod trackingnet;
mod videos;
mod voc;
mod walk;

use std::path::Path;

pub use annotations::{Annotations, TrackBox, annotations, cover, objects};
pub use error::SourceError;
pub use image_sets::{ImageSetKind, image_sets};
pub use kinds::{NamedKind, UnknownKind, names};
pub use labelled::{BankAndQueries, LabelledImage, LabelledImages, labelled_images};
pub use listing::{IgnoredFiles, Listing};
pub use mot::{MotListing, MotRow, MotTrack, mot_tracks};
pub use natural::natural_order;
pub use path_list::paths_in_list;
pub use probe_sets::{ProbeSetKind, ProbeSetOptions, probe_set};
pub use store::{ObjectNames, ObjectTree, StoredObject};
use vidpairs_types::SourceKind;
pub use voc::voc_probe_set;

use crate::disk::Disk;
use crate::files::Files;

/// Layout and splits of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceOptions {
    /// Layout below the root.
    pub kind: SourceKind,
    /// Names of the splits to list. If empty, the default splits: every `TRAIN_*` of TrackingNet, `train` of GOT-10k,
    /// `train2017` of MSCOCO, `trainval` of Pascal VOC. [`SourceKind::Videos`] and [`SourceKind::Images`] have no splits.
    pub splits: Vec<String>,
}

/// What of a data set of still images is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageParts {
    /// Whole images.
    Whole,
    /// Boxes of annotated objects.
    Boxes,
}

/// Lists the clips below `root`.
///
/// The order depends on names only, not on the file system. Hidden files and folders (with a leading `.`) are left out
/// unless a list names them. Only regular files become clips, and no file that could block is opened.
///
/// # Errors
/// [`SourceError`] if the root does not exist, does not have the layout of `options.kind`, lacks a requested split, or
/// holds no clip.
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
    list_parts(root, options, ImageParts::Whole)
}

/// Lists the clips below `root` as [`list`]. With [`ImageParts::Boxes`], clips of MSCOCO and Pascal VOC have their annotated
/// [`objects`]; images of MSCOCO that have none are skipped.
///
/// # Errors
/// As [`list`], and if the annotation file of a split of MSCOCO is missing or damaged.
pub fn list_parts(
    root: &Path,
    options: &SourceOptions,
    parts: ImageParts,
) -> Result<Listing, SourceError> {
    list_files(&Disk, None, root, options, parts)
}

/// Lists the clips of an object store as [`list_parts`] lists a copy of them on a disk: with the same ids, labels, boxes and refusals.
///
/// - `root`: URL of the source: [`ObjectTree::root`], or a folder, video or list of paths in that tree. It can also be a list of paths on
///   this machine (`.txt`, `.list`), whose URLs lead into the tree.
///
/// A list of paths may name its clips by URL or relative to its folder. A URL outside the tree is refused. Also refused are names that
/// cannot be paths on a disk ([`ObjectNames::add`]) and an object with the name of a folder.
///
/// # Errors
/// As [`list_parts`]; [`SourceError::NoObjects`] if the tree is empty; [`SourceError::Unreadable`] if the store fails to give an object
/// that the listing needs, except for a denied `meta_info.ini`, in whose place the defaults of GOT-10k are used as on a disk.
pub fn list_tree(
    tree: &ObjectTree,
    root: &Path,
    options: &SourceOptions,
    parts: ImageParts,
) -> Result<Listing, SourceError> {
    match tree.place(root) {
        Some(root) if tree.is_empty() => Err(SourceError::NoObjects { root }),
        Some(root) => list_files(tree, Some(tree), &root, options, parts),
        None => list_files(&Disk, Some(tree), root, options, parts),
    }
}

/// Lists the clips below `root`, wherever its files lie.
///
/// - `files`: files among which `root` lies.
/// - `urls`: objects to which URLs in a list of paths lead.
fn list_files(
    files: &dyn Files,
    urls: Option<&ObjectTree>,
    root: &Path,
    options: &SourceOptions,
    parts: ImageParts,
) -> Result<Listing, SourceError> {
    let splits = &options.splits;
    let mut listing = match options.kind {
        SourceKind::Videos => videos::list(files, urls, root, splits),
        SourceKind::TrackingNet => trackingnet::list(files, root, splits),
        SourceKind::Got10k => got10k::list(files, root, splits),
        SourceKind::Images => stills::list(files, root, splits),
        SourceKind::Coco => coco::list(files, root, splits, parts),
        SourceKind::Voc => voc::list(files, root, splits, parts),
    }?;
    files.refuse_unusable(root, &mut listing);
    if listing.clips.is_empty() {
        return Err(SourceError::NoClips {
            root: root.to_owned(),
            looked_for: match options.kind {
                SourceKind::Videos => "video files, .zip files, folders of pictures",
                SourceKind::TrackingNet => "zips/<video>.zip, frames/<video>/",
                SourceKind::Got10k => "sequence folders",
                SourceKind::Images => ".jpg, .jpeg, .png, .webp, .bmp, .tif and .tiff files",
                SourceKind::Coco => "images in train2017/ and the like, listed in annotations/",
                SourceKind::Voc => "images in JPEGImages/, listed in ImageSets/Main/",
            },
            ignored: listing.ignored,
            refused: listing.refused,
        });
    }
    listing.clips.sort_by(|a, b| a.id.cmp(&b.id));
    listing
        .refused
        .sort_by_cached_key(|refusal| (refusal.id.clone(), refusal.path.clone()));
    Ok(listing)
}
