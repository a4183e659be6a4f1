//! Media made with the ffmpeg program.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Moving test picture.
#[derive(Clone, Copy)]
pub struct Video<'a> {
    /// Size as `WIDTHxHEIGHT`.
    pub size: &'a str,
    pub frames: u32,
    /// Arguments for the encoder.
    pub codec: &'a [&'a str],
}

/// H.264 that is fast to encode, with a keyframe every 10 frames.
pub const H264: &[&str] = &["-c:v", "libx264", "-preset", "ultrafast", "-g", "10"];

impl Video<'_> {
    /// Writes the video. The extension selects the container.
    pub fn write(self, path: &Path) {
        let source = format!("testsrc2=s={}:r=30", self.size);
        let frames = self.frames.to_string();
        let mut args = vec!["-f", "lavfi", "-i", &source, "-frames:v", &frames];
        args.extend(self.codec);
        args.extend(["-pix_fmt", "yuv420p", path.to_str().unwrap()]);
        ffmpeg(&args);
    }
}

/// Writes an H.264 video.
pub fn h264(path: &Path, size: &str, frames: u32) {
    let codec = H264;
    Video {
        size,
        frames,
        codec,
    }
    .write(path);
}

/// Writes a video of large frames with little content, fast to encode and decode, with a keyframe every 60 frames. A
/// piece has 375 frames, so 1,500 frames are cut into four pieces.
pub fn long_h264(path: &Path, frames: u32) {
    let source = "testsrc2=s=160x90:r=30,pad=1280:720:(ow-iw)/2:(oh-ih)/2";
    let frames = frames.to_string();
    let mut args = vec!["-f", "lavfi", "-i", source, "-frames:v", &frames];
    args.extend(["-c:v", "libx264", "-preset", "ultrafast", "-g", "60"]);
    args.extend(["-pix_fmt", "yuv420p", path.to_str().unwrap()]);
    ffmpeg(&args);
}

/// Runs ffmpeg without output.
pub fn ffmpeg(args: &[&str]) {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-threads", "2"])
        .args(args)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ffmpeg {args:?}: {errors}");
}

/// Writes JPEGs `0.jpg`, `1.jpg`, ... to `dir` and returns their paths.
pub fn jpegs(dir: &Path, size: &str, count: u32) -> Vec<PathBuf> {
    fs::create_dir_all(dir).unwrap();
    let names = dir.join("%d.jpg");
    let (source, frames) = (format!("testsrc2=s={size}:r=30"), count.to_string());
    let input = ["-f", "lavfi", "-i", &source, "-frames:v", &frames];
    let output = ["-start_number", "0", "-q:v", "3", names.to_str().unwrap()];
    ffmpeg(&[&input[..], &output[..]].concat());
    let path = |number| dir.join(format!("{number}.jpg"));
    (0..count).map(path).collect()
}

/// Zips files under their own names, without compression.
pub fn zip(path: &Path, files: &[PathBuf]) {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).unwrap();
    }
    let mut writer = ZipWriter::new(File::create(path).unwrap());
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        writer.start_file(name, stored).unwrap();
        writer.write_all(&fs::read(file).unwrap()).unwrap();
    }
    writer.finish().unwrap();
}

/// Overwrites a part of a file with zeros. The range is given as shares of the length.
pub fn blot(path: &Path, stretch: std::ops::Range<f64>) {
    let mut bytes = fs::read(path).unwrap();
    let at = |share: f64| (bytes.len() as f64 * share) as usize;
    let (start, end) = (at(stretch.start), at(stretch.end));
    bytes[start..end].fill(0);
    fs::write(path, bytes).unwrap();
}
