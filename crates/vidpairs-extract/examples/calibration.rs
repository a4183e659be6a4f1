//! Calibrates confidence and the forward-backward check: tracks annotated targets, and prints the final overlap of each tracklet.
//!
//! ```text
//! cargo run --release -p vidpairs-extract --example calibration -- DIR SPLIT K > tracklets.csv
//! ```
//!
//! `DIR` holds data sets in GOT-10k's layout (`scripts/benchmarks/tracker-sequences.sh` renders some), `SPLIT` is `train` or
//! `val`. The target is tracked for K frames from every tenth frame in which it is clearly visible, without rules of trust. Prints
//! one line per tracklet; `scripts/benchmarks/calibration.py` turns them into the table and the plot of docs/TRACKER.md.

#![allow(clippy::print_stdout)] // prints its results

use std::error::Error;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use vidpairs_extract::track::{
    BoxRules, FollowRules, Following, TrackFrame, TrackerKind, Tracklet, TrustRules, start,
};
use vidpairs_types::{BoxXywh, Frame};

/// Frames from one anchor to the next.
const STEP: usize = 10;
/// Least visible share of the target in an anchor frame, in eighths.
const MIN_COVER: u32 = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(split), Some(k)) = (args.next(), args.next(), args.next()) else {
        return Err("usage: calibration DIR SPLIT K".into());
    };
    let k: usize = k.parse()?;
    println!(
        "sequence,anchor,confidence_min,confidence_mean,confidence_last,forward_backward_iou,size_ratio,aspect_ratio,iou"
    );
    for set in folders(Path::new(&dir))? {
        let split = set.join(&split);
        if split.is_dir() {
            for folder in folders(&split)? {
                Sequence::read(&folder)?.report(k)?;
            }
        }
    }
    Ok(())
}

/// An annotated video.
struct Sequence {
    name: String,
    frames: Vec<Rc<Frame>>,
    truth: Vec<BoxXywh>,
    /// Visible eighths of the target in each frame.
    cover: Vec<u32>,
    /// For each frame, 1 if the image border cuts the target.
    is_cut: Vec<u32>,
}

impl Sequence {
    fn read(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let lines = |file: &str| std::fs::read_to_string(folder.join(file));
        let labels = |file: &str| -> Result<Vec<u32>, Box<dyn Error>> {
            Ok(lines(file)?
                .lines()
                .map(|line| line.trim().parse())
                .collect::<Result<_, _>>()?)
        };
        let truth: Vec<BoxXywh> = lines("groundtruth.txt")?
            .lines()
            .map(bbox)
            .collect::<Result<_, _>>()?;
        let frame = |index: usize| -> Result<Rc<Frame>, Box<dyn Error>> {
            let bytes = std::fs::read(folder.join(format!("{:08}.jpg", index + 1)))?;
            let planes = vidpairs_image::jpeg::decompress(&bytes)?;
            let pts_seconds = None;
            Ok(Rc::new(Frame {
                index: index as u64,
                pts_seconds,
                planes,
            }))
        };
        Ok(Self {
            name: name(folder),
            frames: (0..truth.len()).map(frame).collect::<Result<_, _>>()?,
            truth,
            cover: labels("cover.label")?,
            is_cut: labels("cut_by_image.label")?,
        })
    }

    fn report(&self, k: usize) -> Result<(), Box<dyn Error>> {
        for anchor in (0..self.truth.len().saturating_sub(k)).step_by(STEP) {
            let is_visible = self.cover[anchor] >= MIN_COVER && self.is_cut[anchor] == 0;
            if is_visible && self.truth[anchor].w.min(self.truth[anchor].h) >= 16.0 {
                self.report_one(anchor, k);
            }
        }
        Ok(())
    }

    fn report_one(&self, anchor: usize, k: usize) {
        let rules = FollowRules {
            start: &|frame, target| start(TrackerKind::Dcf, frame, target, None),
            trust: ALL_TRUSTED,
            boxes: BoxRules {
                min_side_px: 0.0,
                max_outside: 1.0,
            },
            max_kept_bytes: 1 << 30,
        };
        let first = &self.frames[anchor];
        let view = TrackFrame::new(&first.planes);
        let mut following = Following::start(
            &rules,
            (first, &view),
            (anchor + k) as u64,
            &[self.truth[anchor]],
        );
        for frame in &self.frames[anchor + 1..=anchor + k] {
            following.follow(frame, &TrackFrame::new(&frame.planes));
        }
        for tracklet in following.into_tracklets() {
            self.print(anchor, &tracklet, self.truth[anchor + k]);
        }
    }

    fn print(&self, anchor: usize, tracklet: &Tracklet, truth: BoxXywh) {
        let (Some(confidence), Some(last)) = (tracklet.confidence(), tracklet.last_box()) else {
            return;
        };
        let from = self.truth[anchor];
        let ratio = |a: f64, b: f64| (a / b).max(b / a);
        let iou = if truth.is_valid() {
            last.iou(truth)
        } else {
            0.0
        };
        println!(
            "{},{anchor},{:.3},{:.3},{:.3},{:.3},{:.3},{:.3},{iou:.3}",
            self.name,
            confidence.min,
            confidence.mean,
            confidence.last,
            tracklet.forward_backward_iou.unwrap_or(0.0),
            ratio(last.area(), from.area()),
            ratio(last.w / last.h, from.w / from.h),
        );
    }
}

/// Rules that reject nothing and track everything back.
const ALL_TRUSTED: TrustRules = TrustRules {
    min_confidence: 0.0,
    min_confidence_mean: 0.0,
    min_confidence_last: 0.0,
    max_lost_frames: u32::MAX,
    max_size_ratio: f64::MAX,
    max_aspect_ratio: f64::MAX,
    max_duplicate_iou: 1.0,
    min_forward_backward_iou: f64::MIN_POSITIVE,
    forward_backward_step: 4,
};

fn folders(dir: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let entries = std::fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
    let mut folders: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    Ok(folders)
}

fn bbox(line: &str) -> Result<BoxXywh, Box<dyn Error>> {
    let numbers = line
        .split(',')
        .map(str::parse)
        .collect::<Result<Vec<f64>, _>>()?;
    let [x, y, w, h] = numbers[..] else {
        return Err(format!("{line} is not a box; expected x,y,w,h").into());
    };
    Ok(BoxXywh { x, y, w, h })
}

/// Name of a sequence: data set, split and folder.
fn name(folder: &Path) -> String {
    let parts: Vec<_> = folder.iter().map(|part| part.to_string_lossy()).collect();
    parts[parts.len().saturating_sub(3)..].join("/")
}
