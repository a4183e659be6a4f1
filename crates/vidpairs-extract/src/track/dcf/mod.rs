//! Implements `dcf`, a discriminative correlation filter on the decoder's planes.
//!
//! Every update reads one window of the frame around the target, at a resolution at which the target always has the same
//! size. A filter on the arrangement of edges and colours ([`filter`]) and a model of the colours
//! alone ([`color`]) together give the position of the target. A filter over the radius ([`size`]) and the profile
//! along each axis ([`profile`]) give the changes of its size and shape. The models learn in every second frame.
//!
//! **Source**: `docs/TRACKER.md` reports the experiments and the value of each part; the parts name their papers.

mod color;
mod confidence;
mod filter;
mod gradients;
mod peak;
mod plane;
mod profile;
mod size;
mod spectrum;
mod window;

use vidpairs_types::{BoxXywh, Orientation, SizePx};

use self::color::{Colors, FINE};
use self::confidence::Evidence;
use self::filter::Filter;
use self::gradients::{CELL_PX, PATCH};
use self::peak::{Peak, peak_to_sidelobe_ratio};
use self::profile::Profiles;
use self::size::{InPatch, SizeFilter};
use self::spectrum::{AREA, SIDE, shift};
use self::window::{Window, with_window};
use super::tracker::{Estimate, TrackError, TrackFrame, Tracker};

/// Side of the window divided by the square root of the target's area.
const WINDOW: f64 = 2.5;
/// Frames from one learning step to the next.
const LEARN_EVERY: u64 = 2;
/// Learning rates per learning step.
const FILTER_RATE: f32 = 0.02;
const COLOR_RATE: f32 = 0.02;
const PROFILE_RATE: f32 = 0.03;
const SIZE_RATE: f32 = 0.05;
/// Weight of the colours relative to the filter if they separate the target well from its surroundings. It falls
/// linearly with the contrast, from the second value of `COLOR_CONTRAST` to 0 at the first.
const COLOR_WEIGHT: f64 = 0.4;
const COLOR_CONTRAST: [f64; 2] = [0.1, 0.4];
/// The same for the profiles: exponent of the measured stretch.
const PROFILE_WEIGHT: f64 = 0.5;
const PROFILE_CONTRAST: [f64; 2] = [0.3, 0.6];
/// Exponent of the growth measured by the size filter.
const SIZE_WEIGHT: f64 = 0.3;
/// Displacement, cells, from which on the window is read again before learning.
const REREAD_CELLS: f64 = 2.0;
/// Least shorter side of a target, px.
const MIN_SIDE_PX: f64 = 4.0;

/// Tracks one target.
pub(super) struct Dcf {
    frame: SizePx,
    stored: SizePx,
    orientation: Orientation,
    /// Centre and sides, px of the stored frame.
    center: [f64; 2],
    sides: [f64; 2],
    num_updates: u64,
    filter: Filter,
    colors: Colors,
    profiles: Profiles,
    size: SizeFilter,
}

impl Dcf {
    /// Starts on `target`, px of the upright frame.
    pub fn start(frame: &TrackFrame<'_>, target: BoxXywh) -> Result<Self, TrackError> {
        let planes = frame.planes();
        let (orientation, stored) = (planes.orientation, planes.stored_size);
        let BoxXywh { x, y, w, h } = orientation.box_in_stored(target, frame.size());
        with_window(|window| {
            let mut tracker = Self {
                frame: frame.size(),
                stored,
                orientation,
                center: [x + w / 2.0, y + h / 2.0],
                sides: [w.max(MIN_SIDE_PX), h.max(MIN_SIDE_PX)],
                num_updates: 0,
                filter: Filter::new(SIDE as f64 / WINDOW, &mut window.transform),
                colors: Colors::new(),
                profiles: Profiles::new(),
                size: SizeFilter::new(),
            };
            window.read(planes, tracker.center, tracker.cell_px())?;
            window.transform_features();
            tracker.learn(window, [0.0; 2], tracker.cell_px(), Rates::FIRST);
            Ok(tracker)
        })
    }

    /// Side of a cell, px of the frame.
    fn cell_px(&self) -> f64 {
        WINDOW * (self.sides[0] * self.sides[1]).sqrt() / SIDE as f64
    }

    /// Half sides of the target, in samples of a window with cells of `cell_px`.
    fn half_in_window(&self, cell_px: f64) -> [f64; 2] {
        self.sides.map(|side| side / 2.0 * CELL_PX as f64 / cell_px)
    }

    /// Learns the target at displacement `moved` (cells) from the middle of a window with cells of `cell_px`.
    fn learn(&mut self, window: &mut Window, moved: [f64; 2], cell_px: f64, rates: Rates) {
        let half = self.half_in_window(cell_px);
        let samples = moved.map(|moved| moved * CELL_PX as f64);
        let center = samples.map(|moved| FINE as f64 / 2.0 + moved);
        self.colors
            .learn(&window.samples, center, half, rates.color);
        self.colors.compare(&window.samples, &mut window.likeness);
        self.profiles
            .learn(&window.likeness, center, half, rates.profile);
        shift(&mut window.spectra, moved.map(|moved| -moved));
        self.filter.learn(
            &window.spectra,
            rates.filter,
            &support(half),
            &mut window.scratch,
            &mut window.transform,
        );
        let in_patch = InPatch {
            center: samples.map(|moved| (PATCH as f64 - 1.0) / 2.0 + moved),
            half,
        };
        self.size
            .learn(&window.patch, in_patch, rates.size, &mut window.polar);
    }

    /// Locates the target. Returns the evidence for its position, and the filter's peak-to-sidelobe ratio.
    fn find(&mut self, window: &mut Window, cell_px: f64) -> (Evidence, f64) {
        self.filter.respond(
            &window.spectra,
            &mut window.work,
            &mut window.transform,
            &mut window.by_filter,
        );
        self.colors.compare(&window.samples, &mut window.likeness);
        window
            .likeness
            .respond(self.half_in_window(cell_px), &mut window.by_color);
        let weight = (COLOR_WEIGHT * ramp(self.colors.contrast(), COLOR_CONTRAST)) as f32;
        let parts = window.by_filter.iter().zip(&window.by_color);
        for (response, (by_filter, by_color)) in window.response.iter_mut().zip(parts) {
            *response = by_filter + (by_color - by_filter) * weight;
        }
        let peak = Peak::of(&window.response);
        for (axis, side) in [self.stored.width, self.stored.height]
            .into_iter()
            .enumerate()
        {
            let place = self.center[axis] + peak.displacement[axis] * cell_px;
            self.center[axis] = place.clamp(0.0, f64::from(side));
        }
        let evidence = Evidence {
            filter: f64::from(window.by_filter[peak.cell]),
            color: f64::from(window.by_color[peak.cell]),
            contrast: self.colors.contrast(),
        };
        (
            evidence,
            peak_to_sidelobe_ratio(&window.by_filter, peak.cell),
        )
    }

    /// Updates the target's size and shape, in a window read around `read_at`.
    fn resize(&mut self, window: &mut Window, read_at: [f64; 2], cell_px: f64) {
        let half = self.half_in_window(cell_px);
        let moved =
            [0, 1].map(|axis| (self.center[axis] - read_at[axis]) * CELL_PX as f64 / cell_px);
        let in_patch = InPatch {
            center: moved.map(|moved| (PATCH as f64 - 1.0) / 2.0 + moved),
            half,
        };
        let growth = self
            .size
            .growth(&window.patch, in_patch, &mut window.polar)
            .powf(SIZE_WEIGHT);
        let center = moved.map(|moved| FINE as f64 / 2.0 + moved);
        let half = half.map(|half| half * growth);
        let stretch = self.profiles.stretch(&window.likeness, center, half);
        let weight = PROFILE_WEIGHT * ramp(self.colors.contrast(), PROFILE_CONTRAST);
        let longest = f64::from(self.stored.width.max(self.stored.height));
        for (side, stretch) in self.sides.iter_mut().zip(stretch) {
            *side = (*side * growth * stretch.powf(weight)).clamp(MIN_SIDE_PX, longest);
        }
    }

    fn bbox(&self) -> BoxXywh {
        let ([x, y], [w, h]) = (self.center, self.sides);
        let stored = BoxXywh {
            x: x - w / 2.0,
            y: y - h / 2.0,
            w,
            h,
        };
        self.orientation.box_in_upright(stored, self.stored)
    }
}

impl Tracker for Dcf {
    fn update(&mut self, frame: &TrackFrame<'_>) -> Result<Estimate, TrackError> {
        let planes = frame.planes();
        let is_other = planes.stored_size != self.stored || planes.orientation != self.orientation;
        if is_other {
            return Err(TrackError::OtherSize {
                expected: self.frame,
                got: frame.size(),
            });
        }
        self.num_updates += 1;
        with_window(|window| {
            let (read_at, cell_px) = (self.center, self.cell_px());
            window.read(planes, read_at, cell_px)?;
            window.transform_features();
            let (evidence, psr) = self.find(window, cell_px);
            if !evidence.is_lost() {
                self.resize(window, read_at, cell_px);
            }
            if self.num_updates.is_multiple_of(LEARN_EVERY) && evidence.is_familiar() {
                let moved = [0, 1].map(|axis| (self.center[axis] - read_at[axis]) / cell_px);
                if moved.iter().all(|moved| moved.abs() < REREAD_CELLS) {
                    self.learn(window, moved, cell_px, Rates::LATER);
                } else {
                    let cell_px = self.cell_px();
                    window.read(planes, self.center, cell_px)?;
                    window.transform_features();
                    self.learn(window, [0.0; 2], cell_px, Rates::LATER);
                }
            }
            Ok(Estimate {
                bbox: self.bbox(),
                confidence: evidence.confidence(),
                psr: Some(psr),
                is_lost: evidence.is_lost(),
            })
        })
    }

    fn nudge(&mut self, right_px: f64, down_px: f64) {
        let BoxXywh { x, y, w, h } = self.bbox();
        let moved = BoxXywh {
            x: x + right_px,
            y: y + down_px,
            w,
            h,
        };
        let BoxXywh { x, y, w, h } = self.orientation.box_in_stored(moved, self.frame);
        self.center = [x + w / 2.0, y + h / 2.0];
    }
}

/// Learning rates of the models.
struct Rates {
    filter: f32,
    color: f32,
    profile: f32,
    size: f32,
}

impl Rates {
    const FIRST: Self = Self {
        filter: 1.0,
        color: 1.0,
        profile: 1.0,
        size: 1.0,
    };
    const LATER: Self = Self {
        filter: FILTER_RATE,
        color: COLOR_RATE,
        profile: PROFILE_RATE,
        size: SIZE_RATE,
    };
}

/// 0 below `from`, 1 above `to`, linear in between.
fn ramp(value: f64, [from, to]: [f64; 2]) -> f64 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

/// Share of each cell covered by a target with half sides `half` (samples of the window) in the middle.
fn support(half: [f64; 2]) -> [f32; AREA] {
    let share: [[f64; SIDE]; 2] = half.map(|half| {
        std::array::from_fn(|cell| {
            let from_middle = (cell as f64 + 0.5 - SIDE as f64 / 2.0).abs();
            (half / CELL_PX as f64 + 0.5 - from_middle).clamp(0.0, 1.0)
        })
    });
    std::array::from_fn(|cell| (share[0][cell % SIDE] * share[1][cell / SIDE]) as f32)
}

/// The steps of an update one by one, for `benches/track.rs`. Each step works on the results that the step before left on
/// this thread.
pub struct Steps(Dcf);

impl Steps {
    /// Starts on the target.
    ///
    /// # Errors
    /// [`TrackError::ShortPlane`] for a damaged frame.
    pub fn start(frame: &TrackFrame<'_>, target: BoxXywh) -> Result<Self, TrackError> {
        Dcf::start(frame, target).map(Self)
    }

    /// Reads the window: levels, gradients, colours.
    ///
    /// # Errors
    /// [`TrackError::ShortPlane`] for a damaged frame.
    pub fn read(&self, frame: &TrackFrame<'_>) -> Result<(), TrackError> {
        let cell_px = self.0.cell_px();
        with_window(|window| Ok(window.read(frame.planes(), self.0.center, cell_px)?))
    }

    /// Transforms the features.
    pub fn transform(&self) {
        with_window(|window| window.transform_features());
    }

    /// Locates the target.
    pub fn find(&mut self) {
        let (center, cell_px) = (self.0.center, self.0.cell_px());
        with_window(|window| self.0.find(window, cell_px));
        self.0.center = center;
    }

    /// Measures the target's size and shape.
    pub fn resize(&mut self) {
        let (sides, center, cell_px) = (self.0.sides, self.0.center, self.0.cell_px());
        with_window(|window| self.0.resize(window, center, cell_px));
        self.0.sides = sides;
    }

    /// Learns the target.
    pub fn learn(&mut self) {
        let cell_px = self.0.cell_px();
        with_window(|window| self.0.learn(window, [0.0; 2], cell_px, Rates::LATER));
    }
}
