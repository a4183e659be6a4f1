//! Runs the program `vidpairs-opencv` as a user does.

#![allow(clippy::unwrap_used)] // a test fails where its input is wrong

use std::fs;
use std::process::{Command, Stdio};

use vidpairs_fixtures::extract::dataset::{samples, tracklets};
use vidpairs_fixtures::extract::media::ffmpeg;
use vidpairs_fixtures::extract::{Extract, Ran, Work, assert_is_finished};
use vidpairs_fixtures::track::{Bench, boxes};

const PIPELINE: &str = r#"
[source]
kind = "videos"
[pairs]
kind = "regions"
k = 8
per_video = 3
regions_per_frame = 3
min_box_px = 16
[images]
short_side = 32
"#;

/// Texture that moves by 2 px per frame, so that every region can be tracked.
const SLIDING: &str = "nullsrc=s=160x24:r=30,trim=end_frame=1,geq=random(1)*255:128:128,\
                       scale=640:96:flags=bicubic,loop=-1:1:0,setpts=N/30/TB,crop=160:96:n*2:0";

/// Runs the command line by `vidpairs-opencv`, and fails the test unless it succeeds.
fn run_well(command_line: &Extract) -> Ran {
    let child = Command::new(env!("CARGO_BIN_EXE_vidpairs-opencv"))
        .args(&command_line.args)
        .current_dir(&command_line.dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let ran = Ran::of(child);
    assert_eq!(ran.code, Some(0), "{:?}: {}", command_line.args, ran.stderr);
    ran
}

#[test]
fn extract_with_kcf_stores_pairs_for_grid_and_selective_search_proposals() {
    let work = Work::new(PIPELINE);
    let clip = work.clips().join("a.mp4");
    let encoder = ["-c:v", "libx264", "-preset", "veryfast", "-g", "30"];
    let args = [
        &["-f", "lavfi", "-i", SLIDING, "-frames:v", "40"][..],
        &encoder,
        &["-pix_fmt", "yuv420p", clip.to_str().unwrap()],
    ];
    ffmpeg(&args.concat());
    for proposals in ["grid", "selective-search"] {
        let extract = work
            .extract(proposals)
            .set("tracker.name=kcf")
            .set(&format!("proposals.kind={proposals}"));
        let summary = run_well(&extract.arg("--json")).json();
        let out = work.path(proposals);
        assert_is_finished(&out);
        let samples = samples(&out);
        assert!(!samples.is_empty(), "{proposals}: {summary}");
        assert_eq!(summary["pairs"], samples.len());
        for sample in &samples {
            let tracklet = &sample.json["tracklet"];
            assert_eq!(tracklet["tracker"], "kcf");
            assert_eq!(tracklet["confidence_last"], 1.0);
        }
        let lines = tracklets(&out);
        assert!(lines.iter().all(|line| line["tracker"] == "kcf"));
    }
}

#[test]
fn track_scores_kcf_and_writes_a_box_for_every_frame() {
    let bench = Bench::new();
    bench.got10k("set", "square", 12);
    let command_line = bench
        .track("out", &["--data", "got10k=set/val", "--json"])
        .replace("dcf", "kcf");
    let summary = run_well(&command_line).json();
    let score = &summary["scores"][0];
    assert_eq!(score["tracker"], "kcf");
    assert!(score["ao"].as_f64().unwrap() > 0.6, "{score}");
    let results = bench.path("out/got10k/kcf/square/square_001.txt");
    let lines = fs::read_to_string(results).unwrap();
    assert_eq!(lines.lines().count(), boxes(12).len());
}

#[test]
fn the_version_names_the_loaded_opencv() {
    let work = Work::new("");
    let mut command_line = work.extract("out");
    command_line.args = vec!["--version".to_owned()];
    let text = run_well(&command_line).stdout;
    let version = format!("OpenCV {}", vidpairs_opencv::opencv_version());
    assert!(text.contains(&version), "{text}");
}
