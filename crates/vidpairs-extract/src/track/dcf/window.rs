//! Reads the search window: the part of a frame in which the target is searched.

use std::cell::RefCell;

use multiversion::multiversion;
use rustfft::num_complex::Complex32;
use vidpairs_types::{PlaneLayout, Planes, ShortPlane};

use super::color::{Likeness, Samples};
use super::filter::{CHANNELS, SPECTRA, Scratch};
use super::gradients::{CELL_PX, Gradients, PATCH, PLANES};
use super::plane::{Lattice, Sampler};
use super::size::Polar;
use super::spectrum::{AREA, SIDE, SPECTRUM, Transform};

/// Weights of luma and chroma relative to the gradients; levels are divided by 255.
const LUMA_WEIGHT: f32 = 1.0 / 255.0;
const CHROMA_WEIGHT: f32 = 2.0 / 255.0;

/// Intermediate results of an update. All targets of a thread share one window: the state of a target
/// is small, and the shared buffers stay in the cache.
pub(super) struct Window {
    sampler: Sampler,
    gradients: Gradients,
    pub transform: Transform,
    pub scratch: Scratch,
    pub polar: Polar,
    /// Levels of luma around the target, `PATCH x PATCH`.
    pub patch: Vec<f32>,
    /// Luma and both chromas of each cell.
    cells: [Vec<f32>; 3],
    pub samples: Samples,
    pub likeness: Likeness,
    features: Vec<f32>,
    pub spectra: Vec<Complex32>,
    pub work: Vec<Complex32>,
    /// Responses of the filter and of the colours, and their combination.
    pub by_filter: Vec<f32>,
    pub by_color: Vec<f32>,
    pub response: Vec<f32>,
    taper: Vec<f32>,
}

thread_local! {
    static WINDOW: RefCell<Window> = RefCell::new(Window::new());
}

/// Calls `each` with this thread's buffers. Their contents have no meaning between calls.
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
            scratch: Scratch::new(),
            polar: Polar::new(),
            patch: vec![0.0; PATCH * PATCH],
            cells: std::array::from_fn(|_| vec![0.0; AREA]),
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

    /// Reads the window around `center` (px of the stored frame) with cells of `cell_px` px, and computes its features.
    ///
    /// # Errors
    /// [`ShortPlane`] for a damaged frame.
    pub fn read(
        &mut self,
        planes: &Planes,
        center: [f64; 2],
        cell_px: f64,
    ) -> Result<(), ShortPlane> {
        let lattice = |side: usize, per_cell: usize| Lattice {
            center,
            step: cell_px / per_cell as f64,
            side,
        };
        let by_pixel = lattice(PATCH, CELL_PX);
        self.sampler.sample(planes, 0, &by_pixel, &mut self.patch)?;
        mean_of_cells(&self.patch, &mut self.cells[0]);
        let has_chroma = planes.layout.num_planes() == 3;
        if has_chroma {
            for plane in [1, 2] {
                let by_cell = lattice(SIDE, 1);
                self.sampler
                    .sample(planes, plane, &by_cell, &mut self.cells[plane])?;
            }
            if planes.layout == PlaneLayout::Gbr {
                self.color_differences();
            }
        }
        let [_, u, v] = &self.cells;
        self.samples.read(&self.patch, has_chroma.then_some([u, v]));
        let (edges, colors) = self.features.split_at_mut(PLANES * AREA);
        self.gradients.compute(&self.patch, edges);
        let weights = [LUMA_WEIGHT, CHROMA_WEIGHT, CHROMA_WEIGHT];
        let planes = colors.chunks_exact_mut(AREA).zip(&self.cells);
        for (weight, (feature, cells)) in weights.into_iter().zip(planes) {
            let mean = cells.iter().sum::<f32>() / AREA as f32;
            for (feature, cell) in feature.iter_mut().zip(cells) {
                *feature = (cell - mean) * weight;
            }
        }
        if !has_chroma {
            colors[AREA..].fill(0.0);
        }
        taper(&mut self.features, &self.taper);
        Ok(())
    }

    /// Computes the spectra of the features.
    pub fn transform_features(&mut self) {
        let channels = self
            .features
            .chunks_exact(AREA)
            .zip(self.spectra.chunks_exact_mut(SPECTRUM));
        for (features, spectrum) in channels {
            self.transform.forward(features, spectrum);
        }
    }

    /// Replaces blue and red by their differences from green, which correspond to chroma.
    fn color_differences(&mut self) {
        let [green, others @ ..] = &mut self.cells;
        for other in others {
            for (other, green) in other.iter_mut().zip(&*green) {
                *other = (*other - green) * 0.5 + 128.0;
            }
        }
    }
}

/// Averages the patch over cells.
fn mean_of_cells(patch: &[f32], cells: &mut [f32]) {
    let inner = patch[PATCH..].chunks_exact(CELL_PX * PATCH);
    for (cells, rows) in cells.chunks_exact_mut(SIDE).zip(inner) {
        let (above, below) = rows.split_at(PATCH);
        let pairs = above[1..].chunks_exact(2).zip(below[1..].chunks_exact(2));
        for (cell, (above, below)) in cells.iter_mut().zip(pairs) {
            *cell = 0.25 * (above[0] + above[1] + below[0] + below[1]);
        }
    }
}

/// Tapers the features to the border: the transform treats the window as periodic, and untapered borders would form an edge.
#[multiversion(targets = "simd")]
fn taper(features: &mut [f32], taper: &[f32]) {
    for channel in features.chunks_exact_mut(AREA) {
        for (value, taper) in channel.iter_mut().zip(taper) {
            *value *= taper;
        }
    }
}
