//! Runs `vidpairs probe`: converts arguments to options and prints the results.

use std::process::ExitCode;

use vidpairs_invariance::run::probe::{self, ProbeOptions};
use vidpairs_pipeline::Probe;

use super::args::ProbeArgs;
use super::models::result_files;
use super::{CliError, Program};
use crate::report::probe::{render, render_tables, scores_csv};

pub(super) fn probe(args: &ProbeArgs, program: &Program<'_>) -> Result<ExitCode, CliError> {
    args.measured.hand_over(program, "vidpairs probe")?;
    let options = options(args, program)?;
    let summary = probe::probe(&options, |summary| {
        result_files(scores_csv(summary), render(summary))
    })?;
    args.measured.print(summary, render_tables)?;
    Ok(ExitCode::SUCCESS)
}

fn options(args: &ProbeArgs, program: &Program<'_>) -> Result<ProbeOptions, CliError> {
    let measured = &args.measured;
    Ok(ProbeOptions {
        settings: Probe::read(args.pipeline.as_deref(), &measured.set)?,
        models: measured.models(&args.data, &args.features)?,
        out: measured.out.clone(),
        encoders: program.engines.libtorch.map(|libtorch| libtorch as _),
        device: measured.device.clone(),
        control: measured.common.control()?,
    })
}
