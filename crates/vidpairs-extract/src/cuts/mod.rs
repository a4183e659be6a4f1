//! Finds the changes of shot in a video while its frames pass by.
//!
//! **Takes** the planes of frames in ascending order, all of them or some. **Gives** the [`Cut`]s in order. **Fails** never: a frame
//! whose planes are short is not looked at.

mod compare;
mod dissolve;
mod fade;
mod hard;
#[cfg(test)]
mod tests;
mod thumb;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use vidpairs_types::Planes;

use compare::{Look, distance, luma_distance};
use fade::Blanks;
use thumb::Thumb;

/// A change of shot between two frames that were looked at.
///
/// The frames `a <= p` of a pair lie in one shot if `p <= before` or `a >= after` for each cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Index of the last frame that wholly belongs to the shot before.
    pub before: u64,
    /// Index of the first frame that wholly belongs to the shot after.
    pub after: u64,
    /// Kind of transition.
    pub kind: CutKind,
}

/// Kind of transition between two shots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CutKind {
    /// One frame shows the shot before, the next one that was looked at shows the shot after.
    Hard,
    /// Frames between show both shots, or a shot that fades: a dissolve or a fade.
    Gradual,
}

/// Detector of cuts. It keeps small pictures of the last 48 frames and the cuts found.
#[derive(Default)]
pub struct CutDetector {
    /// The last frames, oldest first.
    window: VecDeque<Seen>,
    /// Frames of the window whose turn has come.
    num_judged: usize,
    blanks: Blanks,
    /// Cuts found by each rule, in the order of trust: fades, hard cuts, dissolves.
    fades: Vec<Cut>,
    hard: Vec<Cut>,
    dissolves: Vec<(Cut, f32)>,
}

/// A frame that was looked at.
struct Seen {
    frame: u64,
    look: Look,
    /// [`distance`] from the frame before; 0 for the first.
    step: u32,
    /// [`luma_distance`] from the frame before; 0 for the first.
    luma_step: f32,
}

/// Frames of the window.
const WINDOW: usize = 48;

/// Frames after a frame that are seen before it is judged.
const AHEAD: usize = 4;

impl CutDetector {
    /// A detector that has seen no frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at the next frame. Its size and format may differ from those of the frames before.
    ///
    /// - `frame`: frame index, greater than that of the frame before.
    pub fn push(&mut self, frame: u64, planes: &Planes) {
        let Ok(thumb) = Thumb::of(planes) else {
            return;
        };
        let look = Look::of(thumb);
        let (step, luma_step) = self.window.back().map_or((0, 0.0), |last| {
            (
                distance(&last.look, &look),
                luma_distance(&last.look, &look),
            )
        });
        if self.window.len() == WINDOW {
            self.window.pop_front();
            self.num_judged -= 1;
        }
        self.window.push_back(Seen {
            frame,
            look,
            step,
            luma_step,
        });
        while self.num_judged + AHEAD < self.window.len() {
            self.judge();
        }
    }

    /// The cuts, in order.
    pub fn finish(mut self) -> Vec<Cut> {
        while self.num_judged < self.window.len() {
            self.judge();
        }
        self.fades.extend(self.blanks.end());
        let mut cuts = self.fades;
        for cut in self.hard {
            add(&mut cuts, cut);
        }
        for (cut, _) in self.dissolves {
            add(&mut cuts, cut);
        }
        cuts.sort_unstable_by_key(|cut| cut.before);
        cuts
    }

    /// Judges the next frame of the window.
    fn judge(&mut self) {
        let seen = self.window.make_contiguous();
        let place = self.num_judged;
        self.num_judged += 1;
        self.fades.extend(self.blanks.judge(seen, place));
        if let Some(cut) = hard::judge(seen, place) {
            self.hard.push(cut);
        }
        if let Some((cut, score)) = dissolve::judge(seen, place) {
            match self.dissolves.last_mut() {
                // Windows over one dissolve: the best one stands for all.
                Some((last, best)) if last.after > cut.before => {
                    if score > *best {
                        (*last, *best) = (cut, score);
                    }
                }
                _ => self.dissolves.push((cut, score)),
            }
        }
    }
}

/// Adds a cut unless one that is there already lies in the same frames.
fn add(cuts: &mut Vec<Cut>, cut: Cut) {
    let is_known = |known: &Cut| known.before < cut.after && cut.before < known.after;
    if !cuts.iter().any(is_known) {
        cuts.push(cut);
    }
}
