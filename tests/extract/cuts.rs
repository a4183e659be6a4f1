//! `vidpairs cuts`: shot changes of whole files.

use std::fs;
use std::path::Path;

use vidpairs_fixtures::extract::media::{H264, ffmpeg, h264, jpegs};
use vidpairs_fixtures::extract::{FRAMES, Work};

/// Writes 30 frames of one picture and 30 of another, 30 a second. The second begins anew with `filter`, of `[a][b]`.
fn two_shots(path: &Path, filter: &str) {
    let sources = [
        "testsrc2=s=160x120:r=30:d=1",
        "smptehdbars=s=160x120:r=30,trim=end_frame=30",
    ];
    let mut args = Vec::new();
    for source in sources {
        args.extend(["-f", "lavfi", "-i", source]);
    }
    let filter = format!("[0]settb=1/30[a];[1]settb=1/30[b];[a][b]{filter}");
    args.extend(["-filter_complex", &filter]);
    args.extend(H264);
    args.extend(["-pix_fmt", "yuv420p", path.to_str().unwrap()]);
    ffmpeg(&args);
}

#[test]
fn the_cuts_of_each_video_are_printed_with_their_frames_and_times() {
    let work = Work::new(FRAMES);
    two_shots(&work.path("clips/a.mp4"), "concat");
    two_shots(&work.path("clips/b.mp4"), "xfade=duration=0.4:offset=0.5");
    h264(&work.path("one.mp4"), "64x48", 40);
    let found = work.vidpairs(&["cuts", "clips", "one.mp4"]).run_json();
    let videos = found["videos"].as_array().unwrap();
    let paths: Vec<&str> = videos
        .iter()
        .map(|video| video["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["clips/a.mp4", "clips/b.mp4", "one.mp4"]);
    let hard = &videos[0]["cuts"];
    assert_eq!(videos[0]["frames"], 60);
    assert_eq!(hard.as_array().unwrap().len(), 1, "{hard}");
    assert_eq!(hard[0]["before"], 29);
    assert_eq!(hard[0]["after"], 30);
    assert_eq!(hard[0]["kind"], "hard");
    assert_eq!(hard[0]["seconds"], 1.0);
    let dissolve = &videos[1]["cuts"];
    assert_eq!(dissolve.as_array().unwrap().len(), 1, "{dissolve}");
    assert_eq!(dissolve[0]["kind"], "gradual");
    let [before, after] = ["before", "after"].map(|key| dissolve[0][key].as_u64().unwrap());
    assert!(before < 21 && after > 21, "{dissolve}");
    assert_eq!(videos[2]["cuts"], serde_json::json!([]));
    let printed = work.vidpairs(&["cuts", "clips/a.mp4"]).run();
    assert!(
        printed
            .stdout
            .contains("clips/a.mp4: 60 frames, 1 cut\n  frame 30 at 1.00 s, hard")
    );
}

#[test]
fn every_nth_frame_gives_the_cut_between_those_that_were_looked_at() {
    let work = Work::new(FRAMES);
    two_shots(&work.path("a.mp4"), "concat");
    let found = work.vidpairs(&["cuts", "a.mp4", "--every", "4"]).run_json();
    let video = &found["videos"][0];
    assert_eq!(video["frames"], 15);
    assert_eq!(video["cuts"][0]["before"], 28);
    assert_eq!(video["cuts"][0]["after"], 32);
}

#[test]
fn the_cuts_are_the_same_for_any_number_of_workers() {
    let work = Work::new(FRAMES);
    for name in ["a", "b", "c", "d"] {
        two_shots(
            &work.path(&format!("clips/{name}.mp4")),
            "xfade=duration=0.3:offset=0.4",
        );
    }
    jpegs(&work.path("clips/pictures"), "64x48", 30);
    let [one, many] = [1, 4].map(|workers| {
        let cuts = work.vidpairs(&["cuts", "clips"]);
        cuts.workers(workers).run_json()
    });
    assert_eq!(one, many);
    assert_eq!(one["videos"].as_array().unwrap().len(), 5);
}

#[test]
fn a_video_that_cannot_be_decoded_is_named_and_the_others_are_done() {
    let work = Work::new(FRAMES);
    two_shots(&work.path("clips/b.mp4"), "concat");
    fs::write(work.path("clips/a.mp4"), "no video").unwrap();
    let ran = work.vidpairs(&["cuts", "clips"]).run();
    ran.failed_with(1, &[]);
    assert!(
        ran.stdout.contains("clips/a.mp4: refused: "),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("clips/b.mp4: 60 frames, 1 cut"));
    let missing = work.vidpairs(&["cuts", "nowhere.mp4"]).run();
    missing.failed_with(2, &["nowhere.mp4"]);
    let stored = work.vidpairs(&["cuts", "s3://bucket/a.mp4"]).run();
    stored.failed_with(2, &["VIDEO", "s3://bucket/a.mp4"]);
}
