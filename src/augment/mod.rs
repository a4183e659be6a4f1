//! Views of images, as MoCo v1, MoCo v2 and PIRL train on them.
//!
//! **Takes** an encoded image, a [`Recipe`] and a seed. **Gives** normalised samples. **Fails** with [`AugmentError`]:
//! the image cannot be read. **Source**: torchvision's definition of every operation; He et al. 2020; Chen et al. 2020;
//! Misra and van der Maaten 2020.

use crate::types::RgbImage;
use crate::types::Seed;
use crate::types::SizePx;

/// An image as it is stored.
#[derive(Debug, Clone, Copy)]
pub enum StoredImage<'a> {
    /// JPEG bytes.
    Jpeg(&'a [u8]),
    /// `H x W x 3` u8 under zstd, and its size.
    RgbZstd(&'a [u8], SizePx),
    /// Pixels.
    Rgb(&'a RgbImage),
}

/// Why a view could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AugmentError {}

/// How views are made.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe;

/// Makes views; holds what one thread needs again and again.
#[derive(Debug, Default)]
pub struct Viewer;

impl Viewer {
    /// One view of `image`, drawn from `seed`, into `out`.
    ///
    /// # Errors
    /// [`AugmentError`].
    pub fn render(
        &mut self,
        _image: StoredImage<'_>,
        _recipe: &Recipe,
        _seed: Seed,
        _out: &mut [f32],
    ) -> Result<(), AugmentError> {
        Ok(())
    }
}
