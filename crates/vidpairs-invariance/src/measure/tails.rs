//! Collects the outermost values of units on both sides, and their images.
//!
//! Thresholds lie far out, so nearly all numbers only need a comparison. One pass over the features in memory order, some units wide,
//! keeps the values beyond each unit's pivots. A tail that turns out too short is collected again from all values of its unit.

use multiversion::multiversion;

use super::Features;
use super::pivots::{Pivots, Side, WIDTH, outwardness};

/// Images of a tile: their marks fit a word.
const TILE: usize = 32;
/// Capacity of a tail beyond twice the values that it must hold.
const ROOM: usize = 4096;

/// A value and its image, outwardness in the upper half and image in the lower: the outermost is the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Outlier(u64);

impl Outlier {
    #[inline(always)]
    fn new(value: f32, side: Side, image: usize) -> Self {
        Self((u64::from(outwardness(value, side)) << 32) | image as u64)
    }

    pub fn outwardness(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub fn image(self) -> usize {
        self.0 as u32 as usize
    }
}

/// One tail of a unit's values.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail {
    /// Values beyond the pivot, in any order.
    pub outliers: Vec<Outlier>,
    /// Outwardness of the pivot; meaningless if `num_at_pivot` is 0.
    pub pivot: u32,
    /// Number of values equal to the pivot.
    pub num_at_pivot: usize,
}

impl Tail {
    /// Fills the tail with all values of a unit.
    pub fn whole(&mut self, features: &Features<'_>, unit_index: usize, side: Side) {
        self.num_at_pivot = 0;
        self.outliers.clear();
        let values = features.unit(unit_index).enumerate();
        self.outliers
            .extend(values.map(|(image, value)| Outlier::new(value, side, image)));
    }
}

/// The tails of up to [`WIDTH`] neighbouring units.
#[derive(Debug, Default)]
pub(super) struct Tails {
    pub high: Vec<Tail>,
    pub low: Vec<Tail>,
}

/// For each unit, a bit per image of one tile: whether its value is beyond the pivot.
struct Marks {
    high: [u32; WIDTH],
    low: [u32; WIDTH],
}

/// Numbers of values equal to the pivots.
struct AtPivots {
    high: [u32; WIDTH],
    low: [u32; WIDTH],
}

/// Rows of [`WIDTH`] units, `stride` apart; the last row may end after its units.
#[derive(Clone, Copy)]
struct Tile<'a> {
    values: &'a [f32],
    stride: usize,
    num_images: usize,
}

impl Tails {
    /// Collects the tails of `num_units` units from `first_unit`. Each is complete up to rank `rank`: it has the `rank + 1` outermost
    /// values, where `num_at_pivot` stands for those that equal the pivot.
    pub fn collect(
        &mut self,
        features: &Features<'_>,
        first_unit: usize,
        num_units: usize,
        pivots: &Pivots,
        rank: usize,
    ) {
        let num_images = features.num_images();
        let room = num_images.min(2 * (rank + 1) + ROOM);
        for tails in [&mut self.high, &mut self.low] {
            tails.resize_with(num_units, Tail::default);
            tails.iter_mut().for_each(|tail| tail.outliers.clear());
        }
        let mut at = AtPivots {
            high: [0; WIDTH],
            low: [0; WIDTH],
        };
        let mut marks = Marks {
            high: [0; WIDTH],
            low: [0; WIDTH],
        };
        let mut narrow = [0.0; WIDTH * TILE];
        let tile_len = TILE * features.num_units();
        for (tile, rows) in features.values().chunks(tile_len).enumerate() {
            let tile_images = rows.len() / features.num_units();
            let mut tile_of = Tile {
                values: &rows[first_unit..],
                stride: features.num_units(),
                num_images: tile_images,
            };
            if num_units < WIDTH {
                for (to, from) in narrow
                    .chunks_exact_mut(WIDTH)
                    .zip(tile_of.values.chunks(tile_of.stride))
                {
                    to.iter_mut()
                        .zip(from.iter().take(num_units))
                        .for_each(|(to, &from)| *to = from);
                }
                tile_of = Tile {
                    values: &narrow,
                    stride: WIDTH,
                    num_images: tile_images,
                };
            }
            mark(tile_of, pivots, &mut marks, &mut at);
            let first_image = tile * TILE;
            for (lane, (tail, &mark)) in self.high.iter_mut().zip(&marks.high).enumerate() {
                keep(mark, tile_of, lane, Side::High, first_image, room, tail);
            }
            for (lane, (tail, &mark)) in self.low.iter_mut().zip(&marks.low).enumerate() {
                keep(mark, tile_of, lane, Side::Low, first_image, room, tail);
            }
        }
        let high = (&mut self.high, &pivots.high, &at.high, Side::High);
        let low = (&mut self.low, &pivots.low, &at.low, Side::Low);
        for (tails, pivots, at, side) in [high, low] {
            for (lane, (tail, (&pivot, &at))) in
                tails.iter_mut().zip(pivots.iter().zip(at)).enumerate()
            {
                tail.pivot = outwardness(pivot, side);
                tail.num_at_pivot = at as usize;
                let is_full = tail.outliers.len() + TILE > room && room < num_images;
                if is_full || tail.outliers.len() + tail.num_at_pivot <= rank {
                    tail.whole(features, first_unit + lane, side);
                }
            }
        }
    }
}

/// Marks the images of a tile.
#[multiversion(targets = "simd")]
fn mark(tile: Tile<'_>, pivots: &Pivots, marks: &mut Marks, at: &mut AtPivots) {
    let mut high = [0; WIDTH];
    let mut low = [0; WIDTH];
    let (mut at_high, mut at_low) = (at.high, at.low);
    for image in 0..tile.num_images {
        let start = image * tile.stride;
        let row = &tile.values[start..start + WIDTH];
        let bit = 1u32 << image;
        for lane in 0..WIDTH {
            let value = row[lane];
            high[lane] |= if value > pivots.high[lane] { bit } else { 0 };
            low[lane] |= if value < pivots.low[lane] { bit } else { 0 };
            at_high[lane] += u32::from(value == pivots.high[lane]);
            at_low[lane] += u32::from(value == pivots.low[lane]);
        }
    }
    (marks.high, marks.low) = (high, low);
    (at.high, at.low) = (at_high, at_low);
}

/// Adds the marked images of one unit to its tail, up to `room`.
#[inline]
fn keep(
    mut mark: u32,
    tile: Tile<'_>,
    lane: usize,
    side: Side,
    first_image: usize,
    room: usize,
    tail: &mut Tail,
) {
    if tail.outliers.len() + mark.count_ones() as usize > room {
        return;
    }
    while mark != 0 {
        let image = mark.trailing_zeros() as usize;
        mark &= mark - 1;
        let value = tile.values[image * tile.stride + lane];
        tail.outliers
            .push(Outlier::new(value, side, first_image + image));
    }
}
