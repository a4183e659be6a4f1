//! Faults of the machine: they stop a run, which can be resumed, and no clip is refused for them.

use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use vidpairs_fixtures::extract::media::h264;
use vidpairs_fixtures::extract::{Ran, Work, assert_is_finished, assert_same_files, signal};
use vidpairs_fixtures::program;

const PIPELINE: &str = "[source]\nkind = 'videos'\n[pairs]\nkind = 'frames'\nk = 5\n[images]\nshort_side = 32\n\
                        [shards]\nmax_records = 8\n[extract]\nmax_refused = '100%'\n";

fn work_with_clips(num_clips: usize) -> Work {
    let work = Work::new(PIPELINE);
    h264(&work.path("clips/00.mp4"), "64x48", 60);
    for number in 1..num_clips {
        let clip = work.path(&format!("clips/{number:02}.mp4"));
        fs::copy(work.path("clips/00.mp4"), clip).unwrap();
    }
    work
}

fn assert_resumes_to_the_same_bytes(work: &Work, out: &str) {
    work.extract(out).run_well();
    work.extract("expected").run_well();
    assert_is_finished(&work.path(out));
    assert_same_files(&work.path(out), &work.path("expected"), out);
}

#[test]
fn a_run_without_free_file_handles_stops_and_refuses_no_clip() {
    let work = work_with_clips(12);
    let run = work.extract("out").workers(2);
    // The program refuses more workers than the limit of open files allows, so the limit is met by force.
    let child = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null"])
        // As the program names it: relative to the folder of the run.
        .args(["-P", "clips/05.mp4"])
        .args(["--trace=openat", "--inject=openat:error=EMFILE:when=1+"])
        .arg(program("extract"))
        .args(&run.args)
        .current_dir(&run.dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let ran = child.map(Ran::of);
    let Ok(ran) = ran.inspect_err(|err| println!("not tested: strace: {err}")) else {
        return;
    };
    if ran.code == Some(1) || ran.code.is_none() {
        println!("not tested: {}", ran.stderr);
        return;
    }
    ran.failed_with(2, &["Too many open files", "ulimit -n"]);
    assert!(!work.path("out/dataset.json").exists());
    assert_resumes_to_the_same_bytes(&work, "out");
}

#[test]
fn a_run_whose_source_is_moved_away_stops_and_refuses_no_clip() {
    let work = work_with_clips(80);
    let child = work.extract("out").workers(2).spawn();
    while !work.path("out/pairs-000000.tar").exists() {
        thread::sleep(Duration::from_millis(1));
    }
    signal(child.id(), "STOP");
    fs::rename(work.clips(), work.path("moved")).unwrap();
    signal(child.id(), "CONT");
    Ran::of(child).failed_with(2, &["clips was moved, removed or unmounted", "it resumes"]);
    assert!(!work.path("out/dataset.json").exists());
    fs::rename(work.path("moved"), work.clips()).unwrap();
    assert_resumes_to_the_same_bytes(&work, "out");
}
