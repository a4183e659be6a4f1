//! Programs and cached files in the target folder.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use xxhash_rust::xxh3::xxh3_64;

/// Folder of the programs of this build, such as `target/debug`.
fn folder() -> PathBuf {
    // Tests are in its subfolder `deps`.
    let test = env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_owned()
}

/// Program of this build that runs `command`, such as `vidpairs-torch` for `train`.
///
/// # Panics
/// If it was not built. Cargo builds the program of a package before its tests; `cargo test --workspace` builds all.
pub fn program(command: &str) -> PathBuf {
    let name = match command {
        "train" | "invariance" => "vidpairs-torch",
        _ => "vidpairs",
    };
    let program = folder().join(name);
    assert!(
        program.exists(),
        "{} does not exist: build it with `cargo build -p {name}`",
        program.display()
    );
    program
}

/// Path of the file identified by `key`, which `make` writes if it does not exist. The file is written under a temporary
/// name and renamed, so parallel tests never see an incomplete file.
pub fn cached_file(key: &str, extension: &str, make: impl FnOnce(&Path)) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let cache = folder().parent().unwrap().join("tmp/clips");
    fs::create_dir_all(&cache).unwrap();
    let name = format!("{:016x}", xxh3_64(key.as_bytes()));
    let path = cache.join(format!("{name}.{extension}"));
    if !path.exists() {
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        let unfinished = cache.join(format!("{name}-{}-{unique}.{extension}", process::id()));
        make(&unfinished);
        fs::rename(&unfinished, &path).unwrap();
    }
    path
}
