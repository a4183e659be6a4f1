//! Finds fades through one color, and shots of one color.

use super::compare::{Look, distance};
use super::{Cut, CutKind, Seen};

/// Standard deviation of luma below which a frame shows nothing, levels.
const BLANK: f32 = 4.0;

/// Frames over which a fade may last on either side.
const LONGEST: usize = 30;

/// Blank frames after which even the same picture begins a shot.
const LONG_BLANK: u64 = 25;

/// Least distance of the shots on either side.
const MIN_DISTANCE: u32 = 16;

impl Look {
    /// Whether the frame has one color, as black between two fades has.
    pub fn is_blank(&self) -> bool {
        self.contrast < BLANK
    }
}

/// The blank frames that pass by.
#[derive(Default)]
pub(super) struct Blanks {
    state: State,
}

#[derive(Default)]
enum State {
    /// In a shot, or before the first frame.
    #[default]
    Shot,
    /// In blank frames.
    Blank(Left),
    /// In a shot that fades in.
    FadeIn(Left, usize),
}

/// The shot that was left.
struct Left {
    /// Its last frame before the fade; `None` at the start of the video.
    last: Option<(u64, Box<Look>)>,
    first_blank: u64,
    last_blank: u64,
}

impl Blanks {
    /// Judges the frame at `place`: the cut that ends with it.
    pub fn judge(&mut self, seen: &[Seen], place: usize) -> Option<Cut> {
        let this = &seen[place];
        let is_blank = this.look.is_blank();
        match std::mem::take(&mut self.state) {
            State::Shot if is_blank => {
                self.state = State::Blank(Left {
                    last: last_of_shot(seen, place),
                    first_blank: this.frame,
                    last_blank: this.frame,
                });
                None
            }
            State::Shot => None,
            State::Blank(left) | State::FadeIn(left, _) if is_blank => {
                self.state = State::Blank(Left {
                    last_blank: this.frame,
                    ..left
                });
                None
            }
            State::Blank(left) => self.fade_in(seen, place, left, 0),
            State::FadeIn(left, num) => self.fade_in(seen, place, left, num + 1),
        }
    }

    /// Judges a frame after blank ones.
    fn fade_in(&mut self, seen: &[Seen], place: usize, left: Left, num: usize) -> Option<Cut> {
        let this = &seen[place];
        let next = seen.get(place + 1);
        if num < LONGEST && next.is_some_and(|next| next.look.contrast > 1.03 * this.look.contrast)
        {
            self.state = State::FadeIn(left, num);
            return None;
        }
        let is_long = left.last_blank - left.first_blank > LONG_BLANK;
        match left.last {
            Some((_, last)) if !is_long && distance(&last, &this.look) < MIN_DISTANCE => None,
            Some((before, _)) => Some(Cut {
                before,
                after: this.frame,
                kind: CutKind::Gradual,
            }),
            None => Some(Cut {
                before: left.last_blank,
                after: this.frame,
                kind: if num == 0 {
                    CutKind::Hard
                } else {
                    CutKind::Gradual
                },
            }),
        }
    }

    /// The cut at the end of a video that ends in blank frames.
    pub fn end(self) -> Option<Cut> {
        let (State::Blank(left) | State::FadeIn(left, _)) = self.state else {
            return None;
        };
        left.last.map(|(before, _)| Cut {
            before,
            after: left.first_blank,
            kind: CutKind::Gradual,
        })
    }
}

/// The last frame of the shot before the blank frame at `place`: that from which on the contrast falls.
fn last_of_shot(seen: &[Seen], place: usize) -> Option<(u64, Box<Look>)> {
    let mut last = place.checked_sub(1)?;
    while last > 0
        && place - last < LONGEST
        && seen[last - 1].look.contrast > 1.03 * seen[last].look.contrast
    {
        last -= 1;
    }
    Some((seen[last].frame, Box::new(seen[last].look.clone())))
}
