//! How models are told apart: by shape, by full or hollow, and by shade, so that neither a grey print nor an eye that
//! takes two colours for one mixes them up.

use maud::{Markup, html};

/// Around the origin, some 12 px wide.
const SHAPES: [&str; 6] = [
    "M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0Z",
    "M-4.9-4.9H4.9V4.9H-4.9Z",
    "M0-6.4L6.3 4.9H-6.3Z",
    "M0-6.9L6.9 0L0 6.9L-6.9 0Z",
    "M0 6.4L6.3-4.9H-6.3Z",
    "M-2.1-6.2H2.1V-2.1H6.2V2.1H2.1V6.2H-2.1V2.1H-6.2V-2.1H-2.1Z",
];

/// Of model `model_index`: its shade, as a class of `style.css`. The seventh has that of the first.
pub(super) fn shade(model_index: usize) -> &'static str {
    match model_index % SHAPES.len() {
        0 => "m0",
        1 => "m1",
        2 => "m2",
        3 => "m3",
        4 => "m4",
        _ => "m5",
    }
}

/// The mark of model `model_index`, its middle at `x`, `y`. From the seventh on what was full is hollow.
pub(super) fn mark_at(model_index: usize, x: &str, y: &str) -> Markup {
    let round = model_index / SHAPES.len();
    let body = match (model_index + round).is_multiple_of(2) {
        true => "full",
        false => "hollow",
    };
    let shape = SHAPES
        .get(model_index % SHAPES.len())
        .copied()
        .unwrap_or_default();
    html! {
        svg class={ "mark " (body) " " (shade(model_index)) } x=(x) y=(y) { path d=(shape) {} }
    }
}

/// The mark beside a model's name.
pub(super) fn key(model_index: usize) -> Markup {
    html! {
        svg.key width="16" height="16" aria-hidden="true" { (mark_at(model_index, "8", "8")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_models_have_marks_of_their_own() {
        let marks = (0..12).map(|it| key(it).into_string());
        let mut marks: Vec<String> = marks.collect();
        marks.sort();
        marks.dedup();
        assert_eq!(marks.len(), 12);
    }
}
