//! Finds the folders with results.

use std::cmp::Ordering;
use std::collections::{HashSet, VecDeque};
use std::fs;
use std::path::{Component, Path, PathBuf};

use indicatif::HumanCount;
use serde_json::Value;
use vidpairs_run::{OutFolder, ResultsError, ResultsKind, counted};
use vidpairs_shard::PARTS_FILE;
use vidpairs_source::natural_order;
use vidpairs_types::parallel::Cancel;
use vidpairs_types::with_causes;

use super::{ExperimentError, Part};

/// How far below a named folder results are looked for, folders.
pub(super) const MAX_DEPTH: usize = 4;
/// Most folders that are looked into.
const MAX_FOLDERS: usize = 5_000;
/// Folders that a command writes for itself: results in them are found, but nothing below. The same holds for sets of `vidpairs synth`,
/// which have thousands of folders, and for data sets made in parts, which have one for each part. Folders whose names begin with a dot are skipped altogether.
const NOT_SEARCHED: [&str; 4] = ["checkpoints", "features", "heads", "tensorboard"];

/// A folder with results.
pub(super) struct Found {
    /// The folder, as it was named or found.
    pub path: PathBuf,
    /// Its path without links.
    real: PathBuf,
    /// Index of the named folder that it is in.
    root: usize,
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
    /// Folders to look into, with the index of their named folder and their depth below it.
    waiting: VecDeque<(PathBuf, usize, usize)>,
    /// Folders of each named folder that are too deep to be looked into: number, and the first of them.
    too_deep: Vec<Option<(u64, PathBuf)>>,
}

/// Finds the folders of results among `dirs` and below them, those nearest to `dirs` first. A folder that is reached twice counts once.
///
/// # Errors
/// [`ExperimentError::NoFolder`], [`ExperimentError::NotAFolder`], [`ExperimentError::List`] for a folder in `dirs`;
/// [`ExperimentError::Stopped`].
pub(super) fn find(dirs: &[PathBuf], cancel: &Cancel) -> Result<Search, ExperimentError> {
    let mut search = Search {
        too_deep: vec![None; dirs.len()],
        ..Search::default()
    };
    for (root, dir) in dirs.iter().enumerate() {
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
        search.waiting.push_back((dir.clone(), root, 0));
    }
    while let Some((dir, root, depth)) = search.waiting.pop_front() {
        if cancel.is_set() {
            return Err(ExperimentError::Stopped);
        }
        if search.seen.len() == MAX_FOLDERS {
            let left = search.waiting.len() as u64 + 1;
            let note = format!(
                "the search ended after {} folders; {} and those below were not looked into: name the folders of results themselves",
                HumanCount(MAX_FOLDERS as u64),
                counted(left, "folder")
            );
            search.notes.push((dir.display().to_string(), note));
            break;
        }
        search.look_into(&dir, root, depth)?;
    }
    search.note_depth(dirs);
    search.found.sort_by(|a, b| {
        let order = a.root.cmp(&b.root);
        order.then_with(|| natural_order_of_paths(&a.path, &b.path))
    });
    Ok(search)
}

impl Search {
    fn look_into(&mut self, dir: &Path, root: usize, depth: usize) -> Result<(), ExperimentError> {
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
        if !self.seen.insert(real.clone()) {
            return Ok(());
        }
        let name = real.file_name().unwrap_or_default().to_string_lossy();
        let is_own = depth > 0 && NOT_SEARCHED.contains(&&*name);
        let results = self.results_in(dir, depth);
        let is_rendered = results
            .iter()
            .any(|(kind, _)| *kind == ResultsKind::RenderedSet);
        let has_parts = dir.join(PARTS_FILE).is_file();
        if has_parts && !results.iter().any(|(kind, _)| *kind == ResultsKind::Pairs) {
            let note = "holds parts of a data set that are not merged: run `vidpairs merge` on it";
            self.notes.push((shown(), note.to_owned()));
        }
        self.take(dir, &real, root, results);
        if is_own || is_rendered || has_parts {
            return Ok(());
        }
        match folders_in(dir) {
            Ok(folders) if depth == MAX_DEPTH => {
                if let Some(first) = folders.first() {
                    let too_deep = self.too_deep[root].get_or_insert((0, first.clone()));
                    too_deep.0 += folders.len() as u64;
                }
            }
            Ok(folders) => {
                let folders = folders.into_iter();
                self.waiting
                    .extend(folders.map(|folder| (folder, root, depth + 1)));
            }
            Err(err) if depth == 0 => return Err(listed(err)),
            Err(err) => self
                .notes
                .push((shown(), format!("cannot be listed: {err}"))),
        }
        Ok(())
    }

    /// The files in `dir` that describe results. Those that cannot be read are noted.
    fn results_in(&mut self, dir: &Path, depth: usize) -> Vec<(ResultsKind, Value)> {
        let mut results = Vec::new();
        for kind in ResultsKind::ALL {
            match kind.read(dir) {
                Ok(None) => {}
                Ok(Some(json)) => results.push((kind, json)),
                // Other programs have files of these names too. They are noted in folders that the user named.
                Err(ResultsError::Foreign {
                    is_similar: false, ..
                }) if depth > 0 => {}
                Err(err) => self
                    .notes
                    .push((dir.display().to_string(), with_causes(&err))),
            }
        }
        results
    }

    /// Takes the results of `dir`, and notes an unfinished run.
    fn take(&mut self, dir: &Path, real: &Path, root: usize, results: Vec<(ResultsKind, Value)>) {
        let is_unfinished = OutFolder::has_journal(dir);
        let is_training = results
            .iter()
            .all(|(kind, _)| *kind == ResultsKind::Training);
        if results.is_empty() {
            if is_unfinished {
                let note = "holds an unfinished run without results: the same command, run again, resumes it";
                self.notes
                    .push((dir.display().to_string(), note.to_owned()));
            }
            return;
        }
        let mut notes = Vec::new();
        if is_unfinished && !is_training {
            // A training run says itself how far it is.
            notes.push(
                "unfinished: the command that was stopped here resumes when it is run again"
                    .to_owned(),
            );
        }
        self.found.push(Found {
            path: dir.to_owned(),
            real: real.to_owned(),
            root,
            results,
            notes,
        });
    }

    /// Notes the folders that were too deep.
    fn note_depth(&mut self, dirs: &[PathBuf]) {
        for (dir, too_deep) in dirs.iter().zip(&self.too_deep) {
            if let Some((num, first)) = too_deep {
                let note = format!(
                    "{} more than {MAX_DEPTH} folders below it not looked into, such as {}: name them to search them too",
                    counted(*num, "folder"),
                    first.display()
                );
                self.notes.push((dir.display().to_string(), note));
            }
        }
    }
}

fn natural_order_of_paths(a: &Path, b: &Path) -> Ordering {
    let parts = |path: &Path| -> Vec<String> {
        let parts = path.components();
        parts
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect()
    };
    let (a, b) = (parts(a), parts(b));
    let orders = a.iter().zip(&b).map(|(a, b)| natural_order(a, b));
    let first = orders.into_iter().find(|order| order.is_ne());
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
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
