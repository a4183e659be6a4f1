//! Sets of images that show one thing under a transformation, for measuring invariances.

use std::path::PathBuf;

use super::BoxXywh;

/// Property that differs between the images of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Invariance {
    /// Visible share of the object (GOT-10k).
    Occlusion,
    /// Viewpoint and object within a class (PASCAL3D+).
    ViewpointAndInstance,
    /// Object within a class, at one viewpoint (PASCAL3D+).
    Instance,
    /// Viewpoint (ALOI turntable).
    Viewpoint,
    /// Direction of the light (ALOI).
    IlluminationDirection,
    /// Color of the light (ALOI).
    IlluminationColor,
    /// Unspecified, in a user's own sets.
    Other,
}

/// Condition under which one image of a set was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Condition {
    /// Not stated by the data set.
    Unknown,
    /// Viewpoint, degrees. A turntable has a single elevation.
    View {
        /// Counterclockwise from the object's front, seen from above, 0 up to 360.
        azimuth: f64,
        /// Of the camera above the object's horizon; 0 if the data set does not state it.
        elevation: f64,
    },
    /// Light direction of ALOI, as in the file name part `l3c2`.
    Light {
        /// Setting of the lamps, 1 to 8.
        lamps: u8,
        /// Camera, 1 to 3.
        camera: u8,
    },
    /// Light color of ALOI, as in the file name part `i110`.
    LightColor {
        /// Code from 110 (reddish) to 250 (white).
        code: u16,
    },
    /// Visibility level of GOT-10k (`cover.label`).
    Cover {
        /// 0 (hidden) to 8 (fully visible).
        level: u8,
    },
}

/// Images that are too similar to a query to count as its nearest neighbors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NearView {
    /// Only the query itself.
    Itself,
    /// Images whose azimuth differs by less than `under`.
    Azimuth {
        /// Limit, degrees, 0 to 180.
        under: f64,
    },
    /// Images with the same [`Condition`].
    SameCondition,
}

/// Image of a set, or a region of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct SetImage {
    /// JPEG or PNG file.
    pub path: PathBuf,
    /// Region to use, px in the stored image; `None` for the whole image.
    pub region: Option<BoxXywh>,
    /// Index into [`ImageSets::sets`].
    pub set_index: usize,
    /// Condition under which the image was taken.
    pub condition: Condition,
}

/// Set of images that show one thing under a transformation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSet {
    /// Name of the set in its data set.
    pub id: String,
    /// Index into [`ImageSets::targets`].
    pub target_index: usize,
}

/// Part of a data set that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Name of the image, set or class.
    pub what: String,
    /// Reason, in words.
    pub reason: String,
}

/// Image sets of one data set for one invariance.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageSets {
    /// Property that differs between the images of a set.
    pub invariance: Invariance,
    /// Side of the square to which images are resized, px, by the protocol of the data set.
    pub side_px: u32,
    /// Images to exclude as neighbors of a query in retrieval across the transformation.
    pub near: NearView,
    /// Names of the classes or objects to be recognized; at least one.
    pub targets: Vec<String>,
    /// Sets in a stable order. A set may have a single image.
    pub sets: Vec<ImageSet>,
    /// Images in the order of their sets.
    pub images: Vec<SetImage>,
    /// Parts of the data set that were left out, in a stable order.
    pub left_out: Vec<LeftOut>,
}

impl NearView {
    /// Whether an image of condition `other` is too similar to a query of condition `query`. The caller excludes the
    /// query itself.
    pub fn holds(self, query: Condition, other: Condition) -> bool {
        match (self, query, other) {
            (Self::Itself, ..) => false,
            (
                Self::Azimuth { under },
                Condition::View { azimuth: a, .. },
                Condition::View { azimuth: b, .. },
            ) => {
                let apart = (a - b).rem_euclid(360.0);
                apart.min(360.0 - apart) < under
            }
            (Self::Azimuth { .. }, ..) => false,
            (Self::SameCondition, a, b) => a == b,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(azimuth: f64) -> Condition {
        Condition::View {
            azimuth,
            elevation: 0.0,
        }
    }

    #[test]
    fn azimuths_are_compared_across_0_degrees() {
        let near = NearView::Azimuth { under: 60.0 };
        assert!(near.holds(view(350.0), view(40.0)));
        assert!(!near.holds(view(350.0), view(50.0)));
        assert!(!near.holds(view(0.0), view(180.0)));
    }

    #[test]
    fn images_without_a_viewpoint_are_near_no_other_image() {
        let near = NearView::Azimuth { under: 60.0 };
        assert!(!near.holds(Condition::Unknown, Condition::Unknown));
        assert!(!NearView::Itself.holds(view(0.0), view(0.0)));
    }

    #[test]
    fn images_with_the_same_light_are_near() {
        let light = |lamps| Condition::Light { lamps, camera: 1 };
        assert!(NearView::SameCondition.holds(light(2), light(2)));
        assert!(!NearView::SameCondition.holds(light(2), light(3)));
    }
}
