//! Runs of the programs, as a user starts them: media for `vidpairs extract`, the program, and its output.

pub mod dataset;
pub mod media;
pub mod small_disk;
pub mod strace;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::program;

/// Longest duration of a run; a longer one hangs.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// Pipeline of pairs of frames: small images, three records in a shard, and any number of refused clips.
pub const FRAMES: &str = r#"
[source]
kind = "videos"
[pairs]
kind = "frames"
k = 20
stride = 15
[images]
short_side = 32
[shards]
max_records = 3
[extract]
max_refused = "100%"
"#;

/// The same in kind `regions`, with few rules for tracklets.
pub const REGIONS: &str = r#"
[source]
kind = "videos"
[pairs]
kind = "regions"
k = 4
stride = 15
regions_per_frame = 2
min_box_px = 12
[proposals]
kind = "grid"
[tracker]
min_confidence_mean = 0.0
min_confidence_last = 0.0
[images]
short_side = 32
[shards]
max_records = 3
[extract]
max_refused = "100%"
"#;

/// Folder for runs, with `pipeline.toml`. The media of a test are in `clips`.
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

    /// `vidpairs extract pipeline.toml --source clips --out OUT`, in this folder, so that paths in the output do not depend on
    /// the folder.
    pub fn extract(&self, out: &str) -> Extract {
        let args = [
            "extract",
            "pipeline.toml",
            "--source",
            "clips",
            "--out",
            out,
        ];
        self.vidpairs(&args)
    }

    /// `vidpairs` with these arguments, in this folder.
    pub fn vidpairs(&self, args: &[&str]) -> Extract {
        Extract {
            dir: self.dir.path().to_owned(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            variables: Vec::new(),
        }
    }

    pub fn verify(&self, out: &str) -> Ran {
        self.vidpairs(&["verify", out]).run()
    }
}

/// Command line to be run.
#[derive(Clone)]
pub struct Extract {
    pub dir: PathBuf,
    pub args: Vec<String>,
    /// Variables of the environment beside those of the test.
    pub variables: Vec<(String, String)>,
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

    /// Replaces the last argument `old` by `new`.
    pub fn replace(mut self, old: &str, new: &str) -> Self {
        let at = self.args.iter().rposition(|arg| arg == old).unwrap();
        new.clone_into(&mut self.args[at]);
        self
    }

    /// The same command line, run by a copy of the program without other programs beside it or in PATH.
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
        let mut command = with_signals();
        command.arg(program(&self.args[0]));
        command.args(&self.args).current_dir(&self.dir);
        command.envs(self.variables.iter().cloned());
        command
    }

    /// Sets variables of the environment.
    pub fn variables(mut self, variables: Vec<(String, String)>) -> Self {
        self.variables.extend(variables);
        self
    }

    pub fn spawn(&self) -> Child {
        spawn(&mut self.command())
    }

    pub fn run(&self) -> Ran {
        Ran::of(self.spawn())
    }

    /// Runs it and asserts that it ends with code 0.
    pub fn run_well(&self) -> Ran {
        let ran = self.run();
        assert_eq!(ran.code, Some(0), "{:?}: {}", self.args, ran.stderr);
        ran
    }

    /// Runs it with `--json` and returns the printed object.
    pub fn run_json(&self) -> Value {
        self.clone().arg("--json").run_well().json()
    }
}

/// Starts the program of its arguments, which no signal is ignored for: in the background of a script, SIGINT is ignored for the tests
/// themselves.
pub fn with_signals() -> Command {
    let mut command = Command::new("env");
    command.arg("--default-signal=INT,HUP,TERM");
    command
}

fn spawn(command: &mut Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Command line to be run by a program without other programs beside it.
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
        Ran::of(spawn(&mut command))
    }
}

/// Result of a run.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; `None` if a signal ended the run.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Waits for `child`. If it hangs, it is killed, and the test fails.
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
        assert!(!watch.join().unwrap(), "the run hung");
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Interrupts `child`, as Ctrl-C does, when it has printed a line with `word` on stderr, and waits for it.
    pub fn interrupted_at(mut child: Child, word: &str) -> Self {
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut until = String::new();
        while !until.lines().last().is_some_and(|line| line.contains(word)) {
            let length = stderr.read_line(&mut until).unwrap();
            assert!(length > 0, "no line with {word:?} in {until}");
        }
        signal(child.id(), "INT");
        let rest = std::thread::spawn(move || {
            let mut rest = String::new();
            stderr.read_to_string(&mut rest).map(|_| rest)
        });
        let mut ran = Self::of(child);
        ran.stderr = until + &rest.join().unwrap().unwrap();
        ran
    }

    /// The JSON object on stdout.
    pub fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.stdout).unwrap();
        assert!(value.is_object(), "{}", self.stdout);
        value
    }

    /// Asserts that it ended with `code` and that stderr contains each of `words`.
    #[track_caller]
    pub fn failed_with(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {}", self.stderr);
        }
    }
}

/// Sends the signal `name` to a process.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .stderr(Stdio::null())
        .status();
    sent.unwrap();
}

/// Bytes of every file below `dir`, by relative path.
pub fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(dir) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(dir).unwrap().to_str().unwrap();
            files.insert(name.to_owned(), fs::read(entry.path()).unwrap());
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

/// Asserts that `dir` holds the files of a finished run and no others.
#[track_caller]
pub fn assert_is_finished(dir: &Path) {
    let names: BTreeSet<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let manifest = dataset::manifest(dir);
    let shards = manifest["shards"].as_array().unwrap();
    let mut expected = ["README.md", "dataset.json", "refused.jsonl"]
        .map(str::to_owned)
        .to_vec();
    let has_tracks = manifest["pipeline"]["pairs"]["kind"] == "regions";
    assert_eq!(manifest["tracks"].is_object(), has_tracks);
    expected.extend(has_tracks.then(|| "tracks.jsonl.zst".to_owned()));
    let has_cuts = manifest["pipeline"]["pairs"]["cuts"] == "avoid";
    assert_eq!(manifest["cuts"].is_object(), has_cuts);
    expected.extend(has_cuts.then(|| "cuts.jsonl".to_owned()));
    for shard in shards {
        let tar = shard["file"].as_str().unwrap();
        expected.extend([tar.to_owned(), tar.replace(".tar", ".idx")]);
    }
    assert_eq!(names, BTreeSet::from_iter(expected));
}
