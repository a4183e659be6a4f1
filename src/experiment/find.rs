//! Finds the folders with results.

use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;
use vidpairs_run::{OutFolder, ResultsError, ResultsKind};
use vidpairs_source::natural_order;
use vidpairs_types::parallel::Cancel;
use vidpairs_types::with_causes;

use super::{ExperimentError, Part};

/// How far below a named folder results are looked for, folders.
pub(super) const MAX_DEPTH: usize = 4;
/// Most folders that are looked into.
const MAX_FOLDERS: usize = 5_000;
/// Folders that a command writes for itself: results in them are found, but nothing below. Folders whose names begin with a dot are
/// skipped altogether.
const NOT_SEARCHED: [&str; 4] = ["checkpoints", "features", "heads", "tensorboard"];

/// A folder with results.
pub(super) struct Found {
    /// The folder, as it was named or found.
    pub path: PathBuf,
    /// Its path without links.
    real: PathBuf,
    /// The files that describe its results.
    pub results: Vec<(ResultsKind, Value)>,
    /// Notes that concern all results of the folder.
    pub notes: Vec<String>,
}

impl Found {
    /// The path as text.
    pub fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Results of this folder.
    pub fn part<T>(&self, name: &str, notes: Vec<String>, results: T) -> Part<T> {
        Part {
            name: name.to_owned(),
            path: self.shown(),
            notes,
            results,
        }
    }
}

/// Folders with results in the order of the page, and notes on those that cannot be read.
#[derive(Default)]
pub(super) struct Search {
    pub found: Vec<Found>,
    pub notes: Vec<(String, String)>,
    seen: HashSet<PathBuf>,
}

/// Finds the folders of results among `dirs`; where there are none, below them. A folder that is reached twice counts once.
///
/// # Errors
/// [`ExperimentError::NoFolder`], [`ExperimentError::NotAFolder`], [`ExperimentError::List`] for a folder in `dirs`;
/// [`ExperimentError::Stopped`].
pub(super) fn find(dirs: &[PathBuf], cancel: &Cancel) -> Result<Search, ExperimentError> {
    let mut search = Search::default();
    for dir in dirs {
        match fs::metadata(dir) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(ExperimentError::NotAFolder(dir.clone())),
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => {
                return Err(ExperimentError::NoFolder(dir.clone()));
            }
            Err(source) => {
                let path = dir.clone();
                return Err(ExperimentError::List { path, source });
            }
        }
        search.look_into(dir, 0, cancel)?;
    }
    Ok(search)
}

impl Search {
    fn look_into(
        &mut self,
        dir: &Path,
        depth: usize,
        cancel: &Cancel,
    ) -> Result<(), ExperimentError> {
        if cancel.is_set() {
            return Err(ExperimentError::Stopped);
        }
        let listed = |source| ExperimentError::List {
            path: dir.to_owned(),
            source,
        };
        let shown = || dir.display().to_string();
        let real = match fs::canonicalize(dir) {
            Ok(real) => real,
            Err(err) if depth == 0 => return Err(listed(err)),
            Err(err) => {
                self.notes
                    .push((shown(), format!("cannot be opened: {err}")));
                return Ok(());
            }
        };
        if self.seen.len() >= MAX_FOLDERS || !self.seen.insert(real.clone()) {
            if self.seen.len() == MAX_FOLDERS {
                let limit = format!("only the first {MAX_FOLDERS} folders were looked into");
                self.notes.push((shown(), limit));
                self.seen.insert(PathBuf::new()); // the note is given once
            }
            return Ok(());
        }
        let name = real.file_name().unwrap_or_default().to_string_lossy();
        let is_own = depth > 0 && NOT_SEARCHED.contains(&&*name);
        if self.take(dir, &real, depth) || depth == MAX_DEPTH || is_own {
            return Ok(());
        }
        match folders_in(dir) {
            Ok(folders) => {
                for folder in folders {
                    self.look_into(&folder, depth + 1, cancel)?;
                }
                Ok(())
            }
            Err(err) if depth == 0 => Err(listed(err)),
            Err(err) => {
                self.notes
                    .push((shown(), format!("cannot be listed: {err}")));
                Ok(())
            }
        }
    }

    /// Whether `dir` has results of its own, finished or not.
    fn take(&mut self, dir: &Path, real: &Path, depth: usize) -> bool {
        let mut results = Vec::new();
        for kind in ResultsKind::ALL {
            match kind.read(dir) {
                Ok(None) => {}
                Ok(Some(json)) => results.push((kind, json)),
                // Other programs use these names too: only where the user points at such a file it is worth a word.
                Err(ResultsError::Foreign { .. }) if depth > 0 => {}
                Err(err) => self
                    .notes
                    .push((dir.display().to_string(), with_causes(&err))),
            }
        }
        let is_unfinished = OutFolder::has_journal(dir);
        let is_training = results
            .iter()
            .all(|(kind, _)| *kind == ResultsKind::Training);
        let mut notes = Vec::new();
        if is_unfinished && !is_training {
            // A training run says itself how far it is.
            notes.push(
                "unfinished: the command that was stopped here resumes when it is run again"
                    .to_owned(),
            );
        }
        if results.is_empty() {
            if is_unfinished {
                let note = "holds an unfinished run without results: the same command, run again, resumes it";
                self.notes
                    .push((dir.display().to_string(), note.to_owned()));
            }
            return is_unfinished;
        }
        self.found.push(Found {
            path: dir.to_owned(),
            real: real.to_owned(),
            results,
            notes,
        });
        true
    }
}

/// Folders in `dir` that may hold results, in natural order.
fn folders_in(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            folders.push((name, path));
        }
    }
    folders.sort_by(|(a, _), (b, _)| natural_order(a, b));
    Ok(folders.into_iter().map(|(_, path)| path).collect())
}

/// Names of the folders: the last parts of their paths, as many of each as tell all apart.
pub(super) fn names(found: &[Found]) -> Vec<String> {
    let parts = |found: &Found| -> Vec<String> {
        let parts = found.real.components().map(Component::as_os_str);
        parts
            .map(|part| part.to_string_lossy().into_owned())
            .collect()
    };
    let all: Vec<Vec<String>> = found.iter().map(parts).collect();
    let longest = all.iter().map(Vec::len).max().unwrap_or(0);
    let of_depth = |depth: usize| -> Vec<String> {
        let name = |parts: &Vec<String>| parts[parts.len().saturating_sub(depth)..].join("/");
        all.iter().map(name).collect()
    };
    let are_distinct =
        |names: &Vec<String>| names.iter().collect::<HashSet<_>>().len() == names.len();
    let mut names = (1..longest).map(of_depth);
    names
        .find(are_distinct)
        .unwrap_or_else(|| of_depth(longest))
}
