//! Prints `--version`: this program, its libraries, and version and libraries of its neighbours.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

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
                Some(program) => format!("{name}: {}", libraries_of(&program)),
            });
        }
    }
    lines.join("\n")
}

/// Longest wait for a neighbour, which loads its libraries.
const PATIENCE: Duration = Duration::from_secs(15);
/// Most bytes that are read from each stream of a neighbour.
const MAX_BYTES: u64 = 1 << 14;

/// Version and libraries of another program, as it lists them.
fn libraries_of(program: &Path) -> String {
    let started = Command::new(program)
        .arg("libraries")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(err) => return format!("does not start: {err}"),
    };
    let stdout = child.stdout.take().map(read_on_thread);
    let stderr = child.stderr.take().map(read_on_thread);
    let start = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(None) if start.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(2)),
            status => break status.ok().flatten(),
        }
    };
    let Some(status) = status else {
        let _ = child.kill();
        let _ = child.wait();
        return format!("gives no answer within {} s", PATIENCE.as_secs());
    };
    let text = |from: Option<Receiver<String>>| {
        // A process that it started may keep the stream open.
        let text = from.map(|from| from.recv_timeout(Duration::from_secs(1)));
        text.and_then(Result::ok).unwrap_or_default()
    };
    if status.success() {
        let text = text(stdout);
        return text.lines().collect::<Vec<_>>().join(", ");
    }
    // A library that the loader does not find.
    let text = text(stderr);
    let why = text.lines().next().map(|line| format!(": {line}"));
    format!("does not start{}", why.unwrap_or_default())
}

/// Reads the start of a stream on a thread, since a program may hang without closing it.
fn read_on_thread(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (text_tx, text_rx) = mpsc::channel();
    let read = move || {
        let mut bytes = Vec::new();
        let _ = stream.take(MAX_BYTES).read_to_end(&mut bytes);
        let _ = text_tx.send(String::from_utf8_lossy(&bytes).into_owned());
    };
    // Without the thread, the receiver finds nothing.
    let _ = thread::Builder::new()
        .name("neighbour".to_owned())
        .spawn(read);
    text_rx
}
