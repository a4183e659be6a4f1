//! A full disk ends `vidpairs extract` with a word on what to do, and costs nothing that was written.

use std::fs;
use std::process::Command;

use crate::common::extract::media::h264;
use crate::common::extract::{Ran, Work, assert_is_finished, assert_same_files, dataset};

const PIPELINES: [&str; 2] = [
    "[pairs]\nkind = 'frames'\nk = 2\nstride = 4\n",
    "[pairs]\nkind = 'regions'\nk = 2\nstride = 6\nregions_per_frame = 2\n\
     [proposals]\nkind = 'grid'\n[tracker]\nmin_confidence_mean = 0.0\nmin_confidence_last = 0.0\n",
];

/// What both have in common.
const COMMON: &str = r#"
[source]
kind = "videos"
[shards]
max_records = 4
[extract]
max_refused = "100%"
"#;

/// Runs twice in a mount namespace of its own, where `out` is a small disk: until that is full, and
/// again once it is larger. `$1` the disk's options, `$2` the program, then its arguments.
const TWICE: &str = r#"
mount -t tmpfs -o "$1" none out || exit 77
shift
timeout 60 "$@" >first.stdout 2>first.stderr
echo $? >first.code
mkdir kept && cp out/*.tar kept 2>/dev/null
mount -o remount,size=64m,nr_inodes=10k out || exit 77
timeout 60 "$@" --workers 2 >second.stdout 2>second.stderr
echo $? >second.code
mkdir copied && cp -a out/. copied
"#;

fn twice(work: &Work, disk: &str) -> Option<[Ran; 2]> {
    for name in ["copied", "kept", "out"] {
        let _ = fs::remove_dir_all(work.path(name));
    }
    fs::create_dir(work.path("out")).unwrap();
    let extract = work.extract("out");
    let status = Command::new("unshare")
        .args([
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            TWICE,
            "twice",
            disk,
        ])
        .arg(env!("CARGO_BIN_EXE_vidpairs"))
        .args(&extract.args)
        .current_dir(&extract.dir)
        .status();
    if !status.is_ok_and(|status| status.success()) {
        return None;
    }
    let read = |name: String| fs::read_to_string(work.path(&name)).unwrap();
    let ran = |which| Ran {
        code: read(format!("{which}.code")).trim().parse().ok(),
        stdout: read(format!("{which}.stdout")),
        stderr: read(format!("{which}.stderr")),
    };
    Some([ran("first"), ran("second")])
}

#[test]
fn a_run_into_a_full_disk_says_so_and_goes_on_when_there_is_room() {
    for pipeline in PIPELINES {
        assert_a_full_disk_costs_nothing(pipeline);
    }
}

fn assert_a_full_disk_costs_nothing(pipeline: &str) {
    let work = Work::new(&format!("{COMMON}{pipeline}"));
    h264(&work.path("clips/a.mp4"), "160x120", 60);
    fs::write(work.path("clips/b.mp4"), "no video").unwrap();
    h264(&work.path("clips/c.mp4"), "160x120", 60);
    work.extract("expected").run_well();
    let manifest = dataset::manifest(&work.path("expected"));
    let total_kib = manifest["totals"]["bytes"].as_u64().unwrap() / 1024;

    let mut disks: Vec<String> = vec!["size=1m,nr_inodes=3".into(), "size=1m,nr_inodes=9".into()];
    // From a disk that does not hold the journal to one where only the last files have no room. A
    // page is 4 KiB.
    let sizes = (1..8).map(|eighth| total_kib * eighth / 8);
    let sizes = [4, 8, 12].into_iter().chain(sizes);
    let last = (0..10).map(|pages| total_kib + 4 * pages);
    disks.extend(sizes.chain(last).map(|kib| format!("size={kib}k")));
    let mut num_full = 0;
    for disk in disks {
        let Some([first, second]) = twice(&work, &disk) else {
            println!("no file system can be mounted here: nothing was tested");
            return;
        };
        if first.code != Some(0) {
            num_full += 1;
            first.failed_with(2, &["the disk of out is full", "is safe", "make room"]);
            let is_plain = !first.stderr.contains("panicked");
            assert!(is_plain && first.stdout.is_empty(), "{disk}: {first:?}");
        }
        assert_eq!(second.code, Some(0), "{disk}: {}", second.stderr);
        assert_is_finished(&work.path("copied"));
        assert_same_files(&work.path("copied"), &work.path("expected"), &disk);
        // What had its final name on the full disk was whole then.
        for entry in fs::read_dir(work.path("kept")).unwrap() {
            let path = entry.unwrap().path();
            let finished = work.path("expected").join(path.file_name().unwrap());
            assert!(
                fs::read(&path).unwrap() == fs::read(finished).unwrap(),
                "{disk}: {path:?}"
            );
        }
    }
    println!("{num_full} full disks");
    assert!(num_full > 10, "{num_full} full disks");
}
