//! Runs `vidpairs report`: one page of a whole experiment.

use std::fmt::{self, Display, Formatter};
use std::process::ExitCode;

use serde::Serialize;
use vidpairs_run::counted;

use super::CliError;
use super::args::ReportArgs;
use super::output::{PAGE, Shown, Written, check_output};
use crate::experiment::Experiment;
use crate::report::experiment;

pub(super) fn report(args: &ReportArgs) -> Result<ExitCode, CliError> {
    check_output(Some(&args.out), PAGE, None)?;
    let experiment = Experiment::read(&args.runs, &args.common.control()?)?;
    let html = experiment::render(&experiment, args.title.as_deref());
    args.common.print(&Reported {
        page: Written::write(&args.out, &html, Shown::Results(experiment.counts()))?,
        notes: experiment.num_notes(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Result of the command.
#[derive(Serialize)]
struct Reported {
    #[serde(flatten)]
    page: Written,
    /// Number of notes on what is missing or could not be read.
    notes: usize,
}

impl Display for Reported {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.page)?;
        match self.notes {
            0 => Ok(()),
            notes => {
                let notes = counted(notes as u64, "note");
                write!(
                    f,
                    "\n{notes} on what is missing or could not be read, at the end of the page"
                )
            }
        }
    }
}
