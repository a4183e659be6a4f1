//! Kills runs at chosen system calls.

use std::process::{Command, Stdio};

use super::Extract;
use crate::program;

/// System calls with which a run changes its folder.
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

/// Result of a run that was to be killed.
#[derive(Debug, PartialEq, Eq)]
enum Killed {
    Yes,
    /// The run ended normally, with fewer calls.
    EndedBefore,
    /// strace is missing or not allowed to trace.
    CannotTrace,
}

/// Starts the run that `extract` returns for a folder name, again and again, and kills each at another system call that
/// changes the folder. Yields the names of the folders; none, with a note, if strace cannot be used.
pub fn each_moment<'a>(
    extract: impl FnMut(&str) -> Extract + 'a,
) -> impl Iterator<Item = String> + 'a {
    each_call(&CHANGES, extract)
}

/// Like [`each_moment`], for the given system calls.
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
                    println!("not tested: strace cannot run here");
                    return None;
                }
            }
        }
        None
    })
}

/// Runs `extract` under strace, which kills it when one of its threads enters the `count`-th `call` of that thread. Only
/// one thread writes.
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
