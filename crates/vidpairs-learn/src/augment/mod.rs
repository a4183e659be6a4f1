//! Views of images, as MoCo v1, MoCo v2 and PIRL train on them, and as encoders are measured on.
//!
//! **Takes** an encoded image, a [`Recipe`] and a seed. **Gives** normalised samples, `height x width x 3`. **Fails** with
//! [`AugmentError`]: the image cannot be read, or the recipe cannot be followed. **Source**: torchvision's definition of
//! every operation; He et al. 2020; Chen et al. 2020; Misra and van der Maaten 2020.
//!
//! What is random is drawn first ([`Recipe::draw`], [`ViewParams`]), then the view is made of it
//! ([`Viewer::render_with`]): the same parameters give torchvision's numbers, see docs/VIEWS.md for how nearly.

mod axis;
mod blur;
mod color;
mod draw;
mod error;

mod painter;
mod params;
mod pixels;
mod recipe;
mod resample;
mod samples;
mod viewer;

#[cfg(test)]
mod tests;

pub use error::AugmentError;
pub use params::{
    ColorParams, JigsawParams, JitterOp, JitterParams, PatchParams, ViewParams, WholeParams,
};
pub use pixels::StoredImage;
pub use recipe::{
    Blur, ColorOrder, ColorRecipe, CropArea, CropRecipe, JigsawRecipe, Jitter, NUM_PATCHES, Recipe,
};
pub use samples::{MEAN, STD, Samples};
pub use viewer::Viewer;
