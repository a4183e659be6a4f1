//! What a trainer takes: normalised samples, channels last.

use multiversion::multiversion;

use super::painter::RowsRead;

/// Mean of ImageNet's levels, R, G, B; levels 0 to 1.
pub const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Their standard deviation.
pub const STD: [f32; 3] = [0.229, 0.224, 0.225];

/// Room for a view: `images x side x side x 3`, R first, each `(level - mean) / std`. As a tensor of shape
/// `images x 3 x side x side` that is the memory format channels-last.
#[derive(Debug)]
pub enum Samples<'a> {
    /// Single precision.
    F32(&'a mut [f32]),
    /// The bits of `bfloat16`, rounded to the nearest, ties to even.
    Bf16(&'a mut [u16]),
}

impl Samples<'_> {
    /// How many there is room for.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(samples) => samples.len(),
            Self::Bf16(samples) => samples.len(),
        }
    }

    /// Whether there is room for none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `index`-th of parts of `len` samples.
    pub(super) fn part(&mut self, index: usize, len: usize) -> Samples<'_> {
        match self {
            Self::F32(samples) => Samples::F32(&mut samples[index * len..][..len]),
            Self::Bf16(samples) => Samples::Bf16(&mut samples[index * len..][..len]),
        }
    }

    /// Writes row `row` of an image that is `side` wide.
    pub(super) fn write_row(&mut self, row: usize, side: usize, levels: RowsRead<'_>) {
        let [red, green, blue] = levels.map(|row| &row[..side]);
        let from = row * side * 3;
        match self {
            Self::F32(samples) => normalise_f32(red, green, blue, &mut samples[from..][..side * 3]),
            Self::Bf16(samples) => {
                normalise_bf16(red, green, blue, &mut samples[from..][..side * 3])
            }
        }
    }
}

#[inline(always)]
fn normalised(level: f32, channel: usize) -> f32 {
    level * (1.0 / STD[channel]) - MEAN[channel] / STD[channel]
}

#[multiversion(targets = "simd")]
fn normalise_f32(red: &[f32], green: &[f32], blue: &[f32], to: &mut [f32]) {
    let (to, _) = to.as_chunks_mut::<3>();
    for (((to, &r), &g), &b) in to.iter_mut().zip(red).zip(green).zip(blue) {
        *to = [normalised(r, 0), normalised(g, 1), normalised(b, 2)];
    }
}

#[multiversion(targets = "simd")]
fn normalise_bf16(red: &[f32], green: &[f32], blue: &[f32], to: &mut [u16]) {
    let (to, _) = to.as_chunks_mut::<3>();
    for (((to, &r), &g), &b) in to.iter_mut().zip(red).zip(green).zip(blue) {
        *to = [normalised(r, 0), normalised(g, 1), normalised(b, 2)].map(bf16_bits);
    }
}

/// The nearest `bfloat16` of a finite number.
#[inline(always)]
pub(super) fn bf16_bits(sample: f32) -> u16 {
    let bits = sample.to_bits();
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}
