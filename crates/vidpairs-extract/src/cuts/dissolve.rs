//! Finds dissolves: pictures that turn evenly into another one.

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

/// Greatest share of the middle picture that is no mixture of the first and the last.
const MAX_FOREIGN: f32 = 0.25;

/// Greatest motion around the window beside that inside.
const MAX_AROUND: f32 = 0.85;

/// Weights of straightness, of the foreign share and of the motion around, beside the distance of the two pictures; least score. Set on
/// the tuning half of the clips of docs/CUTS.md.
const WEIGHTS: [f32; 3] = [15.0, 150.0, 9.0];
const MIN_SCORE: f32 = 29.0;

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
        let ends = (&seen[start], &seen[place]);
        let middle = &seen[(start + place) / 2].look;
        let Some(evenness) = evenness(ends, middle, inside.change) else {
            continue;
        };
        let least = best.map_or(MIN_SCORE, |(_, best)| best);
        let score = |distance: u32| distance as f32 + evenness - WEIGHTS[2] * around;
        if score(greatest_distance(&ends.0.look, &ends.1.look)) < least {
            continue;
        }
        let score = score(distance(&ends.0.look, &ends.1.look));
        if score >= least {
            best = Some((trimmed(&seen[start..=place], inside.change), score));
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

/// How evenly the first of two frames turns into the second, as a part of the score; `None` if it does not at all.
///
/// - `way`: sum of the changes of all steps between.
fn evenness((a, b): (&Seen, &Seen), middle: &Look, way: f32) -> Option<f32> {
    let change = luma_distance(&a.look, &b.look);
    let is_blank = [&a.look, middle, &b.look].into_iter().any(Look::is_blank);
    if is_blank || change < MIN_CHANGE || change < MIN_STRAIGHT * way {
        return None;
    }
    let foreign = foreign_share(&a.look, middle, &b.look).filter(|&share| share <= MAX_FOREIGN)?;
    Some(WEIGHTS[0] * change / way - WEIGHTS[1] * foreign)
}

/// Energy of `middle` that no mixture of `a` and `b` explains, beside that of their difference; `None` if the best mixture is
/// nearly one of the two.
fn foreign_share(a: &Look, middle: &Look, b: &Look) -> Option<f32> {
    let (mut both, mut whole, mut part) = (0i32, 0i32, 0i32);
    let ends = a.thumb.luma.iter().zip(&b.thumb.luma);
    for ((&a, &b), &middle) in ends.zip(&middle.thumb.luma) {
        let (to_middle, to_b) = (
            i32::from(middle) - i32::from(a),
            i32::from(b) - i32::from(a),
        );
        both += to_middle * to_b;
        whole += to_b * to_b;
        part += to_middle * to_middle;
    }
    let [both, whole, part] = [both, whole, part].map(|sum| sum as f32);
    let mixed = both / whole;
    (0.1..=0.9)
        .contains(&mixed)
        .then(|| (part - mixed * both) / whole)
}
