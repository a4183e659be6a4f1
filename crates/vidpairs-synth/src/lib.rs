//! Renders small data sets with known ground truth, in the layouts of real data sets.
//!
//! **Takes** a [`catalog`] of textured 3-D objects and a seed. **Gives** images and, for each annotated object, its box,
//! viewpoint, lighting and visible share ([`truth`]). **Fails** per object: an object that cannot be rendered is refused
//! with the reason. **Source**: the layouts of TrackingNet, GOT-10k, ALOI, PASCAL3D+, MSCOCO and Pascal VOC
//! as they are distributed.

pub mod backdrops;
pub mod catalog;
pub mod color;
pub mod layout;
pub mod mesh;
mod raster;
pub mod render;
pub mod run;
pub mod scene;
pub mod set;
pub mod truth;
