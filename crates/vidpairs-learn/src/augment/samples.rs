//! Normalised samples, channels last, as networks take them.

use multiversion::multiversion;

use super::rows::Rows;

/// Mean levels of ImageNet, 0 to 1: red, green, blue.
pub const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of the levels of ImageNet: red, green, blue.
pub const STD: [f32; 3] = [0.229, 0.224, 0.225];

/// Buffer for a view: `images x side x side x 3`, red first, each `(level - mean) / std`. For a tensor of shape
/// `images x 3 x side x side` this is the memory format channels-last.
#[derive(Debug)]
pub enum Samples<'a> {
    /// Single precision.
    F32(&'a mut [f32]),
    /// Bits of `bfloat16`, rounded to nearest, ties to even.
    Bf16(&'a mut [u16]),
}

impl Samples<'_> {
    /// Length of the buffer.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(samples) => samples.len(),
            Self::Bf16(samples) => samples.len(),
        }
    }

    /// Whether the buffer has length 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Part `index` of parts of `len` samples each.
    pub(super) fn part(&mut self, index: usize, len: usize) -> Samples<'_> {
        match self {
            Self::F32(samples) => Samples::F32(&mut samples[index * len..][..len]),
            Self::Bf16(samples) => Samples::Bf16(&mut samples[index * len..][..len]),
        }
    }

    /// Writes row `row` of an image of this width, px.
    pub(super) fn write_row(&mut self, row: usize, width: usize, levels: Rows<'_>) {
        let levels = levels.map(|channel| &channel[..width]);
        let (start, len) = (row * width * 3, width * 3);
        match self {
            Self::F32(samples) => normalise_f32(levels, &mut samples[start..][..len]),
            Self::Bf16(samples) => normalise_bf16(levels, &mut samples[start..][..len]),
        }
    }
}

#[inline(always)]
fn normalised(level: f32, channel: usize) -> f32 {
    level * (1.0 / STD[channel]) - MEAN[channel] / STD[channel]
}

#[multiversion(targets = "simd")]
fn normalise_f32([red, green, blue]: Rows<'_>, to: &mut [f32]) {
    let (to, _) = to.as_chunks_mut::<3>();
    for (((to, &r), &g), &b) in to.iter_mut().zip(red).zip(green).zip(blue) {
        *to = [normalised(r, 0), normalised(g, 1), normalised(b, 2)];
    }
}

#[multiversion(targets = "simd")]
fn normalise_bf16([red, green, blue]: Rows<'_>, to: &mut [u16]) {
    let (to, _) = to.as_chunks_mut::<3>();
    for (((to, &r), &g), &b) in to.iter_mut().zip(red).zip(green).zip(blue) {
        *to = [normalised(r, 0), normalised(g, 1), normalised(b, 2)].map(bf16_bits);
    }
}

/// Bits of the `bfloat16` nearest to a finite number.
#[inline(always)]
pub(super) fn bf16_bits(sample: f32) -> u16 {
    let bits = sample.to_bits();
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}
