//! Renders the page of `vidpairs track --gallery`: scores, and sequences with the boxes of every tracker and their overlap over time.

mod card;
mod chart;
mod plot;
mod stroke;

use std::collections::BTreeSet;

use maud::{Markup, html};
use vidpairs_extract::run::{TrackOptions, TrackSample, TrackScore, TrackSummary};
use vidpairs_extract::track::TrackerKind;
use vidpairs_run::counted;

use super::page::{self, Fact};
use super::picture::data_uri;
use stroke::stroke;

pub use plot::success_plot;

/// Maximum number of sequences on a page.
pub const MAX_SEQUENCES: usize = 40;

/// The page of a run: one HTML file with embedded images.
///
/// - `sample`: the worst sequences of the run, at most [`MAX_SEQUENCES`].
pub fn render(options: &TrackOptions, summary: &TrackSummary, sample: &TrackSample) -> String {
    let title = format!("Tracking: {}", page::folder_name(&options.out));
    let rows = summary.per_sequence.iter();
    let tracked: BTreeSet<_> = rows.map(|row| (&row.score.data, &row.sequence)).collect();
    let (num_trackers, num_tracked) = (options.trackers.len() as u64, tracked.len() as u64);
    let tracked = counted(num_tracked, "sequence");
    let headline = format!("{} on {tracked}", counted(num_trackers, "tracker"));
    let choice = match sample.sequences.len() as u64 {
        num_shown if num_shown < num_tracked => {
            format!("Shown: the {num_shown} worst of {tracked}, the worst first.")
        }
        _ => format!("Shown: all {tracked}, the worst first."),
    };
    let plot = success_plot(summary);
    let body = html! {
        header {
            (page::summary(&title, &headline, &facts(options)))
            div.overview {
                img.plot src=(data_uri("image/svg+xml", plot.as_bytes())) alt="success plot";
                (table(&summary.scores))
            }
            (page::set_aside("Sequences set aside", &sample.set_aside))
            (legend(&options.trackers, &choice))
        }
        main.grid {
            @for sequence in &sample.sequences { (card::card(sequence, &options.trackers)) }
            @if sample.sequences.is_empty() { p { "There are no sequences to show." } }
        }
    };
    page::page(&title, include_str!("style.css"), &body)
}

fn facts(options: &TrackOptions) -> Vec<Fact> {
    let data = options.data.iter();
    let data = data.map(|data| format!("{} {}", data.kind.name(), data.root.display()));
    let trackers = options.trackers.iter().map(|tracker| tracker.name());
    vec![
        Fact::new("data", data.collect::<Vec<_>>().join(", ")),
        Fact::new("trackers", trackers.collect::<Vec<_>>().join(", ")),
        Fact::new(
            "written by",
            concat!("vidpairs ", env!("CARGO_PKG_VERSION")),
        ),
    ]
}

fn table(scores: &[TrackScore]) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { @for heading in TrackScore::COLUMNS { th { (heading) } } } }
                tbody { @for score in scores { tr { @for cell in score.row() { td { (cell) } } } } }
            }
        }
    }
}

fn legend(trackers: &[TrackerKind], choice: &str) -> Markup {
    html! {
        section.legend {
            h2 { "How to read this page" }
            p {
                span.key { (sample("truth")) " ground truth" }
                @for (index, tracker) in trackers.iter().enumerate() {
                    span.key { (sample(stroke(index).class)) (chart::sample(index)) " " (tracker.name()) }
                }
            }
            p {
                "Under each picture: number of the frame in the sequence, from 0, and overlap (IoU) of each \
                tracker's box with the ground truth. Below, over all frames: the overlap, and the confidence that \
                each tracker stated. Grey stretches are not scored: there is no ground truth, or the target is not \
                visible. The small marks are the frames of the pictures."
            }
            p { (choice) }
        }
    }
}

/// A small box as it looks on a picture.
fn sample(class: &str) -> Markup {
    html! {
        span.sample aria-hidden="true" {
            svg viewBox="0 0 24 16" { (card::outline(class, [3.0, 3.0, 18.0, 10.0])) }
        }
    }
}

#[cfg(test)]
mod tests;
