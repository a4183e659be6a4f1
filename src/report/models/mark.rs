//! Draws the marks of models. They differ in shape, in full or hollow, and in colour, so that they can be told apart in grey print and with
//! colour blindness.

use maud::{Markup, html};

/// Paths around the origin, about 12 px wide.
const SHAPES: [&str; 6] = [
    "M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0Z",
    "M-4.9-4.9H4.9V4.9H-4.9Z",
    "M0-6.4L6.3 4.9H-6.3Z",
    "M0-6.9L6.9 0L0 6.9L-6.9 0Z",
    "M0 6.4L6.3-4.9H-6.3Z",
    "M-2.1-6.2H2.1V-2.1H6.2V2.1H2.1V6.2H-2.1V2.1H-6.2V-2.1H-2.1Z",
];

/// Number of marks that differ in shape or in full and hollow.
pub(in crate::report) const DIFFERENT_MARKS: usize = 2 * SHAPES.len();

/// Colour of a model: a class of `style.css`. The seventh model has the colour of the first.
pub(in crate::report) fn shade(model_index: usize) -> &'static str {
    ["m0", "m1", "m2", "m3", "m4", "m5"][model_index % SHAPES.len()]
}

/// Mark of a model, its middle at `x`, `y`. From the seventh model on, full and hollow are exchanged.
pub(in crate::report) fn mark_at(model_index: usize, x: &str, y: &str) -> Markup {
    let round = model_index / SHAPES.len();
    let body = match (model_index + round).is_multiple_of(2) {
        true => "full",
        false => "hollow",
    };
    let shape = SHAPES[model_index % SHAPES.len()];
    html! {
        svg class={ "mark " (body) " " (shade(model_index)) } x=(x) y=(y) { path d=(shape) {} }
    }
}

/// Mark beside the name of a model.
pub(in crate::report) fn key(model_index: usize) -> Markup {
    html! {
        svg.key width="16" height="16" aria-hidden="true" { (mark_at(model_index, "8", "8")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_models_have_different_marks() {
        let marks = (0..DIFFERENT_MARKS).map(|model| key(model).into_string());
        let mut marks: Vec<String> = marks.collect();
        marks.sort();
        marks.dedup();
        assert_eq!(marks.len(), DIFFERENT_MARKS);
    }
}
