//! Runs the command line of vidpairs with OpenCV's trackers and proposals.

use std::process::ExitCode;

use vidpairs::cli;
use vidpairs::engines::Engines;
use vidpairs_opencv::OpencvTrackers;

fn main() -> ExitCode {
    cli::main(Engines {
        opencv: Some(&OpencvTrackers),
        ..Engines::default()
    })
}
