//! Layers inside the crates: a module imports only modules of lower layers, never a neighbour. Cargo enforces the layers of the
//! crates themselves.

// Clippy knows a test by its attribute, and takes the functions beside it for production code.
#![allow(clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// The source folder of a crate, and its modules from the bottom up. `lib.rs` and `main.rs` stand above all.
const CRATES: &[(&str, &[&[&str]])] = &[
    (
        "src",
        &[
            &["hashing"],
            &[
                "cache",
                "engines",
                "export",
                "export_pairs",
                "inspect",
                "parts",
                "reshard",
                "verify",
            ],
            &["experiment"],
            &["report"],
            &["cli"],
        ],
    ),
    (
        "crates/vidpairs-extract/src",
        &[
            &["ffmpeg"],
            &[
                "codec", "crop", "cuts", "decode", "ope", "propose", "sample", "track",
            ],
            &["engine"],
            &["run"],
        ],
    ),
    (
        "crates/vidpairs-learn/src",
        &[&["augment", "model"], &["train"], &["run"]],
    ),
    (
        "crates/vidpairs-invariance/src",
        &[&["measure", "npz"], &["probe"], &["run"]],
    ),
];

/// What only one crate may name.
const OWNERS: &[(&str, &str)] = &[
    ("ffmpeg_next", "crates/vidpairs-extract/"),
    ("tch", "crates/vidpairs-learn/"),
    ("opencv", "crates/vidpairs-opencv/"),
    ("turbojpeg", "crates/vidpairs-image/"),
    ("clap", "src/cli/"),
    ("toml_edit", "crates/vidpairs-pipeline/"),
    ("object_store", "crates/vidpairs-store/"),
    ("tokio", "crates/vidpairs-store/"),
];

#[test]
fn a_module_imports_only_lower_layers() {
    for (source, layers) in CRATES {
        let mut breaches = Vec::new();
        for file in rust_files(Path::new(source)) {
            breaches.extend(breaches_in(&file, source, layers));
        }
        assert!(breaches.is_empty(), "{}", breaches.join("\n"));
        for module in layers.iter().copied().flatten() {
            let folder = Path::new(source).join(module);
            let is_there = folder.is_dir() || folder.with_extension("rs").is_file();
            assert!(is_there, "{source} has no module `{module}`");
        }
    }
}

#[test]
fn a_library_is_named_in_its_crate_alone() {
    let files = [Path::new("src"), Path::new("crates")];
    for file in files.into_iter().flat_map(rust_files) {
        let is_tested = ["tests", "benches", "examples"]
            .iter()
            .any(|folder| file.components().any(|part| part.as_os_str() == *folder));
        for (library, owner) in OWNERS {
            if is_tested || file.starts_with(owner) {
                continue;
            }
            let text = fs::read_to_string(&file).expect("sources are UTF-8");
            let (path, import) = (format!("{library}::"), format!("use {library};"));
            let names_it = text.lines().any(|line| {
                let line = line.trim();
                let is_path = line.match_indices(&path).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
                });
                !line.starts_with("//") && (is_path || line == import)
            });
            assert!(!names_it, "{} names {library}", file.display());
        }
    }
}

/// Calls that open or create files as the operating system does it: they wait for the writer of a FIFO, read a device without end, and
/// write through links. `vidpairs-types` has others.
const RAW_OPENS: [&str; 8] = [
    "File::open(",
    "File::create(",
    "File::options()",
    "OpenOptions::new()",
    "fs::read(",
    "fs::read_to_string(",
    "fs::write(",
    "fs::copy(",
];

/// Files that may use them, each for its reason.
const RAW_OPENERS: &[&str] = &[
    "crates/vidpairs-types/src/durable.rs",
    "crates/vidpairs-types/src/open.rs",
    // Opens the user's own pipe, `/dev/stdin`.
    "crates/vidpairs-pipeline/src/settings.rs",
];

#[test]
fn files_are_opened_and_created_by_the_functions_of_vidpairs_types() {
    let files = [Path::new("src"), Path::new("crates")];
    for file in files.into_iter().flat_map(rust_files) {
        let is_test = file.components().any(|part| {
            let part = part.as_os_str().to_string_lossy();
            let folders = ["tests", "benches", "examples", "vidpairs-fixtures"];
            folders.contains(&&*part)
                || part.ends_with("tests.rs")
                || part.starts_with("test_")
                || part == "fixtures.rs"
        });
        if is_test || RAW_OPENERS.iter().any(|opener| file.ends_with(opener)) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("sources are UTF-8");
        let code = text.lines().take_while(|line| *line != "#[cfg(test)]");
        for line in code.filter(|line| !line.trim().starts_with("//")) {
            // `open_own(File::options()...)` is how an own file is opened.
            let is_raw = |call: &&str| {
                line.match_indices(call).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
                })
            };
            let is_breach = RAW_OPENS.iter().any(is_raw) && !line.contains("open_own(");
            assert!(!is_breach, "{}: {}", file.display(), line.trim());
        }
    }
}

fn breaches_in(file: &Path, source: &str, layers: &[&[&str]]) -> Vec<String> {
    let layer = |module: &str| layers.iter().position(|names| names.contains(&module));
    let inside = file
        .strip_prefix(source)
        .expect("the walk began in the folder");
    let importer = inside
        .components()
        .next()
        .map(|part| part.as_os_str().to_string_lossy().replace(".rs", ""))
        .expect("a file has a name");
    if ["lib", "main"].contains(&importer.as_str()) {
        return Vec::new();
    }
    let own = layer(&importer)
        .unwrap_or_else(|| panic!("`{importer}` of {source} has no layer: add it to CRATES"));
    let text = fs::read_to_string(file).expect("sources are UTF-8");
    let code = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"));
    let is_breach = |line: &&str| {
        // `crate::{a, b}` hides names from this test, and from the reader's eye: one `use` line per module.
        line.contains("crate::{")
            || imports(line)
                .any(|name| name != importer && layer(name).is_some_and(|imported| imported >= own))
    };
    code.filter(is_breach)
        .map(|line| format!("{}: {line}", file.display()))
        .collect()
}

/// The names that `line` has after `crate::`.
fn imports(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).filter_map(|rest| {
        rest.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
    })
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder)
        .expect("folder can be read")
        .map(|entry| entry.expect("entry").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                rust_files(&path)
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect()
}
