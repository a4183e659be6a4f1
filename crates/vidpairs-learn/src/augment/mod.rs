//! Views of images for training with MoCo v1, MoCo v2 and PIRL, and for evaluating encoders.
//!
//! **Takes** an encoded image, a [`Recipe`] and a seed. **Gives** normalised samples, `height x width x 3`. **Fails** with
//! [`AugmentError`] if the image cannot be read or the recipe is invalid. **Source**: torchvision's definition of every
//! operation; He et al. 2020; Chen et al. 2020; Misra and van der Maaten 2020.
//!
//! [`Recipe::draw`] first draws all random parameters ([`ViewParams`]), then [`Viewer::render_with`] computes the view from
//! them. The same parameters give torchvision's numbers; docs/VIEWS.md states the tolerance.

mod axis;
mod blur;
mod color;
mod draw;
mod error;
mod painter;
mod params;
mod pixels;
mod presets;
mod recipe;
mod region;
mod resample;
mod rows;
mod samples;
mod viewer;
mod window;

pub use error::AugmentError;
pub use params::{
    ColorParams, CropParams, JigsawParams, JitterOp, JitterParams, PatchParams, ViewParams,
};
pub use pixels::StoredImage;
pub use recipe::{
    Blur, ColorOrder, ColorRecipe, CropArea, CropRecipe, JigsawRecipe, Jitter, NUM_PATCHES, Recipe,
};
pub use samples::{MEAN, STD, Samples};
pub use viewer::Viewer;
pub use window::{Window, scaled};

#[cfg(test)]
mod tests;
