//! How hard a set of videos is.

use serde::{Deserialize, Serialize};

/// How hard the videos of a set are. Every number is one that a user may set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difficulty {
    /// How fast things move: 1 is about a third of the image's height a second.
    pub speed: f64,
    /// The most that an object turns, degrees a second.
    pub turn: f64,
    /// How much sizes change: 1 is up to half again as large or small.
    pub scaling: f64,
    /// Share of the videos in which something passes before the object.
    pub occlusion: f64,
    /// Share of the videos in which the object leaves the image and comes back.
    pub leaving: f64,
    /// Share of the videos in which the light changes.
    pub relighting: f64,
    /// Share of the videos with a second object of the same model.
    pub look_alikes: f64,
    /// Other objects in view.
    pub clutter: u32,
    /// How much the camera moves: 1 is a calm hand.
    pub camera: f64,
    /// For how long the shutter is open, in thirtieths of a second: motion blur.
    pub shutter: f64,
    /// Standard deviation of the sensor's noise, levels of 255.
    pub noise: f64,
}

impl Default for Difficulty {
    fn default() -> Self {
        Self {
            speed: 1.0,
            turn: 90.0,
            scaling: 1.0,
            occlusion: 0.4,
            leaving: 0.15,
            relighting: 0.4,
            look_alikes: 0.2,
            clutter: 2,
            camera: 1.0,
            shutter: 0.4,
            noise: 2.0,
        }
    }
}
