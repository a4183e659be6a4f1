//! Frames of clips as decoded by the `ffmpeg` and `ffprobe` programs, the reference of the tests.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use vidpairs_types::SizePx;

use super::grid;
use super::target::cached_file;

/// Frame as listed by ffprobe.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbedFrame {
    /// `best_effort_timestamp_time`, as printed: the pts, unless the container states a senseless one.
    pub pts_time: Option<String>,
    /// Size of the stored picture, px.
    pub size: SizePx,
}

/// Frames of a linear decode of the first video stream. The result is cached.
pub fn ffprobe_frames(path: &Path) -> Vec<ProbedFrame> {
    let key = format!("ffprobe {}", path.display());
    let cached = cached_file(&key, "txt", |cached| {
        fs::write(cached, probe(path)).unwrap()
    });
    let text = fs::read_to_string(cached).unwrap();
    text.split("[FRAME]").skip(1).map(probed_frame).collect()
}

fn probe(path: &Path) -> Vec<u8> {
    let entries = "frame=best_effort_timestamp_time,width,height";
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-show_entries",
            entries,
        ])
        .args(["-of", "default=nokey=0"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "cannot decode {}", path.display());
    output.stdout
}

fn probed_frame(text: &str) -> ProbedFrame {
    let value = |key: &str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .find(|(name, value)| *name == key && *value != "N/A")
            .map(|(_, value)| value.to_owned())
    };
    let side = |key: &str| value(key).map_or(0, |side| side.parse().unwrap());
    ProbedFrame {
        pts_time: value("best_effort_timestamp_time"),
        size: SizePx {
            width: side("width"),
            height: side("height"),
        },
    }
}

/// Numbers in the upright pictures that `ffmpeg` decodes, from the first to the last. The result is cached.
pub fn ffmpeg_numbers(path: &Path, upright: SizePx) -> Vec<Option<u64>> {
    let key = format!(
        "numbers {} {upright} {}",
        path.display(),
        include_str!("grid.rs")
    );
    let cached = cached_file(&key, "json", |cached| {
        let numbers = serde_json::to_vec(&decoded_numbers(path, upright)).unwrap();
        fs::write(cached, numbers).unwrap();
    });
    serde_json::from_slice(&fs::read(cached).unwrap()).unwrap()
}

fn decoded_numbers(path: &Path, upright: SizePx) -> Vec<Option<u64>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-map", "0:v:0", "-vsync", "passthrough", "-f", "rawvideo"])
        .args(["-pix_fmt", "gray", "-"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "cannot decode {}", path.display());
    let pictures = output.stdout.chunks_exact(upright.area() as usize);
    pictures
        .map(|picture| grid::read_gray(upright, picture))
        .collect()
}

/// Whether the installed `ffmpeg` has an encoder. Prints a note if it does not.
pub fn has_encoder(name: &str) -> bool {
    static LIST: OnceLock<String> = OnceLock::new();
    let list = LIST.get_or_init(|| {
        let mut command = Command::new("ffmpeg");
        let output = command
            .args(["-hide_banner", "-encoders"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    });
    let found = list
        .lines()
        .any(|line| line.split_whitespace().nth(1) == Some(name));
    if !found {
        eprintln!("left out: the installed ffmpeg has no encoder {name}");
    }
    found
}
