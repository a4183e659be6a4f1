//! Lists the labelled images that probes are fitted and tested on.
//!
//! - **Takes** a root in the layout of a [`ProbeSetKind`].
//! - **Gives** a [`ProbeSet`]: classes, and images with their labels and splits in a stable order, and everything that was
//!   left out, with the reason. Other files are counted, not named.
//! - **Fails** with [`SourceError`] if the root is not as stated, lacks a split, or if fewer than two classes have training images
//!   (of images with several classes, if none has; of labels by pixel, if a split has no image).
//! - **Source**: ImageNet (Russakovsky et al., IJCV 2015), Pascal VOC (Everingham et al., IJCV 2010) and ADE20K (Zhou et al., CVPR 2017) as
//!   distributed.

mod ade20k;
mod folders;
mod kind;
mod listing;

use std::path::Path;

use vidpairs_types::{ProbeSet, Seed};

use crate::error::SourceError;
use crate::{ImageParts, voc_probe_set};

pub use kind::ProbeSetKind;
pub(crate) use listing::{checked, unknown_class};

/// Choices of a listing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProbeSetOptions {
    /// Share of the images of each class that become test images, above 0 and below 1, where [`ProbeSetKind::Folders`] has no splits.
    pub test_share: f64,
    /// Random seed of this choice.
    pub seed: Seed,
}

/// Lists the labelled images below `root`.
///
/// No image is decoded. Hidden files (with a leading `.`) are left out, and links are followed. The order depends on names only.
///
/// # Errors
/// [`SourceError`] if the root does not exist or does not have the layout of `kind`, if a split is missing, if fewer than two classes have
/// training images (none, where an image may have several classes), or if there is no test image.
///
/// # Examples
/// ```
/// use vidpairs_source::{ProbeSetKind, ProbeSetOptions, probe_set};
/// use vidpairs_types::{ProbeLabel, Seed, Split};
///
/// let root = tempfile::tempdir()?;
/// for image in ["train/cat/1.png", "train/dog/1.JPG", "val/dog/2.png"] {
///     std::fs::create_dir_all(root.path().join(image).parent().unwrap())?;
///     std::fs::write(root.path().join(image), b"")?;
/// }
/// let options = ProbeSetOptions { test_share: 0.2, seed: Seed::of_run(0) };
/// let found = probe_set(ProbeSetKind::Folders, root.path(), &options)?;
/// assert_eq!(found.classes, ["cat", "dog"]);
/// assert_eq!(found.images[2].id, "val/dog/2.png");
/// assert_eq!(found.images[2].split, Split::Test);
/// assert_eq!(found.images[2].label, ProbeLabel::One(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn probe_set(
    kind: ProbeSetKind,
    root: &Path,
    options: &ProbeSetOptions,
) -> Result<ProbeSet, SourceError> {
    match kind {
        ProbeSetKind::Voc07 => voc_probe_set(root, ImageParts::Whole),
        ProbeSetKind::Voc07Boxes => voc_probe_set(root, ImageParts::Boxes),
        ProbeSetKind::Imagenet => folders::imagenet(root),
        ProbeSetKind::Folders => folders::folders(root, options),
        ProbeSetKind::Ade20k => ade20k::ade20k(root),
    }
}
