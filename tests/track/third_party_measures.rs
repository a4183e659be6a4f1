//! The measures of `vidpairs_extract::ope` equal those of the benchmarks' own programs on the same files.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rand::RngExt;
use serde_json::Value;
use vidpairs_extract::ope::{got10k, trackingnet};
use vidpairs_types::{BoxXywh, Seed, SizePx};

const SIZE: SizePx = SizePx {
    width: 640,
    height: 360,
};
/// Tolerance for sums of thousands of terms in another order.
const TOLERANCE: f64 = 1e-6;

/// Sequence as stored in its files.
struct Sequence {
    truth: Vec<BoxXywh>,
    cover: Vec<u8>,
    given: Vec<BoxXywh>,
}

#[test]
fn overlap_and_success_are_those_of_the_got10k_toolkit() {
    let dir = tempfile::tempdir().unwrap();
    let sequences = [40, 7, 120, 2].map(|len| sequence(len as u64, len));
    for (name, sequence) in ["A", "B", "C", "D"].iter().zip(&sequences) {
        write_got10k(dir.path(), name, sequence);
    }
    fs::write(dir.path().join("val/list.txt"), "A\nB\nC\nD\n").unwrap();
    let path = |name| dir.path().join(name).display().to_string();
    let args = ["got10k", &path("."), "val", &path("results"), "ours"];
    let theirs: Value =
        serde_json::from_str(&vidpairs_fixtures::python::run("score_tracks.py", args)).unwrap();
    let mut all = got10k::Tally::default();
    for (name, sequence) in ["A", "B", "C", "D"].iter().zip(&sequences) {
        let seen = sequence.truth.iter().zip(&sequence.cover);
        let truth: Vec<_> = seen
            .map(|(bbox, cover)| (*cover > 0).then_some(*bbox))
            .collect();
        let overlaps = got10k::overlaps(&sequence.given, &truth, SIZE);
        let tally = got10k::Tally::of(&overlaps);
        let score = tally.score().unwrap();
        same(score.ao, &theirs["seq_wise"][name]["ao"]);
        same(score.sr50, &theirs["seq_wise"][name]["sr"]);
        all.merge(&tally);
    }
    let score = all.score().unwrap();
    same(score.ao, &theirs["overall"]["ao"]);
    same(score.sr50, &theirs["overall"]["sr"]);
    same(score.sr75, &theirs["overall"]["succ_curve"][75]);
    same_curve(&score.success, &theirs["overall"]["succ_curve"]);
}

#[test]
fn success_and_precision_follow_the_definitions_of_trackingnet() {
    let dir = tempfile::tempdir().unwrap();
    let (anno, results) = (dir.path().join("anno"), dir.path().join("results"));
    fs::create_dir_all(&anno).unwrap();
    fs::create_dir_all(&results).unwrap();
    let mut all = Vec::new();
    for (name, len) in [("a_0", 50), ("b_1", 9), ("-c_2", 200)] {
        let mut sequence = sequence(len as u64, len);
        // A tracker that fails in one frame and stops early.
        sequence.given[3].x = f64::NAN;
        sequence.given.truncate(len - 2);
        fs::write(anno.join(format!("{name}.txt")), lines(&sequence.truth)).unwrap();
        fs::write(results.join(format!("{name}.txt")), lines(&sequence.given)).unwrap();
        let truth: Vec<_> = sequence.truth.iter().copied().map(Some).collect();
        all.push(trackingnet::curves(&sequence.given, &truth).unwrap());
    }
    let args = [Path::new("trackingnet"), &anno, &results];
    let theirs: Value =
        serde_json::from_str(&vidpairs_fixtures::python::run("score_tracks.py", args)).unwrap();
    let mean = trackingnet::mean(&all).unwrap();
    same_curve(&mean.success, &theirs["curves"]["success"]);
    same_curve(&mean.precision, &theirs["curves"]["precision"]);
    let normalized = &theirs["curves"]["normalized_precision"];
    same_curve(&mean.normalized_precision, normalized);
    let score = mean.score();
    same(score.success, &theirs["scores"]["success"]);
    same(score.precision, &theirs["scores"]["precision"]);
    let normalized = &theirs["scores"]["normalized_precision"];
    same(score.normalized_precision, normalized);
}

#[track_caller]
fn same(ours: f64, theirs: &Value) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() < TOLERANCE, "{ours} {theirs}");
}

#[track_caller]
fn same_curve(ours: &[f64], theirs: &Value) {
    let theirs = theirs.as_array().unwrap();
    assert_eq!(ours.len(), theirs.len());
    ours.iter()
        .zip(theirs)
        .for_each(|(ours, theirs)| same(*ours, theirs));
}

/// Moving target, partly outside the image, with boxes of an inaccurate tracker. Some boxes are special cases.
fn sequence(seed: u64, len: usize) -> Sequence {
    let mut rng = Seed::of_run(seed).rng();
    let mut at = [200.0, 120.0, 80.0, 60.0];
    let (mut truth, mut given, mut cover) = (Vec::new(), Vec::new(), Vec::new());
    for frame in 0..len {
        at[0] += rng.random_range(-30.0..32.0);
        at[1] += rng.random_range(-20.0..21.0);
        at[2] = rng.random_range(20.0..200.0);
        let off = [0; 4].map(|_| rng.random_range(-12.0..12.0));
        let near = [
            at[0] + off[0],
            at[1] + off[1],
            at[2] + off[2],
            at[3] + off[3],
        ];
        truth.push(written(at));
        given.push(match frame % 11 {
            // Box without area, box elsewhere, box around the image, exact box, edges that round to half.
            4 => written([at[0], at[1], 0.0, 0.0]),
            5 => written([-900.0, 5.0, 40.0, 40.0]),
            6 => written([-50.0, -50.0, 900.0, 900.0]),
            7 => written(at),
            8 => written([at[0].round() + 0.5, at[1].round() - 0.5, 40.5, 61.5]),
            _ => written(near),
        });
        cover.push(rng.random_range(0..=8) * u8::from(rng.random_range(0..4) > 0));
    }
    // At least one frame of the shortest sequence is scored.
    cover[1] = 8;
    if let Some(absent) = truth.get_mut(9) {
        absent.w = 0.0;
        absent.h = 0.0;
    }
    Sequence {
        truth,
        cover,
        given,
    }
}

/// Box rounded to thousandths, as in the files.
fn written(sides: [f64; 4]) -> BoxXywh {
    BoxXywh::from(sides.map(|side: f64| (side * 1e3).round() / 1e3))
}

fn lines(boxes: &[BoxXywh]) -> String {
    boxes.iter().fold(String::new(), |mut text, bbox| {
        let BoxXywh { x, y, w, h } = bbox;
        let _ = writeln!(text, "{x:.3},{y:.3},{w:.3},{h:.3}");
        text
    })
}

fn write_got10k(root: &Path, name: &str, sequence: &Sequence) {
    let folder = root.join("val").join(name);
    let results = root.join("results/ours").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::create_dir_all(&results).unwrap();
    let column = |values: &[u8]| {
        values
            .iter()
            .map(|value| format!("{value}\n"))
            .collect::<String>()
    };
    fs::write(folder.join("groundtruth.txt"), lines(&sequence.truth)).unwrap();
    fs::write(folder.join("cover.label"), column(&sequence.cover)).unwrap();
    let zeros = column(&vec![0; sequence.truth.len()]);
    for file in ["absence.label", "cut_by_image.label"] {
        fs::write(folder.join(file), &zeros).unwrap();
    }
    let meta = format!(
        "[METAINFO]\nresolution: ({}, {})\n",
        SIZE.width, SIZE.height
    );
    fs::write(folder.join("meta_info.ini"), meta).unwrap();
    for number in 1..=sequence.truth.len() {
        fs::write(folder.join(format!("{number:08}.jpg")), "").unwrap();
    }
    let times = "0.00100000\n".repeat(sequence.given.len());
    fs::write(
        results.join(format!("{name}_001.txt")),
        lines(&sequence.given),
    )
    .unwrap();
    fs::write(results.join(format!("{name}_time.txt")), times).unwrap();
}
