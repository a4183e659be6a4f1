//! Finds the changes of shot in a video while its frames pass by.
//!
//! **Takes** the planes of frames in ascending order, all of them or some. **Gives** the [`Cut`]s in order. **Fails** never: a frame
//! whose planes are short is not looked at.

mod thumb;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use vidpairs_types::Planes;

use thumb::{COLUMNS, ROWS, Thumb};

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

/// Detector of cuts. It keeps a thumbnail of each of the last few frames and the cuts found, nothing else.
#[derive(Default)]
pub struct CutDetector {
    /// The last frames, oldest first, at most [`WINDOW`].
    window: VecDeque<(u64, Thumb)>,
    cuts: Vec<Cut>,
}

/// Frames that decide whether there is a cut between the two in the middle.
const WINDOW: usize = 8;

/// Least distance of two shots, levels.
const MIN_DISTANCE: u32 = 18;

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
        self.window.push_back((frame, thumb));
        if self.window.len() > WINDOW {
            self.window.pop_front();
        }
        if self.window.len() == WINDOW {
            self.decide(WINDOW / 2);
        } else if self.window.len() > WINDOW / 2 {
            self.decide(self.window.len() - WINDOW / 2);
        }
    }

    /// The cuts, in order.
    pub fn finish(mut self) -> Vec<Cut> {
        let len = self.window.len();
        for place in len.saturating_sub(WINDOW / 2 - 1).max(1)..len {
            self.decide(place);
        }
        self.cuts
    }

    /// Decides whether there is a cut before the frame at `place` of the window.
    fn decide(&mut self, place: usize) {
        let window = self.window.make_contiguous();
        let apart = |a: usize, b: usize| distance(&window[a].1, &window[b].1);
        let step = apart(place - 1, place);
        if step < MIN_DISTANCE {
            return;
        }
        let near = (1..window.len()).filter(|&other| other.abs_diff(place) < 4 && other != place);
        let mut near: Vec<u32> = near.map(|other| apart(other - 1, other)).collect();
        near.sort_unstable();
        let usual = near.get(near.len() / 2).copied().unwrap_or(0);
        let is_flash = (place + 1..window.len()).any(|later| 2 * apart(place - 1, later) < step)
            || (0..place - 1).any(|earlier| 2 * apart(earlier, place) < step);
        if step >= 3 * usual && !is_flash {
            self.cuts.push(Cut {
                before: window[place - 1].0,
                after: window[place].0,
                kind: CutKind::Hard,
            });
        }
    }
}

/// Farthest shift of the whole picture between two frames, cells.
const SHIFT: i32 = 4;

/// Mean difference of the luma of two frames where it is least under a shift of the whole picture, levels.
fn distance(a: &Thumb, b: &Thumb) -> u32 {
    let shifts =
        (-SHIFT..=SHIFT).flat_map(|down| (-SHIFT..=SHIFT).map(move |across| (across, down)));
    shifts
        .map(|(across, down)| {
            let (columns, rows) = (
                COLUMNS - across.unsigned_abs() as usize,
                ROWS - down.unsigned_abs() as usize,
            );
            let (left, top) = (across.max(0) as usize, down.max(0) as usize);
            let (left_b, top_b) = ((-across).max(0) as usize, (-down).max(0) as usize);
            let mut sum = 0u32;
            for row in 0..rows {
                let start = (top + row) * COLUMNS + left;
                let start_b = (top_b + row) * COLUMNS + left_b;
                let cells = a.luma[start..start + columns].iter();
                let pairs = cells.zip(&b.luma[start_b..start_b + columns]);
                sum += pairs.map(|(&a, &b)| u32::from(a.abs_diff(b))).sum::<u32>();
            }
            sum / (columns * rows) as u32
        })
        .min()
        .unwrap_or(0)
}
