//! Resuming with a damaged journal: the same bytes, or a refusal.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use vidpairs_fixtures::extract::media::h264;
use vidpairs_fixtures::extract::{Ran, Work, assert_is_finished, assert_same_files, files, signal};
use vidpairs_fixtures::mutations;

const PIPELINE: &str = r#"
[source]
kind = "videos"
[pairs]
kind = "regions"
k = 4
stride = 5
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
max_records = 20
"#;

const NUM_CLIPS: usize = 8;

fn journal(out: &Path) -> std::path::PathBuf {
    out.join(".journal/progress.jsonl")
}

/// A run in `out` that was killed in the middle.
fn killed(work: &Work, out: &str) -> bool {
    let child = work.extract(out).workers(1).spawn();
    let start = Instant::now();
    let path = journal(&work.path(out));
    let num_lines = || fs::read_to_string(&path).map_or(0, |text| text.lines().count());
    while num_lines() < 5 && start.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(1));
    }
    signal(child.id(), "KILL");
    Ran::of(child).code.is_none() && path.exists()
}

/// Copies the folder of a stopped run.
fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn a_damaged_journal_gives_the_same_bytes_or_a_refusal() {
    let work = Work::new(PIPELINE);
    for number in 0..NUM_CLIPS {
        h264(
            &work.path(&format!("clips/{number}.mp4")),
            "64x48",
            40 + 10 * number as u32,
        );
    }
    work.extract("expected").run_well();
    let stopped = (0..20).map(|attempt| format!("stopped-{attempt}"));
    let stopped = stopped.into_iter().find(|out| killed(&work, out)).unwrap();
    // Another run with the same settings: other bytes of the same clips.
    let other = Work::new(PIPELINE);
    for number in 0..NUM_CLIPS {
        h264(&other.path(&format!("clips/{number}.mp4")), "96x64", 60);
    }
    assert!((0..20).any(|_| {
        let _ = fs::remove_dir_all(other.path("other"));
        killed(&other, "other")
    }));
    let text = fs::read(journal(&work.path(&stopped))).unwrap();
    let foreign = fs::read(journal(&other.path("other"))).unwrap();
    let (mut num_same, mut num_refused) = (0, 0);
    for (number, (change, text)) in mutations::of_journal(&text, &foreign)
        .into_iter()
        .enumerate()
    {
        let out = format!("changed-{number}");
        copy(&work.path(&stopped), &work.path(&out));
        fs::write(journal(&work.path(&out)), &text).unwrap();
        let ran = work.extract(&out).workers(2).run();
        if ran.code == Some(0) {
            assert_is_finished(&work.path(&out));
            assert_same_files(&work.path(&out), &work.path("expected"), &change);
            num_same += 1;
        } else {
            ran.failed_with(2, &["progress.jsonl is damaged"]);
            num_refused += 1;
        }
        fs::remove_dir_all(work.path(&out)).unwrap();
    }
    println!("{num_same} journals gave the same bytes, {num_refused} were refused");
    assert!(num_same > num_refused);
}

#[test]
fn a_finished_shard_that_is_gone_or_cut_is_made_again() {
    let work = Work::new(PIPELINE);
    for number in 0..NUM_CLIPS {
        h264(
            &work.path(&format!("clips/{number}.mp4")),
            "64x48",
            40 + 10 * number as u32,
        );
    }
    work.extract("expected").run_well();
    for change in ["gone", "cut", "without its index"] {
        let out = (0..20).map(|attempt| format!("{change} {attempt}"));
        let out = out
            .into_iter()
            .find(|out| killed(&work, out) && work.path(out).join("pairs-000000.tar").exists());
        let out = work.path(&out.unwrap());
        let tar = out.join("pairs-000000.tar");
        match change {
            "gone" => fs::remove_file(&tar).unwrap(),
            "cut" => fs::write(&tar, "cut").unwrap(),
            _ => fs::remove_file(tar.with_extension("idx")).unwrap(),
        }
        work.extract(out.file_name().unwrap().to_str().unwrap())
            .run_well();
        assert_same_files(&out, &work.path("expected"), change);
    }
}
