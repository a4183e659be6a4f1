//! One thread's maker of views.

use vidpairs_image::jpeg::Reduction;
use vidpairs_types::{BoxXywh, RegionPx, Seed, SizePx};

use super::AugmentError;
use super::axis::Axis;
use super::painter::Painter;
use super::params::{ColorParams, JigsawParams, ViewParams, WholeParams};
use super::pixels::{Opener, StoredImage};
use super::recipe::{JigsawRecipe, Recipe};
use super::resample::Resampler;
use super::samples::Samples;

/// Makes views; holds what one thread needs again and again, so that a view allocates nothing once sides and recipes
/// have been seen (but for what libjpeg-turbo takes for itself, and for PNGs).
#[derive(Default)]
pub struct Viewer {
    opener: Opener,
    resampler: Resampler,
    painter: Painter,
    /// Of patches, beside the crop that they are cut out of.
    patch: Painter,
}

impl std::fmt::Debug for Viewer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Viewer").finish_non_exhaustive()
    }
}

impl Viewer {
    /// One view of `image`, drawn from `seed`, into `samples`: `images x side x side x 3`.
    ///
    /// # Errors
    /// [`AugmentError`]; its variants say whether the image is to be left out or the caller to be mended. `samples` then holds anything.
    ///
    /// # Examples
    /// ```
    /// use vidpairs_learn::augment::{CropRecipe, Recipe, Samples, StoredImage, Viewer};
    /// use vidpairs_types::{RgbImage, Seed, SizePx};
    ///
    /// let size = SizePx { width: 40, height: 30 };
    /// let image = RgbImage { size, pixels: vec![128; 3 * 40 * 30] };
    /// let recipe = Recipe::from(CropRecipe::moco_v2(32));
    /// let mut view = vec![0.0; recipe.num_values()];
    /// let seed = Seed::of_run(0).for_view(0, 0, 0);
    /// Viewer::default().render(StoredImage::Rgb(&image), &recipe, seed, Samples::F32(&mut view))?;
    /// # Ok::<(), vidpairs_learn::augment::AugmentError>(())
    /// ```
    pub fn render(
        &mut self,
        image: StoredImage<'_>,
        recipe: &Recipe,
        seed: Seed,
        samples: Samples<'_>,
    ) -> Result<(), AugmentError> {
        let size = self.opener.size(image)?;
        let params = recipe.draw(size, seed)?;
        self.render_sized(image, size, recipe, &params, samples)
    }

    /// The view of `image` that `params` describe, into `samples`.
    ///
    /// # Errors
    /// Those of [`Self::render`], and [`AugmentError::Params`] or [`AugmentError::Region`] where the parameters are not of this recipe and
    /// image.
    pub fn render_with(
        &mut self,
        image: StoredImage<'_>,
        recipe: &Recipe,
        params: &ViewParams,
        samples: Samples<'_>,
    ) -> Result<(), AugmentError> {
        recipe.check()?;
        let size = self.opener.size(image)?;
        self.render_sized(image, size, recipe, params, samples)
    }

    /// The view that representations are measured on, into `samples`: the px of a box ([`BoxXywh::whole_px`]; all of `image`
    /// without one), resized to `side_px x side_px` without keeping the aspect, as [`Recipe::Squash`] does.
    ///
    /// The view is that of the box cut out of the decoded image first: nothing beside the box has a part in it. Only what
    /// is needed is decoded, but a JPEG never at a reduced size, which would be a resampling of its own.
    ///
    /// # Errors
    /// [`AugmentError`], as [`Self::render`]; [`AugmentError::Outside`] if the box has no part in the image.
    pub fn render_box(
        &mut self,
        image: StoredImage<'_>,
        region: Option<BoxXywh>,
        side_px: u32,
        mut samples: Samples<'_>,
    ) -> Result<(), AugmentError> {
        let recipe = Recipe::Squash { side_px };
        recipe.check()?;
        check_room(&recipe, &samples)?;
        let size = self.opener.size(image)?;
        let region = match region {
            Some(region) => {
                (region.whole_px(size)).ok_or(AugmentError::Outside { region, size })?
            }
            None => RegionPx::whole(size),
        };
        let whole = WholeParams {
            region,
            is_flipped: false,
        };
        self.painter
            .start(side_px as usize, &ColorParams::UNCHANGED, None);
        let axes = crop_axes(&whole, size, side_px)?;
        self.resize_reduced(image, size, axes, Reduction::Full)?;
        self.painter.finish(&mut samples);
        Ok(())
    }

    fn render_sized(
        &mut self,
        image: StoredImage<'_>,
        size: SizePx,
        recipe: &Recipe,
        params: &ViewParams,
        mut samples: Samples<'_>,
    ) -> Result<(), AugmentError> {
        check_room(recipe, &samples)?;
        let side_px = recipe.side_px();
        let keep = ColorParams::UNCHANGED;
        match (recipe, params) {
            (Recipe::Crop(crop), ViewParams::Crop { whole, color }) => {
                check_color(color, size)?;
                self.painter
                    .start(side_px as usize, color, Some(&crop.color));
                self.resize(image, size, crop_axes(whole, size, side_px)?)?;
            }
            (Recipe::Jigsaw(jigsaw), ViewParams::Jigsaw(params)) => {
                return self.render_jigsaw((image, size), jigsaw, params, &mut samples);
            }
            (Recipe::Squash { .. }, ViewParams::Fixed) => {
                let whole = WholeParams {
                    region: RegionPx::whole(size),
                    is_flipped: false,
                };
                self.painter.start(side_px as usize, &keep, None);
                self.resize(image, size, crop_axes(&whole, size, side_px)?)?;
            }
            (Recipe::CenterCrop { short_side_px, .. }, ViewParams::Fixed) => {
                self.painter.start(side_px as usize, &keep, None);
                self.resize(image, size, center_axes(size, side_px, *short_side_px))?;
            }
            _ => {
                let what = "of another kind of recipe";
                return Err(AugmentError::Params { what, size });
            }
        }
        self.painter.finish(&mut samples);
        Ok(())
    }

    fn render_jigsaw(
        &mut self,
        (image, size): (StoredImage<'_>, SizePx),
        recipe: &JigsawRecipe,
        params: &JigsawParams,
        samples: &mut Samples<'_>,
    ) -> Result<(), AugmentError> {
        let (view_px, patch_px) = (recipe.view_px(), recipe.patch_px);
        let is_inside = |at: u32| at.checked_add(patch_px).is_some_and(|end| end <= view_px);
        for patch in &params.patches {
            if !is_inside(patch.left_px) || !is_inside(patch.top_px) {
                let what = "put a patch outside the crop";
                return Err(AugmentError::Params { what, size });
            }
            check_color(&patch.color, size)?;
        }
        self.painter
            .start(view_px as usize, &ColorParams::UNCHANGED, None);
        self.resize(image, size, crop_axes(&params.whole, size, view_px)?)?;
        let num_values = (patch_px as usize).pow(2) * 3;
        for (index, patch) in params.patches.iter().enumerate() {
            self.patch
                .start(patch_px as usize, &patch.color, Some(&recipe.color));
            let (left, top) = (patch.left_px as usize, patch.top_px as usize);
            self.patch.copy_square(&self.painter, left, top);
            self.patch.finish(&mut samples.part(index, num_values));
        }
        Ok(())
    }

    /// Decodes what the axes need, as small as they allow, and gives the resized rows to the painter.
    fn resize(
        &mut self,
        image: StoredImage<'_>,
        size: SizePx,
        [x, y]: [Axis; 2],
    ) -> Result<(), AugmentError> {
        let reduction = match image {
            StoredImage::Jpeg(_) => smallest(&x, &y),
            _ => Reduction::Full,
        };
        self.resize_reduced(image, size, [x, y], reduction)
    }

    fn resize_reduced(
        &mut self,
        image: StoredImage<'_>,
        size: SizePx,
        [x, y]: [Axis; 2],
        reduction: Reduction,
    ) -> Result<(), AugmentError> {
        let ((left, width), (top, height)) = (x.source(), y.source());
        let region = RegionPx {
            x: left,
            y: top,
            width: width.min(size.width - left),
            height: height.min(size.height - top),
        };
        let pixels = self.opener.read(image, region, reduction)?;
        let divisor = reduction.divisor();
        let x = x.reduced(divisor, pixels.left);
        let y = y.reduced(divisor, pixels.top);
        self.resampler.resize(&pixels, &x, &y, &mut self.painter);
        Ok(())
    }
}

fn check_room(recipe: &Recipe, samples: &Samples<'_>) -> Result<(), AugmentError> {
    let (expected, got) = (recipe.num_values(), samples.len());
    if expected == got {
        return Ok(());
    }
    Err(AugmentError::Room { expected, got })
}

/// The greatest reduction that leaves a px for each of the view.
fn smallest(x: &Axis, y: &Axis) -> Reduction {
    let allows = |reduction: &Reduction| {
        let divisor = reduction.divisor();
        x.allows(divisor) && y.allows(divisor)
    };
    let allowed = Reduction::ALL.into_iter().rev().find(allows);
    allowed.unwrap_or(Reduction::Full)
}

fn crop_axes(whole: &WholeParams, size: SizePx, side_px: u32) -> Result<[Axis; 2], AugmentError> {
    let region = whole.region;
    if !region.lies_in(size) {
        return Err(AugmentError::Region { region, size });
    }
    let x = Axis {
        is_reversed: whole.is_flipped,
        ..Axis::whole(region.x, region.width, side_px)
    };
    Ok([x, Axis::whole(region.y, region.height, side_px)])
}

/// torchvision's `Resize(short_side_px)` and `CenterCrop(side_px)`: the long side is rounded down, the place to the nearest.
fn center_axes(size: SizePx, side_px: u32, short_side_px: u32) -> [Axis; 2] {
    let axis = |length_px: u32| {
        let long = u64::from(short_side_px) * u64::from(length_px) / u64::from(size.short_side());
        let resized_px = long as u32;
        let first = f64::from(resized_px - side_px) / 2.0;
        Axis {
            first_px: first.round_ties_even() as u32,
            count_px: side_px,
            ..Axis::whole(0, length_px, resized_px)
        }
    };
    [axis(size.width), axis(size.height)]
}

fn check_color(color: &ColorParams, size: SizePx) -> Result<(), AugmentError> {
    let factors = color.jitter.map_or([1.0; 4], |jitter| {
        [
            jitter.brightness,
            jitter.contrast,
            jitter.saturation,
            1.0 - jitter.hue.abs(),
        ]
    });
    if !factors
        .iter()
        .all(|factor| factor.is_finite() && *factor >= 0.0)
        || factors[3] < 0.5
    {
        let what = "have a factor below 0 or a hue beyond 0.5";
        return Err(AugmentError::Params { what, size });
    }
    if color
        .blur_sigma_px
        .is_some_and(|sigma| !(sigma > 0.0 && sigma.is_finite()))
    {
        let what = "have a blur without width";
        return Err(AugmentError::Params { what, size });
    }
    Ok(())
}
