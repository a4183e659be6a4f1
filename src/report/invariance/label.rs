//! Selects the points of a paired plot that are labelled, and places their labels.

use crate::report::models::number::{shortened, width_of};

/// Side of the plot field, and position of its corner, px.
pub(super) const FIELD: f64 = 330.0;
pub(super) const LEFT: f64 = 50.0;
pub(super) const TOP: f64 = 10.0;
/// Words in the corners of the field, before the name of a model.
pub(super) const HIGHER: &str = "higher with ";
/// Number of labelled targets on each side of the diagonal.
const NAMED: usize = 2;
/// Number of targets up to which all are labelled, as far as there is room.
const FEW: usize = 15;
/// Maximum number of letters of a label.
const LETTERS: usize = 18;
/// Width of a letter and height of a line, px.
const LETTER: (f64, f64) = (6.4, 13.0);

/// A target that can be drawn: its name, and its scores under both models.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub name: &'a str,
    pub a: f64,
    pub b: f64,
}

/// A label, its point and its position.
pub(super) struct Label<'a> {
    pub name: &'a str,
    pub point: (f64, f64),
    pub x: f64,
    pub y: f64,
    pub anchor: &'static str,
}

impl Label<'_> {
    /// Left, top, right, bottom.
    fn bounds(&self) -> [f64; 4] {
        let width = LETTER.0 * width_of(&cut(self.name)) as f64;
        let left = match self.anchor {
            "start" => self.x,
            _ => self.x - width,
        };
        [left, self.y + 3.0 - LETTER.1, left + width, self.y + 3.0]
    }
}

/// Labels of the targets with the largest differences, or of all if they are few. Labels that would overlap are left out.
pub(super) fn labels<'a>(
    places: &[Place<'a>],
    x: impl Fn(f64) -> f64,
    y: impl Fn(f64) -> f64,
) -> Vec<Label<'a>> {
    let mut ranked: Vec<&Place<'_>> = places.iter().collect();
    ranked.sort_by(|p, q| (q.b - q.a).abs().total_cmp(&(p.b - p.a).abs()));
    let most = match places.len() {
        few if few <= FEW => few,
        _ => NAMED,
    };
    let higher = ranked.iter().filter(|place| place.b >= place.a).take(most);
    let lower = ranked.iter().filter(|place| place.b < place.a).take(most);
    // The words in the corners take precedence.
    let (right, bottom) = (LEFT + FIELD, TOP + FIELD);
    let words = LETTER.0 * (LETTERS + HIGHER.len()) as f64;
    let mut taken = vec![
        [LEFT, TOP, LEFT + words, TOP + 22.0],
        [right - words, bottom - 22.0, right, bottom],
    ];
    let mut labels: Vec<Label<'_>> = Vec::new();
    for place in higher.chain(lower) {
        let (px, py) = (x(place.a), y(place.b));
        let label = |x, anchor| Label {
            name: place.name,
            point: (px, py),
            x,
            y: py + 4.0,
            anchor,
        };
        let sides = [label(px + 7.0, "start"), label(px - 7.0, "end")];
        let is_free = |label: &Label<'_>| {
            let bounds = label.bounds();
            bounds[0] >= LEFT
                && bounds[2] <= right
                && !taken.iter().any(|other| overlap(bounds, *other))
        };
        if let Some(label) = sides.into_iter().find(is_free) {
            taken.push(label.bounds());
            labels.push(label);
        }
    }
    labels
}

fn overlap(a: [f64; 4], b: [f64; 4]) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/// A name shortened to the room of a label.
pub(super) fn cut(name: &str) -> String {
    shortened(name, LETTERS, "…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_overlap() {
        let crowd = |count: u8| {
            let places = (0..count).map(|index| Place {
                name: "same",
                a: 40.0,
                b: 60.0 + 0.1 * f64::from(index),
            });
            places.collect::<Vec<_>>()
        };
        let count = |places: &[Place<'_>]| labels(places, |a| a * 3.0, |b| 300.0 - b * 3.0).len();
        // One on each side of the crowd.
        assert_eq!(count(&crowd(50)), 2);
        assert_eq!(count(&crowd(10)), 2);
        let apart: Vec<Place<'_>> = (0..8_u8)
            .map(|index| Place {
                name: "apart",
                a: 20.0 + 8.0 * f64::from(index),
                b: 30.0 + 5.0 * f64::from(index),
            })
            .collect();
        assert_eq!(count(&apart), 8);
    }
}
