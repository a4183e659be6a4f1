//! Resizing along one axis: the source pixels of each pixel of the view, and their weights.

use super::rows::LANES;

/// One axis of a crop, and its size after resizing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    /// Start of the crop, px of the source.
    pub start_px: f64,
    /// Length of the crop, px of the source.
    pub length_px: f64,
    /// Length of the resized crop, px.
    pub resized_px: u32,
    /// First px of the resized crop that belongs to the view.
    pub first_px: u32,
    /// Length of the view, px.
    pub count_px: u32,
    /// Whether the view is mirrored.
    pub is_reversed: bool,
}

impl Axis {
    /// Axis whose view is the whole crop.
    pub fn whole(start_px: u32, length_px: u32, resized_px: u32) -> Self {
        Self {
            start_px: f64::from(start_px),
            length_px: f64::from(length_px),
            resized_px,
            first_px: 0,
            count_px: resized_px,
            is_reversed: false,
        }
    }

    /// Source px for each px of the view.
    fn scale(&self) -> f64 {
        self.length_px / f64::from(self.resized_px)
    }

    /// Whether a source `divisor` times smaller still has at least one px for each px of the view.
    pub fn allows(&self, divisor: u32) -> bool {
        self.length_px >= f64::from(self.resized_px) * f64::from(divisor)
    }

    /// Source px that the view depends on: the first, and their number.
    pub fn source(&self) -> (u32, u32) {
        let (scale, reach) = (self.scale(), self.scale().max(1.0));
        let first = scale * f64::from(self.first_px) - reach;
        let last = scale * f64::from(self.first_px + self.count_px) + reach;
        let start = (self.start_px + first.max(0.0)).floor();
        let end = (self.start_px + last.min(self.length_px)).ceil();
        (start as u32, (end - start) as u32)
    }

    /// Same crop in a source that is `divisor` times smaller and starts at its px `begin_px`.
    pub fn reduced(self, divisor: u32, begin_px: u32) -> Self {
        Self {
            start_px: self.start_px / f64::from(divisor) - f64::from(begin_px),
            length_px: self.length_px / f64::from(divisor),
            ..self
        }
    }
}

/// Weights of the source px of each px of the view, the same number for all.
#[derive(Debug, Default)]
pub(super) struct Taps {
    /// Source px for each px of the view.
    pub num_taps: usize,
    /// First source px of each px of the view.
    pub starts: Vec<u32>,
    /// Weights, `view px x num_taps`.
    pub weights: Vec<f32>,
}

impl Taps {
    /// First source px of px `place` of the view, and the weights from there on.
    pub fn entry(&self, place: usize) -> (usize, &[f32]) {
        let weights = &self.weights[place * self.num_taps..][..self.num_taps];
        (self.starts[place] as usize, weights)
    }

    /// Computes bilinear weights with antialiasing, as torchvision and PIL do: a triangle whose half width is the scale, 1 px at
    /// least, cut at the border of the crop and normalised to the sum `gain`.
    ///
    /// - `source_px`: length of the source, px. Taps of weight 0 may lie beyond it.
    ///
    /// The entries that pad the view to a multiple of [`LANES`] have weight 0.
    ///
    /// # Source
    /// `aten/src/ATen/native/cpu/UpSampleKernel.cpp`, `_compute_weights_aa`.
    pub fn fill(&mut self, axis: &Axis, source_px: usize, gain: f64) {
        let count = axis.count_px as usize;
        let padded = count.next_multiple_of(LANES);
        let scale = axis.scale();
        let reach = scale.max(1.0);
        let lowest = axis.start_px.floor().max(0.0);
        let highest = (axis.start_px + axis.length_px)
            .ceil()
            .min(source_px as f64);
        // The greatest number of px centres in an open interval twice as wide as the reach.
        self.num_taps = (2.0 * reach).ceil() as usize;
        self.starts.clear();
        self.starts.resize(padded, 0);
        self.weights.clear();
        self.weights.resize(padded * self.num_taps, 0.0);
        let entries = self.weights.chunks_exact_mut(self.num_taps);
        for (place, (start, weights)) in self.starts.iter_mut().zip(entries).take(count).enumerate()
        {
            let place = if axis.is_reversed {
                count - 1 - place
            } else {
                place
            };
            let center = axis.start_px + scale * (f64::from(axis.first_px) + place as f64 + 0.5);
            // The px whose centres are nearer than the reach.
            let first = ((center - reach - 0.5).floor() + 1.0).clamp(lowest, highest - 1.0);
            let end = (center + reach - 0.5).ceil().clamp(first + 1.0, highest);
            *start = first as u32;
            let num_used = ((end - first) as usize).min(weights.len());
            let weight = |tap: usize| {
                let distance = (first + tap as f64 + 0.5 - center).abs() / reach;
                (1.0 - distance).max(0.0)
            };
            let sum: f64 = (0..num_used).map(weight).sum();
            for (tap, to) in weights.iter_mut().enumerate().take(num_used) {
                *to = (weight(tap) * gain / sum) as f32;
            }
        }
    }
}
