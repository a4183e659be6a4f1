//! Kinds of image sets, with their names on the command line.

use std::str::FromStr;

use vidpairs_types::{Invariance, NearView};

use crate::kinds::{NamedKind, UnknownKind, kind_named};

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

impl ImageSetKind {
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

impl NamedKind for ImageSetKind {
    const ALL: &'static [Self] = &[
        Self::Got10kOcclusion,
        Self::Pascal3dViewpoint,
        Self::Pascal3dInstance,
        Self::AloiViewpoint,
        Self::AloiDirection,
        Self::AloiColor,
        Self::Folders,
    ];
    const WORD: &'static str = "kind of image sets";

    fn name(self) -> &'static str {
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
}

impl FromStr for ImageSetKind {
    type Err = UnknownKind<Self>;

    /// Parses a [name](NamedKind::name).
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
        kind_named(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_to_its_kind_and_other_names_are_errors() {
        for &kind in ImageSetKind::ALL {
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
