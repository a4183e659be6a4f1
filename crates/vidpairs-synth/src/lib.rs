//! Rendering: a small world whose truth is known, in the layouts of real data sets.
//!
//! **Takes** a [`catalog`] of textured 3-D objects and a seed. **Gives** images, and for each the
//! object, where it is, how it stands, how it is lit and how much of it can be seen ([`truth`]).
//! **Fails** per object: one that cannot be rendered is set aside with its reason. **Source**: the
//! layouts of TrackingNet, GOT-10k, ALOI and PASCAL3D+ as they are distributed.

pub mod backdrops;
pub mod catalog;
pub mod color;
pub mod layout;
pub mod mesh;
pub mod raster;
pub mod render;
pub mod run;
pub mod scene;
pub mod set;
pub mod truth;
