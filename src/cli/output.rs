//! Prints the result of a command, and writes the pages and plots asked for.

use std::fmt::{self, Display, Formatter};
use std::io::{self, Write};
use std::path::{Path, PathBuf, absolute};

use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use vidpairs_run::counted;
use vidpairs_shard::Damage;
use vidpairs_types::{printable, printable_json, printable_lines};

use super::CliError;
use super::args::Common;
use crate::experiment::Counts;
use crate::report::{PageError, check_name, check_place, write_page};

impl Common {
    /// Prints the result: one JSON object with `--json`, else text unless `--quiet`.
    pub(super) fn print<S: Serialize + Display>(&self, result: &S) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        printed(if self.json {
            serde_json::to_string(result)
                .map_err(io::Error::other)
                .and_then(|json| writeln!(stdout, "{}", printable_json(&json)))
        } else if self.quiet {
            Ok(())
        } else {
            writeln!(stdout, "{}", printable_lines(&result.to_string()))
        })
    }

    /// Reports damage on stderr if nothing was printed: `--quiet` silences results, not errors.
    pub(super) fn report_damage(&self, num: u64, first: Option<&Damage>) {
        if let Some(first) = first.filter(|_| self.quiet && !self.json) {
            let text = format!("vidpairs: {}; the first: {first}", counted(num, "fault"));
            // If stderr is closed, the exit code must suffice.
            let _ = writeln!(io::stderr(), "{}", printable(&text));
        }
    }
}

/// The result of writing to stdout. A reader that closed the pipe early has read enough: no error.
pub(super) fn printed(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(err) if err.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(CliError::Stdout),
    }
}

/// Result of a command with the files it wrote on request.
#[derive(Serialize)]
pub(super) struct Output<S> {
    /// Text printed before the summary.
    #[serde(skip)]
    pub preface: String,
    #[serde(flatten)]
    pub summary: S,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plot: Option<Written>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gallery: Option<Written>,
}

impl<S: Display> Display for Output<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.preface, self.summary)?;
        let files = [&self.plot, &self.gallery];
        let mut files = files.into_iter().flatten();
        files.try_for_each(|file| write!(f, "\n{file}"))
    }
}

/// A page or plot that was written.
#[derive(Serialize)]
pub(super) struct Written {
    path: String,
    #[serde(flatten)]
    shown: Shown,
    bytes: usize,
}

/// Number of images or records on a page, and in the whole data set; or numbers of results.
#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(
    not(feature = "video"),
    expect(dead_code, reason = "for `synth` and `track`")
)]
pub(super) enum Shown {
    Images { images: u64, of_images: u64 },
    Records { records: u64, of_records: u64 },
    Results(Counts),
    Uncounted {},
}

impl Written {
    /// Writes `text` to `path`.
    pub fn write(path: &Path, text: &str, shown: Shown) -> Result<Self, PageError> {
        write_page(path, text)?;
        Ok(Self {
            path: path.display().to_string(),
            shown,
            bytes: text.len(),
        })
    }
}

impl Display for Written {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (path, size) = (&self.path, HumanBytes(self.bytes as u64));
        let (shown, all, noun) = match self.shown {
            Shown::Images { images, of_images } => (images, of_images, "images"),
            Shown::Records {
                records,
                of_records,
            } => (records, of_records, "records"),
            Shown::Results(counts) => return write!(f, "wrote {path}: {counts}, {size}"),
            Shown::Uncounted {} => return write!(f, "wrote {path}, {size}"),
        };
        let (shown, all) = (HumanCount(shown), HumanCount(all));
        write!(f, "wrote {path}: {shown} of {all} {noun}, {size}")
    }
}

/// End of the name of a page.
pub(super) const PAGE: &str = ".html";
/// End of the name of a plot.
#[cfg(feature = "video")]
pub(super) const PLOT: &str = ".svg";

/// Refuses a page or plot that cannot be written, before work that takes minutes or hours.
///
/// - `ending`: expected end of the name: [`PAGE`], [`PLOT`].
/// - `out`: output folder, which the command creates: it takes new files.
pub(super) fn check_output(
    file: Option<&PathBuf>,
    ending: &'static str,
    out: Option<&Path>,
) -> Result<(), PageError> {
    let Some(file) = file else {
        return Ok(());
    };
    let folder = absolute(file)
        .ok()
        .and_then(|file| Some(file.parent()?.to_owned()));
    match out.and_then(|out| absolute(out).ok()) {
        Some(out) if folder.as_ref() == Some(&out) && !file.exists() => check_name(file, ending),
        _ => check_place(file, ending),
    }
}
