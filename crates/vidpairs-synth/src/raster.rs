//! Rasterizes triangles: finds the samples of a grid that a triangle covers.

use glam::Vec3;

/// Consecutive samples of one row that lie inside a triangle.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Row of the grid.
    pub y: usize,
    /// First sample.
    pub start: usize,
    /// Past the last sample.
    pub end: usize,
    /// Interpolated z at `start`.
    pub depth: f32,
    /// Change of z from one sample to the next.
    pub depth_step: f32,
}

/// Largest integer at or below `value`, whose magnitude must be far below 2^31. Several times faster than
/// [`f32::floor`] on processors without an instruction for it.
#[inline]
pub fn floor(value: f32) -> i32 {
    let towards_zero = value as i32;
    towards_zero.wrapping_sub(i32::from(value < towards_zero as f32))
}

/// Smallest integer at or above `value`.
#[inline]
fn ceil(value: f32) -> i32 {
    floor(-value).wrapping_neg()
}

/// An edge as a half-plane: `a * x + b * y + c >= 0` inside the triangle.
#[derive(Clone, Copy)]
struct Edge {
    a: f32,
    b: f32,
    c: f32,
}

impl Edge {
    /// Edge between `p` and `q`, positive on the side of `inner`.
    #[inline]
    fn new(p: Vec3, q: Vec3, inner: Vec3) -> Self {
        // Ordered, so that two triangles that share an edge compute the same numbers: no sample falls between them.
        let is_ordered = (p.x, p.y) <= (q.x, q.y);
        let [p, q] = if is_ordered { [p, q] } else { [q, p] };
        let (a, b) = (p.y - q.y, q.x - p.x);
        let c = -(a * p.x + b * p.y);
        let is_flipped = a * inner.x + b * inner.y + c < 0.0;
        let [a, b, c] = if is_flipped { [-a, -b, -c] } else { [a, b, c] };
        Self { a, b, c }
    }

    #[inline]
    fn holds(self, x: f32, y: f32) -> bool {
        self.a * x + (self.b * y + self.c) >= 0.0
    }

    /// Narrows the range of x to the half-plane, on the row of height `y`.
    #[inline]
    fn narrow(self, y: f32, low: &mut f32, high: &mut f32) {
        let rest = self.b * y + self.c;
        if self.a > 0.0 {
            *low = low.max(rest / -self.a);
        } else if self.a < 0.0 {
            *high = high.min(rest / -self.a);
        } else if rest < 0.0 {
            *high = f32::NEG_INFINITY;
        }
    }
}

/// Triangles narrower than this many columns are tested sample by sample, which costs less than a division per edge.
const FEW_COLUMNS: i32 = 4;

/// Calls `each` with every row of samples inside a triangle.
///
/// - `corners`: x and y in samples, with the centre of sample (0, 0) at (0.5, 0.5); z is interpolated linearly.
/// - `width`, `height`: size of the grid, samples; the triangle is clipped to it.
///
/// A sample on an edge belongs to both triangles that share the edge.
#[inline]
pub fn scan(corners: [Vec3; 3], width: usize, height: usize, mut each: impl FnMut(Span)) {
    let [p, q, r] = corners;
    let (low, high) = (p.min(q).min(r), p.max(q).max(r));
    // Negated, so that NaN is rejected too.
    let (max_y, max_x) = (height as f32 - 0.5, width as f32 - 0.5);
    if !(low.y <= max_y && high.y >= 0.5 && low.x <= max_x && high.x >= 0.5) {
        return;
    }
    let (first, last) = (ceil(low.y.max(0.5) - 0.5), floor(high.y.min(max_y) - 0.5));
    let (left, right) = (low.x.max(0.5), high.x.min(max_x));
    // Most triangles of a fine mesh lie between samples.
    let (start, end) = (ceil(left - 0.5), floor(right - 0.5));
    if first > last || start > end {
        return;
    }
    let (pq, pr) = (q - p, r - p);
    let area = pq.x * pr.y - pq.y * pr.x;
    if area == 0.0 {
        return;
    }
    let scale = 1.0 / area;
    let step_x = (pq.z * pr.y - pr.z * pq.y) * scale;
    let step_y = (pr.z * pq.x - pq.z * pr.x) * scale;
    let edges = [Edge::new(p, q, r), Edge::new(q, r, p), Edge::new(r, p, q)];
    let is_narrow = end - start < FEW_COLUMNS;
    for row in first..=last {
        let y = row as f32 + 0.5;
        let (mut start, mut end) = (start, end);
        if is_narrow {
            let is_inside = |x: i32| edges.iter().all(|edge| edge.holds(x as f32 + 0.5, y));
            while start <= end && !is_inside(start) {
                start += 1;
            }
            while end > start && !is_inside(end) {
                end -= 1;
            }
        } else {
            let (mut from, mut to) = (left, right);
            for edge in edges {
                edge.narrow(y, &mut from, &mut to);
            }
            if from > to {
                continue;
            }
            (start, end) = (ceil(from - 0.5), floor(to - 0.5));
        }
        if start > end {
            continue;
        }
        each(Span {
            y: row as usize,
            start: start as usize,
            end: end as usize + 1,
            depth: p.z + (start as f32 + 0.5 - p.x) * step_x + (y - p.y) * step_y,
            depth_step: step_x,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(corners: [Vec3; 3], side: usize) -> Vec<(usize, usize)> {
        let mut samples = Vec::new();
        scan(corners, side, side, |span| {
            samples.extend((span.start..span.end).map(|x| (x, span.y)));
        });
        samples
    }

    #[test]
    fn a_sample_is_covered_if_its_centre_is_inside() {
        let corners = [
            Vec3::new(0.0, 0.0, 0.0),
            Vec3::new(4.0, 0.0, 0.0),
            Vec3::new(0.0, 4.0, 0.0),
        ];
        let mut expected = Vec::new();
        for y in 0..8 {
            for x in 0..8 {
                if x as f32 + 0.5 + y as f32 + 0.5 <= 4.0 {
                    expected.push((x, y));
                }
            }
        }
        assert_eq!(covered(corners, 8), expected);
    }

    #[test]
    fn triangles_that_share_edges_leave_no_gap() {
        // A fan around a centre without round coordinates.
        let center = Vec3::new(16.337_1, 15.912_7, 0.0);
        let rim: Vec<Vec3> = (0..23)
            .map(|i| {
                let angle = i as f32 / 23.0 * std::f32::consts::TAU;
                center + Vec3::new(angle.cos(), angle.sin(), 0.0) * 40.0
            })
            .collect();
        let mut count = [0u32; 32 * 32];
        for i in 0..rim.len() {
            let corners = [center, rim[i], rim[(i + 1) % rim.len()]];
            for (x, y) in covered(corners, 32) {
                count[y * 32 + x] += 1;
            }
        }
        assert!(count.iter().all(|&count| count >= 1));
    }

    #[test]
    fn depth_is_interpolated_linearly() {
        let plane = |x: f32, y: f32| 3.0 + 0.5 * x - 0.25 * y;
        let at = |x: f32, y: f32| Vec3::new(x, y, plane(x, y));
        scan(
            [at(-3.0, 1.0), at(9.0, 2.0), at(4.0, 12.0)],
            10,
            10,
            |span| {
                for x in span.start..span.end {
                    let depth = span.depth + (x - span.start) as f32 * span.depth_step;
                    let expected = plane(x as f32 + 0.5, span.y as f32 + 0.5);
                    assert!((depth - expected).abs() < 1e-4);
                }
            },
        );
    }

    #[test]
    fn triangles_with_no_area_or_with_nan_cover_nothing() {
        let p = Vec3::new(1.0, 1.0, 0.0);
        assert_eq!(covered([p, p, Vec3::new(5.0, 5.0, 0.0)], 8), []);
        assert_eq!(covered([p, Vec3::NAN, Vec3::new(5.0, 5.0, 0.0)], 8), []);
    }
}
