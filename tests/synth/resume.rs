//! Stopping and resuming `vidpairs synth`.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};
use std::{fs, thread};

use vidpairs_fixtures::extract::strace::each_moment;
use vidpairs_fixtures::extract::{Ran, assert_same_files, files, signal};
use vidpairs_fixtures::mutations;
use vidpairs_fixtures::synth::{Work, assert_final_names_are_whole, objects, with};

/// Waits until `child` has published `num_items` in `out`.
fn await_items(child: &mut Child, out: &Path, num_items: usize) {
    let journal = out.join(".journal/progress.jsonl");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(30) {
        let text = fs::read_to_string(&journal).unwrap_or_default();
        if text.lines().count() > num_items || child.try_wait().unwrap().is_some() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// A run that receives the signal `signal_name` once it has published `num_items`.
fn stop_after(work: &Work, kind: &str, out: &str, num_items: usize, signal_name: &str) -> Ran {
    let run = with(work.synth(kind, out), "--workers", "2");
    let mut child = run.spawn();
    await_items(&mut child, &work.path(out), num_items);
    signal(child.id(), signal_name);
    Ran::of(child)
}

/// Folder of a run that was killed after it had published `num_items` and before it was complete. If a run completes
/// first, because this thread had to wait, another one is started.
fn killed_in_the_middle(work: &Work, kind: &str, num_items: usize) -> String {
    for attempt in 0..20 {
        let out = format!("{kind}-{num_items}-{attempt}");
        let ran = stop_after(work, kind, &out, num_items, "KILL");
        if ran.code.is_none() && !work.path(&out).join("synth.json").exists() {
            return out;
        }
    }
    panic!("20 runs of {kind} were complete before they could be killed");
}

#[test]
fn a_killed_run_resumes_to_the_same_bytes() {
    let work = Work::new();
    let moments: [(&str, &[usize]); 5] = [
        ("trackingnet", &[0, 2, 4]),
        ("got10k", &[1]),
        ("pascal3d", &[3]),
        ("coco", &[0, 4]),
        ("voc", &[7]),
    ];
    for (kind, moments) in moments {
        work.synth(kind, kind).run_well();
        for &num_items in moments {
            let out = killed_in_the_middle(&work, kind, num_items);
            assert_final_names_are_whole(&work.path(&out));
            work.synth(kind, &out).workers(3).run_well();
            assert_same_files(&work.path(&out), &work.path(kind), &out);
        }
    }
}

#[test]
fn a_run_killed_at_any_system_call_resumes_to_the_same_bytes() {
    let tiny: [(&str, &[[&str; 2]]); 2] = [
        (
            "trackingnet",
            &[
                ["--videos", "1"],
                ["--held-out-videos", "0"],
                ["--frames", "1"],
                ["--clutter", "0"],
            ],
        ),
        (
            "coco",
            &[
                ["--images", "1"],
                ["--held-out-images", "1"],
                ["--objects-per-image", "1"],
            ],
        ),
    ];
    for (kind, options) in tiny {
        let work = Work::new();
        let tiny = |out: &str| {
            let run = work.synth(kind, out).arg("--quiet").workers(1);
            let run = with(run, "--size", "32x32");
            options
                .iter()
                .fold(run, |run, [option, value]| with(run, option, value))
        };
        tiny("expected").run_well();
        let mut num_kills = 0;
        for out in each_moment(tiny) {
            assert_final_names_are_whole(&work.path(&out));
            tiny(&out).run_well();
            assert_same_files(&work.path(&out), &work.path("expected"), &out);
            num_kills += 1;
        }
        println!("{num_kills} kills of {kind}");
    }
}

#[test]
fn a_stopped_run_states_how_to_resume_and_resumes_to_the_same_bytes() {
    let work = Work::new();
    for (kind, how) in [
        ("trackingnet", "INT"),
        ("got10k", "TERM"),
        ("pascal3d", "INT"),
    ] {
        work.synth(kind, kind).run_well();
        let out = format!("{kind}-{how}");
        let ran = stop_after(&work, kind, &out, 1, how);
        ran.failed_with(
            130,
            &["interrupted", "images) in", &out, "same command resumes"],
        );
        assert_eq!(ran.stdout, "");
        assert_final_names_are_whole(&work.path(&out));
        work.synth(kind, &out).run_well();
        assert_same_files(&work.path(&out), &work.path(kind), &out);
    }
}

#[test]
fn a_damaged_journal_costs_work_but_changes_no_byte() {
    let work = Work::new();
    work.synth("trackingnet", "expected").run_well();
    let journal = |out: &str| work.path(out).join(".journal/progress.jsonl");
    let truth = |out: &str| work.path(out).join(".journal/truth.jsonl");
    let cut = |path: &Path, by: usize| {
        let text = fs::read(path).unwrap();
        fs::write(path, &text[..text.len().saturating_sub(by)]).unwrap();
    };
    type Tear<'a> = (&'a str, &'a dyn Fn(&str));
    let tears: [Tear<'_>; 4] = [
        ("torn line", &|out| cut(&journal(out), 9)),
        ("nothing of it left", &|out| cut(&journal(out), usize::MAX)),
        ("torn truth", &|out| cut(&truth(out), 30)),
        ("zeros at the end", &|out| {
            let text = fs::read(journal(out)).unwrap();
            fs::write(journal(out), [text, vec![0; 4000]].concat()).unwrap();
        }),
    ];
    for (name, tear) in tears {
        stop_after(&work, "trackingnet", name, 3, "KILL");
        tear(name);
        work.synth("trackingnet", name).run_well();
        assert_same_files(&work.path(name), &work.path("expected"), name);
    }
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn a_damaged_journal_gives_the_same_bytes_or_a_refusal() {
    let work = Work::new();
    work.synth("got10k", "expected").run_well();
    let stopped = killed_in_the_middle(&work, "got10k", 2);
    let other = killed_in_the_middle(&work, "trackingnet", 3);
    let journal = |out: &str| work.path(out).join(".journal/progress.jsonl");
    let text = fs::read(journal(&stopped)).unwrap();
    let foreign = fs::read(journal(&other)).unwrap();
    for (change, text) in mutations::of_journal(&text, &foreign) {
        copy(&work.path(&stopped), &work.path("changed"));
        fs::write(journal("changed"), &text).unwrap();
        let ran = work.synth("got10k", "changed").run();
        match ran.code {
            Some(0) => assert_same_files(&work.path("changed"), &work.path("expected"), &change),
            // The first line of the other run is a sound one.
            _ if change == "line 0 is that of another run" => {
                ran.failed_with(2, &["with other settings (settings.kind"]);
            }
            _ => ran.failed_with(2, &["progress.jsonl is damaged"]),
        }
        fs::remove_dir_all(work.path("changed")).unwrap();
    }
}

#[test]
fn a_changed_truth_or_a_published_file_that_is_gone_is_made_again() {
    let work = Work::new();
    work.synth("got10k", "expected").run_well();
    let stopped = killed_in_the_middle(&work, "got10k", 2);
    let truth = fs::read(work.path(&stopped).join(".journal/truth.jsonl")).unwrap();
    let first = files(&work.path("expected"));
    let first = first
        .keys()
        .find(|name| name.ends_with("00000001.jpg"))
        .unwrap();
    assert!(work.path(&stopped).join(first).exists(), "{first}");
    for at in [
        0,
        truth.len() / 3,
        truth.len() / 2,
        truth.len() + 1,
        truth.len() + 2,
    ] {
        let out = work.path("changed");
        copy(&work.path(&stopped), &out);
        match at.checked_sub(truth.len()) {
            Some(1) => fs::remove_file(out.join(first)).unwrap(),
            Some(_) => fs::write(out.join(first), "cut").unwrap(),
            None => {
                let mut changed = truth.clone();
                changed[at] ^= 1;
                fs::write(out.join(".journal/truth.jsonl"), changed).unwrap();
            }
        }
        work.synth("got10k", "changed").run_well();
        assert_same_files(&out, &work.path("expected"), &format!("change {at}"));
        fs::remove_dir_all(out).unwrap();
    }
}

#[test]
fn a_run_into_a_complete_set_changes_nothing() {
    let work = Work::new();
    let first = work.synth("got10k", "out").run_json();
    let kept = files(&work.path("out"));
    let again = work.synth("got10k", "out").run_json();
    for key in ["kind", "items", "images", "objects", "refused", "bytes"] {
        assert_eq!(again[key], first[key], "{key}");
    }
    assert_eq!(
        [&first, &again].map(|summary| summary["is_complete_already"] == true),
        [false, true]
    );
    let stdout = work.synth("got10k", "out").run_well().stdout;
    assert!(
        stdout.contains("complete already, nothing was done"),
        "{stdout}"
    );
    // As after a kill while the journal was removed.
    fs::create_dir(work.path("out/.journal")).unwrap();
    fs::write(work.path("out/.journal/lock"), "").unwrap();
    let stdout = work.synth("got10k", "out").run_well().stdout;
    assert!(
        stdout.contains("complete already, nothing was done"),
        "{stdout}"
    );
    assert!(files(&work.path("out")) == kept);
}

#[test]
fn a_set_resumes_only_with_its_own_options_and_objects() {
    let work = Work::new();
    stop_after(&work, "trackingnet", "stopped", 1, "KILL");
    work.synth("trackingnet", "finished").run_well();
    for out in ["stopped", "finished"] {
        let other = |option, value| with(work.synth("trackingnet", out), option, value).run();
        let refused = [out, "holds a rendered set with other settings", "--out"];
        other("--seed", "3").failed_with(2, &refused);
        other("--seed", "3").failed_with(2, &["seed was 0, is 3"]);
        other("--frames", "9").failed_with(2, &["frames was 6, is 9"]);
        other("--size", "64x64").failed_with(2, &["size was [96,64], is [64,64]"]);
        other("--container", "zip").failed_with(2, &["container was \"both\", is \"zip\""]);
        other("--categories", "car").failed_with(2, &["categories was [], is [\"car\"]"]);
        other("--kind", "got10k").failed_with(2, &["kind was \"trackingnet\", is \"got10k\""]);
    }
    objects::colored_box(&work.path("objects"), "car/99");
    for out in ["stopped", "finished"] {
        let grown = work.synth("trackingnet", out).run();
        grown.failed_with(2, &["objects was 16, is 17", out]);
    }
    fs::remove_file(work.path("objects/car/99.obj")).unwrap();
    work.synth("trackingnet", "stopped").run_well();
    assert_same_files(
        &work.path("stopped"),
        &work.path("finished"),
        "after refusals",
    );
}

#[test]
fn a_folder_with_other_files_is_refused_and_left_alone() {
    let work = Work::new();
    fs::create_dir(work.path("foreign")).unwrap();
    fs::write(work.path("foreign/thesis.tex"), "precious").unwrap();
    let ran = work.synth("aloi", "foreign").run();
    ran.failed_with(2, &["foreign is not empty", "thesis.tex", "--out"]);
    assert_eq!(files(&work.path("foreign")).len(), 1);

    fs::write(work.path("file"), "precious").unwrap();
    let ran = work.synth("aloi", "file").run();
    ran.failed_with(2, &["file", "is not a folder"]);
    assert_eq!(fs::read_to_string(work.path("file")).unwrap(), "precious");
}

#[test]
fn a_second_run_in_the_same_folder_is_refused() {
    let work = Work::new();
    let mut first = work.synth("trackingnet", "out").workers(1).spawn();
    await_items(&mut first, &work.path("out"), 1);
    // Paused, so that it cannot end before the second run has started.
    signal(first.id(), "STOP");
    let second = work.synth("trackingnet", "out").run();
    let ended = first.try_wait().unwrap();
    signal(first.id(), "CONT");
    assert_eq!(ended, None, "the first run ended too early for this test");
    second.failed_with(2, &["another vidpairs is writing to out"]);
    assert_eq!(Ran::of(first).code, Some(0));
    assert!(!work.path("out/.journal").exists());
}
