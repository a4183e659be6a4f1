//! The page and the plot of a run: what was sampled of it, in words.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use vidpairs_extract::run::{
    self, SampledFrame, SampledSequence, TrackOptions, TrackSample, TrackScore, TrackSummary,
};
use vidpairs_run::SetAside;

use super::CliError;
use crate::report::{
    self, Fact, SetAsideNote, SuccessCurve, TrackCard, TrackCurve, TrackTile, TracksPage,
    success_plot,
};

/// Sequences on a page.
const MAX_SEQUENCES: usize = 40;

/// A file that was written.
#[derive(Serialize)]
pub(super) struct Written {
    path: String,
    bytes: usize,
}

impl std::fmt::Display for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = indicatif::HumanBytes(self.bytes as u64);
        write!(f, "wrote {}, {size}", self.path)
    }
}

/// Writes the success plot of all trackers to `out`.
pub(super) fn write_plot(summary: &TrackSummary, out: &Path) -> Result<Written, CliError> {
    write(out, &plot(summary))
}

/// Writes the page to `out`.
pub(super) fn write_page(
    options: &TrackOptions,
    summary: &TrackSummary,
    out: &Path,
) -> Result<Written, CliError> {
    let sampled = run::sample_tracks(options, summary, MAX_SEQUENCES)?;
    let page = page(options, summary, &sampled);
    write(out, &report::render_tracks(&page))
}

fn write(out: &Path, text: &str) -> Result<Written, CliError> {
    report::write_page(out, text)?;
    Ok(Written {
        path: out.display().to_string(),
        bytes: text.len(),
    })
}

/// The scores over all data, one for each tracker.
fn overall(summary: &TrackSummary) -> impl Iterator<Item = &TrackScore> {
    let has_sum = summary.scores.iter().any(|it| it.data == "all");
    let scores = summary.scores.iter();
    scores.filter(move |it| !has_sum || it.data == "all")
}

fn plot(summary: &TrackSummary) -> String {
    let curves: Vec<SuccessCurve> = overall(summary)
        .filter(|it| !it.success_curve.is_empty())
        .map(|it| SuccessCurve {
            name: it.tracker.clone(),
            shares: it.success_curve.clone(),
        })
        .collect();
    let frames = overall(summary)
        .map(|it| it.scored_frames)
        .max()
        .unwrap_or(0);
    let sequences = overall(summary).map(|it| it.sequences).max().unwrap_or(0);
    let title = format!("Success on {sequences} sequences, {frames} frames");
    success_plot(&title, &curves)
}

fn page(options: &TrackOptions, summary: &TrackSummary, sample: &TrackSample) -> TracksPage {
    let trackers: Vec<String> = options
        .trackers
        .iter()
        .map(|it| it.name().to_owned())
        .collect();
    let tracked: BTreeSet<_> = summary
        .per_sequence
        .iter()
        .map(|it| (&it.score.data, &it.sequence))
        .collect();
    let (num_shown, num_tracked) = (sample.sequences.len(), tracked.len());
    let choice = match num_tracked > num_shown {
        true => format!(
            "Shown: the {num_shown} sequences of {num_tracked} that went worst, the worst first."
        ),
        false => format!("Shown: all {num_tracked} sequences, the worst first."),
    };
    let rows = summary.scores.iter().map(|it| it.row().to_vec());
    let heading = TrackScore::COLUMNS.map(str::to_owned).to_vec();
    TracksPage {
        title: title(options),
        headline: format!(
            "{} on {}",
            counted(trackers.len(), "tracker"),
            counted(num_tracked, "sequence")
        ),
        facts: facts(options, &trackers),
        set_aside: set_aside(&sample.set_aside),
        scores: std::iter::once(heading).chain(rows).collect(),
        plot: plot(summary),
        choice,
        cards: sample
            .sequences
            .iter()
            .map(|it| card(it, &trackers))
            .collect(),
        trackers,
    }
}

fn title(options: &TrackOptions) -> String {
    let name = options.out.file_name();
    let name = name.map_or_else(|| options.out.to_string_lossy(), |it| it.to_string_lossy());
    format!("Tracking: {name}")
}

fn facts(options: &TrackOptions, trackers: &[String]) -> Vec<Fact> {
    let data = options.data.iter();
    let data: Vec<String> = data
        .map(|it| format!("{} {}", it.kind.name(), it.root.display()))
        .collect();
    let facts = [
        ("data", data.join(", ")),
        ("trackers", trackers.join(", ")),
        (
            "written by",
            format!("vidpairs {}", env!("CARGO_PKG_VERSION")),
        ),
    ];
    facts.map(|(name, value)| Fact { name, value }).into()
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn set_aside(all: &SetAside) -> Vec<SetAsideNote> {
    let groups = all.reasons.iter();
    let notes = groups.map(|group| SetAsideNote {
        what: format!(
            "{} {} at {}",
            group.clips,
            group.outcome.name(),
            group.stage.name()
        ),
        reason: group.reason.clone(),
        example: group.example.clone(),
    });
    notes.collect()
}

fn card(sequence: &SampledSequence, trackers: &[String]) -> TrackCard {
    let track = |name: &String| sequence.tracks.iter().find(|it| it.tracker.name() == name);
    let curve = |name: &String| {
        track(name).map(|it| TrackCurve {
            overlap: it.overlaps.clone(),
            // In the first frame the box is given: there is nothing to be sure of.
            confidence: it
                .confidence
                .iter()
                .enumerate()
                .map(|(frame, it)| it.filter(|_| frame > 0))
                .collect(),
        })
    };
    let tile = |picture: &SampledFrame| {
        let frame = picture.frame;
        let of_tracker = |name: &String| {
            let track = track(name)?;
            let overlap = track.overlaps.get(frame).copied().flatten();
            Some((*track.boxes.get(frame)?, overlap))
        };
        TrackTile {
            frame,
            frame_size: sequence.frame_size,
            jpeg: picture.jpeg.clone(),
            truth: sequence.truth.get(frame).copied().flatten(),
            boxes: trackers.iter().map(of_tracker).collect(),
        }
    };
    let ao = sequence.tracks.iter().map(|it| {
        let name = it.tracker.name();
        it.ao
            .map_or_else(|| format!("{name} -"), |ao| format!("{name} {ao:.3}"))
    });
    let ao: Vec<String> = ao.collect();
    TrackCard {
        title: format!("{} {}", sequence.data, sequence.id),
        label: sequence.label.clone(),
        note: format!("{} frames · AO {}", sequence.truth.len(), ao.join(", ")),
        first_frame: sequence.first_frame,
        tiles: sequence.pictures.iter().map(tile).collect(),
        curves: trackers.iter().map(curve).collect(),
    }
}
