//! `vidpairs export`.

use std::process::ExitCode;

use super::CliError;
use super::args::{ExportArgs, ExportToArg};
use crate::export::{self, ExportFormat, ExportOptions};

pub(super) fn export(args: &ExportArgs) -> Result<ExitCode, CliError> {
    let options = ExportOptions {
        weights: args.weights.clone(),
        to: match args.to {
            ExportToArg::Moco => ExportFormat::Moco,
            ExportToArg::Detectron2 => ExportFormat::Detectron2,
            ExportToArg::Vissl => ExportFormat::Vissl,
            ExportToArg::Torchvision => ExportFormat::Torchvision,
        },
        out: args.out.clone(),
    };
    args.common.print(&export::export(&options)?)?;
    Ok(ExitCode::SUCCESS)
}
