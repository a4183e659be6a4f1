//! The output of `--version`: this program, its libraries, and those of its neighbours.

use std::process::{Command, Stdio};

use super::neighbour::Neighbour;
use crate::engines::Engines;

/// The program's version.
pub(super) fn short() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// A line for each library that this program is linked with: `FFmpeg 5.1.9`.
pub(super) fn libraries(engines: &Engines) -> Vec<String> {
    let mut lines = Vec::new();
    #[cfg(feature = "video")]
    {
        lines.push(format!(
            "FFmpeg {}",
            vidpairs_extract::decode::ffmpeg_versions()
        ));
        lines.extend(engines.opencv.map(|it| format!("OpenCV {}", it.version())));
    }
    lines.extend(
        engines
            .libtorch
            .map(|libtorch| format!("libtorch on {}", libtorch.devices())),
    );
    lines
}

/// The program's version, its libraries, and the libraries of each neighbour: the facts for a bug report.
pub(super) fn long(engines: &Engines) -> String {
    let mut lines = vec![short().to_owned()];
    lines.extend(libraries(engines));
    let this = std::env::current_exe().ok();
    let this = this.as_deref().and_then(std::path::Path::file_name);
    for neighbour in Neighbour::ALL {
        if this.is_some_and(|this| this == neighbour.name()) {
            continue;
        }
        let name = neighbour.name();
        lines.push(match neighbour.find() {
            None => format!("{name}: not installed"),
            Some(program) => {
                let asked = Command::new(program)
                    .arg("libraries")
                    .stdin(Stdio::null())
                    .stderr(Stdio::null())
                    .output();
                match asked {
                    Ok(answer) if answer.status.success() => {
                        let text = String::from_utf8_lossy(&answer.stdout);
                        let libraries: Vec<&str> = text.lines().collect();
                        format!("{name}: {}", libraries.join(", "))
                    }
                    _ => format!("{name}: does not start"),
                }
            }
        });
    }
    lines.join("\n")
}
