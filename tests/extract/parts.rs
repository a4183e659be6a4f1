//! `extract --part`, `status` and `merge`: many processes make the data set of one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use vidpairs_fixtures::extract::media::{h264, jpegs, long_h264};
use vidpairs_fixtures::extract::{FRAMES, REGIONS, Ran, Work, dataset, signal};
use vidpairs_shard::{DatasetReader, Part};

/// Folder with short clips, a long one that is cut into pieces, a folder of pictures, and clips that are refused and skipped.
fn work_of(pipeline: &str) -> Work {
    let work = Work::new(pipeline);
    for name in ["a.mp4", "b c.mp4", "d#%20.mp4", "ä.mp4", "z/y.mp4"] {
        let path = work.clips().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        h264(&path, "64x48", 60);
    }
    long_h264(&work.path("clips/long.mp4"), 600);
    jpegs(&work.path("clips/pictures"), "64x48", 40);
    h264(&work.path("clips/short.mp4"), "64x48", 3);
    fs::write(work.path("clips/bad.mp4"), "no video").unwrap();
    work
}

/// Every record in the order of the reader: key, json, and the other members.
fn records(dir: &Path) -> Vec<Vec<(String, Vec<u8>)>> {
    let dataset = DatasetReader::open(dir).unwrap();
    let record = |number| {
        let record = dataset.record(number).unwrap();
        record.check().unwrap();
        let members = record.members();
        members
            .map(|member| {
                let name = format!("{}.{}", record.key(), member.extension);
                (name, member.bytes.to_vec())
            })
            .collect()
    };
    (0..dataset.num_records()).map(record).collect()
}

/// Runs every part of `of`, and kills each at several moments first if `is_rough`.
fn run_parts(work: &Work, out: &str, of: u32, is_rough: bool) {
    for part in 0..of {
        let named = format!("{part}/{of}");
        let run = work.extract(out).workers(1 + part as usize % 3);
        let run = run.arg("--part").arg(&named);
        for moment in (0..if is_rough { 6 } else { 0 }).map(|step| step * 17 + 3) {
            let child = run.spawn();
            sleep(Duration::from_millis(moment));
            signal(child.id(), "KILL");
            Ran::of(child);
        }
        run.run_well();
    }
}

#[test]
fn any_number_of_parts_gives_the_records_of_one_machine_in_their_order_also_after_kills() {
    for pipeline in [FRAMES, REGIONS] {
        let work = work_of(pipeline);
        let whole = work.extract("whole").run_json();
        let expected = records(&work.path("whole"));
        assert!(expected.len() > 40, "{}", expected.len());
        for of in [1, 3, 7, 40] {
            let out = format!("out{of}");
            run_parts(&work, &out, of, of == 3 || of == 7);
            let merged = work.vidpairs(&["merge", &out]).run_json();
            for count in ["clips", "refused", "skipped", "partial"] {
                assert_eq!(merged[count], whole[count], "{count} of {of}");
            }
            assert_eq!(merged["records"], whole["pairs"]);
            assert_eq!(
                (&merged["parts"], &whole["ignored"]),
                (&of.into(), &merged["ignored"])
            );
            let found = records(&work.path(&out));
            assert!(
                found == expected,
                "{of} parts: other records, or another order"
            );
            work.vidpairs(&["verify", &out]).run_well();
            let refused = |out: &str| dataset::refused(&work.path(out));
            assert_eq!(refused(&out), refused("whole"), "{of} parts");
            assert_eq!(tracklets(&work.path(&out)), tracklets(&work.path("whole")));
            let inspected = |out: &str| {
                let mut all = work.vidpairs(&["inspect", out]).run_json();
                all["dir"] = Value::Null;
                all["totals"]["shards"] = Value::Null;
                all["totals"]["bytes"] = Value::Null;
                all
            };
            assert_eq!(inspected(&out), inspected("whole"), "{of} parts");
        }
    }
}

/// All tracklets, without their order.
fn tracklets(dir: &Path) -> BTreeSet<String> {
    let manifest = dataset::manifest(dir);
    let parts = manifest["parts"]["list"].as_array();
    let folders: Vec<_> = match parts {
        None => vec![dir.to_owned()],
        Some(parts) => parts
            .iter()
            .map(|part| dir.join(part["folder"].as_str().unwrap()))
            .collect(),
    };
    let has_tracks = |folder: &&std::path::PathBuf| folder.join("tracks.jsonl.zst").exists();
    let files = folders.iter().filter(has_tracks);
    let lines = files.flat_map(|folder| dataset::tracklets(folder));
    lines.map(|line| line.to_string()).collect()
}

#[test]
fn a_merge_that_is_killed_or_repeated_gives_the_same_data_set() {
    let work = work_of(FRAMES);
    run_parts(&work, "out", 3, false);
    work.vidpairs(&["merge", "out"]).run_well();
    let merged = vidpairs_fixtures::extract::files(&work.path("out"));
    for name in ["dataset.json", "refused.jsonl", "order.txt.zst"] {
        assert!(merged.contains_key(name), "{name}");
    }
    let again = work.vidpairs(&["merge", "out"]).run_well();
    assert!(again.stdout.contains("merged already"), "{}", again.stdout);
    assert!(merged == vidpairs_fixtures::extract::files(&work.path("out")));
    for moment in 0..20 {
        fs::remove_file(work.path("out/dataset.json")).unwrap();
        let child = work.vidpairs(&["merge", "out"]).spawn();
        sleep(Duration::from_micros(moment * 500));
        signal(child.id(), "KILL");
        Ran::of(child);
        work.vidpairs(&["merge", "out"]).run_well();
        let found = vidpairs_fixtures::extract::files(&work.path("out"));
        assert!(found == merged, "killed after {moment} half milliseconds");
    }
}

#[test]
fn status_tells_complete_running_stopped_and_missing_parts() {
    let work = work_of(FRAMES);
    let status = |expected: i32| {
        let ran = work.vidpairs(&["status", "out", "--json"]).run();
        assert_eq!(ran.code, Some(expected), "{}{}", ran.stdout, ran.stderr);
        ran.json()
    };
    work.vidpairs(&["status", "out"])
        .run()
        .failed_with(2, &["no folder out"]);
    let part = |index: u32| work.extract("out").arg("--part").arg(&format!("{index}/7"));
    part(2).run_well();
    let found = status(1);
    assert_eq!(
        (&found["parts"], &found["complete"], &found["missing"]),
        (&7.into(), &1.into(), &"0-1,3-6".into())
    );
    assert_eq!(found["clips"], 9);
    // A part that holds the long clip is stopped in it.
    let long = Part::index_of("long.mp4", 7);
    let child = part(long).workers(1).spawn();
    let folder = work.path("out").join(Part::new(long, 7).unwrap().folder());
    let start = Instant::now();
    while !folder.join(".journal/state.json").exists() && start.elapsed() < Duration::from_secs(30)
    {
        sleep(Duration::from_millis(1));
    }
    // It does not end while it is looked at.
    signal(child.id(), "STOP");
    let running = status(1);
    let merge = work.vidpairs(&["merge", "out"]).run();
    // Twice, as when a script passes on what its scheduler sends to all.
    signal(child.id(), "TERM");
    signal(child.id(), "TERM");
    signal(child.id(), "CONT");
    let stopping = Instant::now();
    let ran = Ran::of(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert!(
        stopping.elapsed() < Duration::from_secs(1),
        "{:?}",
        stopping.elapsed()
    );
    assert!(
        !running["missing"]
            .as_str()
            .unwrap()
            .contains(&long.to_string())
    );
    let untouched = running["missing"].as_str().unwrap();
    merge.failed_with(2, &["6 of 7", &format!("no process works on {untouched}:")]);
    assert_eq!(running["running"], 1, "{running}");
    assert_eq!(running["not_begun"], 5, "{running}");
    assert_eq!(running["running_parts"][0]["part"], long);
    let stopped = status(1);
    assert_eq!(
        (&stopped["running"], &stopped["stopped"]),
        (&0.into(), &1.into()),
        "{stopped}"
    );
    let text = work.vidpairs(&["status", "out"]).run().stdout;
    assert!(
        text.contains("1 complete, 1 stopped, 5 not begun"),
        "{text}"
    );
    (0..7).for_each(|index| drop(part(index).run_well()));
    let complete = status(0);
    assert_eq!(
        (&complete["missing"], &complete["is_merged"]),
        (&"".into(), &false.into())
    );
    assert_eq!(
        (&complete["clips_done"], &complete["refused"]),
        (&9.into(), &1.into())
    );
    work.vidpairs(&["merge", "out"]).run_well();
    assert_eq!(status(0)["is_merged"], true);
    work.extract("plain").run_well();
    let text = work.vidpairs(&["status", "plain"]).run_well().stdout;
    assert!(
        text.starts_with("1 part: 1 complete\n9 of 9 clips"),
        "{text}"
    );
    work.vidpairs(&["status", "clips"])
        .run()
        .failed_with(2, &["clips holds no run"]);
}

#[test]
fn what_does_not_belong_together_is_refused_with_its_reason() {
    let work = work_of(FRAMES);
    let part = |out: &str, part: &str| work.extract(out).arg("--part").arg(part);
    part("out", "3/3")
        .run()
        .failed_with(2, &["--part is 3/3; expected I/N"]);
    assert!(!work.path("out").exists());
    part("out", "0/3").run_well();
    part("out", "1/4")
        .run()
        .failed_with(2, &["holds a run in 3 parts, not in 4"]);
    part("out", "1/3")
        .set("pairs.k=9")
        .run()
        .failed_with(2, &["pairs.k was 20, is 9"]);
    part("out", "1/3")
        .set("seed=5")
        .run()
        .failed_with(2, &["seed was 0, is 5"]);
    work.extract("out")
        .run()
        .failed_with(2, &["holds a run in 3 parts", "--part I/3"]);
    // Only the tolerance for bad clips may differ.
    part("out", "1/3")
        .set("extract.max_refused=\"50%\"")
        .run_well();
    work.vidpairs(&["merge", "out"]).run().failed_with(
        2,
        &["1 of 3 parts are not complete", "no process works on 2"],
    );
    work.vidpairs(&["verify", "out"])
        .run()
        .failed_with(2, &["holds parts", "vidpairs merge"]);
    work.extract("whole").run_well();
    part("whole", "0/3")
        .run()
        .failed_with(2, &["whole holds pairs written by `vidpairs extract`"]);
    work.vidpairs(&["merge", "whole"])
        .run()
        .failed_with(2, &["without parts"]);
    work.vidpairs(&["merge", "nowhere"])
        .run()
        .failed_with(2, &["no folder nowhere"]);
    let child = work.extract("stopped").workers(1).spawn();
    while !work.path("stopped/.journal/lock").exists() {
        sleep(Duration::from_millis(1));
    }
    signal(child.id(), "KILL");
    Ran::of(child);
    part("stopped", "0/3")
        .run()
        .failed_with(2, &["an unfinished run without parts"]);
    // A clip more in the source.
    h264(&work.path("clips/new.mp4"), "64x48", 60);
    part("out", "2/3")
        .run()
        .failed_with(2, &["the source changed", "9 clips then, 10 now"]);
    fs::remove_file(work.path("clips/new.mp4")).unwrap();
    part("out", "2/3").run_well();
    // A folder under the name of another part.
    let [first, second] =
        [0, 1].map(|index| work.path("out").join(Part::new(index, 3).unwrap().folder()));
    fs::rename(&second, work.path("second")).unwrap();
    fs::rename(&first, &second).unwrap();
    part("out", "1/3")
        .run()
        .failed_with(2, &["holds part 0 of 3, not part 1 of 3", "renamed"]);
    fs::rename(&second, &first).unwrap();
    fs::rename(work.path("second"), &second).unwrap();
    fs::create_dir(work.path("out/part-00000-of-00009")).unwrap();
    work.vidpairs(&["merge", "out"]).run().failed_with(
        2,
        &["part-00000-of-00009", "another number of parts than 3"],
    );
}

#[test]
fn a_part_that_another_process_makes_is_refused_to_a_second_one() {
    let work = work_of(FRAMES);
    let long = Part::index_of("long.mp4", 3);
    let part = work.extract("out").arg("--part").arg(&format!("{long}/3"));
    let child = part.clone().workers(1).spawn();
    let folder = work.path("out").join(Part::new(long, 3).unwrap().folder());
    // It is opened after the lock is held.
    while !folder.join(".journal/progress.jsonl").exists() {
        sleep(Duration::from_millis(1));
    }
    signal(child.id(), "STOP");
    part.run()
        .failed_with(2, &["another vidpairs is writing to"]);
    signal(child.id(), "CONT");
    assert_eq!(Ran::of(child).code, Some(0));
}

#[test]
fn a_merge_finds_what_was_removed_cut_or_exchanged_since_the_parts_were_made() {
    let work = work_of(REGIONS);
    run_parts(&work, "out", 3, false);
    let manifests: Vec<_> = (0..3)
        .map(|index| work.path("out").join(Part::new(index, 3).unwrap().folder()))
        .filter(|folder| dataset::manifest(folder)["totals"]["shards"] != 0)
        .collect();
    let folder = &manifests[0];
    let first = dataset::manifest(folder)["shards"][0]["file"]
        .as_str()
        .unwrap()
        .to_owned();
    let index = first.replace(".tar", ".idx");
    for name in [
        first.as_str(),
        &index,
        "tracks.jsonl.zst",
        "refused.jsonl",
        "dataset.json",
    ] {
        let path = folder.join(name);
        let bytes = fs::read(&path).unwrap();
        let aside = work.path("aside");
        fs::rename(&path, &aside).unwrap();
        let word = if name == "dataset.json" {
            "not complete"
        } else {
            name
        };
        let is_empty = name == "refused.jsonl" && bytes.is_empty();
        if !is_empty {
            let ran = work.vidpairs(&["merge", "out"]).run();
            let word = word.replace(".idx", "");
            ran.failed_with(2, &[&word]);
            assert!(!work.path("out/dataset.json").exists(), "{name}");
        }
        fs::rename(&aside, &path).unwrap();
    }
    // A part of another run under the name of this one.
    let own = work.path("own");
    fs::rename(folder, &own).unwrap();
    let index = Part::of_folder(folder.file_name().unwrap().to_str().unwrap())
        .unwrap()
        .index();
    let named = format!("{index}/3");
    work.extract("other")
        .set("seed=7")
        .arg("--part")
        .arg(&named)
        .run_well();
    fs::rename(work.path("other").join(folder.file_name().unwrap()), folder).unwrap();
    work.vidpairs(&["merge", "out"])
        .run()
        .failed_with(2, &["is not of this run", "seed was 7, is 0"]);
    fs::remove_dir_all(folder).unwrap();
    fs::rename(&own, folder).unwrap();
    work.vidpairs(&["merge", "out"]).run_well();
    // A damaged result is made anew.
    let path = work.path("out/dataset.json");
    let merged = fs::read(&path).unwrap();
    for damaged in [&b""[..], &merged[..merged.len() / 2]] {
        fs::write(&path, damaged).unwrap();
        let status = work.vidpairs(&["status", "out"]).run_well().stdout;
        assert!(status.contains("ready for `vidpairs merge`"), "{status}");
        work.vidpairs(&["merge", "out"]).run_well();
        assert!(fs::read(&path).unwrap() == merged);
    }
}

#[test]
fn refused_clips_of_a_part_are_retried_and_a_new_merge_takes_them_at_their_place() {
    let work = work_of(FRAMES);
    run_parts(&work, "out", 3, false);
    work.vidpairs(&["merge", "out"]).run_well();
    h264(&work.path("clips/bad.mp4"), "64x48", 60);
    for part in ["0/3", "1/3", "2/3"] {
        work.extract("out")
            .arg("--part")
            .arg(part)
            .arg("--retry-refused")
            .run_well();
    }
    // The merge is that of the parts as they were.
    let status = work.vidpairs(&["status", "out"]).run_well().stdout;
    assert!(status.contains("ready for `vidpairs merge`"), "{status}");
    let merged = work.vidpairs(&["merge", "out"]).run_json();
    assert_eq!(merged["refused"], 0);
    work.vidpairs(&["verify", "out"]).run_well();
    work.extract("whole").run_well();
    assert!(records(&work.path("out")) == records(&work.path("whole")));
}

#[test]
fn too_many_refused_clips_end_the_merge_with_code_1_and_no_part() {
    let pipeline = FRAMES.replace("100%", "0%");
    let work = work_of(&pipeline);
    run_parts(&work, "out", 7, false);
    let ran = work.vidpairs(&["merge", "out"]).run();
    ran.failed_with(
        1,
        &["1 of 9 clips were refused", "extract.max_refused = 0%"],
    );
    work.vidpairs(&["verify", "out"]).run_well();
}

#[test]
fn parts_that_begin_at_once_do_not_stand_in_each_others_way() {
    let work = work_of(FRAMES);
    for round in 0..5 {
        let out = format!("out{round}");
        let part = |index: u32| {
            let part = format!("{index}/9");
            work.extract(&out)
                .workers(1)
                .arg("--part")
                .arg(&part)
                .spawn()
        };
        let children: Vec<_> = (0..9).map(part).collect();
        for child in children {
            let ran = Ran::of(child);
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        }
        work.vidpairs(&["merge", &out]).run_well();
    }
}

#[test]
fn a_part_of_another_list_and_damaged_descriptions_are_refused_and_never_a_panic() {
    let work = work_of(FRAMES);
    let list = [
        "list",
        "pipeline.toml",
        "--source",
        "clips",
        "--out",
        "clips.jsonl",
    ];
    work.vidpairs(&list).run_well();
    for part in ["0/2", "1/2"] {
        work.extract("direct").arg("--part").arg(part).run_well();
        let pinned = work.extract("pinned").replace("clips", "clips.jsonl");
        pinned.arg("--part").arg(part).run_well();
    }
    let folder = Part::new(1, 2).unwrap().folder();
    fs::rename(work.path("pinned").join(&folder), work.path("own")).unwrap();
    fs::rename(
        work.path("direct").join(&folder),
        work.path("pinned").join(&folder),
    )
    .unwrap();
    let merge = || work.vidpairs(&["merge", "pinned"]).run();
    merge().failed_with(2, &["is not of this run", "another list of clips"]);
    fs::rename(
        work.path("pinned").join(&folder),
        work.path("direct").join(&folder),
    )
    .unwrap();
    fs::rename(work.path("own"), work.path("pinned").join(&folder)).unwrap();
    for (name, key) in [
        ("parts.json".to_owned(), "pipeline"),
        (format!("{folder}/dataset.json"), "pipeline"),
        (format!("{folder}/dataset.json"), "totals"),
    ] {
        let path = work.path("pinned").join(&name);
        let sound = fs::read(&path).unwrap();
        let mut json: Value = serde_json::from_slice(&sound).unwrap();
        json[key] = Value::from(5);
        fs::write(&path, json.to_string()).unwrap();
        let ran = merge();
        assert_eq!(ran.code, Some(2), "{name} {key}: {}", ran.stderr);
        assert!(!ran.stderr.contains("internal error"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        fs::write(&path, sound).unwrap();
    }
    assert_eq!(merge().code, Some(0));
}

#[test]
fn a_part_that_lost_its_manifest_or_has_a_damaged_one_is_told_with_what_to_do() {
    let work = work_of(FRAMES);
    run_parts(&work, "out", 3, false);
    let part = Part::index_of("a.mp4", 3);
    let folder = work.path("out").join(Part::new(part, 3).unwrap().folder());
    let manifest = fs::read(folder.join("dataset.json")).unwrap();
    fs::write(folder.join("dataset.json"), &manifest[..40]).unwrap();
    let status = work.vidpairs(&["status", "out", "--json"]).run();
    assert_eq!(status.code, Some(1), "{}", status.stderr);
    let found = status.json();
    assert_eq!(
        (&found["damaged"], &found["complete"]),
        (&1.into(), &2.into())
    );
    assert_eq!(found["damaged_parts"], part.to_string());
    fs::remove_file(folder.join("dataset.json")).unwrap();
    let run = work.extract("out").arg("--part").arg(&format!("{part}/3"));
    run.run()
        .failed_with(2, &["is the folder of a part", "move it away"]);
    fs::rename(&folder, work.path("aside")).unwrap();
    run.run_well();
    assert!(fs::read(folder.join("dataset.json")).unwrap() == manifest);
    fs::remove_file(work.path("out/parts.json")).unwrap();
    for command in ["status", "merge"] {
        let ran = work.vidpairs(&[command, "out"]).run();
        ran.failed_with(2, &["holds parts, but no parts.json"]);
    }
    run.run_well();
    work.vidpairs(&["merge", "out"]).run_well();
}
