//! `vidpairs reshard` and `vidpairs export` of data sets: the same bytes in other files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use vidpairs_fixtures::extract::media::{h264, jpegs};
use vidpairs_fixtures::extract::strace::each_call;
use vidpairs_fixtures::extract::{
    FRAMES, REGIONS, Ran, Work, assert_is_finished, assert_same_files, dataset, files, signal,
};
use vidpairs_shard::DatasetReader;

const IMAGES_RAW: &str = "[source]\nkind = 'videos'\n[pairs]\nkind = 'images'\nstride = 5\n[images]\nshort_side = 32\ncodec = 'rgb-zstd'\n\
    [shards]\nmax_records = 7\n[extract]\nmax_refused = '100%'\n";

/// Data sets of three kinds, `whole`, and one merged of parts, `parts`.
fn work_of(pipeline: &str) -> Work {
    let work = Work::new(pipeline);
    for name in ["a.mp4", "b c.mp4", "ä.mp4"] {
        h264(&work.clips().join(name), "64x48", 60);
    }
    jpegs(&work.path("clips/pictures"), "64x48", 40);
    fs::write(work.path("clips/bad.mp4"), "no video").unwrap();
    work.extract("whole").run_well();
    work
}

fn merge_parts(work: &Work) {
    for part in ["0/3", "1/3", "2/3"] {
        work.extract("parts").arg("--part").arg(part).run_well();
    }
    work.vidpairs(&["merge", "parts"]).run_well();
}

/// Names and bytes of the members of each record, by its key.
type Records = BTreeMap<String, Vec<(String, Vec<u8>)>>;

/// All records, and their keys in the order of the reader.
fn records(dir: &Path) -> (Records, Vec<String>) {
    let dataset = DatasetReader::open(dir).unwrap();
    let (mut members, mut keys) = (BTreeMap::new(), Vec::new());
    for number in 0..dataset.num_records() {
        let record = dataset.record(number).unwrap();
        let all = record.members();
        let all = all.map(|member| (member.extension.to_owned(), member.bytes.to_vec()));
        members.insert(record.key().to_owned(), all.collect());
        keys.push(record.key().to_owned());
    }
    (members, keys)
}

#[test]
fn resharded_records_keep_their_bytes_and_their_order_in_shards_that_differ_by_at_most_one() {
    for pipeline in [FRAMES, REGIONS, IMAGES_RAW] {
        let work = work_of(pipeline);
        merge_parts(&work);
        let (expected, order) = records(&work.path("whole"));
        for (from, count) in [("whole", 1), ("whole", 4), ("parts", 5)] {
            let (out, count_text) = (format!("{from}{count}"), count.to_string());
            let reshard = ["reshard", from, "--out", &out, "--count", &count_text];
            let summary = work.vidpairs(&reshard).run_json();
            assert_eq!(summary["shards"], count);
            let [fewest, most] =
                [0, 1].map(|at| summary["records_of_shards"][at].as_u64().unwrap());
            assert!(most - fewest <= 1, "{summary}");
            let (found, keys) = records(&work.path(&out));
            assert!(found == expected && keys == order, "{out}");
            work.vidpairs(&["verify", &out]).run_well();
            assert_eq!(
                dataset::refused(&work.path(&out)),
                dataset::refused(&work.path("whole"))
            );
            work.vidpairs(&["inspect", &out]).run_well();
            let again = work.vidpairs(&reshard).run_well();
            assert!(
                again.stdout.contains("complete already"),
                "{}",
                again.stdout
            );
        }
        // By what they hold, one machine's shards and those of parts are the same.
        work.vidpairs(&["reshard", "whole", "--out", "whole5", "--count", "5"])
            .run_well();
        for shard in 0..5 {
            let name = format!("pairs-{shard:06}.tar");
            let read = |out: &str| fs::read(work.path(out).join(&name)).unwrap();
            assert!(read("whole5") == read("parts5"), "{name}");
        }
    }
}

#[test]
fn a_shuffle_depends_on_its_seed_alone_and_a_killed_run_is_resumed_to_the_same_bytes() {
    let work = work_of(FRAMES);
    let reshard = |out: &str, seed: &str| {
        work.vidpairs(&[
            "reshard",
            "whole",
            "--out",
            out,
            "--count",
            "6",
            "--shuffle",
            seed,
        ])
    };
    reshard("one", "1").run_well();
    reshard("two", "2").run_well();
    for moment in (0..8).map(|step| step * 4 + 1) {
        let child = reshard("killed", "1").spawn();
        sleep(Duration::from_millis(moment));
        signal(child.id(), "KILL");
        Ran::of(child);
    }
    reshard("killed", "1").run_well();
    assert_same_files(&work.path("killed"), &work.path("one"), "after kills");
    for out in ["one", "two"] {
        work.vidpairs(&["verify", out]).run_well();
    }
    let (whole, order) = records(&work.path("whole"));
    let [(one, one_order), (two, two_order)] = ["one", "two"].map(|out| records(&work.path(out)));
    assert!(one == whole && two == whole);
    assert!(one_order != order && one_order != two_order);
    reshard("one", "2")
        .run()
        .failed_with(2, &["shuffle was 1, is 2"]);
}

#[test]
fn extract_makes_as_many_even_shards_as_asked_with_the_records_of_any_number_also_after_kills() {
    for (pipeline, calls) in [(FRAMES, &["rename"][..]), (REGIONS, &[])] {
        let work = work_of(pipeline);
        let (expected, order) = records(&work.path("whole"));
        for count in [1, 4] {
            let out = format!("even{count}");
            let even = |out: &str| {
                let setting = format!("shards.count={count}");
                work.extract(out).set(&setting).workers(1).arg("--quiet")
            };
            let summary = even(&out).run_json();
            assert_eq!(summary["shards"], count);
            let shards = dataset::manifest(&work.path(&out))["shards"].clone();
            let sizes = shards.as_array().unwrap().iter();
            let sizes: Vec<u64> = sizes
                .map(|shard| shard["records"].as_u64().unwrap())
                .collect();
            let (fewest, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            assert!(sizes.len() == count && most - fewest <= 1, "{sizes:?}");
            let (found, keys) = records(&work.path(&out));
            assert!(found == expected && keys == order, "{out}");
            work.vidpairs(&["verify", &out]).run_well();
            assert_is_finished(&work.path(&out));
            if count > 1 {
                for killed in each_call(calls, even) {
                    even(&killed).run_well();
                    assert_same_files(&work.path(&killed), &work.path(&out), &killed);
                }
            }
        }
    }
}

#[test]
fn even_shards_are_refused_where_they_cannot_be_and_a_retry_says_that_they_are_even_no_longer() {
    let work = work_of(FRAMES);
    let even = |out: &str, count: &str| work.extract(out).set(&format!("shards.count={count}"));
    even("parts", "2")
        .arg("--part")
        .arg("0/2")
        .run()
        .failed_with(
            2,
            &["shards.count is 2", "vidpairs reshard after vidpairs merge"],
        );
    even("s3://bucket/x", "2")
        .run()
        .failed_with(2, &["shards.count is 2", "output folder in a store"]);
    let ran = even("many", "5000").run_well();
    assert!(
        ran.stderr.contains("shards.count is 5000, and there are"),
        "{}",
        ran.stderr
    );
    let manifest = dataset::manifest(&work.path("many"));
    assert_eq!(
        manifest["shards"].as_array().unwrap().len() as u64,
        manifest["totals"]["records"].as_u64().unwrap()
    );
    even("out", "2").run_well();
    fs::copy(work.clips().join("a.mp4"), work.clips().join("bad.mp4")).unwrap();
    let ran = even("out", "2").arg("--retry-refused").run_well();
    assert!(
        ran.stderr.contains("beside the 2; vidpairs reshard"),
        "{}",
        ran.stderr
    );
    work.vidpairs(&["verify", "out"]).run_well();
    let (found, _) = records(&work.path("out"));
    assert!(found.len() > records(&work.path("many")).0.len());
}

#[test]
fn a_repeated_pair_is_found_in_a_shuffled_data_set_too() {
    let work = work_of(FRAMES);
    let reshard = [
        "reshard",
        "whole",
        "--out",
        "out",
        "--count",
        "2",
        "--shuffle",
        "1",
    ];
    work.vidpairs(&reshard).run_well();
    let out = work.path("out");
    let mut manifest = dataset::manifest(&out);
    let shards = manifest["shards"].as_array_mut().unwrap();
    shards[1] = shards[0].clone();
    shards[1]["file"] = "pairs-000001.tar".into();
    manifest["totals"]["bytes"] = (2 * shards[0]["bytes"].as_u64().unwrap()).into();
    fs::write(out.join("dataset.json"), manifest.to_string()).unwrap();
    for extension in ["tar", "idx"] {
        let of = |shard: &str| out.join(format!("pairs-00000{shard}.{extension}"));
        fs::copy(of("0"), of("1")).unwrap();
    }
    let ran = work.vidpairs(&["verify", "out"]).run();
    ran.failed_with(2, &[]);
    assert!(
        ran.stdout.contains("pairs-000001.tar") && ran.stdout.contains("clip"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_resharded_data_set_keeps_the_card_of_its_user_and_is_not_retried() {
    let work = work_of(FRAMES);
    let card = fs::read_to_string(work.path("whole/README.md")).unwrap();
    fs::write(
        work.path("whole/README.md"),
        format!("{card}\nWritten by me.\n"),
    )
    .unwrap();
    let reshard = |out: &str| work.vidpairs(&["reshard", "whole", "--out", out, "--count", "2"]);
    reshard("out").run_well();
    let copied = fs::read_to_string(work.path("out/README.md")).unwrap();
    assert!(
        copied.ends_with("Written by me.\n") && !copied.contains(&card),
        "{copied}"
    );
    work.extract("out")
        .arg("--retry-refused")
        .run()
        .failed_with(2, &["made by vidpairs reshard"]);
    reshard("whole")
        .run()
        .failed_with(2, &["whole holds a data set that is not resharded"]);
    fs::remove_file(work.path("whole/refused.jsonl")).unwrap();
    reshard("late").run().failed_with(2, &["refused.jsonl"]);
    assert!(!work.path("late").exists());
}

#[test]
fn damaged_tracklets_are_not_copied() {
    let work = work_of(REGIONS);
    let tracks = work.path("whole/tracks.jsonl.zst");
    let mut bytes = fs::read(&tracks).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&tracks, bytes).unwrap();
    work.vidpairs(&["reshard", "whole", "--out", "out", "--count", "2"])
        .run()
        .failed_with(2, &["tracks.jsonl.zst", "xxh64"]);
    assert!(!work.path("out/dataset.json").exists());
}

#[test]
fn a_stopped_export_shows_no_file_and_an_export_removes_no_file_of_others() {
    let work = work_of(FRAMES);
    let export =
        |out: &str, to: &str| work.vidpairs(&["export", "whole", "--to", to, "--out", out]);
    for (number, to) in ["mds", "litdata", "energon", "folder"]
        .into_iter()
        .enumerate()
    {
        let whole = format!("{to}-whole");
        export(&whole, to).run_well();
        // Nothing has its final name before all files are whole.
        let kills = match to {
            "mds" | "folder" => &["rename"][..],
            _ => &[],
        };
        for killed in each_call(kills, |out| export(out, to).arg("--quiet")) {
            let found = files(&work.path(&killed));
            let is_whole = found
                .keys()
                .any(|name| name.ends_with(".vidpairs-export.json"));
            let is_shown = found.keys().any(|name| !name.starts_with(".journal/"));
            assert!(is_whole || !is_shown, "{killed}");
            export(&killed, to).run_well();
            assert_same_files(&work.path(&killed), &work.path(&whole), &killed);
        }
        let again = export(&whole, to).run_well();
        assert!(
            again.stdout.contains("complete already"),
            "{}",
            again.stdout
        );
        let foreign = work.path(&format!("foreign-{number}"));
        fs::create_dir_all(foreign.join("lost+found")).unwrap();
        fs::write(foreign.join("lost+found/mine"), "x").unwrap();
        export(&format!("foreign-{number}"), to).run_well();
        assert_eq!(fs::read(foreign.join("lost+found/mine")).unwrap(), b"x");
    }
    // A file of somebody else in the folder of a stopped export.
    fs::create_dir_all(work.path("mixed/.journal")).unwrap();
    fs::write(work.path("mixed/.journal/lock"), "an exported data set").unwrap();
    fs::write(work.path("mixed/notes.txt"), "x").unwrap();
    export("mixed", "mds")
        .run()
        .failed_with(2, &["mixed", "notes.txt"]);
    assert!(work.path("mixed/notes.txt").exists());
}

#[test]
fn an_export_tells_its_data_set_from_others_and_follows_links_to_shards() {
    let work = work_of(FRAMES);
    work.extract("other").set("seed=9").run_well();
    let index = |from: &str| {
        let out = format!("{from}-litdata");
        work.vidpairs(&["export", from, "--to", "litdata", "--out", &out])
            .run_well();
        let index = fs::read(work.path(&out).join("index.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&index).unwrap()["updated_at"].clone()
    };
    assert_ne!(index("whole"), index("other"));
    fs::create_dir(work.path("linked")).unwrap();
    for name in files(&work.path("whole")).keys() {
        std::os::unix::fs::symlink(format!("../whole/{name}"), work.path("linked").join(name))
            .unwrap();
    }
    work.vidpairs(&[
        "export",
        "linked",
        "--to",
        "energon",
        "--out",
        "deep/energon",
    ])
    .run_well();
    let (found, expected) = (
        files(&work.path("deep/energon")),
        files(&work.path("whole")),
    );
    for (name, bytes) in expected.iter().filter(|(name, _)| name.ends_with(".tar")) {
        assert!(found[name] == *bytes, "{name}");
    }
}

#[test]
fn what_cannot_be_resharded_is_refused_with_its_reason() {
    let work = work_of(FRAMES);
    merge_parts(&work);
    let reshard = |from: &str, count: &str| {
        work.vidpairs(&["reshard", from, "--out", "out", "--count", count])
            .run()
    };
    reshard("whole", "1000").failed_with(2, &["--count is 1000", "records"]);
    reshard("parts/part-00000-of-00003", "1").failed_with(2, &["merge the parts first"]);
    reshard("clips", "1").failed_with(2, &["clips"]);
    reshard("s3://bucket/x", "1").failed_with(2, &["s3://bucket/x", "copy a data set"]);
    reshard("whole", "0").failed_with(2, &["--count"]);
    assert!(!work.path("out").exists());
    let shard = work.path("whole/pairs-000001.tar");
    let mut bytes = fs::read(&shard).unwrap();
    bytes[700] ^= 1;
    fs::write(&shard, bytes).unwrap();
    reshard("whole", "2").failed_with(2, &["pairs-000001.tar"]);
    for to in ["mds", "litdata", "energon", "folder"] {
        let export = ["export", "whole", "--to", to, "--out", "exported"];
        work.vidpairs(&export)
            .run()
            .failed_with(2, &["pairs-000001.tar"]);
    }
}

#[test]
fn an_export_to_a_folder_has_each_image_under_its_key_and_the_json_of_all() {
    let work = work_of(REGIONS);
    work.vidpairs(&["export", "whole", "--to", "folder", "--out", "out"])
        .run_well();
    let (expected, order) = records(&work.path("whole"));
    let found = files(&work.path("out"));
    let num_images: usize = expected.values().map(|members| members.len() - 1).sum();
    // Beside the images: records.jsonl, and what says that the export is whole.
    assert_eq!(found.len(), num_images + 2);
    for (key, members) in &expected {
        for (extension, bytes) in members {
            if let Some(view) = extension.strip_suffix(".jpg") {
                assert!(
                    found[&format!("{view}/unlabelled/{key}.jpg")] == *bytes,
                    "{key}"
                );
            }
        }
    }
    let lines = String::from_utf8(found["records.jsonl"].clone()).unwrap();
    let keys = lines.lines().map(|line| {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        json["key"].as_str().unwrap().to_owned()
    });
    assert!(keys.eq(order));
    let raw = work_of(IMAGES_RAW);
    raw.vidpairs(&["export", "whole", "--to", "folder", "--out", "out"])
        .run()
        .failed_with(2, &["rgb-zstd"]);
    let export = |args: &[&str]| {
        work.vidpairs(&[&["export", "--out", "x"], args].concat())
            .run()
    };
    export(&["whole", "--to", "moco"]).failed_with(2, &["moco with a data set", "--weights FILE"]);
    let weights = ["--weights", "pipeline.toml", "--to", "mds"];
    export(&weights).failed_with(2, &["mds with --weights", "a data set, DIR"]);
    // The folder of an export that failed is used again, one of somebody else is not.
    raw.vidpairs(&["export", "whole", "--to", "mds", "--out", "out"])
        .run_well();
    raw.vidpairs(&["export", "whole", "--to", "mds", "--out", "clips"])
        .run()
        .failed_with(2, &["clips is not empty"]);
    // Also not with the journal of a run that was killed before it said what it writes.
    fs::create_dir(raw.path("clips/.journal")).unwrap();
    fs::write(raw.path("clips/.journal/lock"), "").unwrap();
    let clips = files(&raw.clips());
    raw.vidpairs(&["export", "whole", "--to", "mds", "--out", "clips"])
        .run()
        .failed_with(2, &["clips is not empty"]);
    assert!(files(&raw.clips()) == clips);
}

#[test]
fn mds_and_litdata_hold_the_bytes_of_every_member_at_the_stated_offsets() {
    for pipeline in [FRAMES, IMAGES_RAW] {
        let work = work_of(pipeline);
        merge_parts(&work);
        let (expected, order) = records(&work.path("whole"));
        for (from, to) in [("whole", "mds"), ("parts", "mds"), ("parts", "litdata")] {
            let out = format!("{from}-{to}");
            work.vidpairs(&["export", from, "--to", to, "--out", &out])
                .run_well();
            let found = files(&work.path(&out));
            let index: serde_json::Value = serde_json::from_slice(&found["index.json"]).unwrap();
            let (list, columns) = match to {
                "mds" => (&index["shards"], index["shards"][0]["column_names"].clone()),
                _ => {
                    let spec = index["config"]["data_spec"].as_str().unwrap();
                    let spec: serde_json::Value = serde_json::from_str(spec).unwrap();
                    let names = spec[1]["context"].as_str().unwrap();
                    (&index["chunks"], serde_json::from_str(names).unwrap())
                }
            };
            let columns: Vec<String> = serde_json::from_value(columns).unwrap();
            let mut keys = Vec::new();
            for file in list.as_array().unwrap() {
                let name = match to {
                    "mds" => &file["raw_data"]["basename"],
                    _ => &file["filename"],
                };
                let bytes = &found[name.as_str().unwrap()];
                let word =
                    |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
                let num = word(0);
                assert_eq!(word(4 + 4 * num), bytes.len());
                for sample in 0..num {
                    let (start, end) = (word(4 + 4 * sample), word(8 + 4 * sample));
                    let mut at = start + 4 * columns.len();
                    let mut values = BTreeMap::new();
                    for (number, column) in columns.iter().enumerate() {
                        let size = word(start + 4 * number);
                        values.insert(column.clone(), bytes[at..at + size].to_vec());
                        at += size;
                    }
                    assert_eq!(at, end);
                    let key = String::from_utf8(values.remove("key").unwrap()).unwrap();
                    let members: BTreeMap<_, _> = expected[&key].iter().cloned().collect();
                    assert!(values == members, "{out} {key}");
                    keys.push(key);
                }
            }
            assert_eq!(keys, order, "{out}");
        }
    }
}

#[test]
fn an_export_to_energon_has_the_tars_and_the_offset_of_every_record() {
    let work = work_of(FRAMES);
    merge_parts(&work);
    for from in ["whole", "parts"] {
        let out = format!("{from}-energon");
        work.vidpairs(&["export", from, "--to", "energon", "--out", &out])
            .run_well();
        let found = files(&work.path(&out));
        let manifest = dataset::manifest(&work.path(from));
        for shard in manifest["shards"].as_array().unwrap() {
            let name = shard["file"].as_str().unwrap();
            let tar = fs::read(work.path(from).join(name)).unwrap();
            assert!(found[name] == tar, "{name}");
            let index = &found[&format!("{name}.idx")];
            let offsets = index
                .chunks(8)
                .map(|word| u64::from_le_bytes(word.try_into().unwrap()));
            let offsets: Vec<usize> = offsets.map(|offset| offset as usize).collect();
            assert_eq!(offsets.len() as u64, shard["records"].as_u64().unwrap() + 1);
            for record in offsets.windows(2) {
                let name = String::from_utf8_lossy(&tar[record[0]..record[0] + 100]).into_owned();
                assert!(name.contains("-") && name.contains(".anchor."), "{name}");
            }
            // Two blocks end the tar.
            assert_eq!(offsets.last(), Some(&(tar.len() - 1024)));
            let info = String::from_utf8(found[".nv-meta/.info.yaml"].clone()).unwrap();
            assert!(
                info.contains(&format!("  {name}: {}\n", shard["records"])),
                "{info}"
            );
        }
    }
}
