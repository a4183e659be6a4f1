//! The output folder of a command: claimed, locked, written to by rename.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use vidpairs_types::Refusal;

use crate::RunError;

/// One line for each input that was refused, skipped or used in part.
pub const REFUSED_FILE: &str = "refused.jsonl";
/// State of an unfinished run; removed when the run is complete.
pub const JOURNAL_FOLDER: &str = ".journal";
/// File in the journal's folder: locked during a run, it holds what the command writes.
const LOCK: &str = "lock";

/// An output folder that no other process writes to while this lives.
#[derive(Debug)]
pub struct OutFolder {
    path: PathBuf,
    _lock: File,
}

impl OutFolder {
    /// Fails if `out` is not a folder, or holds files of somebody else: anything but the names in `ours`. Creates nothing.
    ///
    /// # Errors
    /// [`RunError::NotAFolder`], [`RunError::NotOurs`], [`RunError::File`] if the folder cannot be listed.
    pub fn check(out: &Path, ours: &[&str]) -> Result<(), RunError> {
        let entries = match fs::read_dir(out) {
            Ok(entries) => entries,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(err) if err.kind() == io::ErrorKind::NotADirectory => {
                return Err(RunError::NotAFolder(out.to_owned()));
            }
            Err(err) => return Err(failed("list", out)(err)),
        };
        for entry in entries {
            let name = entry.map_err(failed("list", out))?.file_name();
            // A fresh disk holds `lost+found`.
            let is_ours = name == "lost+found" || ours.iter().any(|ours| name == *ours);
            if !is_ours {
                return Err(RunError::NotOurs {
                    out: out.to_owned(),
                    found: name.to_string_lossy().into_owned(),
                });
            }
        }
        Ok(())
    }

    /// Whether a run was begun in `out` and not finished. A folder of the same name with files of somebody else is no journal.
    pub fn has_journal(out: &Path) -> bool {
        let folder = out.join(JOURNAL_FOLDER);
        match fs::read_dir(&folder) {
            // Empty: the run was killed before it created the lock.
            Ok(mut entries) => entries.next().is_none() || folder.join(LOCK).exists(),
            Err(_) => folder.is_dir(),
        }
    }

    /// Creates the folder and its journal if they are missing, and locks them.
    ///
    /// - `what`: what the command writes: `a rendered set`.
    ///
    /// # Errors
    /// [`RunError::InUse`] if another process holds the folder; [`RunError::OtherCommand`] if another command began a run;
    /// [`RunError::NotOurs`]; [`RunError::NotAFolder`]; [`RunError::File`].
    pub fn claim(out: &Path, what: &'static str) -> Result<Self, RunError> {
        if out.exists() && !out.is_dir() {
            return Err(RunError::NotAFolder(out.to_owned()));
        }
        let folder = out.join(JOURNAL_FOLDER);
        fs::create_dir_all(&folder).map_err(failed("create", &folder))?;
        if !Self::has_journal(out) {
            return Err(RunError::NotOurs {
                out: out.to_owned(),
                found: JOURNAL_FOLDER.to_owned(),
            });
        }
        let path = folder.join(LOCK);
        let mut options = File::options();
        let options = options.read(true).append(true).create(true);
        let mut lock = options.open(&path).map_err(failed("create", &path))?;
        // A file system without locks is used without.
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Err(RunError::InUse {
                out: out.to_owned(),
            });
        }
        let mut theirs = String::new();
        lock.read_to_string(&mut theirs)
            .map_err(failed("read", &path))?;
        // A full disk or a kill may have left a part of it.
        if !what.starts_with(&theirs) {
            return Err(RunError::OtherCommand {
                out: out.to_owned(),
                theirs,
                ours: what,
            });
        }
        lock.write_all(&what.as_bytes()[theirs.len()..])
            .map_err(failed("write", &path))?;
        Ok(Self {
            path: out.to_owned(),
            _lock: lock,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder for unfinished files, on the same file system.
    pub fn journal_folder(&self) -> PathBuf {
        self.path.join(JOURNAL_FOLDER)
    }

    /// Writes `bytes` as `name`, whole or not at all: they are written in the journal's folder, synced, and renamed.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        let path = self.path.join(name);
        let temporary = self.journal_folder().join("unfinished");
        let written = File::create(&temporary).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()?;
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::rename(&temporary, &path)
        });
        written.map_err(failed("write", &path))
    }

    /// Writes `value` as indented JSON.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), RunError> {
        let text = serde_json::to_vec_pretty(value);
        let mut text =
            text.map_err(|err| failed("write", &self.path.join(name))(io::Error::other(err)))?;
        text.push(b'\n');
        self.write(name, &text)
    }

    /// Writes `values` as JSON, one a line.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn write_lines<T: Serialize>(
        &self,
        name: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Result<(), RunError> {
        let mut text = Vec::new();
        for value in values {
            serde_json::to_writer(&mut text, &value)
                .map_err(|err| failed("write", &self.path.join(name))(io::Error::other(err)))?;
            text.push(b'\n');
        }
        self.write(name, &text)
    }

    /// Writes [`REFUSED_FILE`].
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn write_refusals<'a>(
        &self,
        refusals: impl IntoIterator<Item = &'a Refusal>,
    ) -> Result<(), RunError> {
        self.write_lines(REFUSED_FILE, refusals)
    }

    /// Ends the run: the journal's folder is removed, the lock last, since it shows whose folder it is.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn finish(&self) -> Result<(), RunError> {
        let folder = self.journal_folder();
        let remove = || {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    fs::remove_dir_all(entry.path())?;
                } else if entry.file_name() != LOCK {
                    fs::remove_file(entry.path())?;
                }
            }
            fs::remove_dir_all(&folder)
        };
        remove().map_err(failed("remove", &folder))
    }
}

/// The change of a setting that is a checksum: it names what changed, since the digits say nothing.
fn changed_checksum(setting: &str) -> Option<String> {
    match setting.strip_suffix("_xxh3")? {
        "program" => Some("another build of vidpairs".to_owned()),
        subject => Some(format!("the {subject} changed")),
    }
}

/// Fails if two runs have different settings, or were made by different versions of this program (their `program_version`).
///
/// - `what`: what the folder holds: `pairs`.
/// - `is_free`: paths of settings (`extract`, `pairs.k`) that may differ.
///
/// # Errors
/// [`RunError::OtherRun`] names each setting with both values; [`RunError::OtherVersion`].
pub fn same_run(
    out: &Path,
    what: &'static str,
    theirs: &Value,
    ours: &Value,
    is_free: impl Fn(&str) -> bool,
) -> Result<(), RunError> {
    const VERSION: &str = "program_version";
    let differences = differences(theirs, ours, |path| path == VERSION || is_free(path));
    if !differences.is_empty() {
        return Err(RunError::OtherRun {
            out: out.to_owned(),
            what,
            difference: differences.join(", "),
        });
    }
    if theirs[VERSION] != ours[VERSION] {
        let version = |of: &Value| of[VERSION].as_str().unwrap_or("of no version").to_owned();
        return Err(RunError::OtherVersion {
            out: out.to_owned(),
            theirs: version(theirs),
            ours: version(ours),
        });
    }
    Ok(())
}

/// The settings in which two objects differ, each as `pairs.k was 60, is 30`.
fn differences(theirs: &Value, ours: &Value, is_free: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    compare("", theirs, ours, &is_free, &mut found);
    found
}

fn compare(
    path: &str,
    theirs: &Value,
    ours: &Value,
    is_free: &impl Fn(&str) -> bool,
    found: &mut Vec<String>,
) {
    if theirs == ours || is_free(path) {
        return;
    }
    if let Some(changed) = changed_checksum(path) {
        found.push(changed);
        return;
    }
    if path.is_empty() && !theirs.is_object() {
        found.push("which cannot be read".to_owned());
        return;
    }
    let (Value::Object(then), Value::Object(now)) = (theirs, ours) else {
        let shown = |value: &Value| match value {
            Value::Null => "not set".to_owned(),
            value => value.to_string(),
        };
        found.push(format!("{path} was {}, is {}", shown(theirs), shown(ours)));
        return;
    };
    let new = now.keys().filter(|key| !then.contains_key(*key));
    for key in then.keys().chain(new) {
        let inner = match path {
            "" => key.clone(),
            path => format!("{path}.{key}"),
        };
        let value = |of: &serde_json::Map<String, Value>| of.get(key).cloned();
        let (then, now) = (value(then), value(now));
        compare(
            &inner,
            &then.unwrap_or(Value::Null),
            &now.unwrap_or(Value::Null),
            is_free,
            found,
        );
    }
}

/// An error of the operating system on `path`, as an error of the run.
pub fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RunError + use<> {
    let path = path.to_owned();
    move |source| RunError::File {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_folder_with_files_of_somebody_else_is_refused_by_their_name() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        OutFolder::check(&out.join("new"), &[]).unwrap();
        fs::create_dir(out.join("lost+found")).unwrap();
        fs::write(out.join("results.json"), "").unwrap();
        OutFolder::check(out, &["results.json"]).unwrap();
        let err = OutFolder::check(out, &[]).unwrap_err().to_string();
        assert!(err.contains("found results.json"), "{err}");
        let err = OutFolder::check(&out.join("results.json"), &[]).unwrap_err();
        assert!(matches!(err, RunError::NotAFolder(_)), "{err}");
    }

    #[test]
    fn a_claimed_folder_is_refused_to_a_second_run_until_it_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let first = OutFolder::claim(folder.path(), "numbers").unwrap();
        let second = OutFolder::claim(folder.path(), "numbers").unwrap_err();
        assert!(matches!(second, RunError::InUse { .. }), "{second}");
        first.write("a/b.txt", b"x").unwrap();
        first.finish().unwrap();
        assert!(!OutFolder::has_journal(folder.path()));
        assert_eq!(fs::read(folder.path().join("a/b.txt")).unwrap(), b"x");
        OutFolder::claim(folder.path(), "numbers").unwrap();
    }

    #[test]
    fn a_journal_of_somebody_else_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        fs::create_dir(out.join(".journal")).unwrap();
        fs::write(out.join(".journal/2026.txt"), "dear diary").unwrap();
        assert!(!OutFolder::has_journal(out));
        for err in [
            OutFolder::check(out, &[]).unwrap_err(),
            OutFolder::claim(out, "numbers").unwrap_err(),
        ] {
            assert!(matches!(err, RunError::NotOurs { .. }), "{err}");
        }
        assert_eq!(fs::read_dir(out.join(".journal")).unwrap().count(), 1);
    }

    #[test]
    fn settings_that_differ_are_named_with_both_values_and_versions_last() {
        let settings = |k: u32, keep: u32, version: &str| json!({"program_version": version, "pairs": {"k": k}, "keep": keep});
        let compared = |theirs: Value| {
            same_run(
                Path::new("out"),
                "pairs",
                &theirs,
                &settings(30, 1, "2"),
                |path| path == "keep",
            )
        };
        compared(settings(30, 5, "2")).unwrap();
        let err = compared(settings(60, 5, "1")).unwrap_err().to_string();
        assert!(err.contains("pairs.k was 60, is 30"), "{err}");
        let err = compared(settings(30, 5, "1")).unwrap_err();
        assert!(matches!(err, RunError::OtherVersion { .. }), "{err}");
    }
}
