//! Renders the page of `vidpairs report`: what was trained on what, whether it learned, and what differs.
//!
//! **Takes** an [`Experiment`]. **Gives** one HTML file with embedded images, no script and no link to another file; the same
//! experiment gives the same bytes. **Fails** never. **Source**: HTML by maud, which escapes text.

mod axis;
mod chart;
mod claims;
mod curves;
mod data_sets;
mod groups;
mod measured;
mod overview;
mod rejected;
mod seeds;
mod settings;
mod student;
mod sums;

use maud::{Markup, html};

use super::models::number::counted;
use super::page::{self, Fact};
use super::{gallery, invariance, models, probe};
use crate::experiment::{Experiment, TrainingRun};
use groups::groups;

/// Maximum number of named folders in a title made of their names.
const MAX_NAMED: usize = 3;

/// Name of the program in the head of the page, by which later runs know that they may replace it.
const GENERATOR: &str = "vidpairs report";

/// A section of the page: address, title and contents.
type Section = (&'static str, String, Markup);

/// The page of an experiment.
///
/// - `title`: title of the page; `None` for the names of the folders.
pub fn render(experiment: &Experiment, title: Option<&str>) -> String {
    let title = title.map_or_else(|| title_of(experiment), str::to_owned);
    let sections = sections(experiment);
    let body = html! {
        header {
            (page::summary(&title, &experiment.counts().to_string(), &facts(experiment)))
            @if sections.len() > 1 {
                nav aria-label="Contents" {
                    @for (id, title, _) in &sections { a href={ "#" (id) } { (title) } }
                }
            }
        }
        main {
            @for (id, title, contents) in &sections {
                section.wide.part id=(id) {
                    h2.part { (title) }
                    (contents)
                }
            }
        }
        footer { (folders(experiment)) }
    };
    let generator = html! { meta name="generator" content=(GENERATOR); };
    page::page_with(&generator, &title, &style(), &body)
}

/// Whether a page was written by [`render`].
///
/// - `start`: the first 1,024 bytes of the page.
pub fn is_page_of_experiment(start: &[u8]) -> bool {
    String::from_utf8_lossy(start).contains(&format!("content=\"{GENERATOR}\""))
}

/// The style sheets of all parts. Those of other pages apply within their part only.
fn style() -> String {
    let own = include_str!("style.css").to_owned();
    let nested = [
        ("of-pairs", gallery::STYLE),
        ("of-invariances", invariance::STYLE),
        ("of-probes", probe::STYLE),
    ];
    // In a nested rule, `&` is the part.
    let nested =
        nested.map(|(class, style)| format!(".{class} {{\n{}}}\n", style.replace(":root", "&")));
    [models::STYLE.to_owned(), own]
        .into_iter()
        .chain(nested)
        .collect()
}

/// Names of the folders: `runs, shards`.
fn title_of(experiment: &Experiment) -> String {
    let dirs = experiment.dirs.iter();
    let names: Vec<String> = dirs.map(|dir| page::folder_name(dir)).collect();
    let shown = names.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>();
    match names.len().saturating_sub(MAX_NAMED) {
        0 => shown.join(", "),
        more => format!(
            "{} and {}",
            shown.join(", "),
            counted(more, "more folder", "more folders")
        ),
    }
}

fn facts(experiment: &Experiment) -> Vec<Fact> {
    let runs = experiment.runs.iter().map(|run| &run.results);
    let seconds: f64 = runs.filter_map(TrainingRun::seconds).sum();
    let measured = experiment
        .invariances
        .iter()
        .map(|part| part.results.summary.seconds);
    let probed = experiment
        .probes
        .iter()
        .map(|part| part.results.summary.seconds);
    let measured: f64 = measured
        .chain(probed)
        .filter(|seconds| seconds.is_finite())
        .sum();
    let notes = experiment.num_notes();
    let time = |seconds: f64| (seconds > 0.0).then(|| overview::duration(seconds));
    let facts = [
        ("written by", Some(versions(experiment))),
        ("time of training", time(seconds)),
        ("time of measuring", time(measured)),
        (
            "notes",
            (notes > 0).then(|| {
                format!(
                    "{}, at the end of the page",
                    counted(notes, "note", "notes")
                )
            }),
        ),
    ];
    let known = facts
        .into_iter()
        .filter_map(|(name, value)| Some(Fact::new(name, value?)));
    known.collect()
}

/// Versions of the program that wrote the results: `vidpairs 0.1.0`.
fn versions(experiment: &Experiment) -> String {
    let sets = experiment.data_sets.iter();
    let invariances = experiment.invariances.iter();
    let probes = experiment.probes.iter();
    let rendered = experiment.rendered_sets.iter();
    let trackers = experiment.trackers.iter();
    let all = (experiment.runs.iter())
        .map(|run| &run.results.program_version)
        .chain(sets.map(|set| &set.results.inspection.program_version))
        .chain(invariances.map(|part| &part.results.summary.program_version))
        .chain(probes.map(|part| &part.results.summary.program_version))
        .chain(rendered.map(|part| &part.results.set.program_version))
        .chain(trackers.map(|part| &part.results.run.program_version));
    let mut versions: Vec<&str> = all.map(String::as_str).collect();
    versions.sort_unstable();
    versions.dedup();
    format!("vidpairs {}", versions.join(", "))
}

fn sections(experiment: &Experiment) -> Vec<Section> {
    let groups = groups(experiment);
    let mut sections: Vec<Section> = Vec::new();
    let mut add = |id, title: &str, contents| sections.push((id, title.to_owned(), contents));
    if !groups.is_empty() {
        add(
            "runs",
            "Training runs",
            overview::overview(experiment, &groups),
        );
        let title = match groups.len() {
            1 => "Settings",
            _ => "Settings that differ between runs",
        };
        add("settings", title, settings::settings(&groups));
        add("curves", "Curves", curves::curves(&groups));
    }
    if !experiment.data_sets.is_empty() {
        add("data", "Data sets", data_sets::data_sets(experiment));
    }
    if !experiment.invariances.is_empty() {
        add(
            "invariances",
            "Invariances",
            measured::invariances(experiment, &groups),
        );
    }
    if !experiment.probes.is_empty() {
        add("probes", "Probes", measured::probes(experiment, &groups));
    }
    if !experiment.rendered_sets.is_empty() {
        add("rendered", "Rendered sets", sums::rendered_sets(experiment));
    }
    if !experiment.trackers.is_empty() {
        add("trackers", "Trackers", sums::trackers(experiment));
    }
    sections
}

/// The folders that were read, and what could not be read in them.
fn folders(experiment: &Experiment) -> Markup {
    html! {
        section.part id="folders" {
            h2 { "Folders of this page" }
            ul {
                @for (path, notes) in experiment.places() {
                    li {
                        (path)
                        @for note in notes { p.note { "⚠ " (note) } }
                    }
                }
            }
            @if !experiment.notes.is_empty() {
                h2 { "What could not be read" }
                ul { @for (path, note) in &experiment.notes { li { (path) p.note { "⚠ " (note) } } } }
            }
        }
    }
}

/// Problems of a part of the page.
fn notes(notes: &[String]) -> Markup {
    html! { @for note in notes { p.note { "⚠ " (note) } } }
}

#[cfg(test)]
mod tests;
