//! Draws rendered sets, and scores of trackers.

use indicatif::{HumanBytes, HumanCount};
use maud::{Markup, html};
use serde_json::Value;

use crate::experiment::{Experiment, TrackerScore};
use crate::report::models::number::{UNKNOWN, counted, finite, tenth};

pub(super) fn rendered_sets(experiment: &Experiment) -> Markup {
    let text = |settings: &Value, key| match settings.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => UNKNOWN.to_owned(),
    };
    html! {
        div.scroll {
            table.sums {
                thead { tr { @for heading in ["Folder", "Layout", "Seed", "Items", "Images", "Objects", "Size"] { th { (heading) } } } }
                tbody {
                    @for part in &experiment.rendered_sets {
                        @let (set, totals) = (&part.results.set, &part.results.totals);
                        tr {
                            th { (part.name) (super::notes(&part.notes)) }
                            td { (text(&set.settings, "kind")) }
                            td { (text(&set.settings, "seed")) }
                            td {
                                (HumanCount(totals.items))
                                @if totals.items_refused > 0 { ", " (HumanCount(totals.items_refused)) " could not be made" }
                            }
                            td { (HumanCount(totals.images)) }
                            td { (HumanCount(totals.objects)) }
                            td { (HumanBytes(totals.bytes)) }
                        }
                    }
                }
            }
        }
    }
}

const HEADINGS: [&str; 11] = [
    "Tracker",
    "Data",
    "Sequences",
    "AO",
    "SR 0.50",
    "SR 0.75",
    "Success",
    "Precision",
    "Norm. precision",
    "Median update",
    "Updates/s",
];

pub(super) fn trackers(experiment: &Experiment) -> Markup {
    html! {
        p.how {
            "AO, average overlap, and SR, the share of frames with an overlap above a threshold, as GOT-10k defines them; success and \
            precision as TrackingNet defines them. All are percent. The time is that of one update of one sequence."
        }
        @for part in &experiment.trackers {
            @let summary = &part.results.summary;
            h3.of-part {
                bdi { (part.name) } " "
                span {
                    (counted(summary.sequences as usize, "sequence", "sequences"))
                    @if summary.refused > 0 { ", " (HumanCount(summary.refused)) " refused" }
                }
            }
            (super::notes(&part.notes))
            div.scroll {
                table.sums {
                    thead { tr { @for heading in HEADINGS { th { (heading) } } } }
                    tbody { @for score in &summary.scores { (row(score)) } }
                }
            }
        }
    }
}

fn row(score: &TrackerScore) -> Markup {
    let shares = [
        score.ao,
        score.sr50,
        score.sr75,
        score.success,
        score.precision,
        score.normalized_precision,
    ];
    let median = score.speed.and_then(|speed| finite(speed.median_ms?));
    let rate = score
        .speed
        .and_then(|speed| finite(speed.updates_per_second?));
    html! {
        tr {
            th { (score.tracker) }
            td { (score.data) }
            td { (HumanCount(score.sequences)) }
            @for share in shares { td { (tenth(share.map(|share| 100.0 * share))) } }
            td { @match median { Some(ms) => { (format!("{ms:.2} ms")) }, None => (UNKNOWN) } }
            td { @match rate { Some(rate) => { (HumanCount(rate as u64)) }, None => (UNKNOWN) } }
        }
    }
}
