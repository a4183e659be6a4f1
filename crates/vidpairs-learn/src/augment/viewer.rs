//! Makes views of images.

use vidpairs_image::jpeg::Reduction;
use vidpairs_types::{Beyond, BoxXywh, RegionPx, Seed, SizePx};

use super::axis::Axis;
use super::error::AugmentError;
use super::painter::Painter;
use super::params::{ColorParams, CropParams, JigsawParams, ViewParams};
use super::pixels::{Opener, StoredImage};
use super::recipe::{JigsawRecipe, Recipe};
use super::region::Padding;
use super::resample::Resampler;
use super::samples::Samples;
use super::window::Window;

/// Makes views on one thread. It reuses decoders and buffers: once it has seen all sizes and recipes, a view allocates no
/// memory, except within libjpeg-turbo and for other files of images.
#[derive(Default)]
pub struct Viewer {
    pub(super) opener: Opener,
    resampler: Resampler,
    painter: Painter,
    /// Painter of patches, which are copied from `painter`.
    patch: Painter,
}

impl std::fmt::Debug for Viewer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Viewer").finish_non_exhaustive()
    }
}

/// Stored image, and its size.
#[derive(Clone, Copy)]
struct Source<'a> {
    image: StoredImage<'a>,
    size: SizePx,
}

impl Viewer {
    /// Writes a view of `image`, drawn from `seed`, to `samples`: `images x side x side x 3`.
    ///
    /// # Errors
    /// [`AugmentError`]; its variants state whether to leave the image out or to mend the caller. `samples` then hold
    /// arbitrary values.
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
        let source = self.source(image)?;
        let params = recipe.draw(source.size, seed)?;
        self.render_source(source, recipe, &params, samples)
    }

    /// Writes the view of `image` with the parameters `params` to `samples`.
    ///
    /// # Errors
    /// As [`Self::render`]; [`AugmentError::Params`] or [`AugmentError::Region`] if the parameters do not belong to this recipe
    /// and image.
    pub fn render_with(
        &mut self,
        image: StoredImage<'_>,
        recipe: &Recipe,
        params: &ViewParams,
        samples: Samples<'_>,
    ) -> Result<(), AugmentError> {
        recipe.check()?;
        let source = self.source(image)?;
        self.render_source(source, recipe, params, samples)
    }

    /// Writes the view of a region of `image`, or of all of it, to `samples`, by a recipe without random choices: [`Recipe::Squash`] or
    /// [`Recipe::CenterCrop`].
    ///
    /// The view equals that of the region cut out of the decoded image: px outside do not contribute. Only the part of the image that is
    /// needed is decoded. A JPEG is never decoded at a reduced size, which would resample it.
    ///
    /// - `region`: px of the stored image, before its Exif orientation is applied: the tools that data sets with boxes were annotated
    ///   with do not apply it. Its edges are rounded to px ([`BoxXywh::whole_px`]). The view itself is upright.
    ///
    /// # Errors
    /// As [`Self::render`]; [`AugmentError::Outside`] if the region lies outside the image; [`AugmentError::Params`] for another recipe.
    pub fn render_region(
        &mut self,
        image: StoredImage<'_>,
        (region, beyond): (Option<BoxXywh>, Beyond),
        recipe: &Recipe,
        mut samples: Samples<'_>,
    ) -> Result<(), AugmentError> {
        recipe.check()?;
        check_room(recipe, &samples)?;
        let source = self.source(image)?;
        let region = match region {
            Some(region) => {
                let (stored, orientation) = self.opener.orientation(image)?;
                let outside = AugmentError::Outside {
                    region,
                    size: stored,
                };
                let inside = region.whole_px(stored).ok_or(outside)?;
                if beyond == Beyond::Padded
                    && let Some(padding) = Padding::of(region, inside, stored)?
                {
                    let padded = self.padded(image, &padding, orientation)?;
                    let padded = StoredImage::Rgb(&padded);
                    return self.render_region(padded, (None, Beyond::Cut), recipe, samples);
                }
                orientation.region_in_upright(inside, stored)
            }
            None => RegionPx::whole(source.size),
        };
        let side_px = recipe.side_px();
        let axes = match recipe {
            Recipe::Squash { .. } => squash_axes(region, side_px),
            Recipe::CenterCrop { short_side_px, .. } => {
                center_axes(region, side_px, *short_side_px)
            }
            Recipe::Crop(_) | Recipe::Jigsaw(_) => {
                let (fault, size) = ("are missing for a recipe with random choices", source.size);
                return Err(AugmentError::Params { fault, size });
            }
        };
        self.painter.start([side_px as usize; 2], None);
        self.resize(source, axes, Reduction::Full)?;
        self.painter.finish(&mut samples);
        Ok(())
    }

    /// Writes a window of the resized image to `samples`, `height x width x 3`. The decoded pixels are resized once.
    ///
    /// # Errors
    /// As [`Self::render`]; [`AugmentError::Region`] if the window does not lie in the resized image.
    pub fn render_window(
        &mut self,
        image: StoredImage<'_>,
        window: &Window,
        mut samples: Samples<'_>,
    ) -> Result<(), AugmentError> {
        let Window {
            resized,
            region,
            is_flipped,
        } = *window;
        if !region.lies_in(resized) {
            let size = resized;
            return Err(AugmentError::Region { region, size });
        }
        let (expected, got) = (3 * region.size().area() as usize, samples.len());
        if expected != got {
            return Err(AugmentError::Room { expected, got });
        }
        let source = self.source(image)?;
        let axis = |length_px, resized_px, first_px, count_px| Axis {
            first_px,
            count_px,
            ..Axis::whole(0, length_px, resized_px)
        };
        let x = axis(source.size.width, resized.width, region.x, region.width);
        let y = axis(source.size.height, resized.height, region.y, region.height);
        let size = [region.width, region.height].map(|side| side as usize);
        self.painter.start(size, None);
        let x = Axis {
            is_reversed: is_flipped,
            ..x
        };
        self.resize(source, [x, y], Reduction::Full)?;
        self.painter.finish(&mut samples);
        Ok(())
    }

    /// Size of the upright image, px.
    ///
    /// # Errors
    /// [`AugmentError`] if the header cannot be read, or the size is not accepted.
    pub fn size(&mut self, image: StoredImage<'_>) -> Result<SizePx, AugmentError> {
        self.opener.size(image)
    }

    fn source<'a>(&mut self, image: StoredImage<'a>) -> Result<Source<'a>, AugmentError> {
        let size = self.opener.size(image)?;
        Ok(Source { image, size })
    }

    fn render_source(
        &mut self,
        source: Source<'_>,
        recipe: &Recipe,
        params: &ViewParams,
        mut samples: Samples<'_>,
    ) -> Result<(), AugmentError> {
        check_room(recipe, &samples)?;
        let (side_px, size) = (recipe.side_px(), source.size);
        let (axes, color) = match (recipe, params) {
            (Recipe::Crop(recipe), ViewParams::Crop { crop, color }) => {
                check_color(color, size)?;
                let axes = crop_axes(crop, size, side_px)?;
                (axes, Some((color, &recipe.color)))
            }
            (Recipe::Jigsaw(recipe), ViewParams::Jigsaw(params)) => {
                return self.render_jigsaw(source, recipe, params, &mut samples);
            }
            (Recipe::Squash { .. }, ViewParams::Fixed) => {
                (squash_axes(RegionPx::whole(size), side_px), None)
            }
            (Recipe::CenterCrop { short_side_px, .. }, ViewParams::Fixed) => (
                center_axes(RegionPx::whole(size), side_px, *short_side_px),
                None,
            ),
            _ => {
                let fault = "are of another kind of recipe";
                return Err(AugmentError::Params { fault, size });
            }
        };
        self.painter.start([side_px as usize; 2], color);
        self.resize(source, axes, reduction(source.image, &axes))?;
        self.painter.finish(&mut samples);
        Ok(())
    }

    fn render_jigsaw(
        &mut self,
        source: Source<'_>,
        recipe: &JigsawRecipe,
        params: &JigsawParams,
        samples: &mut Samples<'_>,
    ) -> Result<(), AugmentError> {
        let (view_px, patch_px, size) = (recipe.view_px(), recipe.patch_px, source.size);
        let is_inside = |start: u32| {
            let end = start.checked_add(patch_px);
            end.is_some_and(|end| end <= view_px)
        };
        for patch in &params.patches {
            if !is_inside(patch.left_px) || !is_inside(patch.top_px) {
                let fault = "put a patch outside the crop";
                return Err(AugmentError::Params { fault, size });
            }
            check_color(&patch.color, size)?;
        }
        let axes = crop_axes(&params.crop, size, view_px)?;
        self.painter.start([view_px as usize; 2], None);
        self.resize(source, axes, reduction(source.image, &axes))?;
        let num_values = (patch_px as usize).pow(2) * 3;
        for (index, patch) in params.patches.iter().enumerate() {
            let color = Some((&patch.color, &recipe.color));
            self.patch.start([patch_px as usize; 2], color);
            let (left, top) = (patch.left_px as usize, patch.top_px as usize);
            self.patch.copy_square(&self.painter, left, top);
            self.patch.finish(&mut samples.part(index, num_values));
        }
        Ok(())
    }

    /// Decodes the part of the image that the axes need, at the scale of `reduction`, and passes the resized rows to the
    /// painter.
    fn resize(
        &mut self,
        source: Source<'_>,
        [x, y]: [Axis; 2],
        reduction: Reduction,
    ) -> Result<(), AugmentError> {
        let ((left, width), (top, height)) = (x.source(), y.source());
        let region = RegionPx {
            x: left,
            y: top,
            width: width.min(source.size.width - left),
            height: height.min(source.size.height - top),
        };
        let pixels = self.opener.read(source.image, region, reduction)?;
        let x = x.reduced(pixels.divisor, pixels.left);
        let y = y.reduced(pixels.divisor, pixels.top);
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

/// Greatest reduction of a JPEG that leaves at least one px for each px of the view.
fn reduction(image: StoredImage<'_>, axes: &[Axis; 2]) -> Reduction {
    let is_allowed = |reduction: &Reduction| {
        let divisor = reduction.divisor();
        axes.iter().all(|axis| axis.allows(divisor))
    };
    match image {
        StoredImage::Jpeg(_) => {
            let allowed = Reduction::ALL.into_iter().rev().find(is_allowed);
            allowed.unwrap_or(Reduction::Full)
        }
        _ => Reduction::Full,
    }
}

/// Axes that resize `region` to a square.
fn squash_axes(region: RegionPx, side_px: u32) -> [Axis; 2] {
    [
        Axis::whole(region.x, region.width, side_px),
        Axis::whole(region.y, region.height, side_px),
    ]
}

fn crop_axes(crop: &CropParams, size: SizePx, side_px: u32) -> Result<[Axis; 2], AugmentError> {
    let region = crop.region;
    if !region.lies_in(size) {
        return Err(AugmentError::Region { region, size });
    }
    let [x, y] = squash_axes(region, side_px);
    let is_reversed = crop.is_flipped;
    Ok([Axis { is_reversed, ..x }, y])
}

/// Axes of torchvision's `Resize(short_side_px)` and `CenterCrop(side_px)` of `region`: the long side is rounded down, and the start of
/// the crop to the nearest px.
fn center_axes(region: RegionPx, side_px: u32, short_side_px: u32) -> [Axis; 2] {
    let axis = |start_px: u32, length_px: u32| {
        let short = u64::from(region.size().short_side());
        let resized_px = (u64::from(short_side_px) * u64::from(length_px) / short) as u32;
        let first = f64::from(resized_px - side_px) / 2.0;
        Axis {
            first_px: first.round_ties_even() as u32,
            count_px: side_px,
            ..Axis::whole(start_px, length_px, resized_px)
        }
    };
    [axis(region.x, region.width), axis(region.y, region.height)]
}

fn check_color(color: &ColorParams, size: SizePx) -> Result<(), AugmentError> {
    let is_sound = color.jitter.is_none_or(|jitter| {
        let factors = [jitter.brightness, jitter.contrast, jitter.saturation];
        let is_factor = |factor: f64| factor.is_finite() && factor >= 0.0;
        factors.into_iter().all(is_factor) && jitter.hue.abs() <= 0.5
    });
    if !is_sound {
        let fault = "have a factor below 0 or a hue beyond 0.5";
        return Err(AugmentError::Params { fault, size });
    }
    let has_width = |sigma: f64| sigma > 0.0 && sigma.is_finite();
    if !color.blur_sigma_px.is_none_or(has_width) {
        let fault = "have a blur without width";
        return Err(AugmentError::Params { fault, size });
    }
    Ok(())
}
