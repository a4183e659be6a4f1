//! The program `vidpairs`: the command line with FFmpeg, without OpenCV and libtorch.

use std::process::ExitCode;

use vidpairs::cli;
use vidpairs::engines::Engines;

fn main() -> ExitCode {
    cli::main(Engines::default())
}
