//! What is true of an object in an image: the lines of `truth.jsonl`.

use serde::{Deserialize, Serialize};
use vidpairs_types::BoxXywh;

use super::catalog::Half;

/// Where the light comes from, and its colour.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LightTruth {
    /// Degrees to the camera's right of the line from the object to the camera: 0 comes from behind
    /// the camera, 90 from the right of the image, -90 from its left.
    pub azimuth: f64,
    /// Degrees above the ground.
    pub elevation: f64,
    /// Linear red, green and blue of the light, the strongest 1.
    pub color: [f64; 3],
    /// Share of the usual strength.
    pub strength: f64,
}

/// One line of `truth.jsonl`: one object in one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// The image, or the zip or folder that holds it; a path below the data set's root with `/`
    /// between its parts.
    pub image: String,
    /// Place in its video, from 0; `None` for a single image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<u64>,
    /// The object's id in its catalogue.
    pub object: String,
    /// Its class: `chair`, `car`.
    pub category: String,
    /// Which half of the catalogue it belongs to.
    pub half: Half,
    /// Degrees from the object's front to the camera, counterclockwise seen from above: at 90 the
    /// object's own left side is seen. As in PASCAL3D+; `0.0..360.0`.
    pub azimuth: f64,
    /// Degrees of the camera above the horizon of the object, `-90.0..=90.0`.
    pub elevation: f64,
    /// The light.
    pub light: LightTruth,
    /// Pixels in which the object can be seen over those that it would fill with nothing before it and
    /// an image without end: `0.0..=1.0`.
    pub visible_share: f64,
    /// Whether a part of the object lies outside the image.
    pub cut_by_image: bool,
    /// Bounds of the pixels in which the object can be seen; `None` where it can't.
    pub box_xywh: Option<BoxXywh>,
    /// Bounds of the pixels that it would fill with nothing before it and an image without end.
    pub full_box_xywh: Option<BoxXywh>,
}
