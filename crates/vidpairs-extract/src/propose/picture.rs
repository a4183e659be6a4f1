//! A frame made small and upright: what proposals are looked for in.

use vidpairs_types::{BoxXywh, ColorRange, Orientation, PlaneLayout, Planes, SizePx};

use super::ProposeError;

/// Short side of the picture, px: an object that is worth following still has a shape at this size.
const SHORT_SIDE_PX: f64 = 160.0;

/// A ceiling on the picture's long side, px, for frames that are mostly one side.
const LONG_SIDE_PX: f64 = 640.0;

/// A frame at a short side of 160 px or less, 8 bits a sample, chroma as large as luma.
pub(super) struct Picture {
    /// Px across.
    pub width: usize,
    /// Px down.
    pub height: usize,
    /// Luma and the two chromas, row after row. Gray has 128 for chroma.
    pub planes: [Vec<u8>; 3],
    /// The frame it was made from.
    frame: SizePx,
}

impl Picture {
    /// Shrinks a frame: each sample is the mean of those it covers.
    pub fn of(planes: &Planes) -> Result<Self, ProposeError> {
        let frame = planes.size();
        let upright = shrunk(frame);
        let stored = planes.orientation.applied_to(upright); // a turn swaps sides either way
        let num_planes = planes.layout.num_planes();
        let mut small = [Vec::new(), Vec::new(), Vec::new()];
        for (plane, small) in small.iter_mut().enumerate().take(num_planes) {
            let samples = shrink(planes, plane, stored)?;
            *small = turned(samples, stored, planes.orientation);
        }
        match planes.layout {
            PlaneLayout::Gray => {
                let gray = vec![128; small[0].len()];
                small[1].clone_from(&gray);
                small[2] = gray;
            }
            PlaneLayout::Gbr => luma_and_differences(&mut small),
            PlaneLayout::Yuv420 | PlaneLayout::Yuv422 | PlaneLayout::Yuv444 => {}
        }
        if planes.range == ColorRange::Limited && planes.layout != PlaneLayout::Gbr {
            let [luma, chromas @ ..] = &mut small;
            stretch(luma, 16, 219);
            chromas
                .iter_mut()
                .for_each(|chroma| stretch(chroma, 128, 224));
        }
        Ok(Self {
            width: upright.width as usize,
            height: upright.height as usize,
            planes: small,
            frame,
        })
    }

    /// Frame px to a px of the picture, across and down.
    fn frame_px(&self) -> (f64, f64) {
        (
            f64::from(self.frame.width) / self.width as f64,
            f64::from(self.frame.height) / self.height as f64,
        )
    }

    /// A box of the picture in the frame.
    pub fn in_frame(&self, cells: Cells) -> BoxXywh {
        let (across, down) = self.frame_px();
        BoxXywh {
            x: cells.left as f64 * across,
            y: cells.top as f64 * down,
            w: cells.width() as f64 * across,
            h: cells.height() as f64 * down,
        }
    }

    /// The px of the picture that a box of the frame covers, at least one.
    pub fn covered_by(&self, bbox: BoxXywh) -> Cells {
        let (across, down) = self.frame_px();
        let place = |edge: f64, last: usize| (edge.round().max(0.0) as usize).min(last);
        let left = place(bbox.x / across, self.width - 1);
        let top = place(bbox.y / down, self.height - 1);
        Cells {
            left,
            top,
            right: place((bbox.x + bbox.w) / across, self.width).max(left + 1),
            bottom: place((bbox.y + bbox.h) / down, self.height).max(top + 1),
        }
    }
}

/// A box of whole px of the picture: from `left` and `top` up to, not including, `right` and `bottom`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cells {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Cells {
    pub fn width(self) -> usize {
        self.right - self.left
    }

    pub fn height(self) -> usize {
        self.bottom - self.top
    }

    pub fn area(self) -> usize {
        self.width() * self.height()
    }

    /// The smallest box around both.
    pub fn around(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

/// The size of a frame's picture.
fn shrunk(frame: SizePx) -> SizePx {
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    let scale = (width.min(height) / SHORT_SIDE_PX)
        .max(width.max(height) / LONG_SIDE_PX)
        .max(1.0);
    SizePx {
        width: ((width / scale).round() as u32).max(1),
        height: ((height / scale).round() as u32).max(1),
    }
}

/// Plane `plane` at `target` size, still as stored.
fn shrink(planes: &Planes, plane: usize, target: SizePx) -> Result<Vec<u8>, ProposeError> {
    let size = planes.layout.plane_size(planes.stored_size, plane);
    let (width, height) = (size.width as usize, size.height as usize);
    let bytes = planes.bytes.plane(plane);
    let stride = planes.bytes.stride_bytes(plane);
    let sample_bytes = if planes.bit_depth == 8 { 1 } else { 2 };
    let short = || ProposeError::ShortPlane {
        plane,
        frame: planes.stored_size,
        got: bytes.len(),
    };
    let (flips_columns, flips_rows) = flips(planes.orientation);
    let columns = spans(width, target.width as usize, flips_columns);
    let rows = spans(height, target.height as usize, flips_rows);
    let mut small = Vec::with_capacity(target.area() as usize);
    // Sums of a column over the rows of a span: a picture is at most 103 times smaller than its frame.
    let mut sums = vec![0u16; width];
    for (top, bottom) in rows {
        sums.fill(0);
        for row in top..bottom {
            let from = row * stride;
            let row = bytes
                .get(from..from + width * sample_bytes)
                .ok_or_else(short)?;
            if sample_bytes == 1 {
                let samples = sums.iter_mut().zip(row);
                samples.for_each(|(sum, &sample)| *sum += u16::from(sample));
            } else {
                let shift = planes.bit_depth - 8;
                let samples = sums.iter_mut().zip(row.as_chunks::<2>().0);
                samples.for_each(|(sum, &pair)| {
                    *sum += (u16::from_le_bytes(pair) >> shift).min(255);
                });
            }
        }
        let num_rows = (bottom - top) as u32;
        small.extend(columns.iter().map(|&(left, right)| {
            let sum: u32 = sums[left..right].iter().map(|&sum| u32::from(sum)).sum();
            (sum / (num_rows * (right - left) as u32)) as u8
        }));
    }
    Ok(small)
}

/// Cuts `len` samples into `count` stretches, each at least one sample long. Cut from the other end if
/// `is_flipped`, so that a turned frame is cut where it would be cut upright.
fn spans(len: usize, count: usize, is_flipped: bool) -> Vec<(usize, usize)> {
    let span = |place: usize| {
        let start = place * len / count;
        (start, ((place + 1) * len / count).max(start + 1))
    };
    if is_flipped {
        let flipped = |(start, end)| (len - end, len - start);
        return (0..count).rev().map(|place| flipped(span(place))).collect();
    }
    (0..count).map(span).collect()
}

/// Whether the stored columns, and the stored rows, run against those of the upright picture.
fn flips(orientation: Orientation) -> (bool, bool) {
    let turns = orientation.quarter_turns % 4;
    // Turned clockwise once, what was below comes left; twice, what was right comes left.
    let (right_to_left, bottom_to_top) = (turns >= 2, turns == 1 || turns == 2);
    (right_to_left != orientation.mirrored, bottom_to_top)
}

/// `stored` as it is shown.
fn turned(stored: Vec<u8>, size: SizePx, orientation: Orientation) -> Vec<u8> {
    if orientation == Orientation::default() {
        return stored;
    }
    let upright = orientation.applied_to(size);
    let (right, bottom) = (size.width as usize - 1, size.height as usize - 1);
    let mut turned = Vec::with_capacity(stored.len());
    for y in 0..upright.height as usize {
        for x in 0..upright.width as usize {
            let (column, row) = match orientation.quarter_turns % 4 {
                0 => (x, y),
                1 => (y, bottom - x),
                2 => (right - x, bottom - y),
                _ => (right - y, x),
            };
            let column = if orientation.mirrored {
                right - column
            } else {
                column
            };
            turned.push(stored[row * (right + 1) + column]);
        }
    }
    turned
}

/// G, B, R to something like luma and the blue and red differences.
fn luma_and_differences([first, second, third]: &mut [Vec<u8>; 3]) {
    for ((first, second), third) in first.iter_mut().zip(second).zip(third) {
        let (green, blue, red) = (i32::from(*first), i32::from(*second), i32::from(*third));
        let luma = (2 * red + 5 * green + blue) / 8;
        let difference = |color: i32| (128 + (color - luma) / 2).clamp(0, 255) as u8;
        (*first, *second, *third) = (luma as u8, difference(blue), difference(red));
    }
}

/// Samples of limited range as those of full range: `zero` stays (black becomes 0), `span` becomes 255.
fn stretch(samples: &mut [u8], zero: i32, span: i32) {
    let kept = if zero == 16 { 0 } else { zero };
    for sample in samples {
        *sample = (kept + (i32::from(*sample) - zero) * 255 / span).clamp(0, 255) as u8;
    }
}
