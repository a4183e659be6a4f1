//! Links programs to libtorch with its folder as run path, so that they need no `LD_LIBRARY_PATH`.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    // Set by torch-sys to where it found libtorch: `LIBTORCH`, or PyTorch for Python.
    let Some(folder) = env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else {
        return; // torch-sys was built for documentation only.
    };
    println!("cargo::rerun-if-changed={}", folder.display());
    // A built program should outlive the link `.deps/libtorch`.
    let real_folder = fs::canonicalize(&folder).unwrap_or(folder);
    println!("cargo::rerun-if-changed={}", real_folder.display());
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", real_folder.display());
    if real_folder.join("libtorch_cuda.so").exists() {
        // No symbol of the CUDA library is called by name, as it registers itself on loading: the linker must not drop it.
        println!("cargo::rustc-link-arg=-Wl,--no-as-needed,-ltorch_cuda,--as-needed");
    }
}
