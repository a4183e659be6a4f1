//! docs/RESULTS.md states the figures of the committed results, and the statistics of experiments are right.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

/// Runs a script of the experiments with Python's standard library.
fn run(script: &str, args: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/experiments");
    let python = Command::new("python3")
        .arg("-B") // no compiled files beside the scripts
        .arg(folder.join(script))
        .args(args)
        .output();
    let python = python.expect("scripts/setup.sh installs Python");
    let said = String::from_utf8_lossy(&python.stderr);
    assert!(python.status.success(), "{said}");
}

#[test]
fn the_tables_of_the_results_page_are_those_of_the_committed_results() {
    run("results.py", &["--check"]);
}

#[test]
fn intervals_and_verdicts_of_experiments_are_right() {
    run("tests.py", &[]);
}
