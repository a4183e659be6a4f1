//! Finds the peak of a response, and measures how far it stands out.

use super::spectrum::{AREA, SIDE, wrapped};

/// Cells on either side of the peak that do not belong to the sidelobe.
const PEAK_REACH: f64 = 5.0;

/// Peak of a response.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peak {
    /// Cell of the greatest value.
    pub cell: usize,
    /// Displacement from the origin, cells; interpolated by a parabola through the neighbours.
    pub displacement: [f64; 2],
}

impl Peak {
    /// Finds the peak of `AREA` numbers.
    pub fn of(response: &[f32]) -> Self {
        let higher = |best: usize, cell: usize| {
            if response[cell] > response[best] {
                cell
            } else {
                best
            }
        };
        let cell = (0..AREA).fold(0, higher);
        let (x, y) = (cell % SIDE, cell / SIDE);
        let at =
            |right: usize, down: usize| response[(y + down) % SIDE * SIDE + (x + right) % SIDE];
        let back = SIDE - 1;
        let here = at(0, 0);
        Self {
            cell,
            displacement: [
                wrapped(x) + between(at(back, 0), here, at(1, 0)),
                wrapped(y) + between(at(0, back), here, at(0, 1)),
            ],
        }
    }
}

/// Maximum of the parabola through three neighbours, -0.5 to 0.5 from the middle one.
pub(super) fn between(before: f32, here: f32, after: f32) -> f64 {
    let bend = before - 2.0 * here + after;
    if bend < 0.0 {
        f64::from(0.5 * (before - after) / bend).clamp(-0.5, 0.5)
    } else {
        0.0
    }
}

/// Peak-to-sidelobe ratio: `(value at cell - mean) / standard deviation`, both over the sidelobe: the whole
/// response except the 11 x 11 cells around `cell`. Tens while the target is tracked, single digits when it is lost.
///
/// **Source**: Bolme et al., "Visual Object Tracking using Adaptive Correlation Filters", CVPR 2010.
pub(super) fn peak_to_sidelobe_ratio(response: &[f32], cell: usize) -> f64 {
    let from_peak = |place: usize, peak: usize| wrapped((place + SIDE - peak) % SIDE).abs();
    let is_far: [[bool; SIDE]; 2] = [cell % SIDE, cell / SIDE]
        .map(|peak| std::array::from_fn(|place| from_peak(place, peak) > PEAK_REACH));
    let (mut sum, mut squares, mut num) = (0.0f64, 0.0f64, 0.0f64);
    for (row, &is_far_down) in response.chunks_exact(SIDE).zip(&is_far[1]) {
        for (&value, &is_far_across) in row.iter().zip(&is_far[0]) {
            if is_far_down || is_far_across {
                sum += f64::from(value);
                squares += f64::from(value * value);
                num += 1.0;
            }
        }
    }
    let mean = sum / num;
    let deviation = (squares / num - mean * mean).max(0.0).sqrt();
    (f64::from(response[cell]) - mean) / deviation.max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peak of height 1 at (x, y) cells, on a ripple of 0.1.
    fn response(x: f64, y: f64) -> Vec<f32> {
        (0..AREA)
            .map(|cell| {
                let near = |at: usize, peak: f64| {
                    let away = (at as f64 - peak).rem_euclid(SIDE as f64);
                    away.min(SIDE as f64 - away)
                };
                let (right, down) = (near(cell % SIDE, x), near(cell / SIDE, y));
                let ripple = if cell % 2 == 0 { 0.1 } else { -0.1 };
                ((-(right * right + down * down) / 8.0).exp()
                    + ripple * f64::from(u8::from(right + down > 9.0))) as f32
            })
            .collect()
    }

    #[test]
    fn a_peak_is_located_between_cells_and_across_the_wrapped_border() {
        for (x, y) in [(0.0, 0.0), (3.3, 30.6), (31.7, 0.2), (12.0, 19.4)] {
            let found = Peak::of(&response(x, y)).displacement;
            for (found, true_place) in found.into_iter().zip([x, y]) {
                let error = (found - true_place).rem_euclid(SIDE as f64);
                assert!(error.min(SIDE as f64 - error) < 0.06, "({x}, {y}): {found}");
            }
        }
    }

    #[test]
    fn the_ratio_ignores_gain_and_offset() {
        let plain = response(4.0, 7.0);
        let other: Vec<f32> = plain.iter().map(|value| 3.0 * value + 2.0).collect();
        let cell = Peak::of(&plain).cell;
        let (a, b) = (
            peak_to_sidelobe_ratio(&plain, cell),
            peak_to_sidelobe_ratio(&other, cell),
        );
        assert!((a - b).abs() < 1e-3 * a, "{a} {b}");
    }
}
