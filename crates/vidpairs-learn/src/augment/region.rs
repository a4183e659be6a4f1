//! Cuts regions out of images, with padding where they leave them.

use vidpairs_image::jpeg::Reduction;
use vidpairs_types::{Beyond, BoxXywh, Orientation, RegionPx, RgbImage, SizePx};

use super::error::AugmentError;
use super::pixels::{StoredImage, check_size};
use super::samples::MEAN;
use super::viewer::Viewer;

impl Viewer {
    /// Cuts a region out of `image`, as an upright picture of its own. What lies beyond the image has the mean colour, or is cut off.
    ///
    /// - `region`: as of [`render_region`](Self::render_region).
    ///
    /// # Errors
    /// As [`render_region`](Self::render_region).
    pub fn cut(
        &mut self,
        image: StoredImage<'_>,
        (region, beyond): (BoxXywh, Beyond),
    ) -> Result<RgbImage, AugmentError> {
        let (stored, orientation) = self.opener.orientation(image)?;
        let inside = region.whole_px(stored);
        let inside = inside.ok_or(AugmentError::Outside {
            region,
            size: stored,
        })?;
        let padding = match beyond {
            Beyond::Padded => Padding::of(region, inside, stored)?,
            Beyond::Cut => None,
        };
        let padding = padding.unwrap_or_else(|| Padding::none(inside, stored));
        self.padded(image, &padding, orientation)
    }

    /// The upright picture of a region and its padding.
    pub(super) fn padded(
        &mut self,
        image: StoredImage<'_>,
        padding: &Padding,
        orientation: Orientation,
    ) -> Result<RgbImage, AugmentError> {
        let upright = |region| orientation.region_in_upright(region, padding.canvas);
        let (region, place) = (upright(padding.region), upright(padding.inside));
        let (width, height) = (region.width as usize, region.height as usize);
        let fill = MEAN.map(|level| (255.0 * level).round() as u8);
        let mut canvas = RgbImage {
            size: region.size(),
            pixels: fill.repeat(width * height),
        };
        let part = orientation.region_in_upright(padding.in_stored, padding.stored);
        let pixels = self.opener.read(image, part, Reduction::Full)?;
        let [left, top] = [place.x - region.x, place.y - region.y].map(|px| px as usize);
        for row in 0..part.height as usize {
            let from = pixels.rows((part.y - pixels.top) as usize + row, 1);
            let from = from.chunks_exact(pixels.bytes_per_pixel);
            let to = canvas
                .pixels
                .chunks_exact_mut(3)
                .skip((top + row) * width + left);
            let from = from.skip((part.x - pixels.left) as usize);
            for (to, from) in to.zip(from).take(part.width as usize) {
                to.copy_from_slice(&from[..3]);
            }
        }
        Ok(canvas)
    }
}

/// A region that leaves its stored image, in px of a canvas around both.
pub(super) struct Padding {
    /// Size of the stored image.
    stored: SizePx,
    /// Part of the region inside the stored image, in px of that image.
    in_stored: RegionPx,
    /// Size of the canvas.
    canvas: SizePx,
    /// The region.
    region: RegionPx,
    /// Its part inside the stored image.
    inside: RegionPx,
}

impl Padding {
    /// `None` if the region, with its edges rounded to px, lies inside the image.
    ///
    /// - `in_stored`: the part inside the image, with rounded edges.
    ///
    /// # Errors
    /// [`AugmentError::Size`] if the region is larger than any image may be.
    pub fn of(
        region: BoxXywh,
        in_stored: RegionPx,
        stored: SizePx,
    ) -> Result<Option<Self>, AugmentError> {
        // First and last edge of an axis of the region, and the side of the image.
        let axis = |start: f64, length: f64, first: u32, num: u32, side: u32| {
            let (first, end) = (i64::from(first), i64::from(first + num));
            let from = (start.round_ties_even() as i64).min(first);
            let to = ((start + length).round_ties_even() as i64).max(end);
            let shift = from.saturating_neg().max(0);
            let length = to.max(i64::from(side)).saturating_add(shift);
            [
                from.saturating_add(shift),
                to.saturating_sub(from),
                first.saturating_add(shift),
                length,
            ]
            .map(|px| u32::try_from(px).unwrap_or(u32::MAX))
        };
        let [x, width, inside_x, canvas_width] = axis(
            region.x,
            region.w,
            in_stored.x,
            in_stored.width,
            stored.width,
        );
        let [y, height, inside_y, canvas_height] = axis(
            region.y,
            region.h,
            in_stored.y,
            in_stored.height,
            stored.height,
        );
        if (width, height) == (in_stored.width, in_stored.height) {
            return Ok(None);
        }
        check_size(SizePx { width, height })?;
        Ok(Some(Self {
            stored,
            in_stored,
            canvas: SizePx {
                width: canvas_width,
                height: canvas_height,
            },
            region: RegionPx {
                x,
                y,
                width,
                height,
            },
            inside: RegionPx {
                x: inside_x,
                y: inside_y,
                ..in_stored
            },
        }))
    }

    /// Of a region that lies inside its image.
    fn none(inside: RegionPx, stored: SizePx) -> Self {
        Self {
            stored,
            in_stored: inside,
            canvas: stored,
            region: inside,
            inside,
        }
    }
}
