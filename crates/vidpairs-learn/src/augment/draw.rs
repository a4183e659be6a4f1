//! Draws the parameters of a view from torchvision's distributions, but not from its random number stream.

use rand::{Rng, RngExt};
use vidpairs_types::{RegionPx, Seed, SizePx};

use super::error::AugmentError;
use super::params::{
    ColorParams, CropParams, JigsawParams, JitterOp, JitterParams, PatchParams, ViewParams,
};
use super::pixels::check_size;
use super::recipe::{Blur, ColorRecipe, CropArea, JigsawRecipe, Jitter, Recipe};

/// Random boxes tried before the fallback, as in torchvision.
const NUM_TRIES: usize = 10;

impl Recipe {
    /// Draws the parameters of a view of an image of `size`. They depend on `seed`, `size` and the recipe only.
    ///
    /// # Errors
    /// [`AugmentError::Recipe`] if the recipe is invalid, [`AugmentError::Size`] if the image has no pixels or too many.
    pub fn draw(&self, size: SizePx, seed: Seed) -> Result<ViewParams, AugmentError> {
        self.check()?;
        check_size(size)?;
        let mut rng = seed.rng();
        Ok(match self {
            Self::Crop(crop) => ViewParams::Crop {
                crop: draw_crop(&crop.area, crop.flip_probability, size, &mut rng),
                color: draw_color(&crop.color, &mut rng),
            },
            Self::Jigsaw(jigsaw) => ViewParams::Jigsaw(draw_jigsaw(jigsaw, size, &mut rng)),
            Self::Squash { .. } | Self::CenterCrop { .. } => ViewParams::Fixed,
        })
    }
}

fn draw_crop(
    area: &CropArea,
    flip_probability: f64,
    size: SizePx,
    rng: &mut impl Rng,
) -> CropParams {
    CropParams {
        region: draw_region(area, size, rng),
        is_flipped: rng.random_bool(flip_probability),
    }
}

/// As `RandomResizedCrop.get_params`: draws up to ten boxes of a random area and aspect, and puts the first that fits at a
/// random place. If none fits, takes the largest central box of an allowed aspect.
fn draw_region(area: &CropArea, size: SizePx, rng: &mut impl Rng) -> RegionPx {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    for _ in 0..NUM_TRIES {
        let share = between(area.share, rng);
        let aspect = between(area.aspect.map(f64::ln), rng).exp();
        let target_area = width * height * share;
        let w = (target_area * aspect).sqrt().round_ties_even();
        let h = (target_area / aspect).sqrt().round_ties_even();
        if (1.0..=width).contains(&w) && (1.0..=height).contains(&h) {
            let (w, h) = (w as u32, h as u32);
            return RegionPx {
                x: rng.random_range(0..=size.width - w),
                y: rng.random_range(0..=size.height - h),
                width: w,
                height: h,
            };
        }
    }
    let [lowest, highest] = area.aspect;
    let aspect = width / height;
    let (w, h) = if aspect < lowest {
        (size.width, (width / lowest).round_ties_even() as u32)
    } else if aspect > highest {
        ((height * highest).round_ties_even() as u32, size.height)
    } else {
        (size.width, size.height)
    };
    let (w, h) = (w.clamp(1, size.width), h.clamp(1, size.height));
    RegionPx {
        x: (size.width - w) / 2,
        y: (size.height - h) / 2,
        width: w,
        height: h,
    }
}

fn draw_jigsaw(recipe: &JigsawRecipe, size: SizePx, rng: &mut impl Rng) -> JigsawParams {
    let crop = draw_crop(&recipe.area, recipe.flip_probability, size, rng);
    let spare_px = recipe.cell_px - recipe.patch_px;
    let cells = shuffled([0, 1, 2, 3, 4, 5, 6, 7, 8], rng);
    let patches = cells.map(|cell: u32| PatchParams {
        left_px: cell % 3 * recipe.cell_px + rng.random_range(0..=spare_px),
        top_px: cell / 3 * recipe.cell_px + rng.random_range(0..=spare_px),
        color: draw_color(&recipe.color, rng),
    });
    JigsawParams { crop, patches }
}

fn draw_color(recipe: &ColorRecipe, rng: &mut impl Rng) -> ColorParams {
    let draw_blur = |blur: Blur| {
        let is_blurred = rng.random_bool(blur.probability);
        is_blurred.then(|| between(blur.sigma_px, rng))
    };
    let blur_sigma_px = recipe.blur.and_then(draw_blur);
    ColorParams {
        jitter: recipe.jitter.and_then(|jitter| draw_jitter(jitter, rng)),
        is_gray: rng.random_bool(recipe.grayscale_probability),
        blur_sigma_px,
    }
}

/// As `ColorJitter.get_params`: a random order, and uniform factors.
fn draw_jitter(jitter: Jitter, rng: &mut impl Rng) -> Option<JitterParams> {
    let is_jittered = rng.random_bool(jitter.probability);
    let mut factor = |strength: f64| between([1.0 - strength, 1.0 + strength], rng);
    let [brightness, contrast, saturation] =
        [jitter.brightness, jitter.contrast, jitter.saturation].map(&mut factor);
    let hue = between([-jitter.hue, jitter.hue], rng);
    is_jittered.then(|| JitterParams {
        order: shuffled(JitterOp::ALL, rng),
        brightness,
        contrast,
        saturation,
        hue,
    })
}

/// Uniform number from `low` to `high`; `low` if they are equal.
fn between([low, high]: [f64; 2], rng: &mut impl Rng) -> f64 {
    low + (high - low) * rng.random::<f64>()
}

/// Shuffles by the method of Fisher and Yates.
fn shuffled<T, const N: usize>(mut items: [T; N], rng: &mut impl Rng) -> [T; N] {
    for last in (1..N).rev() {
        items.swap(last, rng.random_range(0..=last));
    }
    items
}
