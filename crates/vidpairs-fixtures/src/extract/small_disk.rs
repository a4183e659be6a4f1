//! Runs with a disk that becomes full.

use std::fs;
use std::process::Command;

use super::{Extract, Ran};
use crate::program;

/// Runs a program twice in its own mount namespace, in which `out` is a small disk: until it is full, and again after it
/// is enlarged. `$1` are the options of the disk, `$2` additional arguments of the second run, `$3` the program, followed
/// by its arguments.
const TWICE: &str = r#"
mount -t tmpfs -o "$1" none out || exit 77
more=$2
shift 2
timeout 60 "$@" >first.stdout 2>first.stderr
echo $? >first.code
mkdir kept && cp -a out/. kept
mount -o remount,size=64m,nr_inodes=10k out || exit 77
timeout 60 "$@" $more >second.stdout 2>second.stderr
echo $? >second.code
mkdir copied && cp -a out/. copied
"#;

/// Runs `run`, which writes to `out`, on a tmpfs with the options `disk`, and again with the additional arguments `more`
/// on a larger one. Afterwards `kept` holds the contents of the full disk, and `copied` the final ones. Asserts that the
/// first run reports a full disk, if it fails, and that the second succeeds. Returns whether the disk was full; `None`,
/// with a note, if no disk can be mounted here.
pub fn run_twice(run: &Extract, more: &str, disk: &str) -> Option<bool> {
    for name in ["copied", "kept", "out"] {
        let _ = fs::remove_dir_all(run.dir.join(name));
    }
    fs::create_dir(run.dir.join("out")).unwrap();
    let status = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", TWICE, "twice"])
        .args([disk, more])
        .arg(program(&run.args[0]))
        .args(&run.args)
        .current_dir(&run.dir)
        .status();
    if !status.is_ok_and(|status| status.success()) {
        println!("not tested: no file system can be mounted here");
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
