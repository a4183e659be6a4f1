//! Scripts of videos: which objects appear, how they move and turn, how the light and the camera change. Also fixed scenes: a
//! turntable ([`studio`]), and rooms with several objects ([`still`]).
//!
//! **Takes** a seed and the [`Difficulty`] of a set. **Gives** a [`Script`], which yields the scene at any time, or a
//! fixed scene. **Fails** never. **Source**: ours; the attributes are those of tracking
//! benchmarks (GOT-10k, OTB).

mod actor;
mod curves;
mod difficulty;
mod light;
mod sampler;
mod script;
pub mod still;
pub mod studio;

pub use difficulty::{Difficulty, Roles};
pub use script::{Clock, Script};
