//! The kit that every command of vidpairs is built from.
//!
//! | need | use |
//! |---|---|
//! | options of every command: threads, verbosity, stop | [`Control`] |
//! | an output folder: claimed, locked, written to by rename | [`OutFolder`] |
//! | a run that survives kills: journal, resume, comparison of settings | [`RunLayout`], [`Journal`] |
//! | work on threads, in order | [`parallel`](vidpairs_types::parallel), [`Control::crew`], [`broken`] |
//! | progress on a terminal or in a log | [`Progress`] |
//! | a run that other machines see: how far it is, whether it still runs | [`StateFile`], [`RunState`] |
//! | refused inputs: written, read, grouped by reason | [`OutFolder::write_refusals`], [`refusals`] |
//! | errors that say what, where and what to do | [`RunError`] |
//!
//! # Examples
//! A command needs its own settings, its own lines and its own work, nothing else. This one counts the words of text files; stopped
//! and started again, it resumes.
//! ```
//! use std::collections::BTreeMap;
//! use std::path::{Path, PathBuf};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use serde_json::{Value, json};
//! use vidpairs_run::{Control, Journal, Progress, RunError, RunLayout, Started, Unit, broken};
//! use vidpairs_types::parallel::{Heartbeat, Job, Loss, Sink, run_ordered};
//!
//! const LAYOUT: RunLayout = RunLayout { what: "word counts", manifest: "words.json", begin_key: "run" };
//! type Line = (PathBuf, usize);
//!
//! struct CountWords;
//! impl Job for CountWords {
//!     type Item = PathBuf;
//!     type Output = Line;
//!     fn work(&self, file: PathBuf, _: &Arc<Heartbeat>) -> Line {
//!         let text = std::fs::read_to_string(&file).unwrap_or_default();
//!         (file, text.split_whitespace().count())
//!     }
//!     fn lost(&self, file: PathBuf, _: Loss) -> Line {
//!         (file, 0)
//!     }
//! }
//!
//! struct Writer { journal: Journal<Line>, counts: BTreeMap<PathBuf, usize>, progress: Progress }
//! impl Sink<Line> for Writer {
//!     type Error = RunError;
//!     fn push(&mut self, line: Line) -> Result<(), RunError> {
//!         self.journal.add(&line)?;
//!         self.counts.extend([line]);
//!         self.progress.advance(1);
//!         Ok(())
//!     }
//! }
//!
//! fn count_words(files: Vec<PathBuf>, out: &Path, control: &Control) -> Result<Value, RunError> {
//!     let begin = json!({ "program_version": "1.0", "files": files });
//!     let (journal, lines) = match LAYOUT.start(out, &begin)? {
//!         Started::Complete(manifest) => return Ok(manifest),
//!         Started::Open(journal, lines) => (journal, lines),
//!     };
//!     let done = lines.len();
//!     let progress = Progress::new(Unit::Things("file"), files.len() as u64, done as u64, control.verbosity);
//!     let mut writer = Writer { journal, counts: lines.into_iter().collect(), progress };
//!     let crew = control.crew(Duration::from_secs(60));
//!     run_ordered(files.into_iter().skip(done), Arc::new(CountWords), &crew, &mut writer)
//!         .map_err(|end| broken(end, out, &format!("{} files", writer.counts.len())))?;
//!     let manifest = json!({ "run": begin, "words": writer.counts });
//!     writer.journal.out().write_json("words.json", &manifest)?;
//!     writer.journal.finish()?;
//!     Ok(manifest)
//! }
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("a.txt");
//! std::fs::write(&file, "two words")?;
//! let manifest = count_words(vec![file.clone()], &folder.path().join("out"), &Control::quiet(2))?;
//! assert_eq!(manifest["words"][file.to_str().unwrap()], 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod card;
mod control;
mod error;
mod fault;
mod journal;
mod out;
mod progress;
pub mod refusals;
mod results;
mod spread;
mod state;
mod verbosity;
mod words;

pub use card::write_card;
pub use control::{Control, Counting, broken, loss_reason, stopped};
pub use error::RunError;
pub use fault::is_machine_fault;
pub use journal::{JOURNAL_FILE, Journal, RunLayout, Started, Stopped};
pub use out::{JOURNAL_FOLDER, OutFolder, REFUSED_FILE, failed, same_run};
pub use progress::{Progress, Unit};
pub use refusals::{ReasonGroup, SetAside};
pub use results::{ResultsError, ResultsKind};
pub use spread::{from_end_to_end, middles};
pub use state::{RunState, STATE_FILE, StateFile};
pub use verbosity::Verbosity;
pub use words::counted;
