//! Runs `vidpairs report`: one page of a whole experiment.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use vidpairs_run::{ResultsKind, counted};
use vidpairs_types::open_regular;

use super::args::ReportArgs;
use super::output::{PAGE, Shown, Written, check_output};
use super::{CliError, refuse_url};
use crate::experiment::Experiment;
use crate::report::{PageError, experiment};

pub(super) fn report(args: &ReportArgs) -> Result<ExitCode, CliError> {
    for run in &args.runs {
        refuse_url("RUN", run)?;
    }
    check_output(Some(&args.out), PAGE, None)?;
    check_not_of_results(&args.out)?;
    let experiment = Experiment::read(&args.runs, &args.common.control()?)?;
    let title = args.title.as_deref();
    let title = title.filter(|title| !title.trim().is_empty());
    let html = experiment::render(&experiment, title);
    args.common.print(&Reported {
        page: Written::write(&args.out, &html, Shown::Results(experiment.counts()))?,
        notes: experiment.num_notes(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses to replace a page that another command wrote beside its results, such as the `report.html` of `vidpairs probe`.
fn check_not_of_results(out: &Path) -> Result<(), PageError> {
    let Ok(real) = fs::canonicalize(out) else {
        return Ok(()); // a new file replaces nothing
    };
    let holds_results = real.parent().is_some_and(|folder| {
        let mut files = ResultsKind::ALL.into_iter().map(ResultsKind::file);
        files.any(|file| folder.join(file).exists())
    });
    let mut start = Vec::new();
    let read = open_regular(&real).and_then(|file| file.take(1_024).read_to_end(&mut start));
    let is_own = read.is_ok() && experiment::is_page_of_experiment(&start);
    match holds_results && !is_own {
        true => Err(PageError::OfResults { path: out.into() }),
        false => Ok(()),
    }
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
