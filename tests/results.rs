//! docs/RESULTS.md states the figures of the committed results.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

#[test]
fn the_tables_of_the_results_page_are_those_of_the_committed_results() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/experiments/results.py");
    let check = Command::new("python3").arg(script).arg("--check").output();
    let check = check.expect("scripts/setup.sh installs Python");
    let said = String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success(), "{said}");
}
