//! Recipes of MoCo v1, MoCo v2 and PIRL.

use super::recipe::{Blur, ColorOrder, ColorRecipe, CropArea, CropRecipe, JigsawRecipe, Jitter};

/// Aspects from 3/4 to 4/3, torchvision's default.
const ASPECT: [f64; 2] = [3.0 / 4.0, 4.0 / 3.0];

impl CropRecipe {
    /// MoCo v1: area 0.2 to 1; grayscale, then always jitter with a hue of 0.4. 224 px in the paper.
    pub fn moco_v1(side_px: u32) -> Self {
        Self {
            side_px,
            area: CropArea::from_share(0.2),
            color: ColorRecipe {
                jitter: Some(Jitter::of_hue(0.4)),
                grayscale_probability: 0.2,
                order: ColorOrder::GrayscaleThenJitter,
                blur: None,
            },
            flip_probability: 0.5,
        }
    }

    /// MoCo v2: area 0.2 to 1; jitter with a hue of 0.1 and probability 0.8, then grayscale, then blur. 224 px in the paper.
    pub fn moco_v2(side_px: u32) -> Self {
        let v1 = Self::moco_v1(side_px);
        Self {
            color: ColorRecipe {
                jitter: Some(Jitter {
                    probability: 0.8,
                    ..Jitter::of_hue(0.1)
                }),
                order: ColorOrder::JitterThenGrayscale,
                blur: Some(Blur::moco_v2(side_px)),
                ..v1.color
            },
            ..v1
        }
    }

    /// Training view of linear classifiers in MoCo's evaluation: area 0.08 to 1 and flip, no colour operations. 224 px in the paper.
    pub fn linear_probe(side_px: u32) -> Self {
        Self {
            side_px,
            area: CropArea::from_share(0.08),
            color: ColorRecipe {
                jitter: None,
                grayscale_probability: 0.0,
                order: ColorOrder::JitterThenGrayscale,
                blur: None,
            },
            flip_probability: 0.5,
        }
    }

    /// Image view of PIRL: area 0.08 to 1; always jitter with a hue of 0.2, then grayscale. 224 px in the paper.
    pub fn pirl_image(side_px: u32) -> Self {
        Self {
            side_px,
            area: CropArea::from_share(0.08),
            color: ColorRecipe::pirl(),
            flip_probability: 0.5,
        }
    }
}

impl JigsawRecipe {
    /// Jigsaw view of PIRL: area 0.6 to 1, cells of 85 px for patches of 64 px, in proportion for other patches.
    pub fn pirl(patch_px: u32) -> Self {
        Self {
            cell_px: (f64::from(patch_px) * 85.0 / 64.0).round() as u32,
            patch_px,
            area: CropArea::from_share(0.6),
            color: ColorRecipe::pirl(),
            flip_probability: 0.5,
        }
    }
}

impl Blur {
    /// Blur of MoCo v2: probability 0.5, sigma 0.1 to 2 px, a kernel of 23 px at 224 px. The kernel is in proportion at other
    /// sides (odd, 3 px at least), but sigma stays the same, as in other work on small views.
    pub fn moco_v2(side_px: u32) -> Self {
        let half = (f64::from(side_px) * 11.0 / 224.0).round() as u32;
        Self {
            kernel_px: 2 * half.max(1) + 1,
            sigma_px: [0.1, 2.0],
            probability: 0.5,
        }
    }
}

impl CropArea {
    /// Areas from `smallest` to 1 in torchvision's default aspects.
    fn from_share(smallest: f64) -> Self {
        Self {
            share: [smallest, 1.0],
            aspect: ASPECT,
        }
    }
}

impl ColorRecipe {
    fn pirl() -> Self {
        Self {
            jitter: Some(Jitter::of_hue(0.2)),
            grayscale_probability: 0.2,
            order: ColorOrder::JitterThenGrayscale,
            blur: None,
        }
    }
}

impl Jitter {
    /// Jitter that is always applied, with strength 0.4 except for the hue.
    fn of_hue(hue: f64) -> Self {
        Self {
            brightness: 0.4,
            contrast: 0.4,
            saturation: 0.4,
            hue,
            probability: 1.0,
        }
    }
}
