//! The simulation of docs/CLUSTER.md gives the table that stands there, and the files for engines say one number of parts.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs Python's standard library on scripts/cluster/simulate.py.
fn simulate(before: &[&str], after: &[&Path]) {
    let python = Command::new("python3")
        .arg("-B") // no compiled files beside the scripts
        .args(before)
        .arg(root().join("scripts/cluster/simulate.py"))
        .args(after)
        .output();
    let python = python.expect("scripts/setup.sh installs Python");
    assert!(
        python.status.success(),
        "{}{}",
        String::from_utf8_lossy(&python.stdout),
        String::from_utf8_lossy(&python.stderr)
    );
}

#[test]
fn the_simulated_table_of_the_cluster_page_is_what_the_script_gives() {
    let page = root().join("docs/CLUSTER.md");
    simulate(&[], &[Path::new("--check"), &page]);
}

#[test]
fn the_simulation_deals_tasks_to_the_worker_that_is_free_first() {
    simulate(&["-m", "doctest"], &[]);
}

/// Number behind every occurrence of `key` in a file of scripts/cluster.
fn numbers(file: &str, key: &str) -> Vec<u32> {
    let text = fs::read_to_string(root().join("scripts/cluster").join(file));
    let text = text.expect("the file is part of the repository");
    let found = text.split(key).skip(1).map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().expect("a number stands behind the key")
    });
    found.collect()
}

#[test]
fn the_files_for_engines_start_as_many_tasks_as_they_have_parts() {
    let (last, parts) = (
        numbers("extract.sbatch", "--array=0-"),
        numbers("extract.sbatch", "\nparts="),
    );
    assert_eq!((last.len(), parts.len()), (1, 1));
    assert_eq!(last[0] + 1, parts[0]);
    let yaml = "extract.kubernetes.yaml";
    let pods = numbers(yaml, "\n  completions: ");
    assert_eq!(pods.len(), 1);
    assert_eq!(pods, numbers(yaml, "--parts="));
}
