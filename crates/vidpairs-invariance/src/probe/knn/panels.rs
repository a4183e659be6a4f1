//! Inner products of a few vectors with many.

use multiversion::multiversion;

/// Vectors of a panel: one or two vector registers of numbers.
const LANES: usize = 16;
/// Rows multiplied with a panel at once, so that each number of the panel is loaded once for all of them.
const TILE: usize = 4;

/// Vectors laid out for multiplication: in panels of `D x LANES`, the numbers of one dimension adjacent. The last panel is
/// padded with zeros.
#[derive(Debug, Clone)]
pub(super) struct Panels {
    numbers: Vec<f32>,
    num_dims: usize,
}

impl Panels {
    /// Panels of `num_rows` rows of `num_dims` numbers, which `write` makes one after another.
    pub fn new(num_rows: usize, num_dims: usize, mut write: impl FnMut(usize, &mut [f32])) -> Self {
        let num_panels = num_rows.div_ceil(LANES);
        let mut numbers = vec![0.0; num_panels * LANES * num_dims];
        let mut row = vec![0.0; num_dims];
        for (place, panel) in numbers.chunks_exact_mut(LANES * num_dims).enumerate() {
            for lane in 0..LANES.min(num_rows - place * LANES) {
                write(place * LANES + lane, &mut row);
                for (lanes, value) in panel.chunks_exact_mut(LANES).zip(&row) {
                    lanes[lane] = *value;
                }
            }
        }
        Self { numbers, num_dims }
    }

    /// Number of dimensions, `D`.
    pub fn num_dims(&self) -> usize {
        self.num_dims
    }

    /// Number of vectors with the padding of the last panel.
    pub fn num_padded(&self) -> usize {
        self.numbers.len() / self.num_dims
    }

    /// Computes the inner product of every row with every vector. Each is summed in the order of the dimensions, so that it
    /// depends neither on the machine nor on the other rows.
    ///
    /// - `rows`: `M x D`, complete.
    /// - `out`: [`num_padded`](Self::num_padded) numbers for each row, row-major; the rest stays unchanged.
    pub fn multiply(&self, rows: &[f32], out: &mut [f32]) {
        multiply(rows, &self.numbers, self.num_dims, out);
    }
}

#[multiversion(targets = "simd")]
fn multiply(rows: &[f32], numbers: &[f32], num_dims: usize, out: &mut [f32]) {
    let padded = numbers.len() / num_dims;
    for (place, panel) in numbers.chunks_exact(LANES * num_dims).enumerate() {
        let tiles = rows.chunks(TILE * num_dims);
        for (tile, out) in tiles.zip(out.chunks_mut(TILE * padded)) {
            let mut sums = [[0.0f32; LANES]; TILE];
            let mut row = tile.chunks_exact(num_dims);
            if let (Some(a), Some(b), Some(c), Some(d)) =
                (row.next(), row.next(), row.next(), row.next())
            {
                // Written out: in a loop over the tile the sums would not stay in registers.
                let [sum_a, sum_b, sum_c, sum_d] = &mut sums;
                let values = a.iter().zip(b).zip(c.iter().zip(d));
                for (lanes, ((a, b), (c, d))) in panel.chunks_exact(LANES).zip(values) {
                    for (lane, value) in lanes.iter().enumerate() {
                        sum_a[lane] += a * value;
                        sum_b[lane] += b * value;
                        sum_c[lane] += c * value;
                        sum_d[lane] += d * value;
                    }
                }
            } else {
                for (sums, row) in sums.iter_mut().zip(tile.chunks_exact(num_dims)) {
                    for (lanes, a) in panel.chunks_exact(LANES).zip(row) {
                        for (sum, value) in sums.iter_mut().zip(lanes) {
                            *sum += a * value;
                        }
                    }
                }
            }
            let at = place * LANES;
            for (out, sums) in out.chunks_exact_mut(padded).zip(&sums) {
                out[at..at + LANES].copy_from_slice(sums);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_sums_in_the_order_of_the_dimensions_bit_for_bit() {
        let drawn = |at: usize| ((at * 7919 + 13) % 1009) as f32 / 503.0 - 1.0;
        for (num_rows, num_vectors, num_dims) in [(1, 1, 1), (4, 16, 9), (5, 17, 3), (11, 40, 70)] {
            let rows: Vec<f32> = (0..num_rows * num_dims).map(drawn).collect();
            let vectors: Vec<f32> = (0..num_vectors * num_dims)
                .map(|at| drawn(at + 5))
                .collect();
            let panels = Panels::new(num_vectors, num_dims, |place, row| {
                row.copy_from_slice(&vectors[place * num_dims..][..num_dims]);
            });
            let mut out = vec![f32::NAN; num_rows * panels.num_padded()];
            panels.multiply(&rows, &mut out);
            let found = out.chunks_exact(panels.num_padded());
            for (row, found) in rows.chunks_exact(num_dims).zip(found) {
                for (vector, found) in vectors.chunks_exact(num_dims).zip(found) {
                    let products = row.iter().zip(vector).map(|(a, b)| a * b);
                    assert_eq!(*found, products.fold(0.0, |sum, product| sum + product));
                }
                assert!(found[num_vectors..].iter().all(|&padding| padding == 0.0));
            }
        }
    }
}
