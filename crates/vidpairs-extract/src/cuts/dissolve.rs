//! Finds dissolves: pictures that turn evenly into another one.

use std::ops::RangeInclusive;

use super::compare::{Look, distance, greatest_distance, luma_distance};
use super::{Cut, CutKind, Seen};

/// Steps of the windows that are tried.
const STEPS: [usize; 7] = [4, 6, 8, 12, 17, 24, 34];

/// Least share of the change from the first to the last picture in the changes of all steps between. It is 1 if each cell changes
/// evenly; what moves takes detours.
const MIN_STRAIGHT: f32 = 0.3;

/// Greatest share of one step in the changes of all steps: a greater one is a hard cut.
const MAX_STEP: f32 = 0.45;

/// Least step of a dissolve beside the mean of all.
const MIN_SHARE: f32 = 0.5;

/// Least change from the first to the last picture, levels.
const MIN_CHANGE: f32 = 10.0;

/// Least distance of the shots on either side.
const MIN_DISTANCE: u32 = 26;

/// Share of the last picture in those after a quarter, a half and three quarters of the window.
const SHARES: [RangeInclusive<f32>; 3] = [0.03..=0.55, 0.1..=0.9, 0.45..=0.97];

/// Greatest motion around the window beside that inside.
const MAX_AROUND: f32 = 0.87;

/// Weights of straightness, of the foreign share and of the motion around, beside the distance of the two pictures; least score. Set on
/// the tuning half of the clips of docs/CUTS.md.
const WEIGHTS: [f32; 3] = [36.0, 430.0, 6.0];
const MIN_SCORE: f32 = 12.0;

/// The dissolve that ends at the frame at `place`, and how well it is one.
pub(super) fn judge(seen: &[Seen], place: usize) -> Option<(Cut, f32)> {
    let mut best: Option<(Cut, f32)> = None;
    let mut inside = Steps::default();
    let mut first = place;
    for steps in STEPS {
        let Some(start) = place.checked_sub(steps) else {
            break;
        };
        while first > start {
            inside.add(&seen[first]);
            first -= 1;
        }
        let mut around = Steps::default();
        let before = start.saturating_sub(1)..=start;
        let after = place + 1..(place + 3).min(seen.len());
        before.chain(after).for_each(|near| around.add(&seen[near]));
        let around = around.motion as f32 / 4.0 * steps as f32 / inside.motion.max(1) as f32;
        if around > MAX_AROUND || inside.greatest > MAX_STEP * inside.change {
            continue;
        }
        let window = &seen[start..=place];
        let (a, b) = (&seen[start].look, &seen[place].look);
        let Some(evenness) = evenness(window, inside.change) else {
            continue;
        };
        let least = best.map_or(MIN_SCORE, |(_, best)| best);
        let score = |distance: u32| match distance {
            MIN_DISTANCE.. => distance as f32 + evenness - WEIGHTS[2] * around,
            _ => f32::NEG_INFINITY,
        };
        if score(greatest_distance(a, b)) < least {
            continue;
        }
        let score = score(distance(a, b));
        if score >= least {
            best = Some((trimmed(window, inside.change), score));
        }
    }
    best
}

/// The dissolve in a window, without the frames at its ends that hardly change.
///
/// - `change`: sum of the changes of all steps.
fn trimmed(window: &[Seen], change: f32) -> Cut {
    let (mut first, mut last) = (0, window.len() - 1);
    let least = MIN_SHARE * change / last as f32;
    while first + 1 < last && window[first + 1].luma_step < least {
        first += 1;
    }
    while last > first + 1 && window[last].luma_step < least {
        last -= 1;
    }
    Cut {
        before: window[first].frame,
        after: window[last].frame,
        kind: CutKind::Gradual,
    }
}

/// Sums over steps.
#[derive(Default)]
struct Steps {
    motion: u32,
    change: f32,
    greatest: f32,
}

impl Steps {
    fn add(&mut self, seen: &Seen) {
        self.motion += seen.step;
        self.change += seen.luma_step;
        self.greatest = self.greatest.max(seen.luma_step);
    }
}

/// How evenly the first frame of a window turns into the last, as a part of the score; `None` if it does not at all.
///
/// - `way`: sum of the changes of all steps.
fn evenness(window: &[Seen], way: f32) -> Option<f32> {
    let steps = window.len() - 1;
    let (a, b) = (&window[0].look, &window[steps].look);
    let change = luma_distance(a, b);
    if change < MIN_CHANGE || change < MIN_STRAIGHT * way || a.is_blank() || b.is_blank() {
        return None;
    }
    // A window hardly longer than a dissolve may begin and end with frames that are no mixtures.
    let slack = if steps == STEPS[0] { 0.08 } else { 0.0 };
    let mut foreign = 0.0;
    let places = [steps / 4, steps / 2, steps - steps / 4];
    for (place, shares) in places.into_iter().zip(SHARES) {
        let between = &window[place].look;
        let (share, unlike) = mixture(a, between, b);
        let is_allowed = (shares.start() - slack..=shares.end() + slack).contains(&share);
        if between.is_blank() || !is_allowed {
            return None;
        }
        foreign += unlike / places.len() as f32;
    }
    Some(WEIGHTS[0] * change / way - WEIGHTS[1] * foreign)
}

/// The mixture of `a` and `b` that is most like `between`: its share of `b`, and the energy of `between` that it does not explain,
/// beside that of the difference of `a` and `b`.
fn mixture(a: &Look, between: &Look, b: &Look) -> (f32, f32) {
    let (mut both, mut whole, mut part) = (0i32, 0i32, 0i32);
    let ends = a.thumb.luma.iter().zip(&b.thumb.luma);
    for ((&a, &b), &between) in ends.zip(&between.thumb.luma) {
        let (to_between, to_b) = (
            i32::from(between) - i32::from(a),
            i32::from(b) - i32::from(a),
        );
        both += to_between * to_b;
        whole += to_b * to_b;
        part += to_between * to_between;
    }
    let [both, whole, part] = [both, whole, part].map(|sum| sum as f32);
    let share = both / whole;
    (share, (part - share * both) / whole)
}
