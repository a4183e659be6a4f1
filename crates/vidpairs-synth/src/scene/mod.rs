//! What happens: who is on stage, how each moves and turns, what changes in the light and the camera.
//!
//! **Takes** a seed and the [`Difficulty`] of a set. **Gives** a [`Script`], from which the scene at any
//! time is a pure function, or the fixed [`studio`] of a turntable. **Fails** never.
//! **Source**: ours; the attributes are those that tracking benchmarks name (GOT-10k, OTB).

mod cast;
mod difficulty;
mod path;
mod script;
pub mod studio;

pub use cast::Roles;
pub use difficulty::Difficulty;
pub use script::{Clock, Script};
