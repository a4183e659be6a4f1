//! A video whose decoder makes no progress is refused, and the run continues.

use std::io::Read;
use std::time::{Duration, Instant};
use std::{fs, thread};

use vidpairs_fixtures::extract::media::{ffmpeg, h264};
use vidpairs_fixtures::extract::{Ran, Work, assert_is_finished, dataset, signal};

/// Side of a noise picture that takes a decoder several seconds, px.
const SIDE: u64 = 6144;

/// Waits until the run in `out` has started its work. Loading libraries can take seconds, and a signal before that ends
/// the process without a report.
fn await_start(work: &Work, out: &str) {
    let journal = work.path(out).join(".journal/progress.jsonl");
    let start = Instant::now();
    while !journal.exists() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "the run did not start"
        );
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_video_without_progress_until_the_timeout_is_refused_and_others_are_extracted() {
    let work = Work::new(
        "[source]\nkind = 'videos'\n[pairs]\nkind = 'images'\nper_video = 2\n\
         [images]\nshort_side = 32\n[extract]\nmax_refused = '100%'\nvideo_timeout_seconds = 1\n",
    );
    h264(&work.path("clips/a.mp4"), "64x48", 30);
    // A decoder reports nothing while it works on one picture. Lossless noise takes longest.
    let mut noise = Vec::new();
    let random = fs::File::open("/dev/urandom").unwrap();
    random
        .take(SIDE * SIDE * 3 / 2)
        .read_to_end(&mut noise)
        .unwrap();
    fs::write(work.path("noise.yuv"), noise).unwrap();
    let (size, noise) = (format!("{SIDE}x{SIDE}"), work.path("noise.yuv"));
    let input = ["-f", "rawvideo", "-s", &size, "-i", noise.to_str().unwrap()];
    let slow = work.path("clips/slow.mkv");
    let output = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-qp",
        "0",
        "-coder",
        "1",
    ];
    ffmpeg(&[&input[..], &output[..], &[slow.to_str().unwrap()]].concat());
    h264(&work.path("clips/z.mp4"), "64x48", 30);

    work.extract("out").workers(1).run_well();
    let out = work.path("out");
    assert_is_finished(&out);
    assert_eq!(dataset::samples(&out).len(), 4);
    let line = dataset::refusal_of(&out, "slow.mkv");
    assert_eq!(
        [&line["outcome"], &line["stage"]],
        ["refused", "watchdog"],
        "{line}"
    );
    let reason = "no progress for 1 seconds; given up (extract.video_timeout_seconds)";
    assert_eq!(line["reason"], reason);

    // A busy decoder does not delay Ctrl-C.
    let patient = work
        .extract("stopped")
        .set("extract.video_timeout_seconds=100");
    let child = patient.workers(2).spawn();
    await_start(&work, "stopped");
    thread::sleep(Duration::from_millis(500));
    signal(child.id(), "INT");
    let start = Instant::now();
    let ran = Ran::of(child);
    println!("SIGINT: ended after {} ms", start.elapsed().as_millis());
    ran.failed_with(130, &["interrupted"]);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_run_suspended_for_longer_than_the_timeout_refuses_nothing() {
    let work = Work::new(
        "[source]\nkind = 'videos'\n[pairs]\nkind = 'frames'\nk = 1\nstride = 1\n\
         [images]\nshort_side = 64\n[extract]\nvideo_timeout_seconds = 1\n",
    );
    for name in ["a", "b", "c"] {
        h264(&work.path(&format!("clips/{name}.mp4")), "640x360", 600);
    }
    let child = work.extract("out").workers(3).spawn();
    let process = child.id();
    await_start(&work, "out");
    for _ in 0..2 {
        thread::sleep(Duration::from_millis(400));
        signal(process, "STOP");
        thread::sleep(Duration::from_millis(2500));
        signal(process, "CONT");
    }
    let ran = Ran::of(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        dataset::refused(&work.path("out")),
        Vec::<serde_json::Value>::new()
    );
}
