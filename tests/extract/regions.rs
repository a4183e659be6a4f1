//! Records, tracklets and rejections of `vidpairs extract` in kind `regions`.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use vidpairs_fixtures::SLIDING;
use vidpairs_fixtures::extract::dataset::{Sample, manifest, refusal_of, samples, tracklets};
use vidpairs_fixtures::extract::media::{ffmpeg, h264};
use vidpairs_fixtures::extract::{Work, assert_is_finished};

/// A clip that goes gray shows what the rules of trust reject, so cuts are ignored.
const PIPELINE: &str = r#"
[source]
kind = "videos"
[pairs]
kind = "regions"
k = 12
per_video = 3
regions_per_frame = 3
min_box_px = 16
cuts = "ignore"
[proposals]
kind = "grid"
[tracker]
min_confidence_mean = 0.3
min_confidence_last = 0.3
[images]
short_side = 32
[extract]
max_refused = "100%"
"#;

fn sliding(work: &Work, name: &str, frames: u32) {
    let (frames, path) = (frames.to_string(), work.clips().join(name));
    let mut args = vec!["-f", "lavfi", "-i", SLIDING, "-frames:v", &frames];
    args.extend(["-c:v", "libx264", "-preset", "veryfast", "-g", "30"]);
    args.extend(["-pix_fmt", "yuv420p", path.to_str().unwrap()]);
    ffmpeg(&args);
}

/// Like `sliding` for two frames, then gray: nothing can be tracked.
fn going_gray(work: &Work, name: &str, frames: u32) {
    let source = format!("{SLIDING},drawbox=c=gray:t=fill:enable='gte(n,2)'");
    let (frames, path) = (frames.to_string(), work.clips().join(name));
    let mut args = vec!["-f", "lavfi", "-i", &source, "-frames:v", &frames];
    args.extend(["-c:v", "libx264", "-preset", "ultrafast"]);
    args.extend(["-pix_fmt", "yuv420p", path.to_str().unwrap()]);
    ffmpeg(&args);
}

fn box_of(row: &Value) -> Vec<f64> {
    let numbers = row.as_array().unwrap()[1..5].iter();
    numbers.map(|number| number.as_f64().unwrap()).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn by_outcome(lines: &[Value]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in lines {
        let outcome = line["outcome"].as_str().unwrap().to_owned();
        *counts.entry(outcome).or_default() += 1;
    }
    counts
}

#[test]
fn a_region_pair_has_views_whole_frames_and_a_summary_of_the_tracking() {
    let work = Work::new(PIPELINE);
    sliding(&work, "a.mp4", 90);
    let summary = work.extract("out").run_json();
    let out = work.path("out");
    assert_is_finished(&out);
    let samples = samples(&out);
    assert!(samples.len() >= 3, "{} pairs; {summary}", samples.len());
    let lines = tracklets(&out);
    for sample in &samples {
        let Sample {
            key, json, images, ..
        } = sample;
        let members: Vec<&str> = images.keys().map(String::as_str).collect();
        let expected = [
            "anchor.jpg",
            "anchor_frame.jpg",
            "positive.jpg",
            "positive_frame.jpg",
        ];
        assert_eq!(members, expected);
        assert_eq!([&json["kind"], &json["k"]], [&json!("regions"), &json!(12)]);
        let tracklet = &json["tracklet"];
        assert_eq!(tracklet["tracker"], "dcf");
        for flag in ["has_psr", "has_forward_backward", "has_confidence"] {
            assert_eq!(tracklet[flag], true, "{flag}");
        }
        let confidence = |which: &str| tracklet[which].as_f64().unwrap();
        assert!(confidence("confidence_min") <= confidence("confidence_mean"));
        assert!(confidence("confidence_last") >= 0.3 && confidence("confidence_mean") >= 0.3);
        assert!(confidence("forward_backward_iou") >= 0.5);
        assert!(confidence("psr_min") <= confidence("psr_mean"));

        // Its tracklet starts and ends with exactly the boxes of the views.
        let of_key: Vec<_> = lines.iter().filter(|line| line["key"] == **key).collect();
        let [line] = of_key[..] else {
            panic!("{key} in {} lines", of_key.len())
        };
        let rows = line["boxes"].as_array().unwrap();
        assert_eq!(rows.len(), 13);
        let ends = [("anchor", &rows[0]), ("positive", &rows[12])];
        for (role, row) in ends {
            assert_eq!(row[0], json[role]["frame"], "{key} {role}");
            let [x, y, w, h] = numbers(&json[role]["box_xywh"])[..] else {
                panic!()
            };
            let tracked = box_of(row);
            // Boxes of views are clipped to the frame.
            let cut = [
                tracked[0].max(0.0),
                tracked[1].max(0.0),
                (tracked[0] + tracked[2]).min(160.0),
                (tracked[1] + tracked[3]).min(96.0),
            ];
            assert_eq!([x, y, x + w, y + h], cut, "{key} {role}");
        }
        // The picture moves by 2 px per frame to the left.
        let moved = box_of(&rows[12])[0] - box_of(&rows[0])[0];
        assert!((moved + 24.0).abs() < 4.0, "{key} moved by {moved} px");
        let (region, anchor) = (&line["region"], &line["anchor"]);
        let pair: u64 = key.split_once('-').unwrap().1.parse().unwrap();
        assert_eq!(pair % 3, region.as_u64().unwrap(), "{key}");
        assert_eq!(*anchor, json["anchor"]["frame"]);
    }
    // Regions of one anchor share the bytes of its frame.
    let frames: Vec<_> = samples
        .iter()
        .map(|sample| {
            (
                &sample.json["anchor"]["frame"],
                &sample.images["anchor_frame.jpg"],
            )
        })
        .collect();
    for pair in frames.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        assert!(pair[0].1 == pair[1].1);
    }
    // Three anchors with twelve frames each.
    assert!(summary["frames_tracked"].as_u64().unwrap() <= 36);
    assert!(summary["tracker_updates"].as_u64().unwrap() >= 12 * samples.len() as u64);

    work.extract("bare")
        .set("pairs.with_frames=false")
        .run_well();
    let bare = vidpairs_fixtures::extract::dataset::samples(&work.path("bare"));
    assert_eq!(bare.len(), samples.len());
    assert!(bare.iter().all(|sample| sample.images.len() == 2));
    let same = |of: &Sample| (of.key.clone(), of.images["positive.jpg"].clone());
    assert!(bare.iter().map(same).eq(samples.iter().map(same)));
}

#[test]
fn every_tracklet_is_written_and_rejections_are_counted_by_reason() {
    let work = Work::new(PIPELINE);
    sliding(&work, "a.mp4", 60);
    h264(&work.path("clips/c.mp4"), "160x96", 60);
    fs::write(work.path("clips/d.mp4"), "no video").unwrap();
    let summary = work.extract("out").run_json();
    let out = work.path("out");
    let (lines, samples) = (tracklets(&out), samples(&out));
    let mut outcomes = by_outcome(&lines);
    assert_eq!(summary["tracklets"], lines.len());
    assert_eq!(manifest(&out)["tracks"]["tracklets"], lines.len());
    assert_eq!(outcomes.remove("trusted"), Some(samples.len() as u64));
    assert_eq!(summary["rejected_tracklets"], json!(outcomes));
    assert_eq!(manifest(&out)["tracks"]["rejected"], json!(outcomes));
    for line in &lines {
        let is_trusted = line["outcome"] == "trusted";
        assert_eq!(line["key"].is_string(), is_trusted, "{line}");
        let rows = line["boxes"].as_array().unwrap();
        let frames: Vec<u64> = rows.iter().map(|row| row[0].as_u64().unwrap()).collect();
        assert_eq!(frames[0], line["anchor"]);
        assert!(frames.windows(2).all(|pair| pair[0] + 1 == pair[1]));
        assert!(frames.len() <= 13 && (!is_trusted || frames.len() == 13));
        assert!(rows.iter().all(|row| row.as_array().unwrap().len() == 7));
    }
    // Tracklets are ordered by clip, anchor and region.
    let places: Vec<_> = lines
        .iter()
        .map(|line| {
            let number = |key: &str| line[key].as_u64().unwrap();
            let clip = line["clip"].as_str().unwrap().to_owned();
            (clip, number("anchor"), number("region"))
        })
        .collect();
    assert!(places.is_sorted(), "{places:?}");

    assert_eq!(refusal_of(&out, "d.mp4")["outcome"], "refused");

    // A repeated run reports the same numbers.
    let again = work.extract("out").run_json();
    for key in ["pairs", "tracklets", "rejected_tracklets"] {
        assert_eq!(again[key], summary[key], "{key}");
    }
    let stdout = work.extract("again").run_well().stdout;
    let words = format!("of {} tracklets rejected (", lines.len());
    assert!(stdout.contains(&words), "{stdout}");
    assert!(work.path("again/tracks.jsonl.zst").exists());
}

#[test]
fn a_clip_whose_targets_vanish_is_skipped_with_the_reason() {
    let work = Work::new(PIPELINE);
    going_gray(&work, "a.mp4", 14);
    work.extract("out").run_well();
    let line = refusal_of(&work.path("out"), "a.mp4");
    assert_eq!(
        [&line["outcome"], &line["stage"]],
        ["skipped", "track"],
        "{line}"
    );
    let reason = line["reason"].as_str().unwrap();
    let words = "no region was trusted: 6 tracklets rejected (";
    assert!(reason.starts_with(words), "{reason}");
}

#[test]
fn a_clip_without_a_large_enough_region_is_skipped_with_the_reason() {
    let work = Work::new(PIPELINE);
    h264(&work.path("clips/a.mp4"), "160x96", 40);
    work.extract("out").set("pairs.min_box_px=90").run_well();
    let line = refusal_of(&work.path("out"), "a.mp4");
    assert_eq!(
        [&line["outcome"], &line["stage"]],
        ["skipped", "track"],
        "{line}"
    );
    assert_eq!(line["reason"], "no region was proposed in 3 anchor frames");
    assert_eq!(tracklets(&work.path("out")), Vec::<Value>::new());
    assert_eq!(work.verify("out").code, Some(0));
}

#[test]
fn pairs_with_damaged_frames_are_missing_and_tracking_continues_past_them() {
    let work = Work::new(PIPELINE);
    fs::create_dir(work.path("clips/a")).unwrap();
    let names = work.path("clips/a/%d.jpg");
    let input = ["-f", "lavfi", "-i", SLIDING, "-frames:v", "31"];
    let output = ["-start_number", "0", "-q:v", "3", names.to_str().unwrap()];
    ffmpeg(&[&input[..], &output[..]].concat());
    fs::write(work.path("clips/a/12.jpg"), "no JPEG").unwrap();
    // Anchors 0, 6, 12, 18: frame 12 is the positive of the first and the third anchor itself.
    work.extract("out").set("pairs.stride=6").run_well();
    let out = work.path("out");
    let line = refusal_of(&out, "a");
    assert_eq!(
        [&line["outcome"], &line["stage"]],
        ["partial", "decode"],
        "{line}"
    );
    let reason = line["reason"].as_str().unwrap();
    let num_pairs = samples(&out).len();
    let missing = format!(
        "2 of {} pairs are missing; the first: frame 12: ",
        num_pairs + 2
    );
    assert!(num_pairs > 0 && reason.starts_with(&missing), "{reason}");
    let lines = tracklets(&out);
    let of_first = lines.iter().filter(|line| line["anchor"] == 0);
    assert!(of_first.clone().all(|line| line["outcome"] != "trusted"));
    assert!(of_first.clone().any(|line| line["outcome"] == "cut_short"));
    // Tracking skips frame 12.
    let of_second = lines.iter().filter(|line| line["anchor"] == 6);
    let trusted: Vec<_> = of_second
        .filter(|line| line["outcome"] == "trusted")
        .collect();
    assert!(
        trusted
            .iter()
            .all(|line| line["boxes"].as_array().unwrap().len() == 12)
    );
    assert!(!trusted.is_empty());
}

#[test]
fn opencv_without_its_program_is_refused_before_any_work() {
    let work = Work::new(PIPELINE);
    h264(&work.path("clips/a.mp4"), "64x48", 30);
    for tracker in ["kcf", "csrt", "mosse"] {
        let named = format!("tracker.name={tracker}");
        let words = [tracker, "needs the program vidpairs-opencv", "cargo build"];
        let alone = work.extract("out").set(&named).without_neighbours();
        alone.run().failed_with(2, &words);
        assert!(!work.path("out").exists());
    }
    let named = "proposals.kind=selective-search";
    let words = ["selective-search", "needs the program vidpairs-opencv"];
    let alone = work.extract("out").set(named).without_neighbours();
    alone.run().failed_with(2, &words);
    assert!(!work.path("out").exists());
}

#[test]
fn verify_finds_damage_to_tracklets_and_inspect_reports_their_number() {
    let work = Work::new(PIPELINE);
    sliding(&work, "a.mp4", 60);
    let summary = work.extract("out").run_json();
    let mut inspect = work.extract("out");
    inspect.args = ["inspect", "out", "--json"].map(str::to_owned).to_vec();
    let inspection = inspect.run_well().json();
    assert_eq!(inspection["tracklets"]["tracklets"], summary["tracklets"]);
    assert_eq!(
        inspection["tracklets"]["rejected"],
        summary["rejected_tracklets"]
    );

    let path = work.path("out/tracks.jsonl.zst");
    let sound = fs::read(&path).unwrap();
    let mut bytes = sound.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&path, bytes).unwrap();
    let verified = work.verify("out");
    assert_eq!(verified.code, Some(2), "{}", verified.stdout);
    assert!(
        verified.stdout.contains("tracks.jsonl.zst: xxh64 is"),
        "{}",
        verified.stdout
    );
    assert!(!verified.stdout.contains("pairs-"), "{}", verified.stdout);
    fs::remove_file(&path).unwrap();
    let verified = work.verify("out");
    assert!(
        verified
            .stdout
            .contains("tracks.jsonl.zst: the file is missing"),
        "{}",
        verified.stdout
    );
    fs::write(&path, sound).unwrap();
    assert_eq!(work.verify("out").code, Some(0));
}

#[test]
fn third_party_programs_read_records_and_tracklets() {
    let work = Work::new(PIPELINE);
    sliding(&work, "a.mp4", 60);
    h264(&work.path("clips/b.mp4"), "160x96", 60);
    let summary = work.extract("out").run_json();
    let output = vidpairs_fixtures::python::run("read_shards.py", [work.path("out")]);
    let last = format!("{} tracklets", summary["tracklets"]);
    assert_eq!(output.lines().last(), Some(&*last));
}
