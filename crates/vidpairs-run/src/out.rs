//! The output folder of a command: claimed, locked, written to by rename.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use vidpairs_types::{
    Refusal, create_folders_of, create_own_folder, open_own, read_regular, write_whole,
};

use crate::RunError;
use crate::results::foreign_results;

/// One line for each input that was refused, skipped or used in part.
pub const REFUSED_FILE: &str = "refused.jsonl";
/// State of an unfinished run; removed when the run is complete.
pub const JOURNAL_FOLDER: &str = ".journal";
/// File in the journal's folder: locked during a run, it holds what the command writes.
const LOCK: &str = "lock";
/// Most times that a folder is tried to be locked while runs in it end.
const MAX_ROUNDS: usize = 100;
/// So much of a lock is read: more than a command writes to it.
const MAX_LOCK_BYTES: u64 = 256;

/// An output folder that no other process writes to while this lives.
#[derive(Debug)]
pub struct OutFolder {
    path: PathBuf,
    /// `None` after the end of the run.
    lock: Option<File>,
}

impl OutFolder {
    /// Fails if `out` is not a folder, or holds files of somebody else: anything but the names in `ours`. Creates nothing.
    ///
    /// # Errors
    /// [`RunError::Url`], [`RunError::NotAFolder`], [`RunError::OtherResults`], [`RunError::NotOurs`], [`RunError::File`] if the folder cannot
    /// be listed.
    pub fn check(out: &Path, ours: &[&str]) -> Result<(), RunError> {
        if out.to_string_lossy().contains("://") {
            return Err(RunError::Url(out.to_owned()));
        }
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
            if !is_nothing(&out.join(&name)) && !ours.iter().any(|ours| name == *ours) {
                if let Some(theirs) = foreign_results(out, ours) {
                    return Err(RunError::OtherResults {
                        out: out.to_owned(),
                        theirs,
                    });
                }
                return Err(RunError::NotOurs {
                    out: out.to_owned(),
                    found: name.to_string_lossy().into_owned(),
                });
            }
        }
        Ok(())
    }

    /// Whether a run was begun in `out` and not finished. A folder of the same name without a lock is no journal: it is empty after a
    /// kill, or holds files of somebody else.
    pub fn has_journal(out: &Path) -> bool {
        out.join(JOURNAL_FOLDER).join(LOCK).exists()
    }

    /// Whether a run that writes `what` was begun in `out` and not finished.
    pub fn is_begun(out: &Path, what: &str) -> bool {
        let lock = out.join(JOURNAL_FOLDER).join(LOCK);
        read_regular(&lock, MAX_LOCK_BYTES).is_ok_and(|text| text == what.as_bytes())
    }

    /// Makes an empty journal in `out`, whose journal's folder is there, for a run that was begun elsewhere.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn mark_begun(out: &Path) -> Result<(), RunError> {
        let path = out.join(JOURNAL_FOLDER).join(LOCK);
        let opened = open_own(File::options().append(true).create(true), &path);
        opened.map(drop).map_err(failed("create", &path))
    }

    /// Removes the empty journal that a kill at the very end of a run left.
    pub fn tidy(out: &Path) {
        // If it is not empty, or cannot be removed, it stays: it is no journal without a lock.
        let _ = fs::remove_dir(out.join(JOURNAL_FOLDER));
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
        let mut lock = Self::locked(out)?;
        let path = out.join(JOURNAL_FOLDER).join(LOCK);
        let mut theirs = Vec::new();
        let read = (&lock).take(MAX_LOCK_BYTES).read_to_end(&mut theirs);
        read.map_err(failed("read", &path))?;
        // A full disk or a kill may have left a part of it.
        if !what.as_bytes().starts_with(&theirs) {
            return Err(RunError::OtherCommand {
                out: out.to_owned(),
                theirs: String::from_utf8_lossy(&theirs).into_owned(),
                ours: what,
            });
        }
        lock.write_all(&what.as_bytes()[theirs.len()..])
            .map_err(failed("write", &path))?;
        Ok(Self {
            path: out.to_owned(),
            lock: Some(lock),
        })
    }

    /// The lock of `out`, held. A file system without locks is used without.
    fn locked(out: &Path) -> Result<File, RunError> {
        let folder = out.join(JOURNAL_FOLDER);
        let path = folder.join(LOCK);
        // A run that ends in between costs a round. A file system on which a lock never fits its name ends the rounds.
        for _ in 0..MAX_ROUNDS {
            create_own_folder(&folder).map_err(failed("create", &folder))?;
            // Looked at twice: a run that claims the folder, or ends, in the meantime has files in it for a moment.
            let is_foreign = || Self::check(&folder, &[]).is_err() && !Self::has_journal(out);
            if is_foreign() && is_foreign() {
                return Err(RunError::NotOurs {
                    out: out.to_owned(),
                    found: JOURNAL_FOLDER.to_owned(),
                });
            }
            let lock = match open_own(File::options().read(true).append(true).create(true), &path) {
                // A run that ended in the meantime removed the folder.
                Err(err) if err.kind() == io::ErrorKind::NotFound => continue,
                opened => opened.map_err(failed("open", &path))?,
            };
            if let Err(TryLockError::WouldBlock) = lock.try_lock() {
                return Err(RunError::InUse {
                    out: out.to_owned(),
                });
            }
            // A run that ended between the opening and the locking removed this file: its lock keeps nobody out.
            let held = lock.metadata().map_err(failed("open", &path))?;
            if fs::symlink_metadata(&path).is_ok_and(|found| found.ino() == held.ino()) {
                return Ok(lock);
            }
        }
        let reason = "its lock is replaced again and again, or its file system does not keep it";
        Err(failed("lock", out)(io::Error::other(reason)))
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
    /// [`RunError::File`], also if a folder of `name` is a link, or `name` leaves the output folder.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        self.write_by(name, |mut file| {
            file.write_all(bytes)?;
            Ok(file)
        })
    }

    /// Like [`write`](Self::write), for contents that are not in memory.
    ///
    /// - `write`: writes the contents and returns the writer.
    ///
    /// # Errors
    /// Those of [`write`](Self::write), and the errors of `write`.
    pub fn write_by(
        &self,
        name: &str,
        write: impl FnOnce(BufWriter<File>) -> io::Result<BufWriter<File>>,
    ) -> Result<(), RunError> {
        let path = self.path.join(name);
        let temporary = self.journal_folder().join("unfinished");
        let written = create_folders_of(&self.path, Path::new(name))
            .and_then(|()| write_whole(&temporary, &path, write));
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
    /// The lock is closed before its folder goes, because NFS and FUSE keep the name of an open file. The folder stays if another run
    /// has claimed it since.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn finish(&mut self) -> Result<(), RunError> {
        let folder = self.journal_folder();
        let remove = || {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    fs::remove_dir_all(entry.path())?;
                } else if entry.file_name() != LOCK && !is_nothing(&entry.path()) {
                    fs::remove_file(entry.path())?;
                }
            }
            fs::remove_file(folder.join(LOCK))
        };
        remove().map_err(failed("remove", &folder))?;
        drop(self.lock.take());
        // An empty folder that stays is no journal.
        let _ = fs::remove_dir(&folder);
        Ok(())
    }
}

/// Whether a name in an output folder says nothing about whose it is: the `lost+found` of a fresh disk, a file that NFS keeps until it
/// is closed, or an empty journal.
fn is_nothing(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name == "lost+found"
        || name.starts_with(".nfs")
        || (name == JOURNAL_FOLDER
            && fs::read_dir(path)
                .is_ok_and(|entries| entries.flatten().all(|entry| is_nothing(&entry.path()))))
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
    use std::os::unix::fs::symlink;

    use serde_json::json;
    use vidpairs_shard::{Manifest, Totals};

    use super::*;

    #[test]
    fn a_folder_with_files_of_somebody_else_is_refused_by_their_name() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        OutFolder::check(&out.join("new"), &[]).unwrap();
        let url = OutFolder::check(Path::new("s3://bucket/out"), &[]).unwrap_err();
        assert!(matches!(url, RunError::Url(_)), "{url}");
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
        let mut first = OutFolder::claim(folder.path(), "numbers").unwrap();
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
    fn a_folder_with_results_of_another_command_is_refused_with_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let refusal = |ours: &[&str]| {
            let text = OutFolder::check(out, ours).unwrap_err().to_string();
            text.replace(&*out.to_string_lossy(), "OUT")
        };
        // Somebody else's file of the same name.
        fs::write(out.join("dataset.json"), r#"{"name": "mine"}"#).unwrap();
        assert_eq!(
            refusal(&[]),
            "OUT is not empty and holds no run of vidpairs (found dataset.json); choose an empty or a new folder for --out"
        );
        let totals = Totals::default();
        let manifest = Manifest::new(Value::Null, 0, 7, totals, Vec::new());
        manifest.write_atomically(out).unwrap();
        fs::write(out.join("refused.jsonl"), "").unwrap();
        let expected = "OUT holds pairs written by `vidpairs extract`, and another command's results do not go beside them; choose an \
                        empty or a new folder for --out";
        assert_eq!(refusal(&[]), expected);
        // What this command replaces is not what is in its way.
        assert!(refusal(&["dataset.json"]).contains("found refused.jsonl"));
    }

    #[test]
    fn an_empty_journal_does_not_make_the_files_beside_it_ours() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        fs::create_dir(out.join(".journal")).unwrap();
        OutFolder::check(out, &[]).unwrap();
        fs::write(out.join("pairs-000000.tar"), "precious").unwrap();
        assert!(!OutFolder::has_journal(out));
        let err = OutFolder::check(out, &[]).unwrap_err().to_string();
        assert!(err.contains("found pairs-000000.tar"), "{err}");
    }

    #[test]
    fn a_run_ends_although_nfs_keeps_the_names_of_removed_files() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let mut claimed = OutFolder::claim(out, "numbers").unwrap();
        fs::write(out.join(".journal/.nfs0000000000000001"), "").unwrap();
        claimed.finish().unwrap();
        assert!(!OutFolder::has_journal(out));
        OutFolder::check(out, &[]).unwrap();
        fs::remove_file(out.join(".journal/.nfs0000000000000001")).unwrap();
        OutFolder::tidy(out);
        assert!(!out.join(".journal").exists());
        OutFolder::claim(out, "letters").unwrap();
    }

    #[test]
    fn one_run_at_a_time_holds_a_folder_while_others_end() {
        let folder = tempfile::tempdir().unwrap();
        let held = std::sync::Mutex::new(());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut ended = 0;
                    while ended < 20 {
                        match OutFolder::claim(folder.path(), "numbers") {
                            Ok(mut claimed) => {
                                let alone = held.try_lock().unwrap();
                                claimed.write("a", b"a").unwrap();
                                drop(alone);
                                claimed.finish().unwrap();
                                ended += 1;
                            }
                            Err(err) => assert!(matches!(err, RunError::InUse { .. }), "{err}"),
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn a_link_in_the_place_of_an_own_file_or_folder_is_never_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        let away = folder.path().join("away");
        fs::create_dir(&away).unwrap();
        for text in ["", "precious"] {
            fs::write(&precious, text).unwrap();
            for (number, name) in [".journal", ".journal/lock", ".journal/unfinished", "a"]
                .iter()
                .enumerate()
            {
                let out = folder.path().join(format!("{text}{number}"));
                fs::create_dir_all(out.join(".journal")).unwrap();
                let link = out.join(name);
                let target = match *name {
                    ".journal" => fs::remove_dir(&link).map(|()| &away).unwrap(),
                    "a" => &away,
                    _ => &precious,
                };
                symlink(target, &link).unwrap();
                if *name != ".journal/lock" && *name != ".journal" {
                    fs::write(out.join(".journal/lock"), "numbers").unwrap();
                }
                let written = OutFolder::claim(&out, "numbers").and_then(|mut claimed| {
                    claimed.write("b.txt", b"b")?;
                    claimed.write("a/b.txt", b"b")?;
                    claimed.finish()
                });
                match (*name, written) {
                    // A temporary file: the link is removed, and the run goes on.
                    (".journal/unfinished", written) => written.unwrap(),
                    (_, written) => {
                        let err = vidpairs_types::with_causes(&written.unwrap_err());
                        assert!(err.contains("a symbolic link"), "{err}");
                    }
                }
                assert_eq!(fs::read_to_string(&precious).unwrap(), text, "{name}");
                assert_eq!(fs::read_dir(&away).unwrap().count(), 0, "{name}");
            }
        }
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
