//! The law of the layout: a module imports only modules of a lower layer, never a neighbour.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// From the bottom up. `lib.rs` and `main.rs` stand above all.
const LAYERS: &[&[&str]] = &[
    &["types", "parallel"],
    &["jpeg", "png", "npz", "cv"],
    &[
        "source", "decode", "sample", "propose", "track", "crop", "codec", "shard", "augment",
        "model",
    ],
    &["train", "invariance", "probe", "synth", "ope"],
    &["pipeline"],
    &["run", "report"],
    &["cli"],
];

#[test]
fn a_module_imports_only_lower_layers() {
    let breaches: Vec<String> = rust_files(Path::new("src"))
        .iter()
        .flat_map(|file| breaches(file))
        .collect();
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

fn breaches(file: &Path) -> Vec<String> {
    let importer = file
        .components()
        .nth(1)
        .map(|part| part.as_os_str().to_string_lossy().replace(".rs", ""));
    let importer = importer.expect("every file lies under src/");
    if ["lib", "main"].contains(&importer.as_str()) {
        return Vec::new();
    }
    let own =
        layer(&importer).unwrap_or_else(|| panic!("`{importer}` has no layer: add it to LAYERS"));
    let text = fs::read_to_string(file).expect("sources are UTF-8");
    let code = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"));
    // `crate::{a, b}` hides names from this test, and from the reader's eye: one `use` line per module.
    code.filter(|line| {
        line.contains("crate::{") || imports(line).any(|(name, at)| name != importer && at >= own)
    })
    .map(|line| format!("{}: {line}", file.display()))
    .collect()
}

/// The layered modules that `line` names after `crate::` or `super::`, each with its layer.
fn imports(line: &str) -> impl Iterator<Item = (&str, usize)> {
    line.split("crate::")
        .skip(1)
        .chain(line.split("super::").skip(1))
        .filter_map(|rest| {
            let name = rest
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()?;
            Some((name, layer(name)?))
        })
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|names| names.contains(&module))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder)
        .expect("folder can be read")
        .map(|entry| entry.expect("entry").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                rust_files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
