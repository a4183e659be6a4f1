//! Runs `vidpairs invariance`: converts arguments to options and prints the results.

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;
use vidpairs_invariance::run::{
    self, InvarianceData, InvarianceOptions, InvarianceSummary, MeasuredModels,
};
use vidpairs_pipeline::Measure;
use vidpairs_source::ImageSetKind;

use super::args::InvarianceArgs;
use super::models::{PAGE, named_files, of_kind};
use super::neighbour::Neighbour;
use super::{CliError, Program};
use crate::report::invariance::{render, render_table, scores_csv};

pub(super) fn invariance(
    args: &InvarianceArgs,
    program: &Program<'_>,
) -> Result<ExitCode, CliError> {
    if !args.weights.is_empty() && program.engines.libtorch.is_none() {
        match program.hand_to(Neighbour::Torch, "vidpairs invariance --weights")? {}
    }
    let options = options(args, program)?;
    let summary = run::invariance(&options, |summary| {
        let html = render(summary).into_bytes();
        vec![("scores.csv", scores_csv(summary)), (PAGE, html)]
    })?;
    args.common.print(&Printed {
        summary,
        page: args.out.join(PAGE).display().to_string(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Output of the command.
#[derive(Serialize)]
struct Printed {
    #[serde(flatten)]
    summary: InvarianceSummary,
    page: String,
}

impl Display for Printed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", render_table(&self.summary).trim_end())?;
        let panels = self.summary.panels.iter();
        let left_out = panels.flat_map(|panel| &panel.left_out);
        let num: usize = left_out.map(|group| group.count).sum();
        if num > 0 {
            writeln!(
                f,
                "\n{num} left out; the page and invariance.json give the reasons"
            )?;
        }
        write!(f, "\n{}", self.page)
    }
}

fn data((kind, path): (ImageSetKind, PathBuf)) -> InvarianceData {
    InvarianceData { kind, path }
}

fn options(args: &InvarianceArgs, program: &Program<'_>) -> Result<InvarianceOptions, CliError> {
    let models = if args.features.is_empty() {
        MeasuredModels::Encoders {
            weights: named_files("--weights", &args.weights)?,
            prefix: args.prefix.clone(),
            data: args
                .data
                .iter()
                .map(|text| Ok(data(of_kind(text)?)))
                .collect::<Result<_, CliError>>()?,
        }
    } else {
        MeasuredModels::Features(named_files("--features", &args.features)?)
    };
    Ok(InvarianceOptions {
        measure: Measure::read(args.pipeline.as_deref(), &args.set)?,
        models,
        out: args.out.clone(),
        encoders: program.engines.libtorch.map(|libtorch| libtorch as _),
        device: args.device.clone(),
        control: args.common.control()?,
    })
}
