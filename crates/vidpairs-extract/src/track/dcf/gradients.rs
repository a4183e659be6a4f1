//! Pools gradients over cells: strength and directions of edges.
//!
//! The histogram of directions is represented by its Fourier series. For a gradient of magnitude m and direction a, the
//! planes hold m, m cos a, m sin a (which side is bright), m cos 2a, m sin 2a, m cos 4a, m sin 4a (direction of the
//! edge, whichever side is bright). This needs no bins and no arc tangent, and seven planes instead of
//! 31. **Source**: Dalal and Triggs 2005 for pooling and normalisation; Liu et al. 2014, "Rotation-invariant
//! HOG descriptors using Fourier analysis in polar and spherical coordinates", for the series.

use multiversion::multiversion;

use super::spectrum::{AREA, SIDE};

/// Side of a cell, px of the patch.
pub(super) const CELL_PX: usize = 2;
/// Side of all cells together, px of the patch.
pub(super) const INNER: usize = SIDE * CELL_PX;
/// Side of the patch, px: one px more at either side, for the gradients at the border.
pub(super) const PATCH: usize = INNER + 2;
/// Number of feature planes.
pub(super) const PLANES: usize = 7;

/// Constant added to the mean magnitude around a cell before dividing by it, levels. It keeps noise in flat areas small.
const FLOOR: f32 = 3.0;

/// Buffers reused for every patch.
pub(super) struct Gradients {
    /// The planes of one row of pixels.
    row: Vec<f32>,
    /// Rows of pixels pooled to rows of cells: `INNER` numbers per row and plane, and one more at either end.
    tall: Vec<f32>,
    norms: Vec<f32>,
}

impl Gradients {
    pub fn new() -> Self {
        Self {
            row: vec![0.0; PLANES * INNER],
            tall: vec![0.0; SIDE * PLANES * PATCH],
            norms: vec![0.0; AREA],
        }
    }

    /// Computes the planes of a patch, each `SIDE x SIDE`, divided by the mean magnitude around each cell.
    ///
    /// - `patch`: `PATCH x PATCH` levels; `out`: `PLANES * AREA` numbers.
    pub fn compute(&mut self, patch: &[f32], out: &mut [f32]) {
        pool_down(patch, &mut self.row, &mut self.tall);
        pool_across(&self.tall, out);
        normalise(out, &mut self.norms);
    }
}

/// Computes the gradients of every row of pixels, and pools them vertically with weights 1, 3, 3, 1.
#[multiversion(targets = "simd")]
fn pool_down(patch: &[f32], row: &mut [f32], tall: &mut [f32]) {
    tall.fill(0.0);
    for (y, rows) in patch.windows(3 * PATCH).step_by(PATCH).enumerate() {
        let (above, rest) = rows.split_at(PATCH);
        let (here, below) = rest.split_at(PATCH);
        gradients(&above[1..=INNER], here, &below[1..=INNER], row);
        // Row y of pixels contributes to the cell that holds it, and to the nearer neighbour.
        let cell = y / CELL_PX;
        let neighbour = if y % CELL_PX == 0 {
            cell.wrapping_sub(1)
        } else {
            cell + 1
        };
        for (cell, weight) in [(cell, 0.375), (neighbour, 0.125)] {
            if cell >= SIDE {
                continue;
            }
            let tall = &mut tall[cell * PLANES * PATCH..][..PLANES * PATCH];
            for (to, from) in tall.chunks_exact_mut(PATCH).zip(row.chunks_exact(INNER)) {
                for (to, from) in to[1..=INNER].iter_mut().zip(from) {
                    *to += from * weight;
                }
            }
        }
    }
}

/// Computes the planes of one row of pixels.
#[inline(always)]
fn gradients(above: &[f32], here: &[f32], below: &[f32], row: &mut [f32]) {
    let mut planes = row.chunks_exact_mut(INNER);
    let mut next = || planes.next().expect("`row` holds all planes");
    let (magnitude, cos, sin) = (next(), next(), next());
    let (cos_2, sin_2, cos_4, sin_4) = (next(), next(), next(), next());
    let (left, right) = (&here[..INNER], &here[2..]);
    for x in 0..INNER {
        let (dx, dy) = (right[x] - left[x], below[x] - above[x]);
        let m = (dx * dx + dy * dy + 1e-6).sqrt();
        let (c, s) = (dx / m, dy / m);
        let (c2, s2) = (c * c - s * s, 2.0 * c * s);
        magnitude[x] = m;
        cos[x] = dx;
        sin[x] = dy;
        cos_2[x] = m * c2;
        sin_2[x] = m * s2;
        cos_4[x] = m * (c2 * c2 - s2 * s2);
        sin_4[x] = m * (2.0 * c2 * s2);
    }
}

/// Pools rows horizontally with weights 1, 3, 3, 1, to planes of cells.
#[multiversion(targets = "simd")]
fn pool_across(tall: &[f32], out: &mut [f32]) {
    for (cell_row, rows) in tall.chunks_exact(PLANES * PATCH).enumerate() {
        for (plane, row) in rows.chunks_exact(PATCH).enumerate() {
            let out = &mut out[plane * AREA + cell_row * SIDE..][..SIDE];
            let (pairs, next) = (&row[..INNER], &row[2..]);
            for (x, out) in out.iter_mut().enumerate() {
                // Pixel 2 x of the patch lies at 2 x + 1 of the padded row.
                let (a, b) = (pairs[2 * x], pairs[2 * x + 1]);
                let (c, d) = (next[2 * x], next[2 * x + 1]);
                *out = 0.125 * (a + d) + 0.375 * (b + c);
            }
        }
    }
}

/// Divides all planes by the mean magnitude (first plane) over 3 x 3 cells.
#[multiversion(targets = "simd")]
fn normalise(planes: &mut [f32], norms: &mut [f32]) {
    let magnitude = &planes[..AREA];
    for y in 0..SIDE {
        let row = |y: usize| &magnitude[y * SIDE..][..SIDE];
        let (above, here, below) = (row(y.saturating_sub(1)), row(y), row((y + 1).min(SIDE - 1)));
        let mut sums = [0.0; SIDE + 2];
        for x in 0..SIDE {
            sums[x + 1] = above[x] + here[x] + below[x];
        }
        (sums[0], sums[SIDE + 1]) = (sums[1], sums[SIDE]);
        let norms = &mut norms[y * SIDE..][..SIDE];
        for x in 0..SIDE {
            norms[x] = 1.0 / ((sums[x] + sums[x + 1] + sums[x + 2]) / 9.0 + FLOOR);
        }
    }
    for plane in planes.chunks_exact_mut(AREA) {
        for (value, norm) in plane.iter_mut().zip(&*norms) {
            *value *= norm;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seven planes in the middle of a patch whose level at (x, y) is `level(x, y)`.
    fn middle(level: impl Fn(f32, f32) -> f32) -> [f32; PLANES] {
        let patch: Vec<f32> = (0..PATCH * PATCH)
            .map(|n| level((n % PATCH) as f32, (n / PATCH) as f32))
            .collect();
        let mut out = vec![0.0; PLANES * AREA];
        Gradients::new().compute(&patch, &mut out);
        std::array::from_fn(|plane| out[plane * AREA + AREA / 2 + SIDE / 2])
    }

    #[test]
    fn a_slope_gives_the_first_second_and_fourth_harmonic_of_its_direction() {
        for degrees in [0.0f32, 30.0, 90.0, 135.0, 200.0, 300.0] {
            let angle = degrees.to_radians();
            // 4 levels a px, so 8 between the two neighbours of a pixel.
            let planes = middle(|x, y| 4.0 * (x * angle.cos() + y * angle.sin()));
            let length = 8.0 / (8.0 + FLOOR);
            let expected = [
                1.0,
                angle.cos(),
                angle.sin(),
                (2.0 * angle).cos(),
                (2.0 * angle).sin(),
            ];
            for (plane, expected) in planes.iter().zip(expected) {
                assert!(
                    (plane - length * expected).abs() < 1e-3,
                    "{degrees}: {planes:?}"
                );
            }
            assert!(
                (planes[5] - length * (4.0 * angle).cos()).abs() < 1e-3,
                "{degrees}: {planes:?}"
            );
        }
    }

    #[test]
    fn the_planes_ignore_brightness_and_change_little_with_contrast() {
        let texture = |x: f32, y: f32| 30.0 * (x * 0.7).sin() * (y * 0.5).cos();
        let plain = middle(texture);
        let brighter = middle(|x, y| texture(x, y) + 60.0);
        let stronger = middle(|x, y| 2.0 * texture(x, y));
        for plane in 0..PLANES {
            assert!((plain[plane] - brighter[plane]).abs() < 1e-3);
            assert!((plain[plane] - stronger[plane]).abs() < 0.15 * plain[0]);
        }
    }

    #[test]
    fn a_flat_patch_has_no_gradients() {
        for plane in middle(|_, _| 80.0) {
            assert!(plane.abs() < 1e-3);
        }
    }
}
