//! Kinds of image sets, with their names on the command line.

use std::str::FromStr;

use vidpairs_types::{Invariance, NearView};

/// Kind of image sets: one invariance of one data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ImageSetKind {
    /// GOT-10k, split `train` or the split whose folder is the root. For each video whose levels of `cover` span at least 4,
    /// one random frame of each level. The target is the class of the object.
    Got10kOcclusion,
    /// PASCAL3D+: the k-th images of all azimuth bins of a class form set k. The target is the class.
    Pascal3dViewpoint,
    /// PASCAL3D+: the images of a class in one bin of azimuth and elevation form a set. The target is the class.
    Pascal3dInstance,
    /// ALOI: the 72 views of an object. The target is the object.
    AloiViewpoint,
    /// ALOI: the 24 light directions of an object. The target is the object.
    AloiDirection,
    /// ALOI: the 12 light colors of an object. The target is the object.
    AloiColor,
    /// A user's own sets, `<class>/<set>/<image>` in JPEG or PNG. The target is the class.
    Folders,
}

/// No kind of image sets has this name. Stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a kind of image sets; {}", hint(*nearest))]
pub struct UnknownImageSetKind {
    /// Name as given.
    pub name: String,
    /// Kind with a similar name.
    pub nearest: Option<ImageSetKind>,
}

impl ImageSetKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Got10kOcclusion,
        Self::Pascal3dViewpoint,
        Self::Pascal3dInstance,
        Self::AloiViewpoint,
        Self::AloiDirection,
        Self::AloiColor,
        Self::Folders,
    ];

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Got10kOcclusion => "got10k-occlusion",
            Self::Pascal3dViewpoint => "pascal3d-viewpoint",
            Self::Pascal3dInstance => "pascal3d-instance",
            Self::AloiViewpoint => "aloi-viewpoint",
            Self::AloiDirection => "aloi-direction",
            Self::AloiColor => "aloi-color",
            Self::Folders => "folders",
        }
    }

    /// Property that differs between the images of a set.
    pub fn invariance(self) -> Invariance {
        match self {
            Self::Got10kOcclusion => Invariance::Occlusion,
            Self::Pascal3dViewpoint => Invariance::ViewpointAndInstance,
            Self::Pascal3dInstance => Invariance::Instance,
            Self::AloiViewpoint => Invariance::Viewpoint,
            Self::AloiDirection => Invariance::IlluminationDirection,
            Self::AloiColor => Invariance::IlluminationColor,
            Self::Folders => Invariance::Other,
        }
    }

    /// Side of the square to which images are resized, px. It follows the published protocol; for
    /// [`Folders`](Self::Folders) it is our choice.
    pub fn side_px(self) -> u32 {
        match self {
            Self::Got10kOcclusion | Self::AloiViewpoint | Self::AloiDirection | Self::AloiColor => {
                128
            }
            Self::Pascal3dViewpoint | Self::Pascal3dInstance | Self::Folders => 224,
        }
    }

    /// Images to exclude as neighbors in retrieval across the transformation: our choice.
    pub fn near(self) -> NearView {
        match self {
            Self::Pascal3dViewpoint | Self::AloiViewpoint => NearView::Azimuth { under: 60.0 },
            Self::Got10kOcclusion | Self::AloiDirection | Self::AloiColor => {
                NearView::SameCondition
            }
            Self::Pascal3dInstance | Self::Folders => NearView::Itself,
        }
    }

    /// Names of the files below a root of this kind, for errors.
    pub(super) fn looked_for(self) -> &'static str {
        match self {
            Self::Got10kOcclusion => {
                "videos with groundtruth.txt, cover.label and an object_class in meta_info.ini"
            }
            Self::Pascal3dViewpoint | Self::Pascal3dInstance => {
                "Annotations/<class>_imagenet/<id>.mat and Images/<class>_imagenet/<id>.JPEG"
            }
            Self::AloiViewpoint => "png2/<id>/<id>_r<deg>.png",
            Self::AloiDirection => "png2/<id>/<id>_l<1-8>c<1-3>.png",
            Self::AloiColor => "png2/<id>/<id>_i<code>.png",
            Self::Folders => "<class>/<set>/<image>.jpg or .png",
        }
    }
}

impl FromStr for ImageSetKind {
    type Err = UnknownImageSetKind;

    /// Parses a [name](Self::name).
    ///
    /// # Examples
    /// ```
    /// use vidpairs_source::ImageSetKind;
    ///
    /// assert_eq!("folders".parse(), Ok(ImageSetKind::Folders));
    /// let error = "aloi-view".parse::<ImageSetKind>().unwrap_err();
    /// assert_eq!(error.nearest, Some(ImageSetKind::AloiViewpoint));
    /// ```
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| UnknownImageSetKind {
            name: name.to_owned(),
            nearest: nearest(name),
        })
    }
}

/// Kind with the most similar name, ignoring case; `None` if no name is similar.
fn nearest(name: &str) -> Option<ImageSetKind> {
    /// Least similarity, 1 for equal names: one wrong letter in three passes, two in four do not.
    const MIN_SIMILARITY: f64 = 0.6;
    /// Longer than any name. The comparison takes time and memory proportional to the product of the lengths.
    const MAX_BYTES: usize = 64;
    if name.len() > MAX_BYTES {
        return None;
    }
    let name = name.to_lowercase();
    let similarity =
        |kind: ImageSetKind| strsim::normalized_damerau_levenshtein(&name, kind.name());
    ImageSetKind::ALL
        .into_iter()
        .map(|kind| (kind, similarity(kind)))
        .filter(|(_, similarity)| *similarity >= MIN_SIMILARITY)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(kind, _)| kind)
}

fn hint(nearest: Option<ImageSetKind>) -> String {
    let names = ImageSetKind::ALL.map(ImageSetKind::name).join(", ");
    match nearest {
        Some(kind) => format!("did you mean {}? Known: {names}", kind.name()),
        None => format!("known: {names}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_to_its_kind_and_other_names_are_errors() {
        for kind in ImageSetKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("Folders".parse::<ImageSetKind>().is_err());
        assert!("".parse::<ImageSetKind>().is_err());
    }

    #[test]
    fn the_error_for_an_unknown_name_states_the_nearest_and_all_names() {
        let message = |name: &str| name.parse::<ImageSetKind>().unwrap_err().to_string();
        let known = "got10k-occlusion, pascal3d-viewpoint, pascal3d-instance, aloi-viewpoint, \
                     aloi-direction, aloi-color, folders";
        assert_eq!(
            message("ALOI-colour"),
            format!(
                "`ALOI-colour` is not a kind of image sets; did you mean aloi-color? Known: {known}"
            )
        );
        assert_eq!(
            message("imagenet"),
            format!("`imagenet` is not a kind of image sets; known: {known}")
        );
        assert!(message(&"folders".repeat(1000)).ends_with(&format!("sets; known: {known}")));
    }
}
