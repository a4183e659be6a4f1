//! Sets of images, each of one thing under a transformation: what invariances are measured on.
//!
//! - **Takes** a root in the layout of a [`ImageSetKind`], and a seed where the protocol draws.
//! - **Gives** [`ImageSets`]: targets, sets and images in a stable order, and all that had to be left out, with its
//!   reason. What the data set does not know at all (files of other names) is counted there, not named.
//! - **Fails** with [`SourceError`] where the root is not what it was said to be, or holds no set.
//! - **Source**: the protocols by which Purushwalkam and Gupta, NeurIPS 2020, measured; GOT-10k (Huang et al.), ALOI
//!   (Geusebroek et al.), PASCAL3D+ (Xiang et al.) as distributed.

mod aloi;
mod folders;
mod found;
mod kind;
mod mat;
mod occlusion;
mod pascal3d;
mod size;
#[cfg(test)]
mod test_sets;

use std::path::Path;

pub use kind::{ImageSetKind, UnknownImageSetKind};

use vidpairs_types::{ImageSets, Seed};

use super::SourceError;

/// Finds the sets of images below `root`.
///
/// Folders are listed once and no image is decoded. Hidden names (a leading `.`) are passed over, links are followed.
/// The order depends on names only.
///
/// - `seed`: of the measurement. [`ImageSetKind::Got10kOcclusion`] draws its frames from it and the video's id; other
///   kinds draw nothing.
///
/// # Errors
/// [`SourceError`] if the root is not there or does not have the layout of `kind`, if a list in it cannot be read, and
/// if no set is left; the last says what was left out.
///
/// # Examples
/// ```
/// use vidpairs_source::{ImageSetKind, image_sets};
/// use vidpairs_types::Seed;
///
/// let root = tempfile::tempdir()?;
/// std::fs::create_dir_all(root.path().join("mug/blue"))?;
/// for image in ["mug/blue/2.png", "mug/blue/10.png"] {
///     std::fs::write(root.path().join(image), b"")?;
/// }
/// let found = image_sets(ImageSetKind::Folders, root.path(), Seed::of_run(0))?;
/// assert_eq!(found.targets, ["mug"]);
/// assert_eq!(found.sets[0].id, "mug/blue");
/// assert!(found.images[1].path.ends_with("10.png"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn image_sets(kind: ImageSetKind, root: &Path, seed: Seed) -> Result<ImageSets, SourceError> {
    let found = match kind {
        ImageSetKind::Got10kOcclusion => occlusion::find(root, seed),
        ImageSetKind::Pascal3dViewpoint => {
            pascal3d::find(pascal3d::Grouping::OneOfEachAzimuth, root)
        }
        ImageSetKind::Pascal3dInstance => pascal3d::find(pascal3d::Grouping::SameView, root),
        ImageSetKind::AloiViewpoint => aloi::find(aloi::Series::View, root),
        ImageSetKind::AloiDirection => aloi::find(aloi::Series::LightDirection, root),
        ImageSetKind::AloiColor => aloi::find(aloi::Series::LightColor, root),
        ImageSetKind::Folders => folders::find(root),
    }?;
    found.into_image_sets(kind, root)
}
