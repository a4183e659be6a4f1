//! A full disk ends `vidpairs synth` with a word on what to do, and costs nothing that was written.

use std::fs;
use std::process::Command;

use crate::common::extract::{Extract, Ran, assert_same_files, files};
use crate::common::synth::{Work, assert_final_names_are_whole, with};

/// Runs twice in a mount namespace of its own, where `out` is a small disk: until that is full, and
/// again once it is larger. `$1` the disk's options, `$2` the program, then its arguments.
const TWICE: &str = r#"
mount -t tmpfs -o "$1" none out || exit 77
shift
timeout 60 "$@" >first.stdout 2>first.stderr
echo $? >first.code
mkdir kept && cp -a out/. kept
mount -o remount,size=64m,nr_inodes=10k out || exit 77
timeout 60 "$@" --workers 2 >second.stdout 2>second.stderr
echo $? >second.code
mkdir copied && cp -a out/. copied
"#;

/// What the two runs gave; `None` if no disk can be mounted here.
fn twice(work: &Work, run: &Extract, disk: &str) -> Option<[Ran; 2]> {
    for name in ["copied", "kept", "out"] {
        let _ = fs::remove_dir_all(work.path(name));
    }
    fs::create_dir(work.path("out")).unwrap();
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
        .args(&run.args)
        .current_dir(&run.dir)
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
    let work = Work::new();
    for kind in ["trackingnet", "got10k"] {
        with(work.synth(kind, kind), "--size", "128x96").run_well();
        let expected = files(&work.path(kind));
        // A page is 4 KiB, and every file takes whole ones.
        let pages = |bytes: &Vec<u8>| bytes.len().div_ceil(4096) as u64;
        let total_kib = 4 * expected.values().map(pages).sum::<u64>();
        // From a disk that does not hold the journal to one where only the last files have no room.
        let sizes = [4, 8, 12].into_iter();
        let sizes = sizes.chain((1..=6).map(|sixth| total_kib * sixth / 6));
        let mut disks: Vec<String> = sizes.map(|kib| format!("size={kib}k")).collect();
        disks.extend([4, 12, 20].map(|inodes| format!("size=8m,nr_inodes={inodes}")));
        let mut num_full = 0;
        for disk in disks {
            let run = with(work.synth(kind, "out"), "--size", "128x96");
            let Some([first, second]) = twice(&work, &run, &disk) else {
                println!("no file system can be mounted here: nothing was tested");
                return;
            };
            if first.code != Some(0) {
                num_full += 1;
                let words = ["the disk of out is full", "is safe", "make room"];
                first.failed_with(2, &words);
                let is_plain = !first.stderr.contains("panicked");
                assert!(is_plain && first.stdout.is_empty(), "{disk}: {first:?}");
                assert!(!work.path("kept/synth.json").exists(), "{disk}");
            }
            assert_final_names_are_whole(&work.path("kept"));
            assert_eq!(second.code, Some(0), "{kind}, {disk}: {}", second.stderr);
            assert_same_files(&work.path("copied"), &work.path(kind), &disk);
        }
        println!("{num_full} full disks of {kind}");
        assert!(num_full > 7, "{num_full} full disks of {kind}");
    }
}
