//! Runs `vidpairs probe`: converts arguments to options and prints the results.

use std::process::ExitCode;

use vidpairs_invariance::run::probe::{self, ProbeData, ProbeOptions, ProbedModels};
use vidpairs_pipeline::Probe;

use super::args::ProbeArgs;
use super::models::{Models, result_files};
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
    let models = match measured.models(&args.data, &args.features)? {
        Models::Features(files) => ProbedModels::Features(files),
        Models::Encoders {
            weights,
            prefix,
            data,
        } => {
            let data = data
                .into_iter()
                .map(|(kind, path)| ProbeData { kind, path });
            ProbedModels::Encoders {
                weights,
                prefix,
                data: data.collect(),
            }
        }
    };
    Ok(ProbeOptions {
        settings: Probe::read(args.pipeline.as_deref(), &measured.set)?,
        models,
        out: measured.out.clone(),
        encoders: program.engines.libtorch.map(|libtorch| libtorch as _),
        device: measured.device.clone(),
        control: measured.common.control()?,
    })
}
