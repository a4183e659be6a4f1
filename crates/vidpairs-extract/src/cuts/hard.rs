//! Finds hard cuts.

use super::compare::distance;
use super::{Cut, CutKind, Seen};

/// Least distance of two shots.
const MIN_STEP: u32 = 26;

/// Frames on either side whose steps say how much the picture changes anyway.
const NEAR: usize = 4;

/// Least ratio of the step of a cut to the usual one, which only a quarter of the steps near by exceed, as a fraction. It and the other
/// numbers are set on the tuning half of the clips of docs/CUTS.md.
const TIMES_USUAL: (u32, u32) = (8, 5);

/// Least ratio of the distances between frames before and after the cut to its step, as a fraction.
const LASTING: (u32, u32) = (7, 10);

/// Decides whether there is a cut before the frame at `place`.
pub(super) fn judge(seen: &[Seen], place: usize) -> Option<Cut> {
    let (last, this) = (seen.get(place.checked_sub(1)?)?, &seen[place]);
    if this.step < MIN_STEP || last.look.is_blank() || this.look.is_blank() {
        return None;
    }
    let near = place.saturating_sub(NEAR).max(1)..(place + NEAR + 1).min(seen.len());
    let mut near: Vec<u32> = near
        .filter(|&other| other != place)
        .map(|other| seen[other].step)
        .collect();
    near.sort_unstable();
    let usual = near.get(near.len() * 3 / 4).copied().unwrap_or(0);
    if TIMES_USUAL.1 * this.step < TIMES_USUAL.0 * usual {
        return None;
    }
    // After a flash, or behind something that passed by, the shot before goes on.
    let later = &seen[place + 1..(place + NEAR).min(seen.len())];
    let earlier = &seen[place.saturating_sub(NEAR)..place - 1];
    let is_back =
        |a: &Seen, b: &Seen| LASTING.1 * distance(&a.look, &b.look) < LASTING.0 * this.step;
    if later.iter().any(|later| is_back(last, later))
        || earlier.iter().any(|earlier| is_back(earlier, this))
    {
        return None;
    }
    Some(Cut {
        before: last.frame,
        after: this.frame,
        kind: CutKind::Hard,
    })
}
