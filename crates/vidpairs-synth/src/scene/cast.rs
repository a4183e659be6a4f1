//! Which models a script needs.

use rand::RngExt;
use vidpairs_types::Seed;

use super::Difficulty;

/// How many models a script needs, and which of them are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Other objects in view.
    pub num_clutter: usize,
    /// Whether something passes before the target.
    pub has_occluder: bool,
    /// Whether a second object of the target's model is in view.
    pub has_look_alike: bool,
    /// Whether the target leaves the image and comes back.
    pub leaves: bool,
    /// Whether the light changes.
    pub is_relit: bool,
}

impl Roles {
    /// Draws what a video is about.
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

    /// The same with as much clutter as `num_models` different models allow, the target's among them.
    pub fn with_models(self, num_models: usize) -> Self {
        let has_occluder = self.has_occluder && num_models > 1;
        let room = num_models.saturating_sub(1 + usize::from(has_occluder));
        Self {
            num_clutter: self.num_clutter.min(room),
            has_occluder,
            ..self
        }
    }

    /// Different models needed: the target's, the clutter's, the occluder's.
    pub fn num_models(&self) -> usize {
        1 + self.num_clutter + usize::from(self.has_occluder)
    }
}
