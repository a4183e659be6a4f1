//! Stopping and resuming `vidpairs track`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use vidpairs_fixtures::extract::{Ran, files, signal};
use vidpairs_fixtures::mutations;
use vidpairs_fixtures::track::Bench;

const DATA: [&str; 2] = ["--data", "got10k=set/val"];

/// Folder with enough sequences for a signal to arrive before the end.
fn bench() -> Bench {
    let bench = Bench::new();
    for number in 0..60 {
        bench.got10k("set", &format!("S_{number:02}"), 25);
    }
    bench
}

/// Results that do not depend on time.
fn results(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = files(out);
    files.retain(|name, _| name.ends_with("_001.txt") || name.ends_with("_confidence.txt"));
    files
}

/// Starts a run in `out` and sends it a signal after it wrote some sequences.
fn stopped(bench: &Bench, out: &str, how: &str) -> Ran {
    let child = bench.track(out, &DATA).spawn();
    let journal = bench.path(out).join(".journal/progress.jsonl");
    let start = Instant::now();
    let num_lines = || fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
    while num_lines() < 4 && start.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(1));
    }
    signal(child.id(), how);
    Ran::of(child)
}

#[test]
fn a_stopped_run_leaves_complete_files_and_resumes_to_the_same_results() {
    let bench = bench();
    bench.track("whole", &DATA).run_well();
    let whole = results(&bench.path("whole"));
    for (out, how, code) in [("interrupted", "INT", Some(130)), ("killed", "KILL", None)] {
        let ran = stopped(&bench, out, how);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        let dir = bench.path(out);
        assert!(!dir.join("summary.json").exists());
        let before = results(&dir);
        assert!(
            !before.is_empty() && before.len() < whole.len(),
            "{}",
            before.len()
        );
        assert!(before.iter().all(|(name, bytes)| whole[name] == *bytes));
        let summary = bench.track(out, &DATA).run_json();
        assert_eq!(summary["sequences"], 60);
        assert!(results(&dir) == whole, "{how}");
        assert!(!dir.join(".journal").exists());
    }
}

#[test]
fn a_damaged_journal_or_a_lost_result_gives_the_same_results_or_a_refusal() {
    let bench = bench();
    bench.track("whole", &DATA).run_well();
    let whole = results(&bench.path("whole"));
    stopped(&bench, "stopped", "KILL");
    let journal = |out: &str| bench.path(out).join(".journal/progress.jsonl");
    let text = fs::read(journal("stopped")).unwrap();
    // The first lines tell all; the others are like them.
    let lines = text.split_inclusive(|&byte| byte == b'\n').take(4);
    let text: Vec<u8> = lines.flatten().copied().collect();
    let mut changes = mutations::of_journal(&text, &text);
    changes.push(("the boxes are gone".to_owned(), text));
    let kept = files(&bench.path("stopped"));
    for (change, text) in changes {
        for (name, bytes) in &kept {
            let path = bench.path("changed").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        fs::write(journal("changed"), &text).unwrap();
        if change == "the boxes are gone" {
            let boxes = whole
                .keys()
                .find(|name| name.ends_with("_001.txt"))
                .unwrap();
            fs::remove_file(bench.path("changed").join(boxes)).unwrap();
        }
        let ran = bench.track("changed", &DATA).run();
        match ran.code {
            Some(0) => assert!(results(&bench.path("changed")) == whole, "{change}"),
            _ => ran.failed_with(2, &["progress.jsonl is damaged"]),
        }
        fs::remove_dir_all(bench.path("changed")).unwrap();
    }
}

#[test]
fn a_stopped_run_of_other_sequences_is_not_resumed() {
    let bench = bench();
    stopped(&bench, "out", "INT");
    let ran = bench
        .track("out", &[&DATA[..], &["--limit", "5"]].concat())
        .run();
    ran.failed_with(
        2,
        &[
            "holds results with other settings",
            "sequences was 60, is 5",
        ],
    );
}

#[test]
fn a_run_is_neither_resumed_nor_complete_once_its_truth_or_video_changed() {
    let bench = Bench::new();
    let sequence = bench.got10k("set", "S_00", 25);
    bench.track("out", &DATA).run_well();
    let refuses = |name: &str, word: &str| {
        let words = ["holds results with other settings", word];
        bench.track("out", &DATA).run().failed_with(2, &words);
        println!("{name}");
    };
    for name in [
        "groundtruth.txt",
        "absence.label",
        "cover.label",
        "meta_info.ini",
    ] {
        let file = sequence.join(name);
        let before = fs::read_to_string(&file).unwrap();
        let other = before
            .replacen(['0', '8'], "1", 1)
            .replace("square", "circle");
        fs::write(&file, other).unwrap();
        refuses(name, "the truth changed");
        // Truth is compared by its content: a file that is written again is the same.
        fs::write(&file, before).unwrap();
        let again = bench.track("out", &DATA).run_json();
        assert_eq!(again["is_complete_already"], true, "{name}");
    }
    fs::copy(sequence.join("00000004.jpg"), sequence.join("00000003.jpg")).unwrap();
    refuses("another frame", "the media changed");
}

#[test]
fn a_path_may_be_spelled_otherwise_when_a_run_is_resumed() {
    let bench = Bench::new();
    bench.got10k("set", "S_00", 25);
    bench.track("out", &DATA).run_well();
    let absolute = format!("got10k={}", bench.path("set/val").display());
    for spelling in ["got10k=set/val/", "got10k=./set/../set/val", &absolute] {
        let again = bench.track("out", &["--data", spelling]).run_json();
        assert_eq!(again["is_complete_already"], true, "{spelling}");
    }
}
