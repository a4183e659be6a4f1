//! Which sets of which data set, under the names of the command line.

use std::str::FromStr;

use vidpairs_types::{Invariance, NearView};

/// One invariance of one data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ImageSetKind {
    /// GOT-10k, split `train`; the root may be another split's folder. Per video one random frame for each distinct
    /// level of `cover`, where the levels span at least 4; the target is the object's class.
    Got10kOcclusion,
    /// PASCAL3D+: the k-th images of each class's azimuth bins form set k; the target is the class.
    Pascal3dViewpoint,
    /// PASCAL3D+: the images of a class in one bin of azimuth and elevation form a set; the target is the class.
    Pascal3dInstance,
    /// ALOI: the 72 views of an object; the target is the object.
    AloiViewpoint,
    /// ALOI: the 24 directions of the light.
    AloiDirection,
    /// ALOI: the 12 colours of the light.
    AloiColor,
    /// A user's own sets: `<class>/<set>/<image>`, JPEG or PNG; the target is the class.
    Folders,
}

/// No kind has this name. Stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no kind of image sets; {}", hint(*nearest))]
pub struct UnknownImageSetKind {
    /// As it was given.
    pub name: String,
    /// The kind that was meant, if one is near in spelling.
    pub nearest: Option<ImageSetKind>,
}

impl ImageSetKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Got10kOcclusion,
        Self::Pascal3dViewpoint,
        Self::Pascal3dInstance,
        Self::AloiViewpoint,
        Self::AloiDirection,
        Self::AloiColor,
        Self::Folders,
    ];

    /// The name on the command line.
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

    /// What changes inside a set.
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

    /// Side of the square that images are resized to, px: the published protocol's, and ours for [`Folders`](Self::Folders).
    pub fn side_px(self) -> u32 {
        match self {
            Self::Got10kOcclusion | Self::AloiViewpoint | Self::AloiDirection | Self::AloiColor => {
                128
            }
            Self::Pascal3dViewpoint | Self::Pascal3dInstance | Self::Folders => 224,
        }
    }

    /// What is too near for retrieval across the transformation: our choice.
    pub fn near(self) -> NearView {
        match self {
            Self::Pascal3dViewpoint | Self::AloiViewpoint => NearView::Azimuth { under: 60.0 },
            Self::Got10kOcclusion | Self::AloiDirection | Self::AloiColor => {
                NearView::SameCondition
            }
            Self::Pascal3dInstance | Self::Folders => NearView::Itself,
        }
    }

    /// What a root of this kind holds.
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

    /// The kind of a [name](Self::name).
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

/// The kind nearest in spelling, upper and lower case alike; `None` if none is near.
fn nearest(name: &str) -> Option<ImageSetKind> {
    /// Of 1 for the same word: one wrong letter in three still passes, two in four do not.
    const MIN_LIKENESS: f64 = 0.6;
    /// No name is as long; the comparison takes time and memory in the product of the lengths.
    const MAX_BYTES: usize = 64;
    if name.len() > MAX_BYTES {
        return None;
    }
    let name = name.to_lowercase();
    let likeness = |kind: &ImageSetKind| strsim::normalized_damerau_levenshtein(&name, kind.name());
    let kinds = ImageSetKind::ALL.into_iter();
    kinds
        .map(|kind| (kind, likeness(&kind)))
        .filter(|(_, likeness)| *likeness >= MIN_LIKENESS)
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
    fn every_name_gives_its_kind_and_no_other_name_does() {
        for kind in ImageSetKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("Folders".parse::<ImageSetKind>().is_err());
        assert!("".parse::<ImageSetKind>().is_err());
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_and_all_the_others() {
        let said = |name: &str| name.parse::<ImageSetKind>().unwrap_err().to_string();
        let known = "got10k-occlusion, pascal3d-viewpoint, pascal3d-instance, aloi-viewpoint, \
                     aloi-direction, aloi-color, folders";
        assert_eq!(
            said("ALOI-colour"),
            format!(
                "`ALOI-colour` is no kind of image sets; did you mean aloi-color? Known: {known}"
            )
        );
        assert_eq!(
            said("imagenet"),
            format!("`imagenet` is no kind of image sets; known: {known}")
        );
        assert!(said(&"folders".repeat(1000)).ends_with(&format!("sets; known: {known}")));
    }
}
