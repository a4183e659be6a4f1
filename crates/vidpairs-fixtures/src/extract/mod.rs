//! Driving `vidpairs extract` from outside: media to feed it, the program, and what it wrote.

#![allow(clippy::print_stdout)] // of what could not be tested here

pub mod dataset;
pub mod media;
pub mod small_disk;
pub mod strace;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::program;

/// No run of these tests takes so long unless it hangs.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// A folder to run in, with `pipeline.toml`; the media of a test go to `clips`.
pub struct Work {
    dir: tempfile::TempDir,
}

impl Work {
    pub fn new(pipeline: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("pipeline.toml"), pipeline).unwrap();
        fs::create_dir(dir.path().join("clips")).unwrap();
        Self { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn clips(&self) -> PathBuf {
        self.path("clips")
    }

    /// `vidpairs extract pipeline.toml --source clips --out OUT`, run in this folder, so that the
    /// paths in its files are the same wherever that lies.
    pub fn extract(&self, out: &str) -> Extract {
        let args = [
            "extract",
            "pipeline.toml",
            "--source",
            "clips",
            "--out",
            out,
        ];
        Extract {
            dir: self.dir.path().to_owned(),
            args: args.map(str::to_owned).to_vec(),
        }
    }

    pub fn verify(&self, out: &str) -> Ran {
        let args = ["verify", out].map(str::to_owned).to_vec();
        let dir = self.dir.path().to_owned();
        Extract { dir, args }.run()
    }
}

/// A command line about to be run.
#[derive(Clone)]
pub struct Extract {
    pub dir: PathBuf,
    pub args: Vec<String>,
}

impl Extract {
    pub fn workers(self, workers: usize) -> Self {
        self.arg("--workers").arg(&workers.to_string())
    }

    pub fn set(self, setting: &str) -> Self {
        self.arg("--set").arg(setting)
    }

    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// In place of `pipeline.toml`, or of what follows a flag.
    pub fn replace(mut self, old: &str, new: &str) -> Self {
        let at = self.args.iter().rposition(|arg| arg == old).unwrap();
        new.clone_into(&mut self.args[at]);
        self
    }

    /// The same run by a copy of the program that stands alone: no neighbour program beside it, nor in PATH.
    pub fn without_neighbours(&self) -> Alone {
        let folder = tempfile::tempdir().unwrap();
        let program = program(&self.args[0]);
        let alone = folder.path().join(program.file_name().unwrap());
        fs::hard_link(&program, &alone)
            .or_else(|_| fs::copy(&program, &alone).map(drop))
            .unwrap();
        Alone {
            folder,
            program: alone,
            run: self.clone(),
        }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(program(&self.args[0]));
        command.args(&self.args).current_dir(&self.dir);
        command
    }

    pub fn spawn(&self) -> Child {
        self.command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    pub fn run(&self) -> Ran {
        Ran::of(self.spawn())
    }

    /// Runs it, and fails the test unless it ends with 0.
    pub fn run_well(&self) -> Ran {
        let ran = self.run();
        assert_eq!(ran.code, Some(0), "{:?}: {}", self.args, ran.stderr);
        ran
    }

    /// Runs it with `--json`: the object that it prints.
    pub fn run_json(&self) -> Value {
        self.clone().arg("--json").run_well().json()
    }
}

/// A command line about to be run by a program without neighbours.
pub struct Alone {
    folder: tempfile::TempDir,
    program: PathBuf,
    run: Extract,
}

impl Alone {
    pub fn run(&self) -> Ran {
        let mut command = Command::new(&self.program);
        command.args(&self.run.args).current_dir(&self.run.dir);
        command.env("PATH", self.folder.path());
        let command = command.stdin(Stdio::null());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Ran::of(command.spawn().unwrap())
    }
}

/// What a command gave.
#[derive(Debug)]
pub struct Ran {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Waits for `child`; one that hangs is killed and fails the test.
    pub fn of(child: Child) -> Self {
        let (ended_tx, ended_rx) = mpsc::channel::<()>();
        let id = child.id();
        let watch = std::thread::spawn(move || {
            let hangs = ended_rx.recv_timeout(HANGS_AFTER) == Err(mpsc::RecvTimeoutError::Timeout);
            if hangs {
                signal(id, "KILL");
            }
            hangs
        });
        let output = child.wait_with_output().unwrap();
        drop(ended_tx);
        assert!(!watch.join().unwrap(), "it hung");
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        Self {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// The one JSON object on stdout.
    pub fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.stdout).unwrap();
        assert!(value.is_object(), "{}", self.stdout);
        value
    }

    /// Asserts that it ended with `code` and that stderr says each of `words`.
    #[track_caller]
    pub fn failed_with(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {}", self.stderr);
        }
    }
}

/// Sends a signal by name.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .stderr(Stdio::null())
        .status();
    sent.unwrap();
}

/// Every file below `dir`, by its path there.
pub fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(dir) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(dir).unwrap();
            let name = name.to_str().unwrap().to_owned();
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// Asserts that two folders hold the same names and bytes.
#[track_caller]
pub fn assert_same_files(found: &Path, expected: &Path, when: &str) {
    let (found, expected) = (files(found), files(expected));
    let names = |of: &BTreeMap<String, Vec<u8>>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected), "names, {when}");
    for (name, bytes) in &found {
        if *bytes == expected[name] {
            continue;
        }
        let text = |bytes: &[u8]| {
            let is_text = name.contains("json") && !name.ends_with(".zst");
            is_text.then(|| String::from_utf8_lossy(bytes).into_owned())
        };
        panic!(
            "{name} differs, {when}: {} bytes, expected {}; {:?}, expected {:?}",
            bytes.len(),
            expected[name].len(),
            text(bytes),
            text(&expected[name]),
        );
    }
}

/// Asserts that `dir` holds what a finished run leaves, and nothing else.
#[track_caller]
pub fn assert_is_finished(dir: &Path) {
    let names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let manifest = dataset::manifest(dir);
    let shards = manifest["shards"].as_array().unwrap();
    let mut expected = vec!["dataset.json".to_owned(), "refused.jsonl".to_owned()];
    let has_tracks = manifest["pipeline"]["pairs"]["kind"] == "regions";
    assert_eq!(manifest["tracks"].is_object(), has_tracks);
    expected.extend(has_tracks.then(|| "tracks.jsonl.zst".to_owned()));
    for shard in shards {
        let tar = shard["file"].as_str().unwrap();
        expected.extend([tar.to_owned(), tar.replace(".tar", ".idx")]);
    }
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(sorted(names), sorted(expected));
}
