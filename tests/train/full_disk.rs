//! A full disk ends `vidpairs train` with a word on what to do, and costs no step that was safe.

use std::fs;
use std::process::Command;

use crate::common::train::{MOCO, Ran, Work, finite_weights};

/// Runs twice in a mount namespace of its own, where `out` is a small disk: until that is full, and
/// again once it is larger. `$1` the disk's options, `$2` the program, then its arguments.
const TWICE: &str = r#"
mount -t tmpfs -o "$1" none out || exit 77
shift
timeout 60 "$@" >first.stdout 2>first.stderr
echo $? >first.code
mkdir kept && cp -a out/. kept
mount -o remount,size=64m,nr_inodes=10k out || exit 77
timeout 60 "$@" >second.stdout 2>second.stderr
echo $? >second.code
mkdir copied && cp -a out/. copied
"#;

/// What the two runs gave; `None` if no disk can be mounted here.
fn twice(work: &Work, disk: &str) -> Option<[Ran; 2]> {
    for name in ["copied", "kept", "out"] {
        let _ = fs::remove_dir_all(work.path(name));
    }
    fs::create_dir(work.path("out")).unwrap();
    let run = work.train("out").set("train.keep=2");
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
    let work = Work::new(MOCO);
    work.train("expected").set("train.keep=2").run_well();
    let expected = work.result("expected");
    let kib = |path: &str| fs::metadata(work.path(path)).unwrap().len() / 1024;
    let checkpoint = kib("expected/checkpoints/step-0000000020.safetensors");
    let all = 3 * checkpoint + kib("expected/backbone.safetensors");

    // From a disk that holds no file to one where the last checkpoint has no room. A page is 4 KiB.
    let mut disks: Vec<String> = [3, 5, 8, 10]
        .map(|inodes| format!("size=64m,nr_inodes={inodes}"))
        .into();
    let sizes = [4, 8, 16, 24]
        .into_iter()
        .chain((1..=6).map(|sixth| all * sixth / 6));
    let last = (1..3).map(|pages| all + 12 * pages);
    disks.extend(sizes.chain(last).map(|kib| format!("size={kib}k")));
    let (mut num_full, mut num_with_checkpoint) = (0, 0);
    for disk in disks {
        let Some([first, second]) = twice(&work, &disk) else {
            println!("no file system can be mounted here: nothing was tested");
            return;
        };
        let kept = work.path("kept/checkpoints");
        let checkpoints = match kept.exists() {
            true => crate::common::train::checkpoints(&work.path("kept")),
            false => Vec::new(),
        };
        if first.code != Some(0) {
            num_full += 1;
            num_with_checkpoint += u32::from(!checkpoints.is_empty());
            first.failed_with(2, &["the disk of out is full", "is safe", "make room"]);
            let is_plain = !first.stderr.contains("panicked");
            assert!(is_plain && first.stdout.is_empty(), "{disk}: {first:?}");
        }
        for name in checkpoints {
            finite_weights(&kept.join(name));
        }
        assert_eq!(second.code, Some(0), "{disk}: {}", second.stderr);
        work.result("copied").assert_is(&expected, &disk);
        let names = |out: &str| crate::common::train::files(&work.path(out).join("checkpoints"));
        assert!(names("copied") == names("expected"), "checkpoints, {disk}");
    }
    println!("{num_full} full disks, {num_with_checkpoint} with a checkpoint");
    assert!(
        num_full > 8 && num_with_checkpoint > 2,
        "{num_full} full disks"
    );
}
