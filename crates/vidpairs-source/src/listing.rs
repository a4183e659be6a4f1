//! Clips and refusals of a source.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use vidpairs_types::{Clip, Outcome, Refusal, Stage};

/// Contents of a source.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// Clips, at least one, sorted by the bytes of their ids, which are unique.
    pub clips: Vec<Clip>,
    /// Inputs that look like clips but cannot be used, sorted by id.
    pub refused: Vec<Refusal>,
    /// Other files, which are neither videos nor part of the layout.
    pub ignored: IgnoredFiles,
}

/// Files that were left out of a listing because of their names.
///
/// # Examples
/// ```
/// let root = tempfile::tempdir()?;
/// for name in ["cat.mp4", "cat.srt", "notes.TXT", "todo.txt", "README"] {
///     std::fs::write(root.path().join(name), b"")?;
/// }
/// let options = vidpairs_source::SourceOptions {
///     kind: vidpairs_types::SourceKind::Videos,
///     splits: Vec::new(),
/// };
/// let ignored = vidpairs_source::list(root.path(), &options)?.ignored;
/// assert_eq!(ignored.to_string(), "4 other files (2 .txt, 1 .srt, 1 without extension)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IgnoredFiles {
    /// Number of files by extension, in lower case; `""` for files without one, `"other"` for unusual and for rare ones.
    pub by_extension: BTreeMap<String, u64>,
}

impl IgnoredFiles {
    /// Most different extensions that are counted apart.
    const MAX_EXTENSIONS: usize = 100;

    /// Most characters of an extension that is counted apart.
    const MAX_CHARS: usize = 12;

    /// Number of files.
    pub fn total(&self) -> u64 {
        self.by_extension.values().sum()
    }

    /// Adds the file at `path`.
    pub(crate) fn add(&mut self, path: &Path) {
        let extension = path.extension().map(|extension| extension.to_str());
        let extension = match extension {
            None => String::new(),
            Some(Some(text)) if is_usual(text) => text.to_ascii_lowercase(),
            Some(_) => "other".to_owned(),
        };
        let is_known = self.by_extension.contains_key(&extension);
        let has_room = self.by_extension.len() < Self::MAX_EXTENSIONS;
        let key = if is_known || has_room {
            extension
        } else {
            "other".to_owned()
        };
        *self.by_extension.entry(key).or_default() += 1;
    }

    /// Adds all files of `other`.
    pub(crate) fn add_all(&mut self, other: Self) {
        for (extension, num) in other.by_extension {
            *self.by_extension.entry(extension).or_default() += num;
        }
    }
}

fn is_usual(extension: &str) -> bool {
    let is_word = extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word && extension.len() <= IgnoredFiles::MAX_CHARS
}

impl fmt::Display for IgnoredFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NUM_SHOWN: usize = 6;
        let total = self.total();
        let files = if total == 1 { "file" } else { "files" };
        write!(f, "{total} other {files}")?;
        let mut counts: Vec<(&String, &u64)> = self.by_extension.iter().collect();
        counts.sort_by_key(|(extension, num)| (Reverse(**num), extension.is_empty(), *extension));
        let of_extension = |(extension, num): &(&String, &u64)| match extension.as_str() {
            "" => format!("{num} without extension"),
            "other" => format!("{num} others"),
            extension => format!("{num} .{extension}"),
        };
        let mut shown: Vec<String> = counts.iter().take(NUM_SHOWN).map(of_extension).collect();
        let num_more: u64 = counts.iter().skip(NUM_SHOWN).map(|(_, num)| **num).sum();
        if num_more > 0 {
            shown.push(format!("{num_more} others"));
        }
        match shown.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", shown.join(", ")),
        }
    }
}

impl Listing {
    /// Adds a damaged or unreadable input.
    pub(crate) fn refuse(&mut self, id: &str, path: &Path, reason: impl Into<String>) {
        let retry = "repair it under the same name, then run the same command with --retry-refused; if it is removed or \
                     renamed, use a new --out";
        self.add(Outcome::Refused, id, path, reason.into(), retry);
    }

    /// Adds a sound input that a rule excludes.
    pub(crate) fn skip(&mut self, id: &str, path: &Path, reason: impl Into<String>) {
        self.add(Outcome::Skipped, id, path, reason.into(), "nothing to do");
    }

    /// Number of clips and refusals.
    pub(crate) fn num_inputs(&self) -> usize {
        self.clips.len() + self.refused.len()
    }

    fn add(&mut self, outcome: Outcome, id: &str, path: &Path, reason: String, retry: &str) {
        self.refused.push(Refusal {
            id: id.to_owned(),
            path: path.display().to_string(),
            outcome,
            stage: Stage::Source,
            reason,
            retry: retry.to_owned(),
        });
    }
}
