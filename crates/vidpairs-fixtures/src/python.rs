//! Python with the packages of `tests/third_party`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a script of `tests/third_party` and returns its output.
pub fn run(script: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
    let output = command(script).args(args).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The command that runs a script of `tests/third_party`.
pub fn command(script: &str) -> Command {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let mut command = Command::new(interpreter(root));
    command.arg(root.join("tests/third_party").join(script));
    command
}

/// Python interpreter with the packages of `tests/third_party`.
fn interpreter(root: &Path) -> PathBuf {
    let named = std::env::var_os("VIDPAIRS_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| root.join(".venv/bin/python"));
    assert!(
        python.exists(),
        "there is no {}: run scripts/setup.sh, or name a Python with \
         tests/third_party/requirements*.txt installed in VIDPAIRS_PYTHON",
        python.display()
    );
    python
}
