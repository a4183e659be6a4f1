//! Runs into a disk that becomes full.

use std::fs;
use std::process::Command;

use super::{Extract, Ran};
use crate::program;

/// Runs twice in a mount namespace of its own, where `out` is a small disk: until that is full, and again once it is
/// larger. `$1` the disk's options, `$2` what the second run is told besides, `$3` the program, then its arguments.
const TWICE: &str = r#"
mount -t tmpfs -o "$1" none out || exit 77
besides=$2
shift 2
timeout 60 "$@" >first.stdout 2>first.stderr
echo $? >first.code
mkdir kept && cp -a out/. kept
mount -o remount,size=64m,nr_inodes=10k out || exit 77
timeout 60 "$@" $besides >second.stdout 2>second.stderr
echo $? >second.code
mkdir copied && cp -a out/. copied
"#;

/// Runs `run`, which writes to `out`, on a disk of the options `disk` of tmpfs, and again with the arguments `besides` where there is room.
/// Its folder has afterwards what the full disk held in `kept`, and what came of it in `copied`. Whether the disk was full for the
/// first run, which must say so then; the second must end well. `None`, and a word about it, if no disk can be mounted here.
pub fn run_twice(run: &Extract, besides: &str, disk: &str) -> Option<bool> {
    for name in ["copied", "kept", "out"] {
        let _ = fs::remove_dir_all(run.dir.join(name));
    }
    fs::create_dir(run.dir.join("out")).unwrap();
    let status = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", TWICE, "twice"])
        .args([disk, besides])
        .arg(program(&run.args[0]))
        .args(&run.args)
        .current_dir(&run.dir)
        .status();
    if !status.is_ok_and(|status| status.success()) {
        println!("no file system can be mounted here: nothing was tested");
        return None;
    }
    let read = |name: String| fs::read_to_string(run.dir.join(name)).unwrap();
    let [first, second] = ["first", "second"].map(|which| Ran {
        code: read(format!("{which}.code")).trim().parse().ok(),
        stdout: read(format!("{which}.stdout")),
        stderr: read(format!("{which}.stderr")),
    });
    assert_eq!(second.code, Some(0), "{disk}: {}", second.stderr);
    let is_full = first.code != Some(0);
    if is_full {
        first.failed_with(
            2,
            &["the disk of out is full", "is safe", "free some space"],
        );
        let is_plain = !first.stderr.contains("panicked");
        assert!(is_plain && first.stdout.is_empty(), "{disk}: {first:?}");
    }
    Some(is_full)
}
