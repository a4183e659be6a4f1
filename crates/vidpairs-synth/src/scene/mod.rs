//! Scripts of videos: which objects appear, how they move and turn, how the light and the camera change.
//!
//! **Takes** a seed and the [`Difficulty`] of a set. **Gives** a [`Script`], which yields the scene at any time, or the
//! fixed scene of a turntable ([`studio`]). **Fails** never. **Source**: ours; the attributes are those of tracking
//! benchmarks (GOT-10k, OTB).

mod actor;
mod curves;
mod difficulty;
mod light;
mod sampler;
mod script;
pub mod studio;

pub use difficulty::{Difficulty, Roles};
pub use script::{Clock, Script};
