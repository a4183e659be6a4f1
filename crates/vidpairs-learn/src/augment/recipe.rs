//! Recipes: settings of views, and their checks.

use super::error::AugmentError;

/// Number of patches of a jigsaw, 3 x 3.
pub const NUM_PATCHES: usize = 9;

/// Longest side of a view, px.
const MAX_SIDE_PX: u32 = 4096;

/// Recipe of a view.
#[derive(Debug, Clone, PartialEq)]
pub enum Recipe {
    /// Random crop with random colour operations.
    Crop(CropRecipe),
    /// Nine patches of a random crop in random order, each with colour operations of its own.
    Jigsaw(JigsawRecipe),
    /// Whole image resized to a square regardless of its aspect, for measuring invariances.
    Squash {
        /// Side of the view, px.
        side_px: u32,
    },
    /// Centre of the resized image, as in evaluations on ImageNet.
    CenterCrop {
        /// Side of the view, px.
        side_px: u32,
        /// Short side of the resized image, px; at least `side_px`.
        short_side_px: u32,
    },
}

/// Areas and aspects of a random crop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CropArea {
    /// Smallest and largest share of the image's area; uniform between.
    pub share: [f64; 2],
    /// Smallest and largest width over height; the logarithm is uniform between.
    pub aspect: [f64; 2],
}

/// Strengths of torchvision's `ColorJitter`; 0.4 stands for factors from 0.6 to 1.4.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jitter {
    /// Greatest difference of the brightness factor from 1.
    pub brightness: f64,
    /// Greatest difference of the contrast factor from 1.
    pub contrast: f64,
    /// Greatest difference of the saturation factor from 1.
    pub saturation: f64,
    /// Greatest turn of the hue either way, 0 to 0.5 of the circle.
    pub hue: f64,
    /// Probability of any jitter.
    pub probability: f64,
}

/// Gaussian blur as torchvision's `GaussianBlur`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blur {
    /// Side of the kernel, odd, px.
    pub kernel_px: u32,
    /// Smallest and largest standard deviation, px; uniform between.
    pub sigma_px: [f64; 2],
    /// Probability of any blur.
    pub probability: f64,
}

/// Order of grayscale and jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorOrder {
    /// Grayscale first, as in MoCo v1: jitter then changes the brightness and contrast of gray images.
    GrayscaleThenJitter,
    /// Jitter first, as in MoCo v2 and PIRL.
    JitterThenGrayscale,
}

/// Random colour operations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColorRecipe {
    /// Jitter of brightness, contrast, saturation and hue, in random order.
    pub jitter: Option<Jitter>,
    /// Probability of grayscale.
    pub grayscale_probability: f64,
    /// Order of grayscale and jitter.
    pub order: ColorOrder,
    /// Blur after both.
    pub blur: Option<Blur>,
}

/// Random resized crop, random colour operations, random flip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CropRecipe {
    /// Side of the view, px.
    pub side_px: u32,
    /// Area and aspect of the crop.
    pub area: CropArea,
    /// Colour operations.
    pub color: ColorRecipe,
    /// Probability that left and right are swapped.
    pub flip_probability: f64,
}

/// Random crop of 3 x 3 cells, with a patch at a random place of each cell, in random order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JigsawRecipe {
    /// Side of a cell, px; the crop is resized to three cells.
    pub cell_px: u32,
    /// Side of a patch, px; at most `cell_px`.
    pub patch_px: u32,
    /// Area and aspect of the crop.
    pub area: CropArea,
    /// Colour operations, drawn for each patch.
    pub color: ColorRecipe,
    /// Probability that left and right of the crop are swapped.
    pub flip_probability: f64,
}

impl JigsawRecipe {
    /// Side of the crop, px.
    pub fn view_px(&self) -> u32 {
        3 * self.cell_px
    }
}

impl From<CropRecipe> for Recipe {
    fn from(crop: CropRecipe) -> Self {
        Self::Crop(crop)
    }
}

impl From<JigsawRecipe> for Recipe {
    fn from(jigsaw: JigsawRecipe) -> Self {
        Self::Jigsaw(jigsaw)
    }
}

impl Recipe {
    /// Number of images in a view: nine for a jigsaw, otherwise one.
    pub fn num_images(&self) -> usize {
        match self {
            Self::Jigsaw(_) => NUM_PATCHES,
            _ => 1,
        }
    }

    /// Side of each image, px.
    pub fn side_px(&self) -> u32 {
        match self {
            Self::Crop(crop) => crop.side_px,
            Self::Jigsaw(jigsaw) => jigsaw.patch_px,
            Self::Squash { side_px } | Self::CenterCrop { side_px, .. } => *side_px,
        }
    }

    /// Number of samples of a view: `images x side x side x 3`.
    pub fn num_values(&self) -> usize {
        self.num_images() * (self.side_px() as usize).pow(2) * 3
    }

    /// Checks the fields.
    ///
    /// # Errors
    /// [`AugmentError::Recipe`] for the first field out of its range.
    pub fn check(&self) -> Result<(), AugmentError> {
        let side_px = self.side_px();
        side(side_px, "side_px")?;
        match self {
            Self::Squash { .. } => Ok(()),
            Self::CenterCrop { short_side_px, .. } => {
                side(*short_side_px, "short_side_px")?;
                let fits = *short_side_px >= side_px;
                require(fits, "short_side_px", *short_side_px, "side_px or more")
            }
            Self::Crop(crop) => {
                crop.area.check()?;
                unit_share(crop.flip_probability, "flip_probability")?;
                crop.color.check(side_px)
            }
            Self::Jigsaw(jigsaw) => {
                side(jigsaw.cell_px, "cell_px")?;
                let fits = jigsaw.patch_px <= jigsaw.cell_px;
                require(fits, "patch_px", jigsaw.patch_px, "cell_px or less")?;
                jigsaw.area.check()?;
                unit_share(jigsaw.flip_probability, "flip_probability")?;
                jigsaw.color.check(side_px)
            }
        }
    }
}

impl CropArea {
    fn check(&self) -> Result<(), AugmentError> {
        let [low, high] = self.share;
        require(low > 0.0, "area share", low, "more than 0")?;
        let is_ordered = high >= low && high <= 1.0;
        require(is_ordered, "area share", high, "the smallest to 1")?;
        ordered(self.aspect, "aspect")
    }
}

impl ColorRecipe {
    fn check(&self, side_px: u32) -> Result<(), AugmentError> {
        unit_share(self.grayscale_probability, "grayscale_probability")?;
        if let Some(jitter) = self.jitter {
            unit_share(jitter.probability, "jitter probability")?;
            unit_share(jitter.brightness, "brightness")?;
            unit_share(jitter.contrast, "contrast")?;
            unit_share(jitter.saturation, "saturation")?;
            let is_turn = (0.0..=0.5).contains(&jitter.hue);
            require(is_turn, "hue", jitter.hue, "0 to 0.5")?;
        }
        if let Some(blur) = self.blur {
            unit_share(blur.probability, "blur probability")?;
            let kernel_px = blur.kernel_px;
            require(kernel_px % 2 == 1, "kernel_px", kernel_px, "an odd number")?;
            // The border is mirrored only once.
            let fits = kernel_px / 2 < side_px;
            require(fits, "kernel_px", kernel_px, "less than twice the side")?;
            ordered(blur.sigma_px, "sigma_px")?;
        }
        Ok(())
    }
}

fn side(px: u32, field: &'static str) -> Result<(), AugmentError> {
    require((1..=MAX_SIDE_PX).contains(&px), field, px, "1 to 4096")
}

fn unit_share(share: f64, field: &'static str) -> Result<(), AugmentError> {
    require((0.0..=1.0).contains(&share), field, share, "0 to 1")
}

/// Requires `0 < low <= high`, both finite.
fn ordered([low, high]: [f64; 2], field: &'static str) -> Result<(), AugmentError> {
    let is_positive = low > 0.0 && low.is_finite();
    require(is_positive, field, low, "a finite number > 0")?;
    let is_ordered = high >= low && high.is_finite();
    require(
        is_ordered,
        field,
        high,
        "a finite number, the smallest or more",
    )
}

fn require(
    holds: bool,
    field: &'static str,
    got: impl Into<f64>,
    expected: &'static str,
) -> Result<(), AugmentError> {
    let refusal = || AugmentError::Recipe {
        field,
        got: got.into(),
        expected,
    };
    holds.then_some(()).ok_or_else(refusal)
}
