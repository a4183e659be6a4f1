//! Runs `vidpairs track`: checks the options, tracks, and writes the page and the plot.

use std::path::PathBuf;
use std::process::ExitCode;

use vidpairs_extract::run::{self, TrackData, TrackDataKind, TrackOptions};
use vidpairs_extract::track::TrackerKind;
use vidpairs_run::Verbosity;

use super::args::TrackArgs;
use super::neighbour::Neighbour;
use super::output::{Output, PAGE, PLOT, Shown, Written, check_output};
use super::{CliError, Program};
use crate::report::tracks;

pub(super) fn track(args: &TrackArgs, program: &Program<'_>) -> Result<ExitCode, CliError> {
    let options = options(args, program)?;
    let mut of_opencv = options.trackers.iter().filter(|kind| kind.is_opencv());
    if let (Some(kind), None) = (of_opencv.next(), options.opencv) {
        let task = format!("vidpairs track --tracker {}", kind.name());
        match program.hand_to(Neighbour::Opencv, &task)? {}
    }
    check_output(args.gallery.as_ref(), PAGE, Some(&args.out))?;
    check_output(args.plot.as_ref(), PLOT, Some(&args.out))?;
    let summary = run::track(&options)?;
    let written = |path, text: &str| Written::write(path, text, Shown::Uncounted {});
    let plot = match &args.plot {
        Some(path) => Some(written(path, &tracks::success_plot(&summary))?),
        None => None,
    };
    let gallery = match &args.gallery {
        Some(path) => {
            let sample = run::sample_tracks(&options, &summary, tracks::MAX_SEQUENCES)?;
            Some(written(path, &tracks::render(&options, &summary, &sample))?)
        }
        None => None,
    };
    let too_many = summary
        .too_many_refused
        .then(|| CliError::TooManySequencesRefused {
            refused: summary.refused,
            sequences: summary.sequences,
            list: options.out.join("refused.jsonl"),
        });
    let is_per_sequence = args.per_sequence || options.control.verbosity >= Verbosity::Verbose;
    args.common.print(&Output {
        preface: match is_per_sequence && !summary.per_sequence.is_empty() {
            true => format!("{}\n\n", summary.sequence_table()),
            false => String::new(),
        },
        summary,
        plot,
        gallery,
    })?;
    too_many.map_or(Ok(ExitCode::SUCCESS), Err)
}

fn options(args: &TrackArgs, program: &Program<'_>) -> Result<TrackOptions, CliError> {
    let data: Vec<TrackData> = args
        .data
        .iter()
        .map(|text| parse_data(text))
        .collect::<Result<_, _>>()?;
    let has = |kinds: &[TrackDataKind]| data.iter().any(|data| kinds.contains(&data.kind));
    let foreign = |option, kinds| CliError::ForeignOption {
        option,
        kinds,
        kind: data.first().expect("--data is required").kind.name(),
    };
    if args.media.is_some() && !has(&[TrackDataKind::Mot]) {
        return Err(foreign("--media", "mot"));
    }
    if !args.splits.is_empty() && !has(&[TrackDataKind::Got10k, TrackDataKind::TrackingNet]) {
        return Err(foreign("--splits", "got10k and trackingnet"));
    }
    let mut trackers = Vec::new();
    for name in &args.tracker {
        let kind = parse_tracker(name)?;
        if !trackers.contains(&kind) {
            trackers.push(kind);
        }
    }
    Ok(TrackOptions {
        data,
        media: args.media.clone(),
        splits: args.splits.clone(),
        patterns: args.sequences.clone(),
        limit: args
            .limit
            .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        trackers,
        opencv: program.engines.opencv,
        out: args.out.clone(),
        control: args.common.control()?,
    })
}

/// Parses `got10k=PATH`.
fn parse_data(text: &str) -> Result<TrackData, CliError> {
    let parsed = text.split_once('=').and_then(|(name, path)| {
        let mut kinds = TrackDataKind::ALL.iter();
        let kind = kinds.find(|kind| kind.name() == name.trim())?;
        (!path.is_empty()).then(|| TrackData {
            kind: *kind,
            root: PathBuf::from(path),
        })
    });
    parsed.ok_or_else(|| CliError::Option {
        option: "--data",
        value: text.to_owned(),
        expected: "got10k=PATH, trackingnet=PATH or mot=PATH".to_owned(),
    })
}

fn parse_tracker(name: &str) -> Result<TrackerKind, CliError> {
    let mut kinds = TrackerKind::ALL.iter();
    let kind = kinds.find(|kind| kind.name() == name.trim());
    kind.copied().ok_or_else(|| {
        let names: Vec<&str> = TrackerKind::ALL.iter().map(|kind| kind.name()).collect();
        CliError::Option {
            option: "--tracker",
            value: name.to_owned(),
            expected: format!("one of {}", names.join(", ")),
        }
    })
}
