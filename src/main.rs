//! The program `vidpairs`: FFmpeg, and neither OpenCV nor libtorch.

use std::process::ExitCode;

use vidpairs::cli;
use vidpairs::engines::Engines;

fn main() -> ExitCode {
    cli::main(Engines::default())
}
