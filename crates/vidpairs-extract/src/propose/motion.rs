//! Detects motion that differs from the camera's: compares a frame with its neighbour after compensating the camera's motion.

use super::picture::Picture;

/// Side of the matched blocks, px of the halved picture.
const BLOCK: usize = 8;

/// Search range in each direction, px of the halved picture.
const REACH: usize = 10;

/// Least range of luma in a matched block: a flat block matches everywhere.
const MIN_RANGE: u8 = 24;

/// Rounds of fitting. Each round weights blocks by their agreement with the previous fit.
const ROUNDS: usize = 4;

/// Difference of each px from the neighbour frame that the camera's motion does not explain, 0 to 255.
pub(super) fn motion(picture: &Picture, neighbor: &Picture) -> Vec<u8> {
    let camera = camera(picture, neighbor);
    unexplained(picture, neighbor, camera)
}

/// Rotation, zoom and translation: px (x, y) moves to (x + a x - b y + c, y + b x + a y + d).
#[derive(Debug, Clone, Copy, Default)]
struct Similarity {
    a: f32,
    b: f32,
    c: f32,
    d: f32,
}

impl Similarity {
    /// Displacement of (x, y).
    fn shift(self, x: f32, y: f32) -> (f32, f32) {
        (
            self.a * x - self.b * y + self.c,
            self.b * x + self.a * y + self.d,
        )
    }
}

/// Position of a block from the middle of the picture, and its displacement, px of the picture.
struct MovedBlock {
    x: f32,
    y: f32,
    right: f32,
    down: f32,
}

/// Estimates the camera's motion from the displacements of blocks.
fn camera(picture: &Picture, neighbor: &Picture) -> Similarity {
    let moved = moved_blocks(&halved(picture), &halved(neighbor));
    let mut fit = Similarity::default();
    let mut weights = vec![1.0; moved.len()];
    // The first fit is the median displacement: right as long as most of the picture moves with the camera.
    fit.c = median(moved.iter().map(|block| block.right).collect());
    fit.d = median(moved.iter().map(|block| block.down).collect());
    for _ in 0..ROUNDS {
        for (weight, block) in weights.iter_mut().zip(&moved) {
            let (right, down) = fit.shift(block.x, block.y);
            let off = (block.right - right).powi(2) + (block.down - down).powi(2);
            *weight = 1.0 / (1.0 + off).powi(2);
        }
        fit = fitted(&moved, &weights).unwrap_or(fit);
    }
    fit
}

fn median(mut values: Vec<f32>) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Weighted least squares fit; `None` for too few blocks.
fn fitted(moved: &[MovedBlock], weights: &[f32]) -> Option<Similarity> {
    let (mut total, mut x, mut y, mut right, mut down) = (0.0f32, 0.0, 0.0, 0.0, 0.0);
    for (block, weight) in moved.iter().zip(weights) {
        total += weight;
        x += weight * block.x;
        y += weight * block.y;
        right += weight * block.right;
        down += weight * block.down;
    }
    let [x, y, right, down] = [x, y, right, down].map(|sum| sum / total);
    let (mut spread, mut along, mut across) = (0.0f32, 0.0, 0.0);
    for (block, weight) in moved.iter().zip(weights) {
        let (dx, dy) = (block.x - x, block.y - y);
        let (dr, dd) = (block.right - right, block.down - down);
        spread += weight * (dx * dx + dy * dy);
        along += weight * (dx * dr + dy * dd);
        across += weight * (dx * dd - dy * dr);
    }
    if total < 3.0 || spread < 1.0 {
        return None;
    }
    let (a, b) = (along / spread, across / spread);
    Some(Similarity {
        a,
        b,
        c: right - a * x + b * y,
        d: down - b * x - a * y,
    })
}

/// Luma at half the picture's size.
struct Half {
    width: usize,
    height: usize,
    luma: Vec<u8>,
}

fn halved(picture: &Picture) -> Half {
    let (width, height) = (picture.width / 2, picture.height / 2);
    let mut luma = Vec::with_capacity(width * height);
    for rows in picture.planes[0].chunks_exact(2 * picture.width) {
        let (upper, lower) = rows.split_at(picture.width);
        let blocks = upper.chunks_exact(2).zip(lower.chunks_exact(2));
        luma.extend(blocks.map(|(upper, lower)| {
            let sum: u32 = upper.iter().chain(lower).map(|&px| u32::from(px)).sum();
            (sum / 4) as u8
        }));
    }
    Half {
        width,
        height,
        luma,
    }
}

impl Half {
    /// The block with the left top corner (x, y), row-major.
    fn block(&self, x: usize, y: usize) -> [u8; BLOCK * BLOCK] {
        let mut block = [0; BLOCK * BLOCK];
        for (y, row) in (y..).zip(block.chunks_exact_mut(BLOCK)) {
            row.copy_from_slice(&self.luma[y * self.width + x..][..BLOCK]);
        }
        block
    }
}

/// Displacements of the textured blocks from `one` to `other`.
fn moved_blocks(one: &Half, other: &Half) -> Vec<MovedBlock> {
    let mut moved = Vec::new();
    let (columns, rows) = (one.width / BLOCK, one.height / BLOCK);
    // Every other block, as on a chess board: still many more than the parameters of the camera.
    let black = (0..columns * rows)
        .map(|place| (place % columns, place / columns))
        .filter(|(column, row)| (column + row) % 2 == 0);
    for (column, row) in black {
        let (x, y) = (column * BLOCK, row * BLOCK);
        let block = one.block(x, y);
        let (low, high) = block
            .iter()
            .fold((255, 0), |(low, high), &px| (px.min(low), px.max(high)));
        if high.saturating_sub(low) < MIN_RANGE {
            continue;
        }
        if let Some((right, down)) = displacement(&block, other, x, y) {
            moved.push(MovedBlock {
                x: (2 * x + BLOCK) as f32 - one.width as f32,
                y: (2 * y + BLOCK) as f32 - one.height as f32,
                right: 2.0 * right as f32,
                down: 2.0 * down as f32,
            });
        }
    }
    moved
}

/// Displacement in `other` of a block that was at (x, y).
fn displacement(
    block: &[u8; BLOCK * BLOCK],
    other: &Half,
    x: usize,
    y: usize,
) -> Option<(i32, i32)> {
    let mut best = None;
    let mut least = u32::MAX;
    let places = |at: usize, side: usize| at.saturating_sub(REACH)..=(at + REACH).min(side - BLOCK);
    for to_y in places(y, other.height) {
        for to_x in places(x, other.width) {
            let there = other.block(to_x, to_y);
            let pairs = block.iter().zip(&there);
            let difference: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
            // Among equal differences, the shortest displacement wins.
            let (right, down) = (to_x as i32 - x as i32, to_y as i32 - y as i32);
            let cost = 4 * difference + right.unsigned_abs() + down.unsigned_abs();
            if cost < least {
                (best, least) = (Some((right, down)), cost);
            }
        }
    }
    best
}

/// Difference of each px after compensating `camera`.
fn unexplained(picture: &Picture, neighbor: &Picture, camera: Similarity) -> Vec<u8> {
    let (width, height) = (picture.width, picture.height);
    let (low, high) = extremes(&neighbor.planes[0], width);
    let (middle_x, middle_y) = (width as f32 / 2.0, height as f32 / 2.0);
    let luma = picture.planes[0].chunks_exact(width);
    let mut map = vec![0; width * height];
    for (y, (row, luma)) in map.chunks_exact_mut(width).zip(luma).enumerate() {
        let (right, down) = camera.shift(-middle_x, y as f32 - middle_y);
        // Half a px more, so that truncation rounds.
        let (mut to_x, mut to_y) = (right + 0.5, y as f32 + down + 0.5);
        for (place, &px) in row.iter_mut().zip(luma) {
            // Parts that entered the frame with the camera have no counterpart.
            if to_x >= 0.0 && to_y >= 0.0 && to_x < width as f32 && to_y < height as f32 {
                let at = to_y as usize * width + to_x as usize;
                *place = px.saturating_sub(high[at]).max(low[at].saturating_sub(px));
            }
            to_x += 1.0 + camera.a;
            to_y += camera.b;
        }
    }
    map
}

/// Minimum and maximum of each px and its four neighbours, so that a shift of less than a px is not motion.
fn extremes(luma: &[u8], width: usize) -> (Vec<u8>, Vec<u8>) {
    let spread = |pick: fn(u8, u8) -> u8| {
        let mut picked = luma.to_vec();
        for step in [1, width] {
            let pairs = luma.iter().zip(luma.get(step..).unwrap_or(&[]));
            for (place, (_, &next)) in picked.iter_mut().zip(pairs) {
                *place = pick(*place, next);
            }
            for (place, &before) in picked.iter_mut().skip(step).zip(luma) {
                *place = pick(*place, before);
            }
        }
        picked
    };
    (spread(u8::min), spread(u8::max))
}
