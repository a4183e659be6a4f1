//! Runs `vidpairs invariance`: converts arguments to options and prints the results.

use std::process::ExitCode;

use vidpairs_invariance::run::{self, InvarianceOptions, InvarianceSummary};
use vidpairs_pipeline::Measure;

use super::args::InvarianceArgs;
use super::models::result_files;
use super::{CliError, Program};
use crate::report::invariance::{render, render_table, scores_csv};

pub(super) fn invariance(
    args: &InvarianceArgs,
    program: &Program<'_>,
) -> Result<ExitCode, CliError> {
    args.measured.hand_over(program, "vidpairs invariance")?;
    let options = options(args, program)?;
    let summary = run::invariance(&options, |summary| {
        result_files(scores_csv(summary), render(summary))
    })?;
    args.measured.print(summary, text)?;
    Ok(ExitCode::SUCCESS)
}

/// The table, and how much was left out.
fn text(summary: &InvarianceSummary) -> String {
    let table = render_table(summary);
    let panels = summary.panels.iter();
    let left_out = panels.flat_map(|panel| &panel.left_out);
    let note = match left_out.map(|group| group.count).sum::<usize>() {
        0 => String::new(),
        num => {
            format!("\n{num} left out; the page and invariance.json give the reasons\n")
        }
    };
    format!("{}\n{note}", table.trim_end())
}

fn options(args: &InvarianceArgs, program: &Program<'_>) -> Result<InvarianceOptions, CliError> {
    let measured = &args.measured;
    Ok(InvarianceOptions {
        measure: Measure::read(args.pipeline.as_deref(), &measured.set)?,
        models: measured.models(&args.data, &args.features)?,
        out: measured.out.clone(),
        encoders: program.engines.libtorch.map(|libtorch| libtorch as _),
        device: measured.device.clone(),
        control: measured.common.control()?,
    })
}
