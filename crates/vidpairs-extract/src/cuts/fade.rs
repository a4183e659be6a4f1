//! Finds fades through one color, and shots of one color.

use super::compare::{Look, distance};
use super::{Cut, CutKind, Seen};

/// Standard deviation of luma below which a frame shows nothing, levels.
const BLANK: f32 = 4.0;

/// Frames over which a fade may last on either side.
const LONGEST: usize = 30;

/// How much the contrast grows from frame to frame of a fade at least.
const GROWTH: f32 = 1.03;

/// Blank frames after which even the same picture begins a shot.
const LONG_BLANK: u64 = 25;

/// Least distance of the shots on either side.
const MIN_DISTANCE: u32 = 16;

/// Frames before and after the blank ones that are compared: something may have covered the picture and hide a part of it still.
const COMPARED: usize = 12;

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
    /// In a picture that fades in, for so many frames.
    FadeIn(Left, usize),
    /// In a picture that may be that of the shot that was left, for so many frames. The cut stands if it is not.
    Doubt(Left, Cut, usize),
}

/// The shot that was left.
struct Left {
    /// Its last frame before the fade, and what some of its frames looked like; `None` at the start of the video.
    last: Option<(u64, Vec<Look>)>,
    first_blank: u64,
    last_blank: u64,
}

impl Blanks {
    /// Judges the frame at `place`: the cut that is certain now.
    pub fn judge(&mut self, seen: &[Seen], place: usize) -> Option<Cut> {
        let this = &seen[place];
        let is_blank = this.look.is_blank();
        let (state, cut) = match std::mem::take(&mut self.state) {
            State::Blank(left) | State::FadeIn(left, _) if is_blank => {
                let last_blank = this.frame;
                (State::Blank(Left { last_blank, ..left }), None)
            }
            State::Doubt(_, cut, _) if is_blank => (State::Blank(left(seen, place)), Some(cut)),
            State::Shot if is_blank => (State::Blank(left(seen, place)), None),
            State::Shot => (State::Shot, None),
            State::Blank(left) => fade_in(seen, place, left, 0),
            State::FadeIn(left, num) => fade_in(seen, place, left, num + 1),
            State::Doubt(left, cut, num) => doubt(&this.look, left, cut, num + 1),
        };
        self.state = state;
        cut
    }

    /// The cut at the end of a video that ends in blank frames, or soon after some.
    pub fn end(self) -> Option<Cut> {
        match self.state {
            State::Shot => None,
            State::Doubt(_, cut, _) => Some(cut),
            State::Blank(left) | State::FadeIn(left, _) => left.last.map(|(before, _)| Cut {
                before,
                after: left.first_blank,
                kind: CutKind::Gradual,
            }),
        }
    }
}

/// The shot before the blank frame at `place`. Its last frame is that from which on the contrast falls.
fn left(seen: &[Seen], place: usize) -> Left {
    let mut last = place.saturating_sub(1);
    while last > 0
        && place - last < LONGEST
        && seen[last - 1].look.contrast > GROWTH * seen[last].look.contrast
    {
        last -= 1;
    }
    let frame = seen[place].frame;
    let looks = [last, last.saturating_sub(COMPARED)].map(|place| seen[place].look.clone());
    Left {
        last: (place > 0).then(|| (seen[last].frame, looks.to_vec())),
        first_blank: frame,
        last_blank: frame,
    }
}

/// Judges frame `num` after the blank ones.
fn fade_in(seen: &[Seen], place: usize, left: Left, num: usize) -> (State, Option<Cut>) {
    let this = &seen[place];
    let next = seen.get(place + 1);
    if num < LONGEST && next.is_some_and(|next| next.look.contrast > GROWTH * this.look.contrast) {
        return (State::FadeIn(left, num), None);
    }
    let Some((before, _)) = left.last else {
        let kind = match num {
            0 => CutKind::Hard,
            _ => CutKind::Gradual,
        };
        let before = left.last_blank;
        let after = this.frame;
        return (
            State::Shot,
            Some(Cut {
                before,
                after,
                kind,
            }),
        );
    };
    let cut = Cut {
        before,
        after: this.frame,
        kind: CutKind::Gradual,
    };
    doubt(&this.look, left, cut, 0)
}

/// Compares frame `num` after a fade with the shot that was left.
fn doubt(look: &Look, left: Left, cut: Cut, num: usize) -> (State, Option<Cut>) {
    if num == COMPARED || left.last_blank - left.first_blank > LONG_BLANK {
        return (State::Shot, Some(cut));
    }
    let mut looks = left.last.iter().flat_map(|(_, looks)| looks);
    if looks.any(|old| distance(old, look) < MIN_DISTANCE) {
        return (State::Shot, None);
    }
    (State::Doubt(left, cut, num), None)
}
