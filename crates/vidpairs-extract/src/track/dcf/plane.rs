//! Reading a plane of a frame at any place and scale.

use std::ops::Range;

use multiversion::multiversion;
use vidpairs_types::Planes;

use crate::track::TrackError;

/// One plane of a frame as the decoder left it.
#[derive(Clone, Copy)]
pub(super) struct Plane<'a> {
    bytes: &'a [u8],
    stride_bytes: usize,
    /// Columns and rows.
    size: [usize; 2],
    bit_depth: u8,
    /// Samples of this plane per px of the frame, across and down.
    per_px: [f64; 2],
}

impl<'a> Plane<'a> {
    /// Plane `plane` of the stored picture.
    ///
    /// # Errors
    /// [`TrackError::ShortPlane`] if it holds less than its rows need.
    pub fn new(planes: &'a Planes, plane: usize) -> Result<Self, TrackError> {
        let (frame, size) = (
            planes.stored_size,
            planes.layout.plane_size(planes.stored_size, plane),
        );
        let bytes = planes.bytes.plane(plane);
        let stride_bytes = planes.bytes.stride_bytes(plane);
        let row_bytes = size.width as usize * if planes.bit_depth > 8 { 2 } else { 1 };
        let needed = stride_bytes * (size.height as usize).saturating_sub(1) + row_bytes;
        if bytes.len() < needed || stride_bytes < row_bytes || size.area() == 0 {
            return Err(TrackError::ShortPlane {
                plane,
                frame,
                got: bytes.len(),
            });
        }
        let per_px = |samples: u32, px: u32| if samples == px { 1.0 } else { 0.5 };
        Ok(Self {
            bytes,
            stride_bytes,
            size: [size.width as usize, size.height as usize],
            bit_depth: planes.bit_depth,
            per_px: [
                per_px(size.width, frame.width),
                per_px(size.height, frame.height),
            ],
        })
    }

    /// The bytes of samples `columns` of row `row`.
    fn row(&self, row: usize, columns: Range<usize>) -> &'a [u8] {
        let (start, bytes) = (
            row * self.stride_bytes,
            if self.bit_depth > 8 { 2 } else { 1 },
        );
        &self.bytes[start + columns.start * bytes..start + columns.end * bytes]
    }
}

/// Where samples are wanted: a square of `side x side`, the centre in px of the stored frame, and the way from one sample to
/// the next, px.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lattice {
    pub center: [f64; 2],
    pub step: f64,
    pub side: usize,
}

/// Samples planes; keeps its buffers from one to the next.
#[derive(Default)]
pub(super) struct Sampler {
    columns: Vec<Between>,
    sums: Vec<u16>,
    above: Row,
    below: Row,
    mixed: Vec<f32>,
}

/// Sides of a block at most: a column of it adds up in 16 bits.
const MAX_BLOCK: usize = 256;

/// A row of the reduced plane.
#[derive(Default)]
struct Row {
    index: Option<usize>,
    levels: Vec<f32>,
}

/// A place between two samples, and how near it is to the second.
#[derive(Clone, Copy)]
struct Between {
    first: usize,
    second: usize,
    share: f32,
}

impl Between {
    /// The place `at` (0 in the middle of the first sample), kept between the first of `len` samples and the last.
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

/// A plane whose samples are means of blocks of the original's.
struct Reduced<'a> {
    plane: &'a Plane<'a>,
    block: [usize; 2],
}

impl Sampler {
    /// Levels (0 to 255 whatever the bit depth) of `plane` at the places of `lattice`, row after row.
    ///
    /// Between samples it interpolates; where places lie two samples apart or more, it averages blocks first, so
    /// that nothing is passed over. Beyond the border the outermost samples go on.
    pub fn sample(&mut self, plane: &Plane<'_>, lattice: &Lattice, out: &mut [f32]) {
        let step = plane.per_px.map(|per_px| lattice.step * per_px);
        let block = [0, 1]
            .map(|axis| ((step[axis] + 0.25) as usize).clamp(1, plane.size[axis].min(MAX_BLOCK)));
        let between = |axis: usize, place: usize| {
            let from_center = place as f64 - (lattice.side as f64 - 1.0) / 2.0;
            let at = lattice.center[axis] * plane.per_px[axis] + from_center * step[axis];
            Between::new(
                at / block[axis] as f64 - 0.5,
                plane.size[axis] / block[axis],
            )
        };
        self.columns.clear();
        self.columns
            .extend((0..lattice.side).map(|x| between(0, x)));
        let (Some(first), Some(last)) = (self.columns.first(), self.columns.last()) else {
            return;
        };
        let across = first.first..last.second + 1;
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
                .become_row(row.first, &reduced, across.clone(), &mut self.sums);
            self.below
                .become_row(row.second, &reduced, across.clone(), &mut self.sums);
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
    }
}

impl Row {
    /// Holds columns `across` of row `index`, read if it is not there already.
    fn become_row(
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

/// Sums of `WIDE` neighbours, times `scale`.
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

/// Words of more than 8 bits count as 8: nothing here is that fine.
#[multiversion(targets = "simd")]
fn add_words(bytes: &[u8], bit_depth: u8, sums: &mut [u16]) {
    for (sum, &pair) in sums.iter_mut().zip(bytes.as_chunks::<2>().0) {
        *sum += (u16::from_le_bytes(pair) >> (bit_depth - 8)).min(255);
    }
}

/// A row between two.
#[multiversion(targets = "simd")]
fn mix(above: &[f32], below: &[f32], share: f32, out: &mut Vec<f32>) {
    out.clear();
    out.extend(above.iter().zip(below).map(|(a, b)| a + (b - a) * share));
}
