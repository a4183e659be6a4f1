//! How views are made: plain numbers, before anything is drawn.

use super::AugmentError;

/// Patches of a jigsaw: 3 x 3.
pub const NUM_PATCHES: usize = 9;

/// Longest side of a view, px.
const MAX_SIDE_PX: u32 = 4096;

/// One kind of view.
#[derive(Debug, Clone, PartialEq)]
pub enum Recipe {
    /// A random crop with random colours.
    Crop(CropRecipe),
    /// Nine patches of a random crop, in random order, each with colours of its own.
    Jigsaw(JigsawRecipe),
    /// The whole image, resized to a square without keeping its aspect: how invariances are measured.
    Squash {
        /// Side of the view, px.
        side_px: u32,
    },
    /// The middle of the image resized to a short side: how ImageNet is measured.
    CenterCrop {
        /// Side of the view, px.
        side_px: u32,
        /// Short side that the image is resized to first, px; at least `side_px`.
        short_side_px: u32,
    },
}

/// Which boxes a random crop may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CropArea {
    /// Share of the image's area: smallest, largest. Uniform between.
    pub share: [f64; 2],
    /// Width over height: smallest, largest. Its logarithm is uniform between.
    pub aspect: [f64; 2],
}

/// Random factors of torchvision's `ColorJitter`; `0.4` is a factor in 0.6 to 1.4.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jitter {
    /// Greatest distance of the factor from 1.
    pub brightness: f64,
    /// Greatest distance of the factor from 1.
    pub contrast: f64,
    /// Greatest distance of the factor from 1.
    pub saturation: f64,
    /// Greatest turn either way, 0 to 0.5 of the whole circle.
    pub hue: f64,
    /// How often there is any.
    pub probability: f64,
}

/// A Gaussian blur, as torchvision's `GaussianBlur` has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blur {
    /// Side of the kernel, odd, px.
    pub kernel_px: u32,
    /// Standard deviation, px: smallest, largest. Uniform between.
    pub sigma_px: [f64; 2],
    /// How often there is any.
    pub probability: f64,
}

/// Which comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorOrder {
    /// MoCo v1: what has become gray keeps the jitter's brightness and contrast.
    GrayscaleThenJitter,
    /// MoCo v2, PIRL.
    JitterThenGrayscale,
}

/// Random colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColorRecipe {
    /// Brightness, contrast, saturation and hue, in random order.
    pub jitter: Option<Jitter>,
    /// How often colours are dropped.
    pub grayscale_probability: f64,
    /// Whether jitter or grayscale is first.
    pub order: ColorOrder,
    /// After both.
    pub blur: Option<Blur>,
}

/// A random resized crop, random colours, a random flip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CropRecipe {
    /// Side of the view, px.
    pub side_px: u32,
    /// Which box becomes the view.
    pub area: CropArea,
    /// Its colours.
    pub color: ColorRecipe,
    /// How often left and right are swapped.
    pub flip_probability: f64,
}

/// A random crop cut into 3 x 3 cells, a patch at a random place of each, the nine in random order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JigsawRecipe {
    /// Side of a cell, px: the crop is resized to three of them.
    pub cell_px: u32,
    /// Side of a patch, px; at most `cell_px`.
    pub patch_px: u32,
    /// Which box is cut up.
    pub area: CropArea,
    /// Colours of each patch, drawn for each.
    pub color: ColorRecipe,
    /// How often left and right of the crop are swapped, before it is cut.
    pub flip_probability: f64,
}

/// 3/4 to 4/3, torchvision's default.
const ASPECT: [f64; 2] = [3.0 / 4.0, 4.0 / 3.0];

fn jitter(hue: f64, probability: f64) -> Option<Jitter> {
    Some(Jitter {
        brightness: 0.4,
        contrast: 0.4,
        saturation: 0.4,
        hue,
        probability,
    })
}

impl CropRecipe {
    /// MoCo v1: area 0.2 to 1; grayscale, then jitter with a hue of 0.4, always. 224 px in the paper.
    pub fn moco_v1(side_px: u32) -> Self {
        Self {
            side_px,
            area: CropArea {
                share: [0.2, 1.0],
                aspect: ASPECT,
            },
            color: ColorRecipe {
                jitter: jitter(0.4, 1.0),
                grayscale_probability: 0.2,
                order: ColorOrder::GrayscaleThenJitter,
                blur: None,
            },
            flip_probability: 0.5,
        }
    }

    /// MoCo v2: area 0.2 to 1; jitter with a hue of 0.1 eight times of ten, then grayscale, then blur. 224 px in the paper.
    pub fn moco_v2(side_px: u32) -> Self {
        let v1 = Self::moco_v1(side_px);
        Self {
            color: ColorRecipe {
                jitter: jitter(0.1, 0.8),
                order: ColorOrder::JitterThenGrayscale,
                blur: Some(Blur::moco_v2(side_px)),
                ..v1.color
            },
            ..v1
        }
    }

    /// PIRL's whole image: area 0.08 to 1; jitter with a hue of 0.2 always, then grayscale. 224 px in the paper.
    pub fn pirl_image(side_px: u32) -> Self {
        Self {
            side_px,
            area: CropArea {
                share: [0.08, 1.0],
                aspect: ASPECT,
            },
            color: ColorRecipe::pirl(),
            flip_probability: 0.5,
        }
    }
}

impl Blur {
    /// Sigma 0.1 to 2 px, every second view. A kernel of 23 px at 224 px, and in proportion at other sides (odd, 3 at least);
    /// sigma stays, as authors of smaller views leave it.
    pub fn moco_v2(side_px: u32) -> Self {
        let half = (f64::from(side_px) * 11.0 / 224.0).round() as u32;
        Self {
            kernel_px: 2 * half.max(1) + 1,
            sigma_px: [0.1, 2.0],
            probability: 0.5,
        }
    }
}

impl ColorRecipe {
    fn pirl() -> Self {
        Self {
            jitter: jitter(0.2, 1.0),
            grayscale_probability: 0.2,
            order: ColorOrder::JitterThenGrayscale,
            blur: None,
        }
    }
}

impl JigsawRecipe {
    /// PIRL's patches: area 0.6 to 1, cells of 85 px and patches of 64 px; cells in proportion for other patches.
    pub fn pirl(patch_px: u32) -> Self {
        Self {
            cell_px: (f64::from(patch_px) * 85.0 / 64.0).round() as u32,
            patch_px,
            area: CropArea {
                share: [0.6, 1.0],
                aspect: ASPECT,
            },
            color: ColorRecipe::pirl(),
            flip_probability: 0.5,
        }
    }

    /// Side of the crop that is cut up, px.
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
    /// Images in one view: nine for a jigsaw, else one.
    pub fn num_images(&self) -> usize {
        match self {
            Self::Jigsaw(_) => NUM_PATCHES,
            _ => 1,
        }
    }

    /// Side of each of them, px.
    pub fn side_px(&self) -> u32 {
        match self {
            Self::Crop(crop) => crop.side_px,
            Self::Jigsaw(jigsaw) => jigsaw.patch_px,
            Self::Squash { side_px } | Self::CenterCrop { side_px, .. } => *side_px,
        }
    }

    /// Samples of a view: `images x side x side x 3`.
    pub fn num_values(&self) -> usize {
        self.num_images() * (self.side_px() as usize).pow(2) * 3
    }

    /// Whether the recipe can be followed.
    ///
    /// # Errors
    /// [`AugmentError::Recipe`] names the first field that is out of its range.
    pub fn check(&self) -> Result<(), AugmentError> {
        let side_px = self.side_px();
        side(side_px, "side_px")?;
        match self {
            Self::Squash { .. } => Ok(()),
            Self::CenterCrop { short_side_px, .. } => {
                side(*short_side_px, "short_side_px")?;
                let is_enough = *short_side_px >= side_px;
                require(
                    is_enough,
                    "short_side_px",
                    *short_side_px,
                    "side_px or more",
                )
            }
            Self::Crop(crop) => {
                crop.area.check()?;
                probability(crop.flip_probability, "flip_probability")?;
                crop.color.check(side_px)
            }
            Self::Jigsaw(jigsaw) => {
                side(jigsaw.cell_px, "cell_px")?;
                let fits = jigsaw.patch_px <= jigsaw.cell_px;
                require(fits, "patch_px", jigsaw.patch_px, "cell_px or less")?;
                jigsaw.area.check()?;
                probability(jigsaw.flip_probability, "flip_probability")?;
                jigsaw.color.check(side_px)
            }
        }
    }
}

impl CropArea {
    fn check(&self) -> Result<(), AugmentError> {
        let [low, high] = self.share;
        require(low > 0.0, "area share", low, "more than 0")?;
        require(
            high >= low && high <= 1.0,
            "area share",
            high,
            "the smallest to 1",
        )?;
        let [low, high] = self.aspect;
        let is_positive = low > 0.0 && low.is_finite();
        require(is_positive, "aspect", low, "a finite number > 0")?;
        let is_ordered = high >= low && high.is_finite();
        require(
            is_ordered,
            "aspect",
            high,
            "a finite number, the smallest or more",
        )
    }
}

impl ColorRecipe {
    fn check(&self, side_px: u32) -> Result<(), AugmentError> {
        probability(self.grayscale_probability, "grayscale_probability")?;
        if let Some(jitter) = self.jitter {
            probability(jitter.probability, "jitter probability")?;
            for (strength, what) in [
                (jitter.brightness, "brightness"),
                (jitter.contrast, "contrast"),
                (jitter.saturation, "saturation"),
            ] {
                let is_in = (0.0..=1.0).contains(&strength);
                require(is_in, what, strength, "0 to 1")?;
            }
            require(
                (0.0..=0.5).contains(&jitter.hue),
                "hue",
                jitter.hue,
                "0 to 0.5",
            )?;
        }
        if let Some(blur) = self.blur {
            probability(blur.probability, "blur probability")?;
            let kernel_px = blur.kernel_px;
            require(kernel_px % 2 == 1, "kernel_px", kernel_px, "an odd number")?;
            // A border is mirrored once.
            let fits = kernel_px / 2 < side_px;
            require(fits, "kernel_px", kernel_px, "less than twice the side")?;
            let [low, high] = blur.sigma_px;
            require(low > 0.0, "sigma_px", low, "more than 0")?;
            let is_ordered = high >= low && high.is_finite();
            require(
                is_ordered,
                "sigma_px",
                high,
                "a finite number, the smallest or more",
            )?;
        }
        Ok(())
    }
}

fn side(px: u32, what: &'static str) -> Result<(), AugmentError> {
    require((1..=MAX_SIDE_PX).contains(&px), what, px, "1 to 4096")
}

fn probability(share: f64, what: &'static str) -> Result<(), AugmentError> {
    require((0.0..=1.0).contains(&share), what, share, "0 to 1")
}

fn require(
    holds: bool,
    what: &'static str,
    got: impl Into<f64>,
    expected: &'static str,
) -> Result<(), AugmentError> {
    let refusal = || AugmentError::Recipe {
        what,
        got: got.into(),
        expected,
    };
    if holds { Ok(()) } else { Err(refusal()) }
}
