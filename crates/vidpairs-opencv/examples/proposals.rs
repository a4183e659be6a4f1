//! Measures how well proposals find the annotated target: recall, overlap and time, compared with two controls.
//!
//! ```text
//! cargo run --release -p vidpairs-opencv --example proposals -- DIR SPLIT [GAP]
//! ```
//!
//! `DIR` holds data sets in GOT-10k's layout (`scripts/benchmarks/tracker-sequences.sh` renders some), `SPLIT` is
//! `train` or `val`. Regions are proposed in every twentieth frame; with GAP, the frame GAP later serves to detect motion.
//! Prints a Markdown table.

#![allow(clippy::print_stdout)] // prints its results

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::RngExt;
use vidpairs_extract::propose::{ProposalRules, ProposerKind, propose};
use vidpairs_opencv::OpencvTrackers;
use vidpairs_types::{BoxXywh, Planes, Seed, SizePx};

/// Numbers of proposals per frame.
const COUNTS: [usize; 3] = [4, 10, 50];

/// Frames from one tested frame to the next.
const STEP: usize = 20;

/// Greatest overlaps of two proposals: for few and for many proposals per frame.
const MAX_OVERLAPS: [f64; 2] = [0.3, 0.5];

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(split)) = (args.next(), args.next()) else {
        return Err("usage: proposals DIR SPLIT [GAP]".into());
    };
    let gap = args.next().map(|gap| gap.parse()).transpose()?;
    let views = views(Path::new(&dir), &split, gap)?;
    println!("{} frames of {split}, neighbour: {gap:?}\n", views.len());
    println!(
        "| proposer | max overlap | recall at 4, 10, 50 | mean best IoU at 4, 10, 50 | ms a frame |"
    );
    println!("|---|---|---|---|---|");
    for max_overlap in MAX_OVERLAPS {
        let rules = ProposalRules {
            count: 50,
            max_overlap,
            ..ProposalRules::default()
        };
        report("random boxes", max_overlap, &views, |view| {
            Ok(random_boxes(view.frame.size(), &rules, view.seed))
        })?;
        for &kind in ProposerKind::ALL {
            report(kind.name(), max_overlap, &views, |view| {
                let neighbor = view.neighbor.as_ref();
                let proposals = propose(
                    kind,
                    &view.frame,
                    neighbor,
                    &rules,
                    view.seed,
                    Some(&OpencvTrackers),
                )?;
                Ok(proposals.iter().map(|proposal| proposal.bbox).collect())
            })?;
        }
    }
    Ok(())
}

/// A frame, a later one, and the true box of the target.
struct View {
    frame: Planes,
    neighbor: Option<Planes>,
    target: BoxXywh,
    seed: Seed,
}

fn views(dir: &Path, split: &str, gap: Option<usize>) -> Result<Vec<View>, Box<dyn Error>> {
    let mut views = Vec::new();
    for set in folders(dir)? {
        let split = set.join(split);
        if !split.is_dir() {
            continue;
        }
        for sequence in folders(&split)? {
            let truth = std::fs::read_to_string(sequence.join("groundtruth.txt"))?;
            let targets = truth.lines().map(target).collect::<Result<Vec<_>, _>>()?;
            let last = targets.len().saturating_sub(gap.unwrap_or(0));
            for index in (5..last).step_by(STEP) {
                let read = |index: usize| -> Result<Planes, Box<dyn Error>> {
                    let path = sequence.join(format!("{:08}.jpg", index + 1));
                    Ok(vidpairs_image::jpeg::decompress(&std::fs::read(path)?)?)
                };
                views.push(View {
                    frame: read(index)?,
                    neighbor: gap.map(|gap| read(index + gap)).transpose()?,
                    target: targets[index],
                    seed: Seed::of_run(index as u64)
                        .for_step("propose", &sequence.to_string_lossy()),
                });
            }
        }
    }
    Ok(views)
}

fn folders(dir: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let entries = std::fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
    let mut folders: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    Ok(folders)
}

fn target(line: &str) -> Result<BoxXywh, Box<dyn Error>> {
    let numbers = line
        .split(',')
        .map(str::parse)
        .collect::<Result<Vec<f64>, _>>()?;
    let [x, y, w, h] = numbers[..] else {
        return Err(format!("{line} is not a box; expected x,y,w,h").into());
    };
    Ok(BoxXywh { x, y, w, h })
}

/// Random boxes that the rules allow: sides uniform in their logarithm, then a uniform position in the frame.
fn random_boxes(frame: SizePx, rules: &ProposalRules, seed: Seed) -> Vec<BoxXywh> {
    let mut rng = seed.rng();
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    let boxes = std::iter::repeat_with(|| {
        let w = 16.0 * (width / 16.0).powf(rng.random());
        let h = 16.0 * (height / 16.0).powf(rng.random());
        let (x, y): (f64, f64) = (rng.random(), rng.random());
        BoxXywh {
            x: x * (width - w),
            y: y * (height - h),
            w,
            h,
        }
    });
    boxes
        .filter(|&bbox| rules.allow(bbox, frame))
        .take(rules.count)
        .collect()
}

fn report(
    name: &str,
    max_overlap: f64,
    views: &[View],
    boxes_in: impl Fn(&View) -> Result<Vec<BoxXywh>, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut best = COUNTS.map(|_| Vec::new());
    let mut time = Duration::ZERO;
    for view in views {
        let started = Instant::now();
        let boxes = boxes_in(view)?;
        time += started.elapsed();
        for (best, count) in best.iter_mut().zip(COUNTS) {
            let overlaps = boxes.iter().take(count).map(|&bbox| bbox.iou(view.target));
            best.push(overlaps.fold(0.0, f64::max));
        }
    }
    let num_views = views.len() as f64;
    let recall = |best: &Vec<f64>| {
        let num_found = best.iter().filter(|&&overlap| overlap >= 0.5).count();
        format!("{:.1} %", 100.0 * num_found as f64 / num_views)
    };
    let mean = |best: &Vec<f64>| format!("{:.2}", best.iter().sum::<f64>() / num_views);
    println!(
        "| {name} | {max_overlap} | {} | {} | {:.2} |",
        best.each_ref().map(recall).join(", "),
        best.each_ref().map(mean).join(", "),
        1e3 * time.as_secs_f64() / num_views
    );
    Ok(())
}
