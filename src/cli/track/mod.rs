//! `vidpairs track`: flags to options, scores to tables.

mod page;

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf, absolute};
use std::process::ExitCode;

use serde::Serialize;
use vidpairs_extract::run::{self, TrackData, TrackDataKind, TrackOptions, TrackSummary};
use vidpairs_extract::track::TrackerKind;
use vidpairs_run::Verbosity;

use self::page::Written;
use super::args::TrackArgs;
use super::neighbour::Neighbour;
use super::{CliError, Program};
use crate::report;

/// Whether `file` lies in `folder` itself, however the two are written.
fn is_in(file: &Path, folder: &Path) -> bool {
    let (Ok(file), Ok(folder)) = (absolute(file), absolute(folder)) else {
        return false;
    };
    file.parent() == Some(&folder)
}

pub(super) fn track(args: &TrackArgs, program: &Program<'_>) -> Result<ExitCode, CliError> {
    let options = options(args, program)?;
    let mut of_opencv = options.trackers.iter().filter(|kind| kind.is_opencv());
    if let (Some(kind), None) = (of_opencv.next(), options.opencv) {
        let task = format!("vidpairs track --tracker {}", kind.name());
        match program.hand_to(Neighbour::Opencv, &task)? {}
    }
    for file in args.gallery.iter().chain(&args.plot) {
        // Before anything is tracked: that takes minutes. The output's own folder is made on the way.
        if !is_in(file, &args.out) {
            report::check_place(file)?;
        }
    }
    let summary = run::track(&options)?;
    let plot = args
        .plot
        .as_deref()
        .map(|out| page::write_plot(&summary, out));
    let gallery = args
        .gallery
        .as_deref()
        .map(|out| page::write_page(&options, &summary, out));
    let (plot, gallery) = (plot.transpose()?, gallery.transpose()?);
    let has_sequences = args.per_sequence || options.control.verbosity >= Verbosity::Verbose;
    let too_many = summary
        .too_many_refused
        .then(|| CliError::TooManySequencesRefused {
            refused: summary.refused,
            sequences: summary.sequences,
            list: options.out.join("refused.jsonl"),
        });
    args.common.print(&Printed {
        summary,
        plot,
        gallery,
        has_sequences,
    })?;
    too_many.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// What the command prints.
#[derive(Serialize)]
struct Printed {
    #[serde(flatten)]
    summary: TrackSummary,
    #[serde(skip_serializing_if = "Option::is_none")]
    plot: Option<Written>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gallery: Option<Written>,
    #[serde(skip)]
    has_sequences: bool,
}

impl Display for Printed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.has_sequences && !self.summary.per_sequence.is_empty() {
            writeln!(f, "{}\n", self.summary.sequence_table())?;
        }
        write!(f, "{}", self.summary)?;
        let files = [&self.plot, &self.gallery];
        files
            .into_iter()
            .flatten()
            .try_for_each(|it| write!(f, "\n{it}"))
    }
}

fn options(args: &TrackArgs, program: &Program<'_>) -> Result<TrackOptions, CliError> {
    let data: Vec<TrackData> = args
        .data
        .iter()
        .map(|it| data(it))
        .collect::<Result<_, _>>()?;
    let has = |kinds: &[TrackDataKind]| data.iter().any(|it| kinds.contains(&it.kind));
    let foreign = |option, kinds| CliError::ForeignOption {
        option,
        kinds,
        kind: data.first().map_or("", |it| it.kind.name()),
    };
    if args.media.is_some() && !has(&[TrackDataKind::Mot]) {
        return Err(foreign("--media", "mot"));
    }
    if !args.splits.is_empty() && !has(&[TrackDataKind::Got10k, TrackDataKind::TrackingNet]) {
        return Err(foreign("--splits", "got10k and trackingnet"));
    }
    let mut trackers = Vec::new();
    for name in &args.tracker {
        let kind = tracker(name)?;
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
            .map(|it| usize::try_from(it).unwrap_or(usize::MAX)),
        trackers,
        opencv: program.engines.opencv,
        out: args.out.clone(),
        control: args.common.control()?,
    })
}

/// `got10k=PATH`.
fn data(text: &str) -> Result<TrackData, CliError> {
    let found = text.split_once('=').and_then(|(name, path)| {
        let kind = TrackDataKind::ALL
            .iter()
            .find(|it| it.name() == name.trim())?;
        (!path.is_empty()).then(|| TrackData {
            kind: *kind,
            root: PathBuf::from(path),
        })
    });
    found.ok_or_else(|| CliError::Option {
        option: "--data",
        value: text.to_owned(),
        expected: "got10k=PATH, trackingnet=PATH or mot=PATH".to_owned(),
    })
}

fn tracker(name: &str) -> Result<TrackerKind, CliError> {
    let found = TrackerKind::ALL.iter().find(|it| it.name() == name.trim());
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = TrackerKind::ALL.iter().map(|it| it.name()).collect();
        CliError::Option {
            option: "--tracker",
            value: name.to_owned(),
            expected: format!("one of {}", names.join(", ")),
        }
    })
}
