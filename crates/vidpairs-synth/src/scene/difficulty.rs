//! Difficulty of a set of videos, and the events that it leads to in one video.

use rand::RngExt;
use serde::{Deserialize, Serialize};
use vidpairs_types::Seed;

/// Difficulty of the videos of a set. Every field is an option of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difficulty {
    /// Speed of the objects; 1 is about a third of the image height per second.
    pub speed: f64,
    /// Maximum rotation speed of an object, degrees per second.
    pub turn: f64,
    /// Change of the objects' sizes; 1 is up to half as large again, or as small.
    pub scaling: f64,
    /// Share of the videos in which something passes in front of the target.
    pub occlusion: f64,
    /// Share of the videos in which the target leaves the image and returns.
    pub leaving: f64,
    /// Share of the videos in which the light changes.
    pub relighting: f64,
    /// Share of the videos with a second object of the target's model.
    pub look_alikes: f64,
    /// Number of other objects in view.
    pub clutter: u32,
    /// Camera motion; 1 is a calm hand.
    pub camera: f64,
    /// Exposure time, thirtieths of a second: the amount of motion blur.
    pub shutter: f64,
    /// Standard deviation of the sensor noise, levels of 255.
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

/// Objects and events of one video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Number of other objects in view.
    pub num_clutter: usize,
    /// Whether something passes in front of the target.
    pub has_occluder: bool,
    /// Whether a second object of the target's model is in view.
    pub has_look_alike: bool,
    /// Whether the target leaves the image and returns.
    pub leaves: bool,
    /// Whether the light changes.
    pub is_relit: bool,
}

impl Roles {
    /// Draws the events of a video with the probabilities of `difficulty`.
    pub fn draw(seed: Seed, difficulty: &Difficulty) -> Self {
        let mut rng = seed.rng();
        let mut happens = |share: f64| rng.random_range(0.0..1.0) < share;
        Self {
            num_clutter: difficulty.clutter as usize,
            has_occluder: happens(difficulty.occlusion),
            has_look_alike: happens(difficulty.look_alikes),
            leaves: happens(difficulty.leaving),
            is_relit: happens(difficulty.relighting),
        }
    }

    /// The roles that `num_models` different models can fill: less clutter, or no occluder, if there are too few.
    pub fn with_models(self, num_models: usize) -> Self {
        let has_occluder = self.has_occluder && num_models > 1;
        let num_others = num_models.saturating_sub(1 + usize::from(has_occluder));
        Self {
            num_clutter: self.num_clutter.min(num_others),
            has_occluder,
            ..self
        }
    }

    /// Number of different models: the target's, the clutter's and the occluder's.
    pub fn num_models(&self) -> usize {
        1 + self.num_clutter + usize::from(self.has_occluder)
    }
}
