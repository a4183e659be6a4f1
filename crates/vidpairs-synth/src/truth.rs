//! Ground truth of an object in an image: the lines of `truth.jsonl`.

use serde::{Deserialize, Serialize};
use vidpairs_types::BoxXywh;

use super::catalog::Half;
use super::render::PixelMask;

/// Direction, colour and strength of the light.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LightTruth {
    /// Azimuth of the light, degrees to the camera's right of the line from the object to the camera: 0 is behind
    /// the camera, 90 the right of the image, -90 its left.
    pub azimuth: f64,
    /// Elevation of the light above the ground, degrees.
    pub elevation: f64,
    /// Linear red, green and blue of the light; the strongest is 1.
    pub color: [f64; 3],
    /// Strength of the light, relative to the usual strength.
    pub strength: f64,
}

/// One line of `truth.jsonl`: one object in one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Path of the image, or of the zip or video file that holds it, below the root of the data set; parts are
    /// separated by `/`.
    pub image: String,
    /// Frame index in the video, from 0; `None` for a single image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<u64>,
    /// Id of the object in its catalogue.
    pub object: String,
    /// Class of the object: `chair`, `car`.
    pub category: String,
    /// Half of the catalogue that the object belongs to.
    pub half: Half,
    /// Azimuth of the camera, degrees from the object's front, counterclockwise seen from above, `0.0..360.0`. At 90
    /// the camera sees the object's own left side, as in PASCAL3D+.
    pub azimuth: f64,
    /// Elevation of the camera above the object's horizon, degrees, `-90.0..=90.0`.
    pub elevation: f64,
    /// Light of the scene.
    pub light: LightTruth,
    /// Visible pixels of the object divided by its full pixels, `0.0..=1.0`. Full pixels are those that the object
    /// would cover with nothing in front of it and an image without borders.
    pub visible_share: f64,
    /// Whether a part of the object lies outside the image.
    pub cut_by_image: bool,
    /// Bounds of the object's visible pixels; `None` if there are none.
    pub box_xywh: Option<BoxXywh>,
    /// Bounds of the object's full pixels.
    pub full_box_xywh: Option<BoxXywh>,
    /// Pixels in which the object is visible; scenes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<PixelMask>,
}
