//! What the `ffmpeg` and `ffprobe` programs say of a clip: the truth of these tests.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use vidpairs_types::SizePx;

use super::clips::made_once;
use super::grid;

/// A frame as ffprobe lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbedFrame {
    /// `best_effort_timestamp_time`, as printed: the pts, unless the container states nonsense.
    pub pts_time: Option<String>,
    /// Width and height, not turned.
    pub size: SizePx,
}

/// The frames that a linear decode of the first video stream shows. Asked once for each clip.
pub fn ffprobe_frames(path: &Path) -> Vec<ProbedFrame> {
    let key = format!("ffprobe {}", path.display());
    let kept = made_once(&key, "txt", |kept| fs::write(kept, probe(path)).unwrap());
    let text = fs::read_to_string(kept).unwrap();
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

/// The numbers in the pictures that `ffmpeg` decodes from the first to the last, upright. Asked once
/// for each clip.
pub fn ffmpeg_numbers(path: &Path, upright: SizePx) -> Vec<Option<u64>> {
    let key = format!(
        "numbers {} {upright} {}",
        path.display(),
        include_str!("grid.rs")
    );
    let kept = made_once(&key, "json", |kept| {
        let numbers = serde_json::to_vec(&decoded_numbers(path, upright)).unwrap();
        fs::write(kept, numbers).unwrap();
    });
    serde_json::from_slice(&fs::read(kept).unwrap()).unwrap()
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

/// Whether the installed `ffmpeg` has the encoder; says so on stderr if not.
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
