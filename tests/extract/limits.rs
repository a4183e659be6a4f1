//! Signals that a shell ignores, and limits that it sets.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use vidpairs_fixtures::extract::media::h264;
use vidpairs_fixtures::extract::{
    Extract, Ran, Work, assert_is_finished, assert_same_files, signal, with_signals,
};
use vidpairs_fixtures::program;

const PIPELINE: &str = r#"
[source]
kind = "videos"
[pairs]
kind = "frames"
k = 20
stride = 1
[images]
short_side = 64
codec = "rgb-zstd"
"#;

fn work(num_clips: u32) -> Work {
    let work = Work::new(PIPELINE);
    h264(&work.path("clips/00.mp4"), "256x192", 90);
    for number in 1..num_clips {
        fs::copy(
            work.path("clips/00.mp4"),
            work.path(&format!("clips/{number:02}.mp4")),
        )
        .unwrap();
    }
    work
}

/// The command line of `run` in a shell, after `before`.
fn in_shell(before: &str, run: &Extract) -> Command {
    let mut shell = with_signals();
    shell
        .args(["sh", "-c", &format!("{before}; exec \"$0\" \"$@\"")])
        .arg(program(&run.args[0]))
        .args(&run.args)
        .current_dir(&run.dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    shell
}

#[test]
fn a_signal_that_is_ignored_at_the_start_does_not_stop_a_run() {
    let work = work(12);
    for (ignored, sent, code) in [("HUP", "HUP", 0), ("INT", "INT", 0), ("HUP", "INT", 130)] {
        let out = format!("{ignored}-{sent}");
        let run = work.extract(&out).workers(1);
        let child = in_shell(&format!("trap '' {ignored}"), &run)
            .spawn()
            .unwrap();
        let journal = work.path(&out).join(".journal/progress.jsonl");
        let start = Instant::now();
        let num_lines = || fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
        while num_lines() < 2 && start.elapsed() < Duration::from_secs(30) {
            thread::sleep(Duration::from_millis(1));
        }
        signal(child.id(), sent);
        let ran = Ran::of(child);
        assert_eq!(
            ran.code,
            Some(code),
            "{sent} where {ignored} is ignored: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_limit_of_the_file_size_ends_a_run_with_a_sentence_and_it_resumes() {
    let work = work(2);
    work.extract("expected").run_well();
    let run = work.extract("out").workers(1);
    // In blocks of 512 bytes, or of 1,024 in some shells.
    let ran = Ran::of(in_shell("ulimit -f 600", &run).spawn().unwrap());
    ran.failed_with(
        2,
        &[
            "cannot write",
            "pairs-000000.tar.part",
            "ulimit -f",
            "run the same command again",
        ],
    );
    work.extract("out").run_well();
    assert_is_finished(&work.path("out"));
    assert_same_files(&work.path("out"), &work.path("expected"), "after the limit");
}

#[test]
fn a_limit_of_open_files_is_named_and_never_refuses_a_clip() {
    let work = work(3);
    work.extract("expected").run_well();
    let ran = |out: &str, workers: Option<usize>| {
        let run = work.extract(out);
        let run = workers.map_or(run.clone(), |workers| run.workers(workers));
        Ran::of(in_shell("ulimit -n 32", &run).spawn().unwrap())
    };
    ran("many", Some(16)).failed_with(
        2,
        &[
            "16 worker threads need 88 open files",
            "(ulimit -n) is 32",
            "--workers",
        ],
    );
    assert!(!work.path("many").exists());
    for (out, workers) in [("two", Some(2)), ("default", None)] {
        let ran = ran(out, workers);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert_same_files(&work.path(out), &work.path("expected"), out);
    }
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_error() {
    let work = work(1);
    work.extract("out").run_well();
    for args in [
        &["inspect", "out"][..],
        &["verify", "out"],
        &["inspect", "--json", "out"],
    ] {
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        let dir = work.path("");
        let mut child = Extract {
            dir,
            args,
            variables: Vec::new(),
        }
        .spawn();
        drop(child.stdout.take());
        let ran = Ran::of(child);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    }
}
