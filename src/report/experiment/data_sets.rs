//! Draws the data sets: facts, outcomes of clips and tracklets, some pairs and rejected tracklets.

use maud::{Markup, html};

use super::rejected::{reason, rejected};
use crate::experiment::{DataSet, Experiment, Part};
use crate::report::gallery;
use crate::report::models::number::{along, counted, grouped, tenth, whole};
use crate::report::page;

/// Number of data sets up to which the facts of each are open; with more data sets they are folded.
const OPEN_UP_TO: usize = 2;

pub(super) fn data_sets(experiment: &Experiment) -> Markup {
    let is_open = experiment.data_sets.len() <= OPEN_UP_TO;
    html! { @for set in &experiment.data_sets { (data_set(set, is_open)) } }
}

fn data_set(part: &Part<DataSet>, is_open: bool) -> Markup {
    let DataSet {
        inspection,
        records,
        rejected: tracklets,
        ..
    } = &part.results;
    html! {
        section.wide.of-pairs {
            h3.of-part { bdi { (part.name) } " " span { (inspection.headline()) } }
            (super::notes(&part.notes))
            details.printed open[is_open] {
                summary { "Facts and settings" }
                (page::facts(&gallery::head::facts(inspection)))
            }
            (outcomes(part))
            (page::set_aside("Clips set aside", &inspection.set_aside))
            @if !records.is_empty() {
                h4 { (counted(records.len(), "record", "records")) ", evenly spread over the data set" }
                details {
                    summary { "How to read the records" }
                    (gallery::legend(records))
                }
                div class=(gallery::grid_class(records)) { @for record in records { (gallery::card::card(record)) } }
            }
            (rejected(tracklets))
        }
    }
}

/// What became of clips and tracklets, as bars.
fn outcomes(part: &Part<DataSet>) -> Markup {
    let inspection = &part.results.inspection;
    let totals = inspection.totals;
    let set_aside = totals.refused.saturating_add(totals.skipped);
    let clips = [
        (
            "used",
            totals
                .clips
                .saturating_sub(set_aside)
                .saturating_sub(totals.partial),
        ),
        ("used in part", totals.partial),
        ("refused", totals.refused),
        ("skipped by a rule", totals.skipped),
    ];
    let clips: Vec<(String, u64)> = clips.map(|(name, num)| (name.to_owned(), num)).into();
    let tracklets = inspection.tracklets.as_ref().map(|counts| {
        let mut rejected: Vec<(&String, &u64)> = counts.rejected.iter().collect();
        rejected.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let rejected = rejected
            .into_iter()
            .map(|(name, num)| (format!("rejected: {}", reason(name)), *num));
        let trusted = ("trusted".to_owned(), counts.num_trusted());
        (
            counts.tracklets,
            [trusted].into_iter().chain(rejected).collect::<Vec<_>>(),
        )
    });
    html! {
        div.outcomes {
            (bars("Clips", totals.clips, &clips))
            @if let Some((num, outcomes)) = tracklets { (bars("Tracklets", num, &outcomes)) }
        }
    }
}

fn bars(title: &str, num: u64, outcomes: &[(String, u64)]) -> Markup {
    let percent = |count: u64| 100.0 * count as f64 / num.max(1) as f64;
    html! {
        figure.bars {
            figcaption { b { (title) } " " span { (grouped(num as usize)) } }
            @for (name, count) in outcomes.iter().filter(|(_, count)| *count > 0) {
                @let width = along(percent(*count));
                span.of { (name) }
                svg width="100%" height="12" aria-hidden="true" {
                    rect.room x="0" y="0" width="100%" height="12" {}
                    rect.length x="0" y="0" height="12" width=(width) {}
                }
                span.count { b { (grouped(*count as usize)) } " " (whole(&tenth(Some(percent(*count))))) "\u{a0}%" }
            }
        }
    }
}
