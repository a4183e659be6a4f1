//! Making clips with the `ffmpeg` program, once each.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use vidpairs_types::SizePx;
use xxhash_rust::xxh3::xxh3_64;

use super::binaries::kept;
use super::grid;

/// What a numbered clip is made of.
#[derive(Debug, Clone, Copy)]
pub struct NumberedClip<'a> {
    /// Numbers drawn: `0..num_frames`, one a frame.
    pub num_frames: u64,
    /// Of the stored picture.
    pub size: SizePx,
    /// Quarter turns clockwise that a viewer must make to see the number upright.
    pub quarter_turns: u8,
    /// Arguments of `ffmpeg` for the output, separated by spaces: encoder, format, filters.
    pub args: &'a str,
    /// Extension of the file, which chooses the container.
    pub extension: &'a str,
}

impl Default for NumberedClip<'_> {
    fn default() -> Self {
        let size = SizePx {
            width: 320,
            height: 180,
        };
        Self {
            num_frames: 90,
            size,
            quarter_turns: 0,
            args: "",
            extension: "mp4",
        }
    }
}

/// The clip of `spec` at 30 frames a second.
pub fn numbered_clip(spec: NumberedClip<'_>) -> PathBuf {
    let key = format!("{spec:?} {}", include_str!("grid.rs"));
    made_once(&key, spec.extension, |path| {
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

/// A clip that `ffmpeg` makes of `from`: `args` stand between the input and the output,
/// `input_args` before the input.
pub fn remade_clip(from: &Path, input_args: &str, args: &str, extension: &str) -> PathBuf {
    let key = format!("{} {input_args} {args} {extension}", from.display());
    made_once(&key, extension, |path| {
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

/// The bytes of `from` as `change` leaves them; `name` says what that is.
pub fn changed_clip(from: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let extension = from.extension().unwrap().to_str().unwrap();
    made_once(&format!("{} {name}", from.display()), extension, |path| {
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

/// Written under a name of its own, then renamed: nobody sees half a clip, whoever comes second wins
/// nothing and harms nothing.
pub fn made_once(key: &str, extension: &str, make: impl FnOnce(&Path)) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let folder = kept().join("clips");
    fs::create_dir_all(&folder).unwrap();
    let name = format!("{:016x}", xxh3_64(key.as_bytes()));
    let path = folder.join(format!("{name}.{extension}"));
    if !path.exists() {
        let (process, unique) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let unfinished = folder.join(format!("{name}-{process}-{unique}.{extension}"));
        make(&unfinished);
        fs::rename(&unfinished, &path).unwrap();
    }
    path
}

/// The picture that, turned clockwise by `quarter_turns`, shows the number.
fn stored_picture(spec: &NumberedClip<'_>, number: u64) -> Vec<u8> {
    let turned = spec.quarter_turns % 2 == 1;
    let stored = spec.size;
    let upright = if turned {
        SizePx {
            width: stored.height,
            height: stored.width,
        }
    } else {
        stored
    };
    let picture = grid::draw(upright, number);
    let half = |size: SizePx| SizePx {
        width: size.width.div_ceil(2),
        height: size.height.div_ceil(2),
    };
    let luma = upright.area() as usize;
    let chroma = half(upright).area() as usize;
    let mut turned = turn_back(&picture[..luma], upright, spec.quarter_turns);
    for plane in picture[luma..].chunks(chroma) {
        turned.extend(turn_back(plane, half(upright), spec.quarter_turns));
    }
    turned
}

/// Turns a plane of `upright` size counterclockwise by `quarter_turns`.
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
