//! Prints `--version`: this program, its libraries, and version and libraries of its neighbours.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::neighbour::Neighbour;
use crate::engines::Engines;

/// Version of the program.
pub(super) fn short() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// One line per library that this program is linked with, such as `FFmpeg 5.1.9`.
pub(super) fn libraries(engines: &Engines) -> Vec<String> {
    let mut lines = Vec::new();
    #[cfg(feature = "video")]
    {
        lines.push(format!(
            "FFmpeg {}",
            vidpairs_extract::decode::ffmpeg_versions()
        ));
        let opencv = engines.opencv;
        lines.extend(opencv.map(|opencv| format!("OpenCV {}", opencv.version())));
    }
    let libtorch = engines.libtorch;
    lines.extend(libtorch.map(|libtorch| format!("libtorch on {}", libtorch.devices())));
    lines
}

/// Version and libraries of this program, and those of each neighbour: the facts for a bug report.
pub(super) fn long(engines: &Engines) -> String {
    let mut lines = vec![short().to_owned()];
    lines.extend(libraries(engines));
    let this = std::env::current_exe().ok();
    let this = this.as_deref().and_then(Path::file_name);
    for neighbour in Neighbour::ALL {
        let name = neighbour.name();
        if this.is_none_or(|this| this != name) {
            lines.push(match neighbour.find() {
                None => format!("{name}: not installed"),
                Some(program) => format!("{name}: {}", libraries_of(program)),
            });
        }
    }
    lines.join("\n")
}

/// Version and libraries of another program, as it lists them.
fn libraries_of(program: PathBuf) -> String {
    let output = Command::new(program)
        .arg("libraries")
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let lines = String::from_utf8_lossy(&output.stdout);
            lines.lines().collect::<Vec<_>>().join(", ")
        }
        Ok(output) => {
            // A library that the loader does not find.
            let why = String::from_utf8_lossy(&output.stderr);
            let why = why.lines().next().map(|line| format!(": {line}"));
            format!("does not start{}", why.unwrap_or_default())
        }
        Err(err) => format!("does not start: {err}"),
    }
}
