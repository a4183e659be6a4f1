//! Output folders and data sets that a stranger made: links, FIFOs and devices in the place of our files.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use vidpairs_fixtures::extract::media::h264;
use vidpairs_fixtures::extract::{Work, assert_is_finished, assert_same_files};

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

fn mkfifo(path: &std::path::Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[test]
fn what_a_stranger_put_in_the_place_of_a_written_file_is_replaced_or_refused_and_its_target_stays()
{
    let work = work();
    work.extract("expected").run_well();
    type Put = fn(&Work, &std::path::Path);
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
