//! Shot cuts: no stored pair and no tracklet spans one.

use std::fs;
use std::path::Path;

use serde_json::Value;
use vidpairs_fixtures::SLIDING;
use vidpairs_fixtures::extract::dataset::{
    json_lines, manifest, refusal_of, refused, samples, tracklets,
};
use vidpairs_fixtures::extract::media::{ffmpeg, zip};
use vidpairs_fixtures::extract::{Work, assert_is_finished, assert_same_files};

const FRAMES: &str = r#"
[source]
kind = "videos"
[pairs]
kind = "frames"
k = [20, 45]
per_video = 12
[images]
short_side = 32
[extract]
max_refused = "100%"
"#;

const REGIONS: &str = r#"
[source]
kind = "videos"
[pairs]
kind = "regions"
k = 25
stride = 15
regions_per_frame = 2
min_box_px = 12
[proposals]
kind = "grid"
[tracker]
min_confidence_mean = 0.0
min_confidence_last = 0.0
[images]
short_side = 32
[extract]
max_refused = "100%"
"#;

/// Frames of each shot of a joined clip.
const SHOT: u64 = 70;

/// Arguments of an encoder whose frames between keyframes refer to each other, and some to none.
const WITH_B_FRAMES: &[&str] = &["-c:v", "libx264", "-preset", "veryfast", "-g", "250"];

/// Writes three shots of [`SHOT`] frames, one after the other.
fn joined(path: &Path, output: &[&str]) {
    let graph = format!(
        "testsrc2=s=160x96:r=30,trim=end_frame={SHOT}[a];{SLIDING},trim=end_frame={SHOT}[b];\
         testsrc=s=160x96:r=30,negate,trim=end_frame={SHOT}[c];\
         [a]format=yuv420p,setsar=1[x];[b]format=yuv420p,setsar=1[y];[c]format=yuv420p,setsar=1[z];\
         [x][y][z]concat=n=3"
    );
    made(path, &graph, output);
}

fn made(path: &Path, graph: &str, output: &[&str]) {
    let mut args = vec!["-filter_complex", graph];
    args.extend(output);
    args.push(path.to_str().unwrap());
    ffmpeg(&args);
}

/// Anchor and positive of each record of the clip `id`.
fn pairs_of(out: &Path, id: &str) -> Vec<(u64, u64)> {
    let samples = samples(out).into_iter();
    let of_clip = samples.filter(|sample| sample.json["clip"] == id);
    let frame = |json: &Value, end: &str| json[end]["frame"].as_u64().unwrap();
    of_clip
        .map(|sample| {
            (
                frame(&sample.json, "anchor"),
                frame(&sample.json, "positive"),
            )
        })
        .collect()
}

/// Frames before and after each hard cut of the clip `id` in `cuts.jsonl`. The moving parts of a test picture may look like a dissolve.
fn cuts_of(out: &Path, id: &str) -> Vec<(u64, u64)> {
    let lines = json_lines(&out.join("cuts.jsonl"));
    let line = lines.iter().find(|line| line["id"] == id);
    let cuts = line.unwrap_or_else(|| panic!("no {id} in {lines:?}"))["cuts"]
        .as_array()
        .unwrap();
    cuts.iter()
        .filter(|cut| cut["kind"] == "hard")
        .map(|cut| {
            (
                cut["before"].as_u64().unwrap(),
                cut["after"].as_u64().unwrap(),
            )
        })
        .collect()
}

fn num_over_cuts(pairs: &[(u64, u64)]) -> usize {
    let shot = |frame| frame / SHOT;
    let spans = |&&(anchor, positive): &&(u64, u64)| shot(anchor) != shot(positive);
    pairs.iter().filter(spans).count()
}

/// Writes joined clips of several codecs and containers, and returns their ids.
fn joined_clips(work: &Work) -> Vec<&'static str> {
    let clips = work.clips();
    joined(&clips.join("b_frames.mp4"), WITH_B_FRAMES);
    joined(
        &clips.join("p_frames.mp4"),
        &[
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-bf",
            "0",
            "-g",
            "250",
        ],
    );
    joined(
        &clips.join("short_groups.mp4"),
        &["-c:v", "libx264", "-preset", "ultrafast", "-g", "12"],
    );
    joined(&clips.join("mpeg4.avi"), &["-c:v", "mpeg4", "-bf", "2"]);
    joined(&clips.join("keys.avi"), &["-c:v", "mjpeg", "-q:v", "3"]);
    let vp8 = ["-c:v", "libvpx", "-deadline", "realtime"];
    joined(&clips.join("vp8.webm"), &vp8);
    let folder = clips.join("jpegs");
    fs::create_dir(&folder).unwrap();
    joined(&folder.join("%d.jpg"), &["-start_number", "0", "-q:v", "3"]);
    let pictures: Vec<_> = (0..3 * SHOT)
        .map(|number| folder.join(format!("{number}.jpg")))
        .collect();
    zip(&clips.join("zipped.zip"), &pictures);
    vec![
        "b_frames.mp4",
        "jpegs",
        "keys.avi",
        "mpeg4.avi",
        "p_frames.mp4",
        "short_groups.mp4",
        "vp8.webm",
        "zipped.zip",
    ]
}

#[test]
fn no_pair_of_a_joined_clip_spans_a_cut_in_any_container() {
    let work = Work::new(FRAMES);
    let ids = joined_clips(&work);
    let summary = work.extract("out").workers(1).run_json();
    work.extract("ignored").set("pairs.cuts=ignore").run_well();
    let [out, ignored] = ["out", "ignored"].map(|name| work.path(name));
    for id in &ids {
        let (pairs, before) = (pairs_of(&out, id), pairs_of(&ignored, id));
        assert_eq!(num_over_cuts(&pairs), 0, "{id}: {pairs:?}");
        assert!(num_over_cuts(&before) > 1, "{id}: {before:?}");
        // Pairs in one shot stay, and most others are drawn anew.
        let stay = before.iter().filter(|pair| num_over_cuts(&[**pair]) == 0);
        assert!(stay.into_iter().all(|pair| pairs.contains(pair)), "{id}");
        assert!(pairs.len() > before.len() - num_over_cuts(&before), "{id}");
        let mut once = pairs.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), pairs.len(), "{id}");
        let cuts = cuts_of(&out, id);
        assert_eq!(cuts.len(), 2, "{id}: {cuts:?}");
        for (cut, at) in cuts.iter().zip([SHOT, 2 * SHOT]) {
            // Between frames that were looked at: every fourth of pictures, every one that others refer to else.
            assert!(
                cut.0 < at && at <= cut.1 && cut.1 - cut.0 <= 8,
                "{id}: {cut:?}"
            );
        }
    }
    let lines = json_lines(&out.join("cuts.jsonl"));
    let sum = |key: &str| {
        lines
            .iter()
            .map(|line| line[key].as_u64().unwrap())
            .sum::<u64>()
    };
    let counts = &summary["cuts"];
    assert_eq!(counts["clips"], ids.len());
    let num_cuts = lines
        .iter()
        .map(|line| line["cuts"].as_array().unwrap().len());
    assert_eq!(counts["cuts"], num_cuts.sum::<usize>());
    assert_eq!(
        (&counts["moved"], &counts["left_out"]),
        (&sum("moved").into(), &sum("left_out").into())
    );
    assert!(sum("moved") > 10, "{counts}");
    let seconds = lines[0]["cuts"][0]["seconds"].as_f64().unwrap();
    let after = lines[0]["cuts"][0]["after"].as_f64().unwrap();
    assert!(
        (seconds - after / 30.0).abs() < 1e-3,
        "{seconds} s, frame {after}"
    );
    // They cost no clip anything else.
    assert!(refused(&out).is_empty());
    assert_is_finished(&out);
    assert_is_finished(&ignored);
    assert_eq!(work.verify("out").code, Some(0));
    let shown = work.vidpairs(&["inspect", "out"]).run_well().stdout;
    assert!(shown.contains("cuts (see cuts.jsonl)"), "{shown}");
    let record = work
        .vidpairs(&["inspect", "out", "--record", "0"])
        .run_json();
    assert_eq!(record["cuts"], lines[0]);
    work.extract("three").workers(3).run_well();
    assert_same_files(&work.path("three"), &out, "three workers");
}

#[test]
fn no_pair_spans_a_dissolve() {
    let work = Work::new(FRAMES);
    let graph = "testsrc2=s=160x96:r=30:d=4,format=yuv420p,setsar=1[a];\
                 testsrc=s=160x96:r=30,negate,trim=end_frame=120,format=yuv420p,setsar=1[b];\
                 [a]settb=1/30[x];[b]settb=1/30[y];[x][y]xfade=duration=0.5:offset=3";
    made(&work.clips().join("a.mp4"), graph, WITH_B_FRAMES);
    work.extract("out").set("pairs.per_video=20").run_well();
    let pairs = pairs_of(&work.path("out"), "a.mp4");
    let is_over = |&&(anchor, positive): &&(u64, u64)| anchor <= 90 && positive >= 105;
    let over: Vec<_> = pairs.iter().filter(is_over).collect();
    assert!(over.is_empty() && pairs.len() > 10, "{over:?} of {pairs:?}");
    let lines = json_lines(&work.path("out/cuts.jsonl"));
    assert_eq!(lines[0]["cuts"][0]["kind"], "gradual", "{lines:?}");
}

#[test]
fn a_tracklet_ends_at_a_cut_and_its_anchor_is_drawn_anew() {
    let work = Work::new(REGIONS);
    joined(&work.clips().join("a.mp4"), WITH_B_FRAMES);
    let summary = work.extract("out").workers(1).run_json();
    let out = work.path("out");
    let pairs = pairs_of(&out, "a.mp4");
    assert!(!pairs.is_empty());
    assert_eq!(num_over_cuts(&pairs), 0, "{pairs:?}");
    let mut num_cut = 0;
    for tracklet in tracklets(&out) {
        let boxes = tracklet["boxes"].as_array().unwrap();
        let frame = |row: &Value| row[0].as_u64().unwrap();
        let (first, last) = (frame(&boxes[0]), frame(&boxes[boxes.len() - 1]));
        assert_eq!(first, tracklet["anchor"].as_u64().unwrap());
        assert_eq!(first / SHOT, last / SHOT, "{tracklet}");
        if tracklet["outcome"] == "cut" {
            num_cut += 1;
            assert_eq!(tracklet["key"], Value::Null);
            assert_eq!(last % SHOT, SHOT - 1, "{tracklet}");
            assert_eq!(tracklet["forward_backward_iou"], Value::Null);
        }
    }
    assert!(num_cut > 2);
    assert_eq!(summary["rejected_tracklets"]["cut"], num_cut);
    assert_eq!(
        cuts_of(&out, "a.mp4"),
        [(SHOT - 1, SHOT), (2 * SHOT - 1, 2 * SHOT)]
    );
    let counts = &summary["cuts"];
    assert!(counts["moved"].as_u64() > Some(0), "{counts}");
    assert_is_finished(&out);
    assert_eq!(work.verify("out").code, Some(0));
    work.extract("ignored").set("pairs.cuts=ignore").run_well();
    let ignored = pairs_of(&work.path("ignored"), "a.mp4");
    assert!(
        pairs.iter().any(|pair| !ignored.contains(pair)),
        "none was drawn anew"
    );
    work.extract("three").workers(3).run_well();
    assert_same_files(&work.path("three"), &out, "three workers");
}

#[test]
fn a_clip_whose_shots_are_all_too_short_is_skipped_and_says_why() {
    let work = Work::new(FRAMES);
    let shots: Vec<String> = (0..12)
        .map(|shot| match shot % 2 {
            0 => {
                format!("testsrc2=s=160x96:r=30,trim=end_frame=12,format=yuv420p,setsar=1[s{shot}]")
            }
            _ => format!(
                "testsrc=s=160x96:r=30,negate,trim=end_frame=12,format=yuv420p,setsar=1[s{shot}]"
            ),
        })
        .collect();
    let inputs: String = (0..12).map(|shot| format!("[s{shot}]")).collect();
    let graph = format!("{};{inputs}concat=n=12", shots.join(";"));
    made(
        &work.clips().join("a.mp4"),
        &graph,
        &["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0"],
    );
    let summary = work.extract("out").set("pairs.k=30").run_json();
    assert_eq!(
        (&summary["pairs"], &summary["skipped"]),
        (&0.into(), &1.into())
    );
    let refusal = refusal_of(&work.path("out"), "a.mp4");
    assert_eq!(refusal["outcome"], "skipped");
    assert_eq!(refusal["reason"], "12 pairs span a cut");
    assert_eq!(summary["cuts"]["left_out"], 12);
    assert_is_finished(&work.path("out"));
}

#[test]
fn the_cuts_of_parts_of_a_retry_and_of_a_resharded_data_set_are_those_of_one_run() {
    let work = Work::new(FRAMES);
    let clips = work.clips();
    for name in ["a.mp4", "b.mp4", "c.mp4"] {
        joined(&clips.join(name), WITH_B_FRAMES);
    }
    work.extract("whole").run_well();
    let cuts = fs::read(work.path("whole/cuts.jsonl")).unwrap();
    let stated = manifest(&work.path("whole"))["cuts"].clone();
    assert_eq!(stated["clips"], 3);
    for part in ["0/2", "1/2"] {
        work.extract("parts").arg("--part").arg(part).run_well();
    }
    work.vidpairs(&["merge", "parts"]).run_well();
    work.vidpairs(&["reshard", "whole", "--out", "resharded", "--count", "2"])
        .run_well();
    let intact = fs::read(clips.join("b.mp4")).unwrap();
    fs::write(clips.join("b.mp4"), "no video").unwrap();
    work.extract("retried").run_well();
    assert_eq!(manifest(&work.path("retried"))["cuts"]["clips"], 2);
    fs::write(clips.join("b.mp4"), intact).unwrap();
    work.extract("retried").arg("--retry-refused").run_well();
    for name in ["parts", "resharded", "retried"] {
        let found = fs::read(work.path(name).join("cuts.jsonl")).unwrap();
        assert!(found == cuts, "{name}: {}", String::from_utf8_lossy(&found));
        assert_eq!(manifest(&work.path(name))["cuts"], stated, "{name}");
        assert_eq!(work.verify(name).code, Some(0), "{name}");
    }
    let assert_damaged = |how: &str| {
        let ran = work.verify("whole");
        assert_eq!(ran.code, Some(2), "{ran:?}");
        let is_told = ran.stdout.contains("cuts.jsonl") && ran.stdout.contains(how);
        assert!(is_told, "{ran:?}");
    };
    let text = String::from_utf8(cuts).unwrap();
    fs::write(work.path("whole/cuts.jsonl"), text.replace("hard", "soft")).unwrap();
    assert_damaged("xxh64");
    fs::remove_file(work.path("whole/cuts.jsonl")).unwrap();
    assert_damaged("missing");
}
