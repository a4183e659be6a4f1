//! Clips made with the `ffmpeg` program, each once.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use vidpairs_types::{PlaneLayout, SizePx};

use super::grid;
use super::target::cached_file;

/// FFmpeg source of a textured picture that moves by 2 px per frame, so that every region can be tracked.
pub const SLIDING: &str = "nullsrc=s=160x24:r=30,trim=end_frame=1,geq=random(1)*255:128:128,\
                           scale=640:96:flags=bicubic,loop=-1:1:0,setpts=N/30/TB,crop=160:96:n*2:0";

/// Parameters of a numbered clip.
#[derive(Debug, Clone, Copy)]
pub struct NumberedClip<'a> {
    /// Number of frames. Frame i shows the number i.
    pub num_frames: u64,
    /// Size of the stored picture, px.
    pub size: SizePx,
    /// Clockwise quarter turns to the upright picture.
    pub quarter_turns: u8,
    /// Arguments of `ffmpeg` for the output, separated by spaces: encoder, format, filters.
    pub args: &'a str,
    /// Extension of the file, which selects the container.
    pub extension: &'a str,
}

impl Default for NumberedClip<'_> {
    fn default() -> Self {
        Self {
            num_frames: 90,
            size: [320, 180].into(),
            quarter_turns: 0,
            args: "",
            extension: "mp4",
        }
    }
}

/// Makes the clip of `spec`, at 30 frames per second.
pub fn numbered_clip(spec: NumberedClip<'_>) -> PathBuf {
    let key = format!("{spec:?} {}", include_str!("grid.rs"));
    cached_file(&key, spec.extension, |path| {
        let size = format!("{}x{}", spec.size.width, spec.size.height);
        let mut command = ffmpeg();
        command.args([
            "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", &size, "-r", "30",
        ]);
        command.args(["-i", "-"]).args(spec.args.split_whitespace());
        let mut child = command.arg(path).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        for number in 0..spec.num_frames {
            stdin.write_all(&stored_picture(&spec, number)).unwrap();
        }
        drop(stdin);
        assert!(
            child.wait().unwrap().success(),
            "ffmpeg failed: {command:?}"
        );
    })
}

/// Makes a clip from `from` with `ffmpeg`, with `input_args` before the input and `args` between input and output.
pub fn remade_clip(from: &Path, input_args: &str, args: &str, extension: &str) -> PathBuf {
    let key = format!("{} {input_args} {args} {extension}", from.display());
    cached_file(&key, extension, |path| {
        let mut command = ffmpeg();
        command
            .args(input_args.split_whitespace())
            .arg("-i")
            .arg(from);
        command.args(args.split_whitespace()).arg(path);
        assert!(
            command.status().unwrap().success(),
            "ffmpeg failed: {command:?}"
        );
    })
}

/// Copies `from` and applies `change` to the bytes. `name` identifies the change.
pub fn changed_clip(from: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let extension = from.extension().unwrap().to_str().unwrap();
    cached_file(&format!("{} {name}", from.display()), extension, |path| {
        let mut bytes = fs::read(from).unwrap();
        change(&mut bytes);
        fs::write(path, bytes).unwrap();
    })
}

fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-v", "error", "-nostdin", "-y", "-threads", "2"])
        .stdin(Stdio::null());
    command
}

/// Stored picture, whose upright version shows the number.
fn stored_picture(spec: &NumberedClip<'_>, number: u64) -> Vec<u8> {
    let upright = match spec.quarter_turns % 2 {
        0 => spec.size,
        _ => spec.size.turned(),
    };
    let picture = grid::draw(upright, number);
    let half = PlaneLayout::Yuv420.plane_size(upright, 1);
    let (luma, chroma) = picture.split_at(upright.area() as usize);
    let mut stored = turn_back(luma, upright, spec.quarter_turns);
    for plane in chroma.chunks(half.area() as usize) {
        stored.extend(turn_back(plane, half, spec.quarter_turns));
    }
    stored
}

/// Rotates a plane of `upright` size counterclockwise by `quarter_turns`.
fn turn_back(plane: &[u8], upright: SizePx, quarter_turns: u8) -> Vec<u8> {
    let (width, height) = (upright.width as usize, upright.height as usize);
    let at = |x: usize, y: usize| plane[y * width + x];
    match quarter_turns % 4 {
        0 => plane.to_vec(),
        1 => (0..width * height)
            .map(|i| at(width - 1 - i / height, i % height))
            .collect(),
        2 => plane.iter().rev().copied().collect(),
        _ => (0..width * height)
            .map(|i| at(i / height, height - 1 - i % height))
            .collect(),
    }
}
