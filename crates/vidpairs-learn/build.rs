//! Writes the place of libtorch into what Cargo links, so that no `LD_LIBRARY_PATH` is ever needed.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // torch-sys says where it found libtorch: under LIBTORCH, or in PyTorch for Python.
    let Some(named) = env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else {
        return; // The feature `train` is off.
    };
    // `.deps/libtorch` is a link: a program that has been built should outlive it.
    let folder = fs::canonicalize(&named).unwrap_or_else(|_| named.clone());
    println!("cargo::rerun-if-changed={}", named.display());
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", folder.display());
    if folder.join("libtorch_cuda.so").exists() {
        // Nothing calls into the CUDA half by name; it registers itself when it is loaded, so the
        // linker must not drop it as unused.
        println!("cargo::rustc-link-arg=-Wl,--no-as-needed,-ltorch_cuda,--as-needed");
    }
}
