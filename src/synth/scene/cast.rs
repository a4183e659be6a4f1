//! Which models a script needs.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

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
    pub(super) fn draw(rng: &mut ChaCha8Rng, difficulty: &Difficulty) -> Self {
        let mut happens = |share: f64| rng.random_range(0.0..1.0) < share;
        Self {
            num_clutter: difficulty.clutter as usize,
            has_occluder: happens(difficulty.occlusion),
            has_look_alike: happens(difficulty.look_alikes),
            leaves: happens(difficulty.leaving),
            is_relit: happens(difficulty.relighting),
        }
    }

    /// Different models needed: the target's, the clutter's, the occluder's.
    pub fn num_models(&self) -> usize {
        1 + self.num_clutter + usize::from(self.has_occluder)
    }
}
