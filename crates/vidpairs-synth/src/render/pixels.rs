//! Pixel masks: the pixels of an image in which an object is visible.

use serde::{Deserialize, Serialize};
use vidpairs_types::{BoxXywh, SizePx};

use super::surface::{Sampling, Surface};

/// Pixels in which an object is visible, as run lengths in the notation of COCO.
///
/// A pixel belongs to the mask if at least one of its quarters shows the object. So a pixel on the edge of two objects may belong to
/// both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelMask {
    /// Height and width of the image, px.
    pub size: [u32; 2],
    /// Numbers of pixels outside the mask, inside, outside, ..., column by column from the left, each from the top. They add up to
    /// the pixels of the image.
    pub counts: Vec<u32>,
}

impl PixelMask {
    /// Mask of object `index` of `surface`.
    ///
    /// - `bounds`: bounds of the object's visible pixels, px; `None` if there are none.
    pub(super) fn of(
        index: usize,
        bounds: Option<BoxXywh>,
        surface: &Surface,
        sampling: &Sampling,
    ) -> Self {
        let SizePx { width, height } = sampling.camera.size;
        let mut runs = Runs::default();
        let [left, top, right, bottom] = bounds.map_or([0; 4], |bounds| {
            let to_px = |edge: f64| edge as u32;
            [
                to_px(bounds.x),
                to_px(bounds.y),
                to_px((bounds.x + bounds.w).ceil()),
                to_px((bounds.y + bounds.h).ceil()),
            ]
        });
        let per_side = sampling.per_side as usize;
        let shows = |x: u32, y: u32| {
            let (x, y) = (x as usize * per_side, y as usize * per_side);
            let mut rows = (y..y + per_side).map(|row| row * sampling.width + x);
            rows.any(|first| (first..first + per_side).any(|at| surface.shows(index, at)))
        };
        runs.add(false, left * height);
        for x in left..right {
            runs.add(false, top);
            for y in top..bottom {
                runs.add(shows(x, y), 1);
            }
            runs.add(false, height - bottom);
        }
        runs.add(false, (width - right) * height);
        Self {
            size: [height, width],
            counts: runs.counts,
        }
    }

    /// Number of pixels of the mask.
    pub fn area_px(&self) -> u64 {
        let inside = self.counts.iter().skip(1).step_by(2);
        inside.map(|&count| u64::from(count)).sum()
    }

    /// Left, top, width and height of the mask, px; `None` if it is empty.
    pub fn bounds_px(&self) -> Option<[u32; 4]> {
        let height = self.size[0].max(1);
        let (mut low, mut high) = ([u32::MAX; 2], [0; 2]);
        let mut end = 0;
        for (place, &count) in self.counts.iter().enumerate() {
            let start = end;
            end += count;
            if place % 2 == 0 || count == 0 {
                continue;
            }
            let (first, last) = (start / height, (end - 1) / height);
            // A run that reaches the next column covers the bottom of one and the top of the other.
            let rows = match first == last {
                true => [start % height, (end - 1) % height],
                false => [0, height - 1],
            };
            low = [low[0].min(first), low[1].min(rows[0])];
            high = [high[0].max(last), high[1].max(rows[1])];
        }
        let [left, top] = low;
        (left <= high[0]).then(|| [left, top, high[0] - left + 1, high[1] - top + 1])
    }
}

/// Run lengths that begin with a run outside.
#[derive(Default)]
struct Runs {
    counts: Vec<u32>,
}

impl Runs {
    fn add(&mut self, is_inside: bool, count: u32) {
        if count == 0 {
            return;
        }
        if self.counts.is_empty() && is_inside {
            self.counts.push(0);
        }
        // Runs at even places are outside.
        if self.counts.len() % 2 == usize::from(is_inside) {
            self.counts.push(0);
        }
        if let Some(last) = self.counts.last_mut() {
            *last += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mask of a picture: `#` is inside.
    fn mask(rows: &[&str]) -> PixelMask {
        let (height, width) = (rows.len(), rows[0].len());
        let mut runs = Runs::default();
        for x in 0..width {
            for row in rows {
                runs.add(row.as_bytes()[x] == b'#', 1);
            }
        }
        PixelMask {
            size: [height as u32, width as u32],
            counts: runs.counts,
        }
    }

    #[test]
    fn runs_go_down_the_columns_and_begin_outside() {
        assert_eq!(mask(&["..", ".."]).counts, [4]);
        assert_eq!(mask(&["##", "##"]).counts, [0, 4]);
        assert_eq!(mask(&["#.", ".#"]).counts, [0, 1, 2, 1]);
        assert_eq!(mask(&["..#", "#..", "#.."]).counts, [1, 2, 3, 1, 2]);
    }

    #[test]
    fn bounds_and_area_are_those_of_the_pixels() {
        for (rows, bounds, area) in [
            (vec!["...", "..."], None, 0),
            (vec!["...", ".#.", "..."], Some([1, 1, 1, 1]), 1),
            (vec!["..#", "...", "#.."], Some([0, 0, 3, 3]), 2),
            // The run goes on in the next column.
            (vec!["..#", "...", ".##"], Some([1, 0, 2, 3]), 3),
            (vec![".##.", ".##."], Some([1, 0, 2, 2]), 4),
        ] {
            let mask = mask(&rows);
            assert_eq!(
                (mask.bounds_px(), mask.area_px()),
                (bounds, area),
                "{rows:?}"
            );
        }
    }
}
