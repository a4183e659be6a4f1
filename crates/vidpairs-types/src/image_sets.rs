//! Images of one thing under a transformation: what invariances are measured on.

use std::path::PathBuf;

use super::BoxXywh;

/// What changes inside a set of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Invariance {
    /// How much of the object is seen: GOT-10k.
    Occlusion,
    /// From where an object of the class is seen, and which: PASCAL3D+.
    ViewpointAndInstance,
    /// Which object of the class is seen, from one side: PASCAL3D+.
    Instance,
    /// From where the object is seen: the turntable of ALOI.
    Viewpoint,
    /// Where the light comes from: ALOI.
    IlluminationDirection,
    /// The colour of the light: ALOI.
    IlluminationColor,
    /// What a user's own sets differ in.
    Other,
}

/// In what one image of a set differs from the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Condition {
    /// Not told.
    Unknown,
    /// The side that is seen, degrees; a turntable has one elevation.
    View {
        /// From the object's front, counterclockwise seen from above, 0 up to 360.
        azimuth: f64,
        /// Of the camera above the object's horizon; 0 where it is not told.
        elevation: f64,
    },
    /// ALOI's light: lamps `1..=8`, camera `1..=3`, as in `l3c2`.
    Light {
        /// Which of the eight settings of the lamps.
        lamps: u8,
        /// Which of the three cameras.
        camera: u8,
    },
    /// ALOI's colour of the light: the code in the file's name, `110..=250`, from reddish to white.
    LightColor {
        /// As in `i110`.
        code: u16,
    },
    /// GOT-10k's `cover`: how much is visible, 0 to 8.
    Cover {
        /// 8 is all of it.
        level: u8,
    },
}

/// Which images are too like a query to be its nearest neighbour, whatever they show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NearView {
    /// The query alone.
    Itself,
    /// Those seen from less than so many degrees of azimuth away.
    Azimuth {
        /// Degrees, 0 to 180.
        under: f64,
    },
    /// Those of the same [`Condition`].
    SameCondition,
}

/// An image, or a box of one.
#[derive(Debug, Clone, PartialEq)]
pub struct SetImage {
    /// The file: JPEG or PNG.
    pub path: PathBuf,
    /// The part that is shown, px of the stored image, inside it as far as is known; `None`: all of it.
    pub region: Option<BoxXywh>,
    /// Place in [`ImageSets::sets`].
    pub set_index: usize,
    /// In what it differs from the others of its set.
    pub condition: Condition,
}

/// One thing under a transformation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSet {
    /// What it is called in its data set.
    pub id: String,
    /// Place in [`ImageSets::targets`].
    pub target_index: usize,
}

/// What was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The image, set or class, as its data set calls it.
    pub what: String,
    /// In words.
    pub reason: String,
}

/// Sets of images: one invariance of one data set.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageSets {
    /// What changes inside a set.
    pub invariance: Invariance,
    /// Side of the square that an image is resized to, px: the data set's protocol.
    pub side_px: u32,
    /// What is too near for retrieval across the transformation.
    pub near: NearView,
    /// What units should respond to: classes, or objects. At least one.
    pub targets: Vec<String>,
    /// In a stable order. A set may have one image.
    pub sets: Vec<ImageSet>,
    /// All images, in the order of their sets; each belongs to one.
    pub images: Vec<SetImage>,
    /// What the data set names and the lists above do not hold, in a stable order.
    pub left_out: Vec<LeftOut>,
}

impl NearView {
    /// Whether an image of condition `other` is too near to another of condition `query`. That a query is near itself goes without asking.
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
    fn azimuths_are_near_across_the_full_turn() {
        let near = NearView::Azimuth { under: 60.0 };
        assert!(near.holds(view(350.0), view(40.0)));
        assert!(!near.holds(view(350.0), view(50.0)));
        assert!(!near.holds(view(0.0), view(180.0)));
    }

    #[test]
    fn images_without_a_view_are_near_nothing_but_themselves() {
        let near = NearView::Azimuth { under: 60.0 };
        assert!(!near.holds(Condition::Unknown, Condition::Unknown));
        assert!(!NearView::Itself.holds(view(0.0), view(0.0)));
    }

    #[test]
    fn the_same_light_is_near() {
        let light = |lamps| Condition::Light { lamps, camera: 1 };
        assert!(NearView::SameCondition.holds(light(2), light(2)));
        assert!(!NearView::SameCondition.holds(light(2), light(3)));
    }
}
