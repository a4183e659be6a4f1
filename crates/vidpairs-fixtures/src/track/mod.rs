//! Drawn sequences with known boxes, and runs of `vidpairs track` on them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use vidpairs_image::jpeg;
use vidpairs_types::{BoxXywh, RgbImage, SizePx};

use super::extract::Extract;

/// Size of every drawn frame, px.
pub const SIZE: SizePx = SizePx {
    width: 160,
    height: 120,
};

/// Folder for runs of `vidpairs track`.
pub struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `vidpairs track --tracker dcf --out OUT --workers 2` with the arguments `more`, in this folder.
    pub fn track(&self, out: &str, more: &[&str]) -> Extract {
        let args = ["track", "--tracker", "dcf", "--workers", "2", "--out", out];
        Extract {
            dir: self.dir.path().to_owned(),
            args: args
                .iter()
                .chain(more)
                .map(|arg| (*arg).to_owned())
                .collect(),
            variables: Vec::new(),
        }
    }

    /// Writes a GOT-10k sequence to `set/val` and adds it to the list.
    pub fn got10k(&self, set: &str, name: &str, num_frames: usize) -> PathBuf {
        let split = self.path(set).join("val");
        let folder = split.join(name);
        let boxes = boxes(num_frames);
        draw(&folder, &boxes, |frame| format!("{:08}.jpg", frame + 1));
        fs::write(folder.join("groundtruth.txt"), rows(&boxes)).unwrap();
        let column = |value: &str| format!("{value}\n").repeat(num_frames);
        fs::write(folder.join("cover.label"), column("8")).unwrap();
        fs::write(folder.join("absence.label"), column("0")).unwrap();
        fs::write(folder.join("cut_by_image.label"), column("0")).unwrap();
        let meta = format!(
            "[METAINFO]\nobject_class: square\nresolution: ({}, {})\n",
            SIZE.width, SIZE.height
        );
        fs::write(folder.join("meta_info.ini"), meta).unwrap();
        let list = split.join("list.txt");
        let names = fs::read_to_string(&list).unwrap_or_default();
        fs::write(list, format!("{names}{name}\n")).unwrap();
        folder
    }
}

/// Boxes of a target that moves slowly to the right and down.
pub fn boxes(num_frames: usize) -> Vec<BoxXywh> {
    let place = |frame: usize| {
        let step = frame as f64;
        BoxXywh::from([20.0 + 1.5 * step, 30.0 + 0.5 * step, 44.0, 36.0])
    };
    (0..num_frames).map(place).collect()
}

/// Boxes as lines of `x,y,w,h`.
pub fn rows(boxes: &[BoxXywh]) -> String {
    boxes.iter().fold(String::new(), |mut text, bbox| {
        let BoxXywh { x, y, w, h } = bbox;
        let _ = writeln!(text, "{x},{y},{w},{h}");
        text
    })
}

/// Writes a JPEG for each box, with the file name that `name` returns.
pub fn draw(folder: &Path, boxes: &[BoxXywh], name: impl Fn(usize) -> String) {
    fs::create_dir_all(folder).unwrap();
    for (frame, bbox) in boxes.iter().enumerate() {
        let bytes = jpeg::compress(&picture(*bbox), 90).unwrap();
        fs::write(folder.join(name(frame)), bytes).unwrap();
    }
}

/// Picture of a dark background of blobs, and a bright target with blobs that move with it.
fn picture(target: BoxXywh) -> RgbImage {
    let mut pixels = Vec::with_capacity(3 * SIZE.area() as usize);
    for y in 0..SIZE.height {
        for x in 0..SIZE.width {
            let (right, down) = (f64::from(x) - target.x, f64::from(y) - target.y);
            let is_target = (0.0..target.w).contains(&right) && (0.0..target.h).contains(&down);
            pixels.extend(match is_target {
                true => {
                    let blob = blob(right as u32 / 6, down as u32 / 6);
                    [255 - blob / 2, 120 + blob / 2, 40 + blob / 3]
                }
                false => [blob(x / 5 + 90, y / 5) / 3 + 20; 3],
            });
        }
    }
    RgbImage { size: SIZE, pixels }
}

fn blob(column: u32, row: u32) -> u8 {
    let mixed = (column.wrapping_mul(0x9e37_79b1) ^ row.wrapping_mul(0x85eb_ca77))
        .wrapping_mul(0x2c1b_3c6d);
    (mixed >> 24) as u8
}
