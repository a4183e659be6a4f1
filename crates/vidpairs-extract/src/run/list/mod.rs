//! Runs `vidpairs list`: pins a source, so that many machines work on the same clips.

mod file;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use vidpairs_pipeline::Pipeline;
use vidpairs_run::{Control, Progress, RunError, Unit, counted, failed, loss_reason, stopped};
use vidpairs_types::parallel::{Heartbeat, Job, Loss, Sink, run_ordered};
use vidpairs_types::{Outcome, Refusal, Stage, replace_whole_by};

use self::file::{Header, write_json, write_line};
pub(in crate::run) use self::file::{is_list, read};
use crate::run::ExtractError;
use crate::run::entries::{Entries, Entry};
use crate::run::files::ClipFiles;

/// Time after which the files of a clip that cannot be examined are given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Options of `vidpairs list`.
#[derive(Debug, Clone)]
pub struct ListOptions {
    /// Settings of the experiment; `[source]` says what is listed.
    pub pipeline: Pipeline,
    /// Path or URL of the clips: a data set, a folder, a file, or a list of files.
    pub source: PathBuf,
    /// File to write; must not exist.
    pub out: PathBuf,
    /// Threads, verbosity, and the signal to stop.
    pub control: Control,
}

/// Result of `vidpairs list`; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListSummary {
    /// Number of clips, and of inputs that were set aside.
    pub clips: u64,
    /// Number of inputs among them that listing refused or skipped.
    pub set_aside: u64,
    /// Size of the files of all clips, bytes.
    pub bytes: u64,
    /// The list.
    pub list: PathBuf,
}

impl std::fmt::Display for ListSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = indicatif::HumanBytes(self.bytes);
        let clips = counted(self.clips, "clip");
        write!(f, "wrote {}: {clips}, {bytes}", self.list.display())?;
        match self.set_aside {
            0 => Ok(()),
            num => write!(f, "; {num} of them set aside"),
        }
    }
}

/// Lists a source, and writes its clips with the size and time of their files.
///
/// # Errors
/// [`RunError`]; the list is then not written.
pub fn list(options: &ListOptions) -> Result<ListSummary, RunError> {
    let (out, control) = (&options.out, &options.control);
    if out.symlink_metadata().is_ok() {
        return Err(ExtractError::ListExists { path: out.clone() }.into());
    }
    let entries = Entries::list(&options.pipeline, &options.source, control)?;
    let header = Header::new(&options.pipeline, &entries).map_err(failed("write", out))?;
    let mut summary = ListSummary {
        clips: entries.len(),
        set_aside: 0,
        bytes: 0,
        list: out.clone(),
    };
    let mut failure = None;
    let written = replace_whole_by(out, |mut file| {
        write_json(&mut file, &header)?;
        let mut writer = Writer {
            file,
            header: &header,
            num: 0,
            summary: &mut summary,
            progress: Progress::new(Unit::Things("clip"), entries.len(), 0, control.verbosity),
            out,
        };
        let all = entries.list.iter().cloned();
        let ended = run_ordered(
            all.collect::<Vec<_>>().into_iter(),
            Arc::new(Examine),
            &control.crew(PATIENCE),
            &mut writer,
        );
        let Writer { file, .. } = writer;
        match ended {
            Ok(()) => Ok(file),
            Err(end) => {
                failure = Some(stopped(end));
                Err(std::io::ErrorKind::Interrupted.into())
            }
        }
    });
    match (failure, written) {
        (Some(failure), _) => Err(failure),
        (None, written) => written.map(|()| summary).map_err(failed("write", out)),
    }
}

/// Examines the files of clips.
struct Examine;

impl Job for Examine {
    type Item = Arc<Entry>;
    type Output = (Arc<Entry>, Option<ClipFiles>);

    fn work(&self, entry: Arc<Entry>, _: &Arc<Heartbeat>) -> Self::Output {
        let files = match &*entry {
            Entry::Clip {
                pinned: Some(files),
                ..
            } => Ok(files.clone()),
            Entry::Clip { clip, .. } => ClipFiles::of(clip),
            Entry::SetAside(_) => return (entry, None),
        };
        match files {
            Ok(files) => (entry, Some(files)),
            Err(err) => (set_aside(&entry, err.to_string()), None),
        }
    }

    fn lost(&self, entry: Arc<Entry>, loss: Loss) -> Self::Output {
        let (_, reason) = loss_reason(loss, PATIENCE);
        (set_aside(&entry, reason), None)
    }
}

/// The same entry, refused.
fn set_aside(entry: &Arc<Entry>, reason: String) -> Arc<Entry> {
    let Entry::Clip { clip, .. } = &**entry else {
        return Arc::clone(entry);
    };
    Arc::new(Entry::SetAside(Refusal {
        id: clip.id.clone(),
        path: clip.media.path().display().to_string(),
        outcome: Outcome::Refused,
        stage: Stage::Source,
        reason: format!("its files could not be examined when it was listed: {reason}"),
        retry: "mend it, and list the source again".to_owned(),
    }))
}

struct Writer<'a, W> {
    file: W,
    header: &'a Header,
    num: u64,
    summary: &'a mut ListSummary,
    progress: Progress,
    out: &'a std::path::Path,
}

impl<W: Write> Sink<(Arc<Entry>, Option<ClipFiles>)> for Writer<'_, W> {
    type Error = RunError;

    fn push(&mut self, (entry, files): (Arc<Entry>, Option<ClipFiles>)) -> Result<(), RunError> {
        match &files {
            Some(files) => self.summary.bytes += files.bytes(),
            None => self.summary.set_aside += 1,
        }
        let written = write_line(&mut self.file, self.header, self.num, &entry, files);
        written.map_err(failed("write", self.out))?;
        self.num += 1;
        self.progress.advance(1);
        Ok(())
    }
}
