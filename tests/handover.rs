//! `vidpairs` hands a command whose library it lacks to the neighbour program that has it.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use vidpairs_fixtures::extract::{Ran, signal};

const VIDPAIRS: &str = env!("CARGO_BIN_EXE_vidpairs");

/// A folder with the program `vidpairs`, and in PATH no other.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.add_vidpairs("vidpairs");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Adds the program `vidpairs` under another name.
    fn add_vidpairs(&self, name: &str) {
        fs::hard_link(VIDPAIRS, self.path(name))
            .or_else(|_| fs::copy(VIDPAIRS, self.path(name)).map(drop))
            .unwrap();
    }

    /// Adds a shell script.
    fn add_script(&self, name: &str, lines: &str) {
        let text = format!("#!/bin/sh\n{lines}\n");
        // Written by another process: a program that this process has open for writing could not be started.
        let written = Command::new("sh")
            .args(["-c", "printf %s \"$1\" > \"$2\" && chmod +x \"$2\"", "sh"])
            .arg(text)
            .arg(self.path(name))
            .status();
        assert!(written.unwrap().success());
    }

    fn spawn(&self, args: &[&str]) -> Child {
        Command::new(self.path("vidpairs"))
            .args(args)
            .current_dir(self.0.path())
            .env("PATH", self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.spawn(args))
    }
}

const TRAIN: [&str; 8] = [
    "train",
    "p.toml",
    "--shards",
    "my shards",
    "--out",
    "run",
    "--set",
    "train.lr=0.1",
];

#[test]
fn the_neighbour_gets_the_same_arguments_and_its_streams_and_exit_code_are_ours() {
    let folder = Folder::new();
    folder.add_script(
        "vidpairs-torch",
        "printf '<%s>' \"$@\"; echo loss is NaN >&2; exit 7",
    );
    let ran = folder.run(&TRAIN);
    let expected = "<train><p.toml><--shards><my shards><--out><run><--set><train.lr=0.1>";
    assert_eq!((ran.stdout.as_str(), ran.code), (expected, Some(7)));
    assert_eq!(ran.stderr, "loss is NaN\n");
}

#[test]
fn a_signal_to_our_process_reaches_the_neighbour() {
    let folder = Folder::new();
    let script = "trap 'exit 42' TERM; echo $$; while :; do /bin/sleep 0.05; done";
    folder.add_script("vidpairs-torch", script);
    let mut child = folder.spawn(&TRAIN);
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line.trim(), child.id().to_string(), "same process id");
    signal(child.id(), "TERM");
    assert_eq!(Ran::of(child).code, Some(42));
}

#[test]
fn a_missing_neighbour_is_named_with_the_command_that_builds_it() {
    let folder = Folder::new();
    let weights = ["--data", "folders=d", "--weights", "w.pth", "--out", "o"];
    let tracker = ["--data", "got10k=d", "--tracker", "csrt", "--out", "o"];
    for (args, task, name) in [
        (TRAIN.to_vec(), "vidpairs train", "vidpairs-torch"),
        (
            [&["invariance"][..], &weights].concat(),
            "vidpairs invariance --weights",
            "vidpairs-torch",
        ),
        (
            [&["track"][..], &tracker].concat(),
            "vidpairs track --tracker csrt",
            "vidpairs-opencv",
        ),
    ] {
        let ran = folder.run(&args);
        let needs = format!("vidpairs: {task} needs the program {name}, ");
        let build = format!("`cargo build --release -p {name}`");
        ran.failed_with(2, &[&needs, &build]);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
        assert!(!folder.path("o").exists());
    }
}

#[test]
fn a_neighbour_in_path_is_found_too() {
    let (folder, other) = (Folder::new(), Folder::new());
    other.add_script("vidpairs-torch", "echo from PATH");
    let output = Command::new(folder.path("vidpairs"))
        .args(TRAIN)
        .env("PATH", other.0.path())
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"from PATH\n");
}

#[test]
fn a_file_that_cannot_be_run_and_the_current_folder_hold_no_neighbour() {
    let (folder, other) = (Folder::new(), Folder::new());
    fs::write(folder.path("vidpairs-torch"), "no program").unwrap();
    other.add_script("vidpairs-torch", "echo from PATH");
    let run = |path: Option<&Path>, current: &Folder| {
        let mut command = Command::new(folder.path("vidpairs"));
        command.args(TRAIN).current_dir(current.0.path());
        match path {
            Some(path) => command.env("PATH", path),
            None => command.env_remove("PATH"),
        };
        command.output().unwrap()
    };
    let found = run(Some(other.0.path()), &folder);
    assert_eq!(found.stdout, b"from PATH\n");
    for path in [None, Some(Path::new(""))] {
        let output = run(path, &other);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.contains("needs the program vidpairs-torch"),
            "{stderr}"
        );
    }
}

#[test]
fn a_neighbour_of_another_version_refuses_the_command() {
    let folder = Folder::new();
    // The neighbour is `vidpairs` itself, which an older program hands over to.
    let script = "export VIDPAIRS_HANDED_TO=\"vidpairs-torch 0.0.1 $$\"; exec ./vidpairs verify x";
    folder.add_script("vidpairs-torch", script);
    let ran = folder.run(&TRAIN);
    ran.failed_with(2, &["vidpairs 0.0.1 handed the command to vidpairs-torch"]);
}

#[test]
fn a_process_started_later_may_hand_over_itself() {
    let folder = Folder::new();
    folder.add_script("vidpairs-torch", "echo taken over");
    let output = Command::new(folder.path("vidpairs"))
        .args(TRAIN)
        .env("VIDPAIRS_HANDED_TO", "vidpairs-torch 0.0.1 1")
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"taken over\n");
}

#[test]
fn a_pipeline_that_can_be_read_only_once_is_refused_with_its_reason() {
    let folder = Folder::new();
    folder.add_script("vidpairs-opencv", "exit 9");
    let pipeline = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/region-tracker.toml");
    let extract =
        "cat \"$2\" | \"$1\" extract /dev/stdin --source s --out o --set tracker.name=kcf";
    let output = Command::new("sh")
        .args(["-c", extract, "sh"])
        .arg(folder.path("vidpairs"))
        .arg(pipeline)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("/dev/stdin is not a regular file"),
        "{stderr}"
    );
}

#[test]
fn a_neighbour_that_lacks_its_library_fails_instead_of_handing_over_again() {
    let folder = Folder::new();
    folder.add_vidpairs("vidpairs-torch");
    let ran = folder.run(&TRAIN);
    let words = [
        "vidpairs train needs libtorch, but the program named vidpairs-torch is not linked with it",
    ];
    ran.failed_with(2, &words);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

#[test]
fn the_version_lists_the_libraries_of_the_program_and_of_its_neighbours() {
    let folder = Folder::new();
    folder.add_script(
        "vidpairs-torch",
        "[ $1 = libraries ] && echo 0.1.0 && echo libtorch on cpu",
    );
    let version = || folder.run(&["--version"]).stdout;
    let stdout = version();
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with("vidpairs "), "{lines:?}");
    assert!(lines[1].starts_with("FFmpeg "), "{lines:?}");
    assert_eq!(
        lines[2..],
        [
            "vidpairs-torch: 0.1.0, libtorch on cpu",
            "vidpairs-opencv: not installed"
        ]
    );
    folder.add_script("vidpairs-opencv", "exit 127");
    assert!(version().ends_with("vidpairs-opencv: does not start\n"));
    assert!(
        !folder.run(&["-V"]).stdout.contains("vidpairs-torch"),
        "-V starts no other program"
    );
}

#[test]
fn help_needs_no_neighbour() {
    let folder = Folder::new();
    folder.add_script("vidpairs-torch", "exit 9");
    for (command, option) in [
        ("train", "--knn"),
        ("invariance", "--weights"),
        ("track", "--plot"),
    ] {
        let ran = folder.run(&[command, "--help"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert!(ran.stdout.contains(option), "{}", ran.stdout);
    }
}

#[test]
fn vidpairs_is_linked_with_ffmpeg_but_neither_with_libtorch_nor_with_opencv() {
    let output = Command::new("ldd")
        .arg(Path::new(VIDPAIRS))
        .output()
        .unwrap();
    let libraries = String::from_utf8(output.stdout).unwrap();
    assert!(libraries.contains("libavcodec"), "{libraries}");
    for library in ["libtorch", "libc10", "libopencv"] {
        assert!(!libraries.contains(library), "{libraries}");
    }
}

#[test]
fn a_neighbour_that_the_system_cannot_run_is_an_error_and_no_shell_script() {
    let folder = Folder::new();
    for (content, reason) in [("", "Exec format error"), ("exit 0\n", "Exec format error")] {
        // Written by another process, as in `add_script`.
        let script = "printf %s \"$1\" > \"$2\" && chmod +x \"$2\"";
        let written = Command::new("sh")
            .args(["-c", script, "sh", content])
            .arg(folder.path("vidpairs-torch"))
            .status();
        assert!(written.unwrap().success());
        let ran = folder.run(&TRAIN);
        ran.failed_with(2, &["cannot start", "vidpairs-torch", reason]);
    }
    let version = folder.run(&["--version"]).stdout;
    assert!(
        version.contains("vidpairs-torch: does not start: Exec format error"),
        "{version}"
    );
}

#[test]
fn a_script_that_starts_vidpairs_again_ends_with_an_error() {
    let folder = Folder::new();
    folder.add_script("vidpairs-torch", "./vidpairs \"$@\"");
    let ran = folder.run(&TRAIN);
    ran.failed_with(
        2,
        &["vidpairs-torch is not linked with it, or starts vidpairs again"],
    );
}

#[test]
fn a_neighbour_beside_a_link_to_the_program_is_found() {
    let (store, middle, links) = (Folder::new(), Folder::new(), Folder::new());
    let symlink = std::os::unix::fs::symlink;
    fs::remove_file(middle.path("vidpairs")).unwrap();
    fs::remove_file(links.path("vidpairs")).unwrap();
    symlink(store.path("vidpairs"), middle.path("vidpairs")).unwrap();
    symlink(middle.path("vidpairs"), links.path("vidpairs")).unwrap();
    let folders = [&links, &middle, &store];
    // The nearer to the file itself, the better it fits.
    for (number, folder) in folders.iter().enumerate() {
        folder.add_script("vidpairs-torch", &format!("echo {number}"));
        let by_path = Command::new(links.path("vidpairs")).args(TRAIN).output();
        let expected = if number == 2 { "2\n" } else { "0\n" };
        assert_eq!(
            String::from_utf8(by_path.unwrap().stdout).unwrap(),
            expected
        );
    }
    fs::remove_file(store.path("vidpairs-torch")).unwrap();
    fs::remove_file(links.path("vidpairs-torch")).unwrap();
    let by_name = Command::new("/bin/sh")
        .args(["-c", "exec vidpairs \"$@\"", "sh"])
        .args(TRAIN)
        .env("PATH", links.0.path())
        .output();
    assert_eq!(by_name.unwrap().stdout, b"1\n");
}

#[test]
fn a_neighbour_that_hangs_does_not_hang_the_version() {
    let folder = Folder::new();
    folder.add_script("vidpairs-torch", "exec /bin/sleep 1000");
    folder.add_script("vidpairs-opencv", "/bin/sleep 40 & echo 0.1.0");
    let ran = folder.run(&["--version"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stdout
            .contains("vidpairs-torch: gives no answer within 15 s"),
        "{}",
        ran.stdout
    );
    let extract = folder.run(&["extract", "--version"]);
    assert_eq!(extract.code, Some(2));
    let text = extract.stdout + &extract.stderr;
    assert!(
        !text.contains("neighbour") && text.contains("--version"),
        "{text}"
    );
}

#[test]
fn a_command_in_a_deleted_folder_is_refused_before_libtorch_fails_to_load() {
    let folder = Folder::new();
    folder.add_script("vidpairs-torch", "echo started");
    let gone = tempfile::tempdir().unwrap();
    let script = "rmdir \"$PWD\" && exec \"$0\" train p.toml --shards s --out o";
    let output = Command::new("/bin/sh")
        .args(["-c", script])
        .arg(folder.path("vidpairs"))
        .current_dir(gone.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("the current folder no longer exists"),
        "{stderr}"
    );
}

#[test]
fn help_and_version_that_cannot_be_printed_are_errors() {
    let folder = Folder::new();
    for args in [
        &["--help"][..],
        &["-V"],
        &["--version"],
        &["help"],
        &["extract", "--help"],
    ] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(folder.path("vidpairs"))
            .args(args)
            .env("PATH", folder.0.path())
            .stdout(full)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(
            stderr.contains("cannot write to stdout"),
            "{args:?}: {stderr}"
        );
    }
}
