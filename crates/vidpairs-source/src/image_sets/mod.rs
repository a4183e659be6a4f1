//! Lists the image sets on which invariances are measured.
//!
//! - **Takes** a root in the layout of an [`ImageSetKind`], and a seed for protocols with random choices.
//! - **Gives** [`ImageSets`]: targets, sets and images in a stable order, and everything that was left out, with the
//!   reason. Unknown files are counted, not named.
//! - **Fails** with [`SourceError`] if the root is not as stated or holds no set.
//! - **Source**: the protocols of Purushwalkam and Gupta, NeurIPS 2020; GOT-10k (Huang et al.), ALOI (Geusebroek et al.)
//!   and PASCAL3D+ (Xiang et al.) as distributed.

mod aloi;
mod builder;
mod folders;
mod kind;
mod mat;
mod occlusion;
mod pascal3d;
#[cfg(test)]
mod test_sets;

use std::path::Path;

pub use kind::ImageSetKind;

use vidpairs_types::{ImageSets, Seed};

use crate::error::SourceError;

/// Lists the image sets below `root`.
///
/// No image is decoded. Hidden files (with a leading `.`) are left out, and links are followed. The order depends on names
/// only.
///
/// - `seed`: seed of the measurement. [`ImageSetKind::Got10kOcclusion`] draws frames by this seed and the id of the video;
///   other kinds do not use it.
///
/// # Errors
/// [`SourceError`] if the root does not exist or does not have the layout of `kind`, if a list in it cannot be read, or if
/// there is no set; this last error states what was left out.
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
    let sets = match kind {
        ImageSetKind::Got10kOcclusion => occlusion::list_sets(root, seed),
        ImageSetKind::Pascal3dViewpoint => {
            pascal3d::list_sets(pascal3d::Grouping::OneOfEachAzimuth, root)
        }
        ImageSetKind::Pascal3dInstance => pascal3d::list_sets(pascal3d::Grouping::SameView, root),
        ImageSetKind::AloiViewpoint => aloi::list_sets(aloi::Series::View, root),
        ImageSetKind::AloiDirection => aloi::list_sets(aloi::Series::LightDirection, root),
        ImageSetKind::AloiColor => aloi::list_sets(aloi::Series::LightColor, root),
        ImageSetKind::Folders => folders::list_sets(root),
    }?;
    sets.build(kind, root)
}
