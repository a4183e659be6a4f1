//! Places that Cargo chose for what it builds.

use std::env;
use std::path::PathBuf;

/// The folder of the programs of this build: `target/debug`, say.
fn folder() -> PathBuf {
    // Tests lie in its folder `deps`.
    let test = env::current_exe().unwrap();
    let deps = test.parent().unwrap();
    deps.parent().unwrap().to_owned()
}

/// The program of this build that runs `command` itself: `vidpairs-torch` for `train`, say.
///
/// # Panics
/// If it was not built: Cargo builds a package's own program before its tests, and `cargo test --workspace` all of them.
pub fn program(command: &str) -> PathBuf {
    let name = match command {
        "train" | "invariance" => "vidpairs-torch",
        _ => "vidpairs",
    };
    let program = folder().join(name);
    assert!(
        program.exists(),
        "{} is not there: build it with `cargo build -p {name}`",
        program.display()
    );
    program
}

/// A folder in the target folder for files that tests keep.
pub fn kept() -> PathBuf {
    folder().parent().unwrap().join("tmp")
}
