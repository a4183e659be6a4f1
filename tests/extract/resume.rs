//! Stopping and resuming `vidpairs extract`: what is kept, refused and retried.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::json;
use vidpairs_fixtures::extract::media::{h264, jpegs, long_h264};
use vidpairs_fixtures::extract::strace::each_moment;
use vidpairs_fixtures::extract::{
    FRAMES, REGIONS, Ran, Work, assert_is_finished, assert_same_files, dataset, files, signal,
};

/// Folder with a short clip, a long one that is cut into pieces, and another short one.
fn long_work() -> Work {
    long_work_of(FRAMES)
}

fn long_work_of(pipeline: &str) -> Work {
    let work = Work::new(pipeline);
    h264(&work.path("clips/a.mp4"), "64x48", 60);
    long_h264(&work.path("clips/b.mp4"), 600);
    h264(&work.path("clips/c.mp4"), "64x48", 60);
    work
}

/// Starts a run in `out` and sends it the signal `how` after it wrote `num_shards` shards.
fn stop_after(work: &Work, out: &str, num_shards: u64, how: &str) -> (Ran, Duration) {
    let child = work.extract(out).workers(2).spawn();
    let awaited = work
        .path(out)
        .join(format!("pairs-{:06}.tar", num_shards - 1));
    let start = Instant::now();
    while !awaited.exists() && start.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(1));
    }
    let start = Instant::now();
    signal(child.id(), how);
    let ran = Ran::of(child);
    (ran, start.elapsed())
}

fn journal(work: &Work, out: &str) -> std::path::PathBuf {
    work.path(out).join(".journal/progress.jsonl")
}

/// Asserts that every shard with a final name is complete and has its index.
fn assert_final_names_are_whole(dir: &Path) {
    for (name, bytes) in files(dir) {
        let is_final = !name.starts_with(".journal/");
        if is_final && name.ends_with(".tar") {
            assert!(bytes.ends_with(&[0; 1024]), "{name} has no end");
            let members = tar::Archive::new(&bytes[..]).entries().unwrap().count();
            let index = fs::read_to_string(dir.join(name.replace(".tar", ".idx"))).unwrap();
            let num_samples = index.lines().count() - 1;
            assert_eq!(members, 3 * num_samples, "{name}");
        }
    }
    assert!(!dir.join("dataset.json").exists());
}

#[test]
fn a_stopped_run_states_how_to_resume_and_resumes_to_the_same_bytes() {
    let work = long_work();
    work.extract("expected").run_well();
    for how in ["INT", "TERM"] {
        let (ran, latency) = stop_after(&work, how, 5, how);
        println!("SIG{how}: ended after {} ms", latency.as_millis());
        ran.failed_with(130, &["interrupted", "pairs) in", "same command resumes"]);
        assert_eq!(ran.stdout, "");
        assert!(latency < Duration::from_secs(5), "{latency:?}");
        assert_final_names_are_whole(&work.path(how));
        let verified = work.verify(how);
        verified.failed_with(2, &["is not finished", "run the same command again"]);
        work.extract(how).run_well();
        assert_is_finished(&work.path(how));
        assert_same_files(&work.path(how), &work.path("expected"), how);
    }
}

type Tear = fn(&Work, &str);

#[test]
fn a_damaged_journal_and_a_damaged_part_file_do_not_change_the_final_bytes() {
    for pipeline in [FRAMES, REGIONS] {
        assert_damage_does_not_change_the_final_bytes(&long_work_of(pipeline));
    }
}

fn assert_damage_does_not_change_the_final_bytes(work: &Work) {
    work.extract("expected").run_well();
    let tears: [(&str, Tear); 5] = [
        ("torn line", |work, out| {
            let text = fs::read(journal(work, out)).unwrap();
            fs::write(journal(work, out), &text[..text.len() - 9]).unwrap();
        }),
        ("zeros at the end", |work, out| {
            let mut text = fs::read(journal(work, out)).unwrap();
            text.extend([0; 4000]);
            fs::write(journal(work, out), text).unwrap();
        }),
        ("first byte flipped", |work, out| {
            change_part(work, out, |bytes| bytes[0] ^= 1)
        }),
        ("last byte flipped", |work, out| {
            change_part(work, out, |bytes| *bytes.last_mut().unwrap() ^= 1);
        }),
        ("part gone", |work, out| {
            for part in parts(work, out) {
                fs::remove_file(part).unwrap();
            }
        }),
    ];
    for (name, tear) in tears {
        stop_after(work, name, 7, "KILL");
        tear(work, name);
        work.extract(name).workers(2).run_well();
        assert_is_finished(&work.path(name));
        assert_same_files(&work.path(name), &work.path("expected"), name);
    }
}

fn parts(work: &Work, out: &str) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(work.path(out).join(".journal")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.to_str().unwrap().ends_with(".part"))
        .collect()
}

fn change_part(work: &Work, out: &str, change: fn(&mut Vec<u8>)) {
    for part in parts(work, out) {
        let mut bytes = fs::read(&part).unwrap();
        if !bytes.is_empty() {
            change(&mut bytes);
            fs::write(&part, bytes).unwrap();
        }
    }
}

#[test]
fn a_folder_is_resumed_with_its_own_pipeline_and_source_only() {
    let work = long_work();
    stop_after(&work, "stopped", 2, "KILL");
    work.extract("finished").run_well();
    for out in ["stopped", "finished"] {
        let other = |setting| work.extract(out).set(setting).run();
        other("pairs.k=7").failed_with(2, &["pairs.k was 20, is 7", out, "--out"]);
        other("seed=3").failed_with(2, &["seed was 0, is 3"]);
        other("images.codec=rgb-zstd")
            .failed_with(2, &["images.codec was \"jpeg\", is \"rgb-zstd\""]);
    }
    h264(&work.path("clips/d.mp4"), "64x48", 60);
    let changed = ["the source changed", "3 clips then, 4 now", "stopped"];
    work.extract("stopped").run().failed_with(2, &changed);
    work.extract("finished")
        .arg("--retry-refused")
        .run()
        .failed_with(2, &changed[..2]);
    fs::remove_file(work.path("clips/d.mp4")).unwrap();

    let how = "extract.video_timeout_seconds=77";
    work.extract("stopped")
        .set(how)
        .set("extract.max_refused=3")
        .run_well();
    assert_is_finished(&work.path("stopped"));
    let (stopped, finished) = (work.path("stopped"), work.path("finished"));
    fs::remove_file(stopped.join("dataset.json")).unwrap(); // it tells of [extract]
    fs::remove_file(finished.join("dataset.json")).unwrap();
    assert_same_files(&stopped, &finished, "other [extract]");
}

#[test]
fn other_files_are_left_unchanged() {
    let work = Work::new(FRAMES);
    h264(&work.path("clips/a.mp4"), "64x48", 40);
    fs::create_dir(work.path("foreign")).unwrap();
    fs::write(work.path("foreign/thesis.tex"), "precious").unwrap();
    let words = ["foreign is not empty", "thesis.tex", "--out"];
    work.extract("foreign").run().failed_with(2, &words);
    assert_eq!(files(&work.path("foreign")).len(), 1);

    fs::write(work.path("file"), "precious").unwrap();
    work.extract("file")
        .run()
        .failed_with(2, &["file", "file is not a folder"]);
    assert_eq!(fs::read_to_string(work.path("file")).unwrap(), "precious");

    let nowhere = work.extract("new").replace("clips", "nowhere").run();
    nowhere.failed_with(2, &["nowhere does not exist"]);
    assert!(
        !work.path("new").exists(),
        "made for a source that is not there"
    );

    let retried = work.extract("new").arg("--retry-refused").run();
    retried.failed_with(2, &["without --retry-refused"]);
}

#[test]
fn the_second_of_two_runs_in_one_folder_reports_that_it_is_in_use() {
    let work = long_work();
    let mut first = work.extract("out").workers(1).spawn();
    while !work.path("out/pairs-000000.tar").exists() {
        thread::sleep(Duration::from_millis(1));
    }
    // Suspended, so that it cannot end before the second run has checked the folder.
    signal(first.id(), "STOP");
    let second = work.extract("out").run();
    let ended = first.try_wait().unwrap();
    signal(first.id(), "CONT");
    assert_eq!(ended, None, "ended too early to tell");
    second.failed_with(2, &["another vidpairs is writing to out"]);
    assert_eq!(Ran::of(first).code, Some(0));
    assert_is_finished(&work.path("out"));
}

#[test]
fn a_finished_run_is_left_unchanged() {
    let work = Work::new(FRAMES);
    h264(&work.path("clips/a.mp4"), "64x48", 60);
    fs::write(work.path("clips/b.mp4"), "no video").unwrap();
    let first = work.extract("out").run_json();
    fs::create_dir(work.path("kept")).unwrap();
    for (name, bytes) in files(&work.path("out")) {
        fs::write(work.path("kept").join(name), bytes).unwrap();
    }
    let again = work.extract("out").run_json();
    for key in ["clips", "refused", "pairs", "shards", "bytes"] {
        assert_eq!(again[key], first[key], "{key}");
    }
    assert_eq!(again["frames_decoded"], 0);
    let repeated = work.extract("out").run_well();
    assert!(
        repeated.stdout.contains("nothing was done"),
        "{}",
        repeated.stdout
    );
    assert_same_files(&work.path("out"), &work.path("kept"), "run again");

    // Killed while it deleted the journal: the run is finished, and no retry was requested.
    fs::create_dir(work.path("out/.journal")).unwrap();
    fs::write(work.path("out/.journal/lock"), "").unwrap();
    let repeated = work.extract("out").run_well();
    assert!(
        repeated.stdout.contains("nothing was done"),
        "{}",
        repeated.stdout
    );
    assert_same_files(&work.path("out"), &work.path("kept"), "run again");
}

/// Folder with two sound clips and a damaged one, extracted to `out`, and the damaged clip repaired afterwards. `mended`
/// is the data set of a run with sound clips only.
fn work_with_damage(pipeline: &str) -> Work {
    let work = Work::new(pipeline);
    let damaged = work.path("clips/b.mp4");
    for name in ["a", "b", "c"] {
        h264(&work.path(&format!("clips/{name}.mp4")), "64x48", 150);
    }
    fs::write(work.path("clips/d_stays.mp4"), "no video").unwrap();
    work.extract("mended").run_well();
    fs::rename(&damaged, work.path("sound.mp4")).unwrap();
    fs::write(&damaged, "no video").unwrap();
    work.extract("out").run_well();
    fs::copy(work.path("sound.mp4"), &damaged).unwrap();
    work
}

/// Asserts that `out` holds the shards of `before`, followed by those of the repaired clip.
fn assert_retried(work: &Work, out: &str, before: &BTreeMap<String, Vec<u8>>) {
    let dir = work.path(out);
    assert_is_finished(&dir);
    let now = files(&dir);
    for (name, bytes) in before.iter().filter(|(name, _)| name.starts_with("pairs-")) {
        assert!(now[name] == *bytes, "{name} was changed");
    }
    assert_eq!(
        work.verify(out).code,
        Some(0),
        "{}",
        work.verify(out).stdout
    );
    let ids: Vec<_> = dataset::refused(&dir)
        .iter()
        .map(|line| line["id"].clone())
        .collect();
    assert_eq!(ids, ["d_stays.mp4"]);
    let by_key = |dir: &Path| {
        dataset::samples(dir)
            .into_iter()
            .map(|sample| (sample.key, (sample.json, sample.images)))
            .collect::<BTreeMap<_, _>>()
    };
    let (found, expected) = (by_key(&dir), by_key(&work.path("mended")));
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    assert!(
        found == expected,
        "other pairs than of a run over mended clips"
    );
    if now.contains_key("tracks.jsonl.zst") {
        assert_same_tracklets(&dir, &work.path("mended"));
    }
}

/// Asserts that two data sets have the same tracklets, in any order.
fn assert_same_tracklets(found: &Path, expected: &Path) {
    let sorted = |dir| {
        let mut lines: Vec<String> = dataset::tracklets(dir)
            .iter()
            .map(ToString::to_string)
            .collect();
        lines.sort();
        lines
    };
    assert!(sorted(found) == sorted(expected), "other tracklets");
}

#[test]
fn retrying_appends_the_pairs_of_repaired_clips() {
    for pipeline in [FRAMES, REGIONS] {
        assert_retrying_appends(&work_with_damage(pipeline));
    }
}

fn assert_retrying_appends(work: &Work) {
    let before = files(&work.path("out"));
    let summary = work.extract("out").arg("--retry-refused").run_json();
    assert_eq!(
        [&summary["clips"], &summary["refused"]],
        [&json!(4), &json!(1)]
    );
    assert_retried(work, "out", &before);

    // d_stays.mp4 is tried again and refused again.
    let after = files(&work.path("out"));
    work.extract("out").arg("--retry-refused").run_well();
    assert!(files(&work.path("out")) == after);
}

#[test]
fn retrying_without_refused_clips_does_nothing() {
    let work = Work::new(FRAMES);
    h264(&work.path("clips/a.mp4"), "64x48", 60);
    work.extract("out").run_well();
    let before = files(&work.path("out"));
    let repeated = work.extract("out").arg("--retry-refused").run_well();
    assert!(
        repeated.stdout.contains("nothing was done"),
        "{}",
        repeated.stdout
    );
    assert!(files(&work.path("out")) == before);
}

#[test]
fn a_retry_killed_at_any_system_call_is_resumed_with_or_without_the_flag() {
    for pipeline in [FRAMES, REGIONS] {
        assert_a_retry_is_resumed(&work_with_damage(pipeline));
    }
}

fn assert_a_retry_is_resumed(work: &Work) {
    let before = files(&work.path("out"));
    let copy = |to: &str| {
        fs::create_dir(work.path(to)).unwrap();
        for (name, bytes) in &before {
            fs::write(work.path(to).join(name), bytes).unwrap();
        }
    };
    copy("reference");
    work.extract("reference").arg("--retry-refused").run_well();
    let moments = each_moment(|out| {
        copy(out);
        work.extract(out)
            .workers(1)
            .arg("--quiet")
            .arg("--retry-refused")
    });
    for (number, out) in moments.enumerate() {
        // Before the first entry in the journal, and after the last, a run without the flag has nothing to do.
        if number % 2 == 0 {
            work.extract(&out).run_well();
        }
        work.extract(&out).arg("--retry-refused").run_well();
        assert_retried(work, &out, &before);
        assert_same_files(&work.path(&out), &work.path("reference"), &out);
        println!("{} kills", number + 1);
    }
}

/// Starts a run in `out` and kills it. What its journal tells after the first piece of the second clip is cut off, as if the kill had
/// come then.
fn kill_inside_second_clip(work: &Work, out: &str) {
    let mut child = work.extract(out).workers(1).spawn();
    let written = "{\"piece\":{\"entry\":1,\"piece\":0,";
    let journal = journal(work, out);
    let text = || fs::read_to_string(&journal).unwrap_or_default();
    while !text().contains(written) {
        assert_eq!(child.try_wait().unwrap(), None, "ended too early to tell");
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let text = text();
    let (before, rest) = text.split_once(written).unwrap();
    let line = rest.split_inclusive('\n').next().unwrap();
    assert!(!line.contains("\"num_pieces\":1,"), "{line}");
    fs::write(&journal, [before, written, line].concat()).unwrap();
}

/// Changes the file of a clip.
type Change = fn(&Path);

#[test]
fn a_clip_that_changed_while_the_run_was_stopped_is_begun_anew() {
    let changes: [(&str, Change); 4] = [
        ("damaged", |clip| fs::write(clip, "no video").unwrap()),
        ("shorter", |clip| h264(clip, "64x48", 45)),
        ("longer", |clip| long_h264(clip, 660)),
        ("same length and time", |clip| {
            let before = fs::metadata(clip).unwrap();
            let mut bytes = fs::read(clip).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle..middle + 400].fill(0);
            fs::write(clip, bytes).unwrap();
            let file = fs::File::options().append(true).open(clip).unwrap();
            file.set_modified(before.modified().unwrap()).unwrap();
        }),
    ];
    for pipeline in [FRAMES, REGIONS] {
        let work = long_work_of(pipeline);
        let clip = work.path("clips/b.mp4");
        let whole = fs::read(&clip).unwrap();
        for (name, change) in changes {
            kill_inside_second_clip(&work, name);
            assert!(work.path(name).join("pairs-000002.tar").exists());
            change(&clip);
            work.extract(name).run_well();
            let expected = format!("{name}, never stopped");
            work.extract(&expected).run_well();
            assert_is_finished(&work.path(name));
            assert_same_files(&work.path(name), &work.path(&expected), name);
            assert_eq!(work.verify(name).code, Some(0));
            fs::write(&clip, &whole).unwrap();
        }
    }
}

#[test]
fn frames_and_boxes_that_changed_while_the_run_was_stopped_are_begun_anew() {
    let work = Work::new(
        "[source]\nkind = 'trackingnet'\n[pairs]\nkind = 'tracks'\nk = 1\nstride = 1\n\
         with_frames = true\n[images]\nshort_side = 480\ncodec = 'rgb-zstd'\n[shards]\nmax_records = 3\n",
    );
    // Raw frames are so large in the plan that a piece has few of them.
    let split = work.path("clips/TRAIN_0");
    for name in ["v_0", "v_1"] {
        jpegs(&split.join("frames").join(name), "640x480", 120);
    }
    fs::create_dir_all(split.join("anno")).unwrap();
    let boxes = |name: &str, bbox: &str| {
        fs::write(split.join("anno").join(name), bbox.repeat(120)).unwrap();
    };
    boxes("v_0.txt", "10,10,40,40\n");
    boxes("v_1.txt", "10,10,40,40\n");
    kill_inside_second_clip(&work, "boxes");
    boxes("v_1.txt", "90,90,40,40\n");
    work.extract("boxes").run_well();
    kill_inside_second_clip(&work, "frames");
    fs::copy(
        split.join("frames/v_1/7.jpg"),
        split.join("frames/v_1/90.jpg"),
    )
    .unwrap();
    work.extract("frames").run_well();
    work.extract("expected").run_well();
    assert_same_files(&work.path("frames"), &work.path("expected"), "other frames");
    let mut samples = dataset::samples(&work.path("boxes")).into_iter();
    assert!(samples.all(|sample| {
        let x = if sample.json["clip"] == "TRAIN_0/v_1" {
            90.0
        } else {
            10.0
        };
        sample.json["anchor"]["box_xywh"][0] == x
    }));
}

#[test]
fn remarks_on_the_boxes_of_a_clip_in_several_pieces_are_kept() {
    let frames = 120;
    let work = Work::new(
        "[source]\nkind = 'trackingnet'\n[pairs]\nkind = 'tracks'\nk = 1\nstride = 2\n\
         with_frames = true\n[images]\nshort_side = 480\ncodec = 'rgb-zstd'\n",
    );
    // Raw frames are so large in the plan that a piece has few of them.
    let split = work.path("clips/TRAIN_0");
    jpegs(&split.join("frames/v_0"), "640x480", frames);
    fs::create_dir_all(split.join("anno")).unwrap();
    let boxes = "10,10,40,40\n".repeat(40) + "nan,1,2,3\n";
    fs::write(split.join("anno/v_0.txt"), boxes).unwrap();
    work.extract("whole").run_well();
    let line = dataset::refusal_of(&work.path("whole"), "TRAIN_0/v_0");
    assert_eq!(line["outcome"], "partial");
    let reason = line["reason"].as_str().unwrap();
    assert!(reason.contains("1 of 41 boxes are not valid"), "{reason}");
    assert!(
        reason.contains("41 lines of boxes for 120 frames"),
        "{reason}"
    );
}

#[test]
fn a_finished_folder_is_accepted_for_its_own_source_only() {
    let work = Work::new(FRAMES);
    h264(&work.path("clips/a.mp4"), "64x48", 40);
    work.extract("out").run_well();
    let elsewhere = work.extract("out").replace("clips", "nowhere").run();
    elsewhere.failed_with(2, &["nowhere", "does not exist"]);
    h264(&work.path("clips/b.mp4"), "64x48", 40);
    let grown = work.extract("out").run();
    grown.failed_with(2, &["the source changed", "1 clips then, 2 now"]);
    assert_is_finished(&work.path("out"));
}
