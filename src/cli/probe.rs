//! Runs `vidpairs probe`: converts arguments to options and prints the results.

use std::fmt::{self, Display, Formatter};
use std::process::ExitCode;

use serde::Serialize;
use vidpairs_invariance::run::probe::{self, ProbeData, ProbeOptions, ProbeSummary, ProbedModels};
use vidpairs_pipeline::Probe;

use super::args::ProbeArgs;
use super::models::{PAGE, named_files, of_kind};
use super::neighbour::Neighbour;
use super::{CliError, Program};
use crate::report::probe::{render, render_tables, scores_csv};

pub(super) fn probe(args: &ProbeArgs, program: &Program<'_>) -> Result<ExitCode, CliError> {
    if !args.weights.is_empty() && program.engines.libtorch.is_none() {
        match program.hand_to(Neighbour::Torch, "vidpairs probe --weights")? {}
    }
    let options = options(args, program)?;
    let summary = probe::probe(&options, |summary| {
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
    summary: ProbeSummary,
    page: String,
}

impl Display for Printed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", render_tables(&self.summary), self.page)
    }
}

fn options(args: &ProbeArgs, program: &Program<'_>) -> Result<ProbeOptions, CliError> {
    let models = if args.features.is_empty() {
        let data = args.data.iter().map(|text| {
            let (kind, path) = of_kind(text)?;
            Ok(ProbeData { kind, path })
        });
        ProbedModels::Encoders {
            weights: named_files("--weights", &args.weights)?,
            prefix: args.prefix.clone(),
            data: data.collect::<Result<_, CliError>>()?,
        }
    } else {
        ProbedModels::Features(named_files("--features", &args.features)?)
    };
    Ok(ProbeOptions {
        settings: Probe::read(args.pipeline.as_deref(), &args.set)?,
        models,
        out: args.out.clone(),
        encoders: program.engines.libtorch.map(|libtorch| libtorch as _),
        device: args.device.clone(),
        control: args.common.control()?,
    })
}
