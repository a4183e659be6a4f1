//! The output folder of a command: whose it is, who writes to it, how it differs from what is asked for.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use serde_json::Value;

use crate::RunError;

/// What an input was set aside for, a line each.
pub const REFUSED_FILE: &str = "refused.jsonl";
/// The state of an unfinished run; gone when the run is complete.
pub const JOURNAL_FOLDER: &str = ".journal";

/// Fails if `out` holds anything: what is made must not be mixed with somebody's files.
pub fn nothing_foreign_in(out: &Path) -> Result<(), RunError> {
    let entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(err) => return Err(failed("list", out)(err)),
    };
    let is_foreign = |entry: &io::Result<fs::DirEntry>| {
        // A fresh disk holds it.
        !matches!(entry, Ok(entry) if entry.file_name() == "lost+found")
    };
    match entries.into_iter().find(is_foreign) {
        Some(entry) => {
            let entry = entry.map_err(failed("list", out))?;
            Err(RunError::NotOurs {
                out: out.to_owned(),
                found: entry.file_name().to_string_lossy().into_owned(),
            })
        }
        None => Ok(()),
    }
}

/// Holds `out` for this process: its journal's folder, made if it is not there, is locked until what is
/// returned is dropped.
pub fn lock(out: &Path) -> Result<File, RunError> {
    let folder = out.join(JOURNAL_FOLDER);
    fs::create_dir_all(&folder).map_err(failed("create", &folder))?;
    let path = folder.join("lock");
    let lock = File::create(&path).map_err(failed("create", &path))?;
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => Err(RunError::InUse {
            out: out.to_owned(),
        }),
        // A file system without locks: what can be done without is done without.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(lock),
    }
}

/// Writes `bytes` as `name` in `out`, whole or not at all; half-written they lie in the journal's folder.
pub fn write_whole(out: &Path, name: &str, bytes: &[u8]) -> Result<(), RunError> {
    let (path, temporary) = (out.join(name), out.join(JOURNAL_FOLDER).join("unfinished"));
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

/// `values`, one a line, as JSON.
pub fn json_lines<T: serde::Serialize>(path: &Path, values: &[T]) -> Result<Vec<u8>, RunError> {
    let mut text = Vec::new();
    for value in values {
        serde_json::to_writer(&mut text, value)
            .map_err(|err| failed("write", path)(io::Error::other(err)))?;
        text.push(b'\n');
    }
    Ok(text)
}

/// The settings in which two objects differ, each as `pairs.k was 60, is 30`.
///
/// - `is_left_out`: paths (`pairs`, `pairs.k`) that do not count.
pub fn differences(
    theirs: &Value,
    ours: &Value,
    is_left_out: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut found = Vec::new();
    compare("", theirs, ours, &is_left_out, &mut found);
    found
}

fn compare(
    path: &str,
    theirs: &Value,
    ours: &Value,
    is_left_out: &impl Fn(&str) -> bool,
    found: &mut Vec<String>,
) {
    if theirs == ours || is_left_out(path) {
        return;
    }
    let (Value::Object(a), Value::Object(b)) = (theirs, ours) else {
        let shown = |value: &Value| match value {
            Value::Null => "not set".to_owned(),
            value => value.to_string(),
        };
        found.push(format!("{path} was {}, is {}", shown(theirs), shown(ours)));
        return;
    };
    let new = b.keys().filter(|key| !a.contains_key(*key));
    for key in a.keys().chain(new) {
        let inner = match path {
            "" => key.clone(),
            path => format!("{path}.{key}"),
        };
        let value =
            |of: &serde_json::Map<String, Value>| of.get(key).cloned().unwrap_or(Value::Null);
        compare(&inner, &value(a), &value(b), is_left_out, found);
    }
}

/// The system's word on `path`, as an error of the run.
pub fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RunError {
    let path = path.to_owned();
    move |source| RunError::File {
        action,
        path,
        source,
    }
}
