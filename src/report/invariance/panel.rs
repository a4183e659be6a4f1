//! The main plot: the models of one panel under each other, score and retrieval side by side.

use maud::{Markup, html};

use super::mark::{key, mark_at};
use super::number::{along, counted, finite, interval, level, tenth};
use super::short::shortened;
use super::title::origin;
use super::view::{Estimate, InvariancePage, ModelName, Panel, Score, ScoreKind};

/// Grid lines and numbers of an axis, percent.
const TICKS: [u8; 5] = [0, 25, 50, 75, 100];
/// A floor beyond this has its name at its left, percent.
const NAME_AT_LEFT_FROM: f64 = 45.0;
/// A ceiling up to this has its name at its right, percent.
const NAME_AT_RIGHT_TO: f64 = 85.0;
/// What the floor's name takes of the axis, and the ceiling's, percent.
const NAME_WIDTHS: (f64, f64) = (34.0, 14.0);
/// Letters of a name that have room beside a row; of more the styles would cut the end, where names differ.
const NAME: usize = 16;

/// What a row of a plot draws, percent.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    estimate: Option<Estimate>,
    /// What comes without learning: the shade ends there.
    floor: Option<f64>,
    /// A second level of the same kind, dashed.
    other_floor: Option<f64>,
    ceiling: Option<f64>,
}

/// Names over the levels of a plot.
struct Names {
    title: String,
    floor: &'static str,
    /// The rest of the floor's name, where there is room.
    floor_rest: &'static str,
}

pub(super) fn panel(page: &InvariancePage, panel: &Panel) -> Markup {
    let results = || panel.models.iter().map(Option::as_ref);
    let scores: Vec<Row> = results()
        .map(|it| it.map_or_else(Row::default, |it| score_row(it.score(page.shown))))
        .collect();
    let retrieval: Vec<Row> = results()
        .map(|it| retrieval_row(it.and_then(|it| it.retrieval), panel))
        .collect();
    let has_retrieval = retrieval.iter().any(|it| it.estimate.is_some());
    let score_names = Names {
        title: page.shown.words(),
        floor: "random",
        floor_rest: " features",
    };
    let retrieval_names = Names {
        title: "Retrieval".to_owned(),
        floor: "chance",
        floor_rest: "",
    };
    html! {
        article.panel {
            (heading(page, panel))
            div class=(if has_retrieval { "plots two" } else { "plots" }) {
                (plot(&score_names, &page.models, &scores))
                @if has_retrieval { (plot(&retrieval_names, &page.models, &retrieval)) }
            }
        }
    }
}

/// What the panel is of.
fn heading(page: &InvariancePage, panel: &Panel) -> Markup {
    html! {
        div.heading {
            h3 { (panel.invariance) }
            span.label { (origin(page, panel)) }
            span.number { (counts(panel)) }
        }
    }
}

/// `72,000 images, 1,000 sets, 1,000 objects`.
pub(super) fn counts(panel: &Panel) -> String {
    let counts = panel.counts;
    [
        counted(counts.images, "image", "images"),
        counted(counts.sets, "set", "sets"),
        counted(counts.targets, panel.target.one(), panel.target.many()),
    ]
    .join(", ")
}

fn score_row(score: Option<&Score>) -> Row {
    let Some(score) = score else {
        return Row::default();
    };
    let floor = score.control();
    let both = [score.control_gaussian, score.control_shuffled];
    let lower = both
        .into_iter()
        .flatten()
        .filter_map(finite)
        .reduce(f64::min);
    Row {
        estimate: Some(score.estimate),
        floor,
        other_floor: lower.filter(|it| Some(*it) != floor),
        ceiling: score.ceiling,
    }
}

fn retrieval_row(estimate: Option<Estimate>, panel: &Panel) -> Row {
    Row {
        estimate,
        floor: panel.retrieval_chance.filter(|_| estimate.is_some()),
        other_floor: None,
        ceiling: None,
    }
}

fn plot(names: &Names, models: &[ModelName], rows: &[Row]) -> Markup {
    let known = |value: fn(&Row) -> Option<f64>| {
        let known = rows.iter().filter_map(value).filter_map(finite);
        known.collect::<Vec<f64>>()
    };
    html! {
        div.plot {
            div.title { (names.title) }
            (level_names(names, &known(|it| it.floor), &known(|it| it.ceiling)))
            @for (index, (model, row)) in models.iter().zip(rows).enumerate() {
                div.name title=(model.name) { (key(index)) span { (shortened(&model.name, NAME, "…")) } }
                div.track { (track(index, *row)) }
                div.value { (value(row.estimate)) }
            }
            div.axis aria-hidden="true" {
                @for tick in TICKS { span style=(format!("left:{tick}%")) { (tick) @if tick == 100 { " %" } } }
            }
        }
    }
}

/// The names stand over the levels' lines in the first row, each at the side where there is room. A number stands there
/// only where it is that of all rows.
fn level_names(names: &Names, floors: &[f64], ceilings: &[f64]) -> Markup {
    let are_one = |floor: f64| {
        floors
            .iter()
            .all(|it| level(Some(*it)) == level(Some(floor)))
    };
    html! {
        div.levels aria-hidden="true" {
            @if let Some(&floor) = floors.first() {
                @let is_right = floor < NAME_AT_LEFT_FROM;
                span class=(if is_right { "after" } else { "before" }) style=(format!("left:{}", along(floor))) {
                    (names.floor) span.rest { (names.floor_rest) } @if are_one(floor) { " " b { (level(Some(floor))) } }
                }
            }
            @if let Some(&ceiling) = ceilings.first() && let Some(side) = ceiling_side(floors.first().copied(), ceiling) {
                span class=(side) style=(format!("left:{}", along(ceiling))) { "ceiling" }
            }
        }
    }
}

/// Where the ceiling's name stands; nowhere if it would lie on the floor's.
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
    let known = row.estimate.and_then(|it| it.known());
    html! {
        svg.row width="100%" height="28" aria-hidden="true" {
            @if let Some(floor) = row.floor.and_then(finite) {
                rect.floor x="0" y="0" height="28" width=(along(floor)) {}
            }
            @for tick in TICKS {
                @let x = format!("{tick}%");
                line.rule x1=(x) x2=(x) y1="0" y2="28" {}
            }
            @if let Some(floor) = row.floor.and_then(finite) { (upright("level", floor)) }
            @if let Some(floor) = row.other_floor.and_then(finite) { (upright("level dashes", floor)) }
            @if let Some(ceiling) = row.ceiling.and_then(finite) { (upright("ceiling", ceiling)) }
            @if let Some(known) = known {
                @if let Some(ends) = row.estimate.and_then(|it| it.ends()) { (whisker(ends.map(along), 14)) }
                (mark_at(model_index, &along(known), "14"))
            }
        }
    }
}

fn upright(class: &str, percent: f64) -> Markup {
    let x = along(percent);
    html! { line class=(class) x1=(x) x2=(x) y1="0" y2="28" {} }
}

/// An interval on the line `y` px. It has no caps: they would stick out from under the mark where it is narrow.
pub(super) fn whisker([low, high]: [String; 2], y: u8) -> Markup {
    html! { line.whisker x1=(low) x2=(high) y1=(y) y2=(y) {} }
}

fn value(estimate: Option<Estimate>) -> Markup {
    html! {
        @match estimate {
            Some(it) => {
                b { (tenth(it.known())) }
                @if let Some(ends) = interval(it.ends()) { span { (ends) } }
            }
            None => span { "not scored" },
        }
    }
}

/// What the marks of the plots mean, over the first of them.
pub(super) fn legend(page: &InvariancePage) -> Markup {
    let is_dashed = page
        .panels
        .iter()
        .any(|panel| has_two_controls(panel, page.shown));
    html! {
        p.how {
            "Percent. A mark is a score, the line through it its 95 % interval. "
            span.swatch {} " The shade is what features that learnt nothing get: "
            @if is_dashed { "it ends at the higher of two controls, Gaussian and shuffled features of the same shape; the dashed line is the lower. " }
            @else { "random ones of the same shape, or chance. " }
            "The thick upright line is the ceiling, the most that can be reached. "
            "Retrieval: share of the images whose nearest neighbour, near views left out, is of the same class or object."
        }
    }
}

fn has_two_controls(panel: &Panel, shown: ScoreKind) -> bool {
    let scores = panel
        .models
        .iter()
        .flatten()
        .filter_map(|it| it.score(shown));
    scores
        .map(|it| score_row(Some(it)))
        .any(|it| it.other_floor.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_levels_do_not_lie_on_each_other() {
        assert_eq!(ceiling_side(Some(20.0), 100.0), Some("before"));
        assert_eq!(ceiling_side(Some(20.0), 30.0), None);
        assert_eq!(ceiling_side(Some(20.0), 60.0), Some("after"));
        assert_eq!(ceiling_side(Some(70.0), 75.0), Some("after"));
        assert_eq!(ceiling_side(Some(95.0), 100.0), None);
        assert_eq!(ceiling_side(None, 40.0), Some("after"));
    }
}
