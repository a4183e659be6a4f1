//! Samples a plane of a frame at any position and scale.

use std::ops::Range;

use multiversion::multiversion;
use vidpairs_types::{Plane, Planes, ShortPlane};

/// Sampling positions: a square of `side x side` around `center` (px of the stored frame), `step` px apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lattice {
    pub center: [f64; 2],
    pub step: f64,
    pub side: usize,
}

/// Samples planes; reuses its buffers between calls.
#[derive(Default)]
pub(super) struct Sampler {
    columns: Vec<Between>,
    sums: Vec<u16>,
    above: Row,
    below: Row,
    mixed: Vec<f32>,
}

/// Greatest side of a block: the sum of a column must fit in 16 bits.
const MAX_BLOCK: usize = 256;

/// A row of the reduced plane.
#[derive(Default)]
struct Row {
    index: Option<usize>,
    levels: Vec<f32>,
}

/// A position between two samples: the weight of the second is `share`.
#[derive(Clone, Copy)]
struct Between {
    first: usize,
    second: usize,
    share: f32,
}

impl Between {
    /// Position `at`, clamped to `len` samples; 0 is the middle of the first sample.
    fn new(at: f64, len: usize) -> Self {
        let at = at.clamp(0.0, len as f64 - 1.0);
        let first = at as usize;
        Self {
            first,
            second: (first + 1).min(len - 1),
            share: (at - first as f64) as f32,
        }
    }
}

/// A plane reduced by averaging blocks of samples.
struct Reduced<'a> {
    plane: Plane<'a>,
    block: [usize; 2],
}

impl Sampler {
    /// Levels (0 to 255 at any bit depth) of plane `plane` at the positions of `lattice`, row-major.
    ///
    /// Interpolates linearly between samples. If positions are two samples apart or more, averages blocks of samples first, so
    /// that none is skipped. Beyond the border, the outermost samples are repeated.
    ///
    /// # Errors
    /// [`ShortPlane`] if the plane holds less than its rows need.
    pub fn sample(
        &mut self,
        planes: &Planes,
        plane: usize,
        lattice: &Lattice,
        out: &mut [f32],
    ) -> Result<(), ShortPlane> {
        let (plane, frame) = (planes.plane(plane)?, planes.stored_size);
        let per_px = |samples: u32, px: u32| if samples == px { 1.0 } else { 0.5 };
        let per_px = [
            per_px(plane.size.width, frame.width),
            per_px(plane.size.height, frame.height),
        ];
        let size = [plane.size.width as usize, plane.size.height as usize];
        let step = per_px.map(|per_px| lattice.step * per_px);
        let block =
            [0, 1].map(|axis| ((step[axis] + 0.25) as usize).clamp(1, size[axis].min(MAX_BLOCK)));
        let between = |axis: usize, place: usize| {
            let from_center = place as f64 - (lattice.side as f64 - 1.0) / 2.0;
            let at = lattice.center[axis] * per_px[axis] + from_center * step[axis];
            Between::new(at / block[axis] as f64 - 0.5, size[axis] / block[axis])
        };
        self.columns.clear();
        self.columns
            .extend((0..lattice.side).map(|x| between(0, x)));
        let across = self.columns[0].first..self.columns[lattice.side - 1].second + 1;
        for column in &mut self.columns {
            column.first -= across.start;
            column.second -= across.start;
        }
        self.above.index = None;
        self.below.index = None;
        let reduced = Reduced { plane, block };
        for (y, out) in out.chunks_exact_mut(lattice.side).enumerate() {
            let row = between(1, y);
            if self.below.index == Some(row.first) {
                std::mem::swap(&mut self.above, &mut self.below);
            }
            self.above
                .load(row.first, &reduced, across.clone(), &mut self.sums);
            self.below
                .load(row.second, &reduced, across.clone(), &mut self.sums);
            mix(
                &self.above.levels,
                &self.below.levels,
                row.share,
                &mut self.mixed,
            );
            for (out, at) in out.iter_mut().zip(&self.columns) {
                let (a, b) = (self.mixed[at.first], self.mixed[at.second]);
                *out = a + (b - a) * at.share;
            }
        }
        Ok(())
    }
}

impl Row {
    /// Reads columns `across` of row `index`, unless this row is already held.
    fn load(
        &mut self,
        index: usize,
        reduced: &Reduced<'_>,
        across: Range<usize>,
        sums: &mut Vec<u16>,
    ) {
        if self.index == Some(index) {
            return;
        }
        self.index = Some(index);
        let Reduced {
            plane,
            block: [wide, high],
        } = *reduced;
        let columns = across.start * wide..across.end * wide;
        if plane.bit_depth == 8 && wide * high == 1 {
            widen(plane.row(index, columns), &mut self.levels);
            return;
        }
        sums.clear();
        sums.resize(columns.len(), 0);
        for row in index * high..(index + 1) * high {
            let bytes = plane.row(row, columns.clone());
            if plane.bit_depth == 8 {
                add_bytes(bytes, sums);
            } else {
                add_words(bytes, plane.bit_depth, sums);
            }
        }
        let scale = 1.0 / (wide * high) as f32;
        self.levels.clear();
        self.levels.resize(across.len(), 0.0);
        match wide {
            1 => blocks::<1>(sums, scale, &mut self.levels),
            2 => blocks::<2>(sums, scale, &mut self.levels),
            3 => blocks::<3>(sums, scale, &mut self.levels),
            4 => blocks::<4>(sums, scale, &mut self.levels),
            _ => {
                let sum = |block: &[u16]| block.iter().map(|&sum| u32::from(sum)).sum::<u32>();
                let sums = sums.chunks_exact(wide).map(sum);
                for (level, sum) in self.levels.iter_mut().zip(sums) {
                    *level = sum as f32 * scale;
                }
            }
        }
    }
}

/// Sums of `WIDE` neighbouring numbers, times `scale`.
#[multiversion(targets = "simd")]
fn blocks<const WIDE: usize>(sums: &[u16], scale: f32, levels: &mut [f32]) {
    for (level, block) in levels.iter_mut().zip(sums.as_chunks::<WIDE>().0) {
        *level = block.iter().map(|&sum| u32::from(sum)).sum::<u32>() as f32 * scale;
    }
}

#[multiversion(targets = "simd")]
fn widen(bytes: &[u8], levels: &mut Vec<f32>) {
    levels.clear();
    levels.extend(bytes.iter().map(|&byte| f32::from(byte)));
}

#[multiversion(targets = "simd")]
fn add_bytes(bytes: &[u8], sums: &mut [u16]) {
    for (sum, &byte) in sums.iter_mut().zip(bytes) {
        *sum += u16::from(byte);
    }
}

/// Adds samples of more than 8 bits, cut to 8: the tracker needs no finer levels.
#[multiversion(targets = "simd")]
fn add_words(bytes: &[u8], bit_depth: u8, sums: &mut [u16]) {
    for (sum, &pair) in sums.iter_mut().zip(bytes.as_chunks::<2>().0) {
        *sum += (u16::from_le_bytes(pair) >> (bit_depth - 8)).min(255);
    }
}

/// Interpolates between two rows.
#[multiversion(targets = "simd")]
fn mix(above: &[f32], below: &[f32], share: f32, out: &mut Vec<f32>) {
    out.clear();
    out.extend(above.iter().zip(below).map(|(a, b)| a + (b - a) * share));
}
