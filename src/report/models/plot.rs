//! Draws models in rows, each with its value and interval on one axis.

use maud::{Markup, html};
use vidpairs_invariance::run::{Figure, MeasuredModel};

use super::mark::{key, mark_at};
use super::number::{self, along, interval, known, level, shortened, tenth};

/// Grid lines and numbers of an axis, percent.
const TICKS: [u8; 5] = [0, 25, 50, 75, 100];
/// Floor from which its name is at its left, percent.
const NAME_AT_LEFT_FROM: f64 = 45.0;
/// Ceiling up to which its name is at its right, percent.
const NAME_AT_RIGHT_TO: f64 = 85.0;
/// Widths of the names of floor and ceiling, percent of the axis.
const NAME_WIDTHS: (f64, f64) = (34.0, 14.0);
/// Maximum number of letters of a model's name. The style sheet would cut longer names at their end, where names differ.
const NAME: usize = 16;

/// Values of a row of a plot, percent.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::report) struct Row {
    pub figure: Option<Figure>,
    /// Level without learning: end of the shade.
    pub floor: Option<f64>,
    /// The lower of two controls, dashed.
    pub other_floor: Option<f64>,
    pub ceiling: Option<f64>,
}

/// Title of a plot, and names of its levels.
pub(in crate::report) struct Names {
    pub title: String,
    pub floor: &'static str,
    /// Rest of the floor's name, hidden on narrow screens.
    pub floor_rest: &'static str,
}

/// A row for each model: its value and interval on an axis from 0 to 100 %, and the levels to compare it with.
pub(in crate::report) fn plot(names: &Names, models: &[MeasuredModel], rows: &[Row]) -> Markup {
    let floors: Vec<f64> = rows.iter().filter_map(|row| row.floor).collect();
    let ceiling = rows.iter().find_map(|row| row.ceiling);
    html! {
        div.plot {
            div.title { (names.title) }
            (level_names(names, &floors, ceiling))
            @for (index, (model, row)) in models.iter().zip(rows).enumerate() {
                div.name title=(model.name) { (key(index)) span { (shortened(&model.name, NAME, "…")) } }
                div.track { (track(index, *row)) }
                div.value { (value(row.figure)) }
            }
            div.axis aria-hidden="true" {
                @for tick in TICKS { span style=(format!("left:{tick}%")) { (tick) @if tick == 100 { " %" } } }
            }
        }
    }
}

/// The names over the lines of the levels in the first row, each on the side where there is room. The floor has a number if it is the same
/// for all rows.
fn level_names(names: &Names, floors: &[f64], ceiling: Option<f64>) -> Markup {
    let is_same_as = |floor: f64| {
        floors
            .iter()
            .all(|other| level(Some(*other)) == level(Some(floor)))
    };
    html! {
        div.levels aria-hidden="true" {
            @if let Some(&floor) = floors.first() {
                @let is_right = floor < NAME_AT_LEFT_FROM;
                span class=(if is_right { "after" } else { "before" }) style=(format!("left:{}", along(floor))) {
                    (names.floor) span.rest { (names.floor_rest) }
                    @if is_same_as(floor) { " " b { (level(Some(floor))) } }
                }
            }
            @if let Some(ceiling) = ceiling && let Some(side) = ceiling_side(floors.first().copied(), ceiling) {
                span class=(side) style=(format!("left:{}", along(ceiling))) { "ceiling" }
            }
        }
    }
}

/// Side of the ceiling's name; none if it would overlap the floor's name.
fn ceiling_side(floor: Option<f64>, ceiling: f64) -> Option<&'static str> {
    let (side, start) = match ceiling <= NAME_AT_RIGHT_TO {
        true => ("after", ceiling),
        false => ("before", ceiling - NAME_WIDTHS.1),
    };
    let end_of_floor = match floor {
        None => f64::NEG_INFINITY,
        Some(floor) if floor < NAME_AT_LEFT_FROM => floor + NAME_WIDTHS.0,
        Some(floor) => floor,
    };
    (start >= end_of_floor).then_some(side)
}

fn track(model_index: usize, row: Row) -> Markup {
    html! {
        svg.row width="100%" height="28" aria-hidden="true" {
            @if let Some(floor) = row.floor {
                rect.floor x="0" y="0" height="28" width=(along(floor)) {}
            }
            @for tick in TICKS {
                @let x = format!("{tick}%");
                line.rule x1=(x) x2=(x) y1="0" y2="28" {}
            }
            @if let Some(floor) = row.floor { (upright("level", floor)) }
            @if let Some(floor) = row.other_floor { (upright("level dashes", floor)) }
            @if let Some(ceiling) = row.ceiling { (upright("ceiling", ceiling)) }
            @if let Some(figure) = row.figure && let Some(value) = known(figure) {
                @if let Some(ends) = number::ends(figure.interval) { (whisker(ends.map(along), 14)) }
                (mark_at(model_index, &along(value), "14"))
            }
        }
    }
}

fn upright(class: &str, percent: f64) -> Markup {
    let x = along(percent);
    html! { line class=(class) x1=(x) x2=(x) y1="0" y2="28" {} }
}

/// An interval, drawn at height `y` px. It has no caps, which would stick out from under the mark of a narrow interval.
pub(in crate::report) fn whisker([low, high]: [String; 2], y: u8) -> Markup {
    html! { line.whisker x1=(low) x2=(high) y1=(y) y2=(y) {} }
}

fn value(figure: Option<Figure>) -> Markup {
    html! {
        @match figure {
            Some(figure) => {
                b { (tenth(Some(figure.value))) }
                @if let Some(ends) = interval(figure.interval) { span { (ends) } }
            }
            None => span { "not scored" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_levels_do_not_overlap() {
        assert_eq!(ceiling_side(Some(20.0), 100.0), Some("before"));
        assert_eq!(ceiling_side(Some(20.0), 30.0), None);
        assert_eq!(ceiling_side(Some(20.0), 60.0), Some("after"));
        assert_eq!(ceiling_side(Some(70.0), 75.0), Some("after"));
        assert_eq!(ceiling_side(Some(95.0), 100.0), None);
        assert_eq!(ceiling_side(None, 40.0), Some("after"));
    }
}
