//! Windows of resized images, and of their labels.

use rand::RngExt;
use vidpairs_types::{RegionPx, Seed, SizePx};

/// A part of an image that is resized as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Size of the whole image after resizing.
    pub resized: SizePx,
    /// The part, px of the resized image.
    pub region: RegionPx,
    /// Whether left and right of the part are swapped.
    pub is_flipped: bool,
}

impl Window {
    /// The whole image, resized.
    pub fn whole(resized: SizePx) -> Self {
        Self {
            resized,
            region: RegionPx::whole(resized),
            is_flipped: false,
        }
    }

    /// A random part of an image of `size`: both sides are scaled by one factor, uniform between `scales`; of the result, a square of
    /// `side_px` at a uniform place, or as much of it as there is; flipped with probability 1/2. It depends on the arguments only.
    pub fn drawn(size: SizePx, side_px: u32, [low, high]: [f64; 2], seed: Seed) -> Self {
        let mut rng = seed.rng();
        let resized = scaled(size, low + (high - low) * rng.random::<f64>());
        let (width, height) = (resized.width.min(side_px), resized.height.min(side_px));
        let region = RegionPx {
            x: rng.random_range(0..=resized.width - width),
            y: rng.random_range(0..=resized.height - height),
            width,
            height,
        };
        Self {
            resized,
            region,
            is_flipped: rng.random_bool(0.5),
        }
    }

    /// Calls `see` for each px of the window with its place, row by row from 0, and the value of the nearest px of the image.
    ///
    /// - `values`: one value for each px of the image of `size`, row by row.
    pub fn nearest<T: Copy>(&self, values: &[T], size: SizePx, mut see: impl FnMut(usize, T)) {
        let nearest = |place: u32, length: u32, resized: u32| {
            // The px that holds the centre: floor((place + 1/2) * length / resized).
            let px = (2 * u64::from(place) + 1) * u64::from(length) / (2 * u64::from(resized));
            px as usize
        };
        let columns: Vec<usize> = (0..self.region.width)
            .map(|column| {
                let column = match self.is_flipped {
                    true => self.region.width - 1 - column,
                    false => column,
                };
                nearest(self.region.x + column, size.width, self.resized.width)
            })
            .collect();
        let mut place = 0;
        for row in 0..self.region.height {
            let row = nearest(self.region.y + row, size.height, self.resized.height);
            let start = row * size.width as usize;
            for column in &columns {
                if let Some(value) = values.get(start + column) {
                    see(place, *value);
                }
                place += 1;
            }
        }
    }
}

/// Both sides multiplied by `factor` and rounded; at least 1 px.
pub fn scaled(size: SizePx, factor: f64) -> SizePx {
    let side = |px: u32| (f64::from(px) * factor).round().max(1.0) as u32;
    SizePx {
        width: side(size.width),
        height: side(size.height),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Samples, StoredImage, Viewer};
    use super::*;

    const SIZE: SizePx = SizePx {
        width: 6,
        height: 4,
    };

    fn seen(window: &Window, values: &[u8]) -> Vec<u8> {
        let mut seen = vec![0; window.region.size().area() as usize];
        window.nearest(values, SIZE, |place, value| seen[place] = value);
        seen
    }

    #[test]
    fn labels_follow_the_window_of_their_image() {
        let labels: Vec<u8> = (0..24).collect();
        assert_eq!(seen(&Window::whole(SIZE), &labels), labels);
        let window = Window {
            resized: scaled(SIZE, 2.0),
            region: RegionPx {
                x: 3,
                y: 2,
                width: 4,
                height: 2,
            },
            is_flipped: true,
        };
        assert_eq!(seen(&window, &labels), [9, 8, 8, 7, 9, 8, 8, 7]);
        let half = Window::whole(scaled(SIZE, 0.5));
        assert_eq!(seen(&half, &labels), [7, 9, 11, 19, 21, 23]);
    }

    #[test]
    fn the_image_and_its_labels_keep_together_at_every_scale_place_and_flip() {
        // Gray levels that are also the labels: constant on the left half, and on the right half.
        let size = SizePx {
            width: 40,
            height: 30,
        };
        let levels: Vec<u8> = (0..1200)
            .map(|px| 10 + 200 * u8::from(px % 40 >= 20))
            .collect();
        let pixels = levels.iter().flat_map(|&level| [level; 3]).collect();
        let image = vidpairs_types::RgbImage { size, pixels };
        let mut num_seen = [0; 2];
        for number in 0..40 {
            let window = Window::drawn(size, 24, [0.5, 2.0], Seed::of_run(number));
            let num_px = window.region.size().area() as usize;
            let mut samples = vec![0.0; 3 * num_px];
            let image = StoredImage::Rgb(&image);
            let to = Samples::F32(&mut samples);
            Viewer::default().render_window(image, &window, to).unwrap();
            window.nearest(&levels, size, |place, level| {
                let shown = (samples[3 * place] * 0.229 + 0.485) * 255.0;
                // Between the halves lie mixed levels.
                let is_mixed = (11.0..209.0).contains(&shown);
                num_seen[usize::from(is_mixed)] += 1;
                assert!(
                    is_mixed || (shown - f32::from(level)).abs() < 1.0,
                    "{window:?}"
                );
            });
        }
        assert!(num_seen[0] > 10 * num_seen[1], "{num_seen:?}");
    }

    #[test]
    fn drawn_windows_cover_the_scales_and_places_and_never_leave_the_image() {
        let size = SizePx {
            width: 100,
            height: 50,
        };
        let windows: Vec<Window> = (0..500)
            .map(|number| Window::drawn(size, 64, [0.5, 2.0], Seed::of_run(number)))
            .collect();
        let widths = || windows.iter().map(|window| window.resized.width);
        assert!(widths().min() < Some(55) && widths().max() > Some(195));
        assert!(
            windows
                .iter()
                .all(|window| window.region.lies_in(window.resized))
        );
        assert!(windows.iter().any(|window| window.region.height < 64));
        let num_flipped = windows.iter().filter(|window| window.is_flipped).count();
        assert!((200..300).contains(&num_flipped), "{num_flipped}");
        let again = Window::drawn(size, 64, [0.5, 2.0], Seed::of_run(7));
        assert_eq!(windows[7], again);
    }
}
