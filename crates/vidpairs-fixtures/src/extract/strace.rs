//! Killing runs at chosen system calls.

use std::process::{Command, Stdio};

use super::Extract;
use crate::program;

/// The system calls by which a run changes its folder.
const CHANGES: [&str; 8] = [
    "write",
    "rename",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "ftruncate",
    "fdatasync",
];

/// What became of a run that was to be killed.
#[derive(Debug, PartialEq, Eq)]
enum Killed {
    Yes,
    /// It made fewer such calls, and ended well.
    EndedBefore,
    /// strace is not there, or may not trace.
    CannotTrace,
}

/// Starts the run that `extract` gives for a folder of that name again and again, and kills each as it
/// enters another of the system calls that change the folder: the names of the folders, one by one.
/// None at all, and a word about it, where strace cannot be had.
pub fn each_moment<'a>(
    extract: impl FnMut(&str) -> Extract + 'a,
) -> impl Iterator<Item = String> + 'a {
    each_call(&CHANGES, extract)
}

/// The same for the system calls `calls` alone.
pub fn each_call<'a>(
    calls: &'a [&'static str],
    mut extract: impl FnMut(&str) -> Extract + 'a,
) -> impl Iterator<Item = String> + 'a {
    let mut calls = calls.iter().copied();
    let mut call = calls.next();
    let mut count = 0;
    std::iter::from_fn(move || {
        while let Some(name) = call {
            count += 1;
            let out = format!("{name}-{count}");
            match run_killed_at(&extract(&out), name, count) {
                Killed::Yes => return Some(out),
                Killed::EndedBefore => (call, count) = (calls.next(), 0),
                Killed::CannotTrace => {
                    println!("strace cannot run here: nothing was tested");
                    return None;
                }
            }
        }
        None
    })
}

/// Runs `extract` under strace, which kills it when one of its threads enters the `count`-th `call` of
/// that thread; one thread alone writes.
fn run_killed_at(extract: &Extract, call: &str, count: usize) -> Killed {
    let ended = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null"])
        .arg(format!("--trace={call}"))
        .arg(format!("--inject={call}:signal=KILL:when={count}"))
        .arg(program(&extract.args[0]))
        .args(&extract.args)
        .current_dir(&extract.dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match ended.map(|status| status.code()) {
        Ok(None) => Killed::Yes,
        Ok(Some(0)) => Killed::EndedBefore,
        Ok(Some(_)) | Err(_) => Killed::CannotTrace,
    }
}
