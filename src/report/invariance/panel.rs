//! Draws the main plot: the models of one panel, one row each, with score and retrieval side by side.

use maud::{Markup, html};
use vidpairs_invariance::run::{
    Figure, InvarianceSummary, MeasuredPanel, ModelScores, VersionScore,
};

use super::words;
use crate::report::models::number::finite;
use crate::report::models::plot::{Names, Row, plot};

pub(super) fn panel(summary: &InvarianceSummary, panel: &MeasuredPanel) -> Markup {
    let models = || panel.models.iter().map(Option::as_ref);
    let scores: Vec<Row> = models()
        .map(|model| score_row(model.and_then(ModelScores::shown)))
        .collect();
    let retrieval: Vec<Row> = models()
        .map(|model| retrieval_row(model.and_then(|scores| scores.retrieval), panel))
        .collect();
    let has_retrieval = retrieval.iter().any(|row| row.figure.is_some());
    let score_names = Names {
        title: words::shown_score(summary),
        floor: "random",
        floor_rest: " features",
    };
    let retrieval_names = Names {
        title: "Retrieval accuracy".to_owned(),
        floor: "chance",
        floor_rest: "",
    };
    html! {
        article.panel {
            div.heading {
                h3 { (words::invariance(panel)) }
                span.label { (words::origin(summary, panel)) }
                span.number { (words::counts(panel)) }
            }
            div class=(if has_retrieval { "plots two" } else { "plots" }) {
                (plot(&score_names, &summary.models, &scores))
                @if has_retrieval { (plot(&retrieval_names, &summary.models, &retrieval)) }
            }
        }
    }
}

fn score_row(score: Option<&VersionScore>) -> Row {
    let Some(score) = score else {
        return Row::default();
    };
    let floor = score.control();
    let controls = [score.control_gaussian, score.control_shuffled];
    let lower = controls
        .into_iter()
        .flatten()
        .filter_map(finite)
        .reduce(f64::min);
    Row {
        figure: Some(score.figure),
        floor,
        other_floor: lower.filter(|lower| Some(*lower) != floor),
        ceiling: finite(score.ceiling),
    }
}

fn retrieval_row(figure: Option<Figure>, panel: &MeasuredPanel) -> Row {
    let chance = panel.retrieval_chance.and_then(finite);
    Row {
        figure,
        floor: chance.filter(|_| figure.is_some()),
        ..Row::default()
    }
}

/// Legend of the plots.
pub(super) fn legend(summary: &InvarianceSummary) -> Markup {
    let models = summary.panels.iter().flat_map(|panel| &panel.models);
    let is_dashed = models
        .flatten()
        .any(|scores| score_row(scores.shown()).other_floor.is_some());
    html! {
        p.how {
            "All values are percent. A mark is a score, and the line through it its 95 % confidence interval. "
            span.swatch {} " The shade ends at the score of random features (control)"
            @if is_dashed { ": the higher of Gaussian and shuffled features of the same shape; the lower one is dashed. " }
            @else { ". " }
            "The thick vertical line is the ceiling, an upper bound for any features. "
            "Retrieval accuracy is the share of images whose nearest neighbour, near views excluded, shows the same object or \
            class; its shade ends at the chance level."
        }
    }
}
