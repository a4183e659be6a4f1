//! The search window: what is read from a frame around the place where the target is looked for.

use std::cell::RefCell;

use multiversion::multiversion;
use rustfft::num_complex::Complex32;

use super::color::{FINE, Likeness, Samples};
use super::filter::{CHANNELS, Rounds, SPECTRA};
use super::gradients::{CELL_PX, Gradients, INNER, PATCH, PLANES};
use super::plane::{Lattice, Plane, Sampler};
use super::size::Polar;
use super::spectrum::{AREA, SIDE, SPECTRUM, Transform};
use crate::track::TrackError;
use crate::types::{PlaneLayout, Planes};

/// Weights of luma and chroma beside the gradients; levels are divided by 255.
const LUMA_WEIGHT: f32 = 1.0 / 255.0;
const CHROMA_WEIGHT: f32 = 2.0 / 255.0;

/// All that an update computes on its way. One serves all the targets of a thread: what a target remembers
/// is small, and the rest stays in the cache from one to the next.
pub(super) struct Window {
    sampler: Sampler,
    gradients: Gradients,
    pub transform: Transform,
    pub rounds: Rounds,
    pub polar: Polar,
    /// Levels of luma around the target, `PATCH x PATCH`.
    pub patch: Vec<f32>,
    /// Luma, and chroma, `FINE x FINE`.
    fine: [Vec<f32>; 3],
    pub samples: Samples,
    pub likeness: Likeness,
    features: Vec<f32>,
    pub spectra: Vec<Complex32>,
    pub work: Vec<Complex32>,
    /// Answers of the filter and of the colours, and both together.
    pub by_filter: Vec<f32>,
    pub by_color: Vec<f32>,
    pub response: Vec<f32>,
    taper: Vec<f32>,
}

thread_local! {
    static WINDOW: RefCell<Window> = RefCell::new(Window::new());
}

/// Lends this thread's buffers. Nothing in them outlives a call.
pub(super) fn with_window<R>(each: impl FnOnce(&mut Window) -> R) -> R {
    WINDOW.with_borrow_mut(each)
}

impl Window {
    fn new() -> Self {
        let hann = |cell: usize| {
            let turn = std::f64::consts::TAU * (cell as f64 + 0.5) / SIDE as f64;
            0.5 - 0.5 * turn.cos()
        };
        let taper = |cell: usize| (hann(cell % SIDE) * hann(cell / SIDE)) as f32;
        Self {
            sampler: Sampler::default(),
            gradients: Gradients::new(),
            transform: Transform::new(),
            rounds: Rounds::new(),
            polar: Polar::new(),
            patch: vec![0.0; PATCH * PATCH],
            fine: std::array::from_fn(|_| vec![0.0; FINE * FINE]),
            samples: Samples::new(),
            likeness: Likeness::new(),
            features: vec![0.0; CHANNELS * AREA],
            spectra: vec![Complex32::ZERO; SPECTRA],
            work: vec![Complex32::ZERO; SPECTRUM],
            by_filter: vec![0.0; AREA],
            by_color: vec![0.0; AREA],
            response: vec![0.0; AREA],
            taper: (0..AREA).map(taper).collect(),
        }
    }

    /// Reads the window around `center` (px of the stored frame) whose cells are `cell_px` px wide.
    ///
    /// # Errors
    /// [`TrackError::ShortPlane`].
    pub fn read(
        &mut self,
        planes: &Planes,
        center: [f64; 2],
        cell_px: f64,
    ) -> Result<(), TrackError> {
        let step = cell_px / CELL_PX as f64;
        let lattice = |side| Lattice { center, step, side };
        self.sampler
            .sample(&Plane::new(planes, 0)?, &lattice(PATCH), &mut self.patch);
        for (fine, patch) in self.fine[0]
            .chunks_exact_mut(FINE)
            .zip(self.patch.chunks_exact(PATCH).skip(1))
        {
            fine.copy_from_slice(&patch[1..=INNER]);
        }
        let has_chroma = planes.layout.num_planes() == 3;
        if has_chroma {
            for plane in [1, 2] {
                self.sampler.sample(
                    &Plane::new(planes, plane)?,
                    &lattice(FINE),
                    &mut self.fine[plane],
                );
            }
            if planes.layout == PlaneLayout::Gbr {
                self.color_differences();
            }
        }
        let [luma, chroma @ ..] = &self.fine;
        self.samples
            .read(luma, has_chroma.then_some([&chroma[0], &chroma[1]]));
        self.gradients
            .compute(&self.patch, &mut self.features[..PLANES * AREA]);
        let planes = self.features[PLANES * AREA..].chunks_exact_mut(AREA);
        for ((cells, fine), weight) in
            planes
                .zip(&self.fine)
                .zip([LUMA_WEIGHT, CHROMA_WEIGHT, CHROMA_WEIGHT])
        {
            pool(fine, weight, cells);
        }
        if !has_chroma {
            self.features[(PLANES + 1) * AREA..].fill(0.0);
        }
        taper(&mut self.features, &self.taper);
        Ok(())
    }

    /// Makes the spectra of the features.
    pub fn transform_features(&mut self) {
        let channels = self
            .features
            .chunks_exact(AREA)
            .zip(self.spectra.chunks_exact_mut(SPECTRUM));
        for (features, spectrum) in channels {
            self.transform.forward(features, spectrum);
        }
    }

    /// Blue and red beside green, as chroma is beside luma.
    fn color_differences(&mut self) {
        let [green, others @ ..] = &mut self.fine;
        for other in others {
            for (other, green) in other.iter_mut().zip(&*green) {
                *other = (*other - green) * 0.5 + 128.0;
            }
        }
    }
}

/// Means over cells, less the mean of the window, times `weight`.
fn pool(fine: &[f32], weight: f32, cells: &mut [f32]) {
    let mut total = 0.0;
    for (cells, rows) in cells
        .chunks_exact_mut(SIDE)
        .zip(fine.chunks_exact(2 * FINE))
    {
        let (above, below) = rows.split_at(FINE);
        for (cell, (above, below)) in cells
            .iter_mut()
            .zip(above.chunks_exact(2).zip(below.chunks_exact(2)))
        {
            *cell = 0.25 * (above[0] + above[1] + below[0] + below[1]);
            total += *cell;
        }
    }
    let mean = total / AREA as f32;
    cells
        .iter_mut()
        .for_each(|cell| *cell = (*cell - mean) * weight);
}

/// The transform takes the window as periodic: untapered, its borders would meet as an edge.
#[multiversion(targets = "simd")]
fn taper(features: &mut [f32], taper: &[f32]) {
    for channel in features.chunks_exact_mut(AREA) {
        for (value, taper) in channel.iter_mut().zip(taper) {
            *value *= taper;
        }
    }
}
