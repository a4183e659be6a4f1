//! Output folders and data sets that a stranger made: links, FIFOs and devices in the place of our files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use vidpairs_fixtures::extract::media::h264;
use vidpairs_fixtures::extract::{
    Extract, Ran, Work, assert_is_finished, assert_same_files, dataset,
};

const PIPELINE: &str = r#"
[source]
kind = "videos"
[pairs]
kind = "regions"
k = 4
stride = 15
regions_per_frame = 2
min_box_px = 12
[proposals]
kind = "grid"
[tracker]
min_confidence_mean = 0.0
min_confidence_last = 0.0
[images]
short_side = 32
"#;

/// Every name that a run writes to, and ends with.
const WRITTEN: [&str; 13] = [
    ".journal",
    ".journal/lock",
    ".journal/unfinished",
    ".journal/progress.jsonl",
    ".journal/pairs-000000.tar.part",
    ".journal/pairs-000000.idx.part",
    ".journal/dataset.json.part",
    ".journal/tracks.jsonl.zst.part",
    "dataset.json",
    "refused.jsonl",
    "pairs-000000.tar",
    "pairs-000000.idx",
    "tracks.jsonl.zst",
];

const PRECIOUS: &[u8] = b"precious";

fn work() -> Work {
    let work = Work::new(PIPELINE);
    h264(&work.path("clips/a.mp4"), "64x48", 40);
    fs::write(work.path("precious"), PRECIOUS).unwrap();
    work
}

fn mkfifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[test]
fn what_a_stranger_put_in_the_place_of_a_written_file_is_replaced_or_refused_and_its_target_stays()
{
    let work = work();
    work.extract("expected").run_well();
    type Put = fn(&Work, &Path);
    let kinds: [(&str, Put); 4] = [
        ("link", |work, path| {
            symlink(work.path("precious"), path).unwrap()
        }),
        ("hard link", |work, path| {
            fs::hard_link(work.path("precious"), path).unwrap()
        }),
        ("link to nothing", |work, path| {
            symlink(work.path("made"), path).unwrap()
        }),
        ("FIFO", |_, path| mkfifo(path)),
    ];
    for (kind, put) in kinds {
        for name in WRITTEN {
            let out = format!("{kind} {}", name.replace('/', " "));
            let path = work.path(&out).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if name != ".journal" && name != ".journal/lock" {
                fs::create_dir_all(work.path(&out).join(".journal")).unwrap();
                fs::write(work.path(&out).join(".journal/lock"), "pairs").unwrap();
            }
            put(&work, &path);
            let ran = work.extract(&out).run();
            match ran.code {
                Some(0) => {
                    assert_is_finished(&work.path(&out));
                    assert_same_files(&work.path(&out), &work.path("expected"), &out);
                }
                _ => ran.failed_with(2, &[name.rsplit('/').next().unwrap()]),
            }
            assert_eq!(fs::read(work.path("precious")).unwrap(), PRECIOUS, "{out}");
            assert!(!work.path("made").exists(), "{out}");
        }
    }
}

/// A finished data set in `out`.
fn finished() -> Work {
    let work = work();
    work.extract("out").run_well();
    work
}

fn vidpairs(work: &Work, args: &[&str]) -> Ran {
    let args = args.iter().map(|&arg| arg.to_owned()).collect();
    let dir = work.path("");
    Extract {
        dir,
        args,
        variables: Vec::new(),
    }
    .run()
}

#[test]
fn a_fifo_a_device_or_a_folder_in_the_place_of_a_file_of_a_data_set_is_named_at_once() {
    let work = finished();
    type Put = fn(&Path);
    let kinds: [(&str, Put); 3] = [
        ("a FIFO", |path| mkfifo(path)),
        ("a device", |path| symlink("/dev/zero", path).unwrap()),
        ("a folder", |path| fs::create_dir(path).unwrap()),
    ];
    for name in [
        "dataset.json",
        "refused.jsonl",
        "pairs-000000.tar",
        "pairs-000000.idx",
        "tracks.jsonl.zst",
    ] {
        let path = work.path("out").join(name);
        let kept = work.path("kept");
        fs::rename(&path, &kept).unwrap();
        for (kind, put) in kinds {
            put(&path);
            for command in ["verify", "inspect"] {
                if command == "inspect" && name == "tracks.jsonl.zst" {
                    continue; // it reads no tracklets
                }
                let ran = vidpairs(&work, &[command, "out"]);
                assert_eq!(ran.code, Some(2), "{command}: {kind} as {name}");
                let said = ran.stdout + &ran.stderr;
                assert!(said.contains(kind), "{command}: {kind} as {name}: {said}");
            }
            match kind {
                "a folder" => fs::remove_dir(&path).unwrap(),
                _ => fs::remove_file(&path).unwrap(),
            }
        }
        fs::rename(&kept, &path).unwrap();
    }
    assert_eq!(work.verify("out").code, Some(0));
}

#[test]
fn a_manifest_that_names_one_shard_a_thousand_times_is_read_once_and_its_faults_are_counted() {
    let work = finished();
    let out = work.path("out");
    let mut manifest = dataset::manifest(&out);
    let shard = manifest["shards"][0].clone();
    manifest["shards"] = vec![shard; 1000].into();
    fs::write(out.join("dataset.json"), manifest.to_string()).unwrap();
    let ran = work.verify("out");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stdout.contains("... and 902 more"), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 102, "{}", ran.stdout);
    let quiet = vidpairs(&work, &["verify", "-q", "out"]);
    quiet.failed_with(
        2,
        &["1,002 faults; the first: pairs-000000.tar: the manifest lists this file"],
    );
    assert_eq!(quiet.stdout, "");
}

#[test]
fn verify_tells_that_clips_of_the_source_are_missing() {
    let work = Work::new(&format!("{PIPELINE}\n[shards]\nmax_records = 1\n"));
    for name in ["a", "b", "c"] {
        h264(&work.path(&format!("clips/{name}.mp4")), "64x48", 40);
    }
    fs::write(work.path("clips/d.mp4"), "no video").unwrap();
    work.extract("out")
        .set("extract.max_refused=100%")
        .run_well();
    assert_eq!(work.verify("out").code, Some(0));
    let out = work.path("out");
    let whole = dataset::manifest(&out);
    let kept = fs::read(out.join("refused.jsonl")).unwrap();

    fs::write(out.join("refused.jsonl"), "").unwrap();
    let ran = work.verify("out");
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stdout
            .contains("refused.jsonl: has 0 refused clips; the manifest states 1"),
        "{}",
        ran.stdout
    );
    fs::write(out.join("refused.jsonl"), kept).unwrap();

    // Without the shards of the last clip, and with totals that agree.
    let mut manifest = whole;
    let samples = dataset::samples(&out);
    let of_last = samples
        .iter()
        .filter(|sample| sample.key.starts_with("00000002-"));
    for _ in of_last {
        let last = manifest["shards"].as_array_mut().unwrap().pop().unwrap();
        for total in ["records", "bytes"] {
            let rest = manifest["totals"][total].as_u64().unwrap() - last[total].as_u64().unwrap();
            manifest["totals"][total] = rest.into();
        }
        let tar = out.join(last["file"].as_str().unwrap());
        fs::remove_file(tar.with_extension("idx")).unwrap();
        fs::remove_file(tar).unwrap();
    }
    manifest["totals"]["shards"] = manifest["shards"].as_array().unwrap().len().into();
    fs::write(out.join("dataset.json"), manifest.to_string()).unwrap();
    let ran = work.verify("out");
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("account for 3 clips; the source had 4"),
        "{}",
        ran.stdout
    );
}

#[test]
fn no_sequence_of_a_file_name_or_of_a_label_reaches_the_terminal() {
    let work = finished();
    let evil = "\u{1b}[2J\u{7}\u{9b}31m\u{202e}";
    let clip = work.path("clips").join(format!("{evil}\n.mp4"));
    fs::write(clip, "no video").unwrap();
    let ran = work
        .extract("other")
        .set("extract.max_refused=100%")
        .arg("-v")
        .run_well();
    let has_escape = |text: &str| {
        text.chars()
            .any(|char| (char.is_control() && char != '\n') || char == '\u{202e}')
    };
    assert!(
        ran.stderr
            .contains(r"refused: \u{1b}[2J\u{7}\u{9b}31m\u{202e}\n.mp4: "),
        "{}",
        ran.stderr
    );
    assert!(!has_escape(&ran.stderr), "{:?}", ran.stderr);

    let out = work.path("out");
    let mut manifest = dataset::manifest(&out);
    manifest["program_version"] = evil.into();
    manifest["pipeline"]["source"]["kind"] = evil.into();
    fs::write(out.join("dataset.json"), manifest.to_string()).unwrap();
    for args in [&["inspect", "out"][..], &["inspect", "--json", "out"]] {
        let ran = vidpairs(&work, args);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(!has_escape(&ran.stdout), "{:?}", ran.stdout);
        if args.len() == 3 {
            assert_eq!(ran.json()["program_version"], evil);
        }
    }
    manifest["shards"][0]["file"] = format!("{evil}.tar").into();
    fs::write(out.join("dataset.json"), manifest.to_string()).unwrap();
    for args in [
        &["verify", "out"][..],
        &["verify", evil],
        &["inspect", "out", evil],
    ] {
        let ran = vidpairs(&work, args);
        assert_eq!(ran.code, Some(2));
        assert!(!has_escape(&ran.stderr), "{:?}", ran.stderr);
    }
}
