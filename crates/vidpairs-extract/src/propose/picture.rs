//! Shrinks a frame to the small upright picture in which regions are proposed.

use vidpairs_types::{BoxXywh, ColorRange, Orientation, PlaneLayout, Planes, ShortPlane, SizePx};

/// Short side of the picture, px: objects worth tracking still have a shape at this size.
const SHORT_SIDE_PX: f64 = 160.0;

/// Greatest long side of the picture, px, for very elongated frames.
const LONG_SIDE_PX: f64 = 640.0;

/// A frame at a short side of 160 px or less, 8 bits per sample, chroma at the size of luma.
pub(super) struct Picture {
    /// Columns, px.
    pub width: usize,
    /// Rows, px.
    pub height: usize,
    /// Luma and the two chromas, row-major. Gray has chroma 128.
    pub planes: [Vec<u8>; 3],
    /// Size of the upright frame.
    frame: SizePx,
}

impl Picture {
    /// Shrinks a frame. Each sample is the mean of the samples that it covers.
    pub fn of(planes: &Planes) -> Result<Self, ShortPlane> {
        let frame = planes.size();
        let upright = shrunk(frame);
        let stored = planes.orientation.applied_to(upright); // a turn swaps sides either way
        let num_planes = planes.layout.num_planes();
        let mut small = [Vec::new(), Vec::new(), Vec::new()];
        for (plane, small) in small.iter_mut().enumerate().take(num_planes) {
            let samples = shrink(planes, plane, stored)?;
            *small = planes.orientation.upright::<1>(samples, stored);
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

    /// Frame px per px of the picture, across and down.
    fn frame_px(&self) -> (f64, f64) {
        (
            f64::from(self.frame.width) / self.width as f64,
            f64::from(self.frame.height) / self.height as f64,
        )
    }

    /// Maps a box of the picture to the frame.
    pub fn in_frame(&self, cells: Cells) -> BoxXywh {
        let (across, down) = self.frame_px();
        BoxXywh {
            x: cells.left as f64 * across,
            y: cells.top as f64 * down,
            w: cells.width() as f64 * across,
            h: cells.height() as f64 * down,
        }
    }

    /// Px of the picture covered by a box of the frame, at least one.
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

/// A box of whole px of the picture; `right` and `bottom` are exclusive.
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

    /// Bounding box of both.
    pub fn around(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

/// Size of a frame's picture.
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

/// Scales plane `plane` to `target` size, not turned.
fn shrink(planes: &Planes, plane: usize, target: SizePx) -> Result<Vec<u8>, ShortPlane> {
    let plane = planes.plane(plane)?;
    let (width, height) = (plane.size.width as usize, plane.size.height as usize);
    let (flips_columns, flips_rows) = flips(planes.orientation);
    let columns = spans(width, target.width as usize, flips_columns);
    let rows = spans(height, target.height as usize, flips_rows);
    let mut small = Vec::with_capacity(target.area() as usize);
    // Sums of each column over the rows of a span. 16 bits suffice: a picture is at most 103 times smaller than its frame.
    let mut sums = vec![0u16; width];
    for (top, bottom) in rows {
        sums.fill(0);
        for row in top..bottom {
            let row = plane.row(row, 0..width);
            if plane.bit_depth == 8 {
                let samples = sums.iter_mut().zip(row);
                samples.for_each(|(sum, &sample)| *sum += u16::from(sample));
            } else {
                let shift = plane.bit_depth - 8;
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

/// Divides `len` samples into `count` intervals, each at least one sample long. Divides from the other end if
/// `is_flipped`, so that a turned frame is divided like the upright one.
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

/// Whether stored columns, and stored rows, run in the opposite direction to those of the upright picture.
fn flips(orientation: Orientation) -> (bool, bool) {
    let turns = orientation.quarter_turns % 4;
    // One clockwise turn moves the bottom to the left; two turns move the right to the left.
    let (right_to_left, bottom_to_top) = (turns >= 2, turns == 1 || turns == 2);
    (right_to_left != orientation.mirrored, bottom_to_top)
}

/// Converts G, B, R to approximate luma and blue and red differences.
fn luma_and_differences([first, second, third]: &mut [Vec<u8>; 3]) {
    for ((first, second), third) in first.iter_mut().zip(second).zip(third) {
        let (green, blue, red) = (i32::from(*first), i32::from(*second), i32::from(*third));
        let luma = (2 * red + 5 * green + blue) / 8;
        let difference = |color: i32| (128 + (color - luma) / 2).clamp(0, 255) as u8;
        (*first, *second, *third) = (luma as u8, difference(blue), difference(red));
    }
}

/// Stretches samples of limited range to full range: `zero` stays (black becomes 0), `span` becomes 255.
fn stretch(samples: &mut [u8], zero: i32, span: i32) {
    let kept = if zero == 16 { 0 } else { zero };
    for sample in samples {
        *sample = (kept + (i32::from(*sample) - zero) * 255 / span).clamp(0, 255) as u8;
    }
}
