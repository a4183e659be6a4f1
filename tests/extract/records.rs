//! Records and refusals of `vidpairs extract` for every kind of source and pair.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use vidpairs_fixtures::extract::dataset::{Sample, jpeg_size, refusal_of, refused, samples};
use vidpairs_fixtures::extract::media::{H264, Video, blot, h264, jpegs, zip};
use vidpairs_fixtures::extract::{Ran, Work, assert_is_finished, dataset};

const IMAGES: &str = "[source]\nkind = 'videos'\n[pairs]\nkind = 'images'\nper_video = 3\n\
                      [images]\nshort_side = 32\n[extract]\nmax_refused = '100%'\n";
const FRAMES: &str = "[source]\nkind = 'videos'\n[pairs]\nkind = 'frames'\nk = 5\nper_video = 4\n\
                      [images]\nshort_side = 32\n[extract]\nmax_refused = '100%'\n";
const TRACKS: &str = "[source]\nkind = 'trackingnet'\n[pairs]\nkind = 'tracks'\nk = 3\nstride = 1\n\
                      [images]\nshort_side = 32\n[extract]\nmax_refused = '100%'\n";

fn set_of_keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// Asserts properties of every record, of any kind.
fn assert_is_sound(sample: &Sample, clip_ordinal: usize) {
    let Sample {
        key,
        json,
        json_bytes,
        images,
    } = sample;
    let text = str::from_utf8(json_bytes).unwrap();
    let (head, _) = text.rsplit_once(",\"json_crc32\":").unwrap();
    assert_eq!(
        json["json_crc32"],
        crc32fast::hash(head.as_bytes()),
        "{key}"
    );
    assert_has_the_schema(json);
    assert_eq!(json["key"], **key);
    let (clip, pair) = key.split_once('-').unwrap();
    assert_eq!((clip.len(), pair.len()), (8, 4), "{key}");
    assert_eq!(clip.parse::<usize>().unwrap(), clip_ordinal, "{key}");
    let extensions = ["jpg", "rgb.zst"];
    for (name, bytes) in images {
        let (role, extension) = name.split_once('.').unwrap();
        assert!(extensions.contains(&extension), "{name}");
        let view = &json[role];
        assert_eq!(view["is_stored"], true, "{key} {role}");
        assert_eq!(view["crc32"], crc32fast::hash(bytes), "{key} {role}");
        let size: [u64; 2] = serde_json::from_value(view["image_size"].clone()).unwrap();
        if extension == "jpg" {
            assert_eq!(jpeg_size(bytes), size, "{key} {role}");
        } else {
            let raw = zstd::decode_all(&bytes[..]).unwrap();
            assert_eq!(raw.len() as u64, size[0] * size[1] * 3, "{key} {role}");
        }
    }
    for role in VIEWS {
        let is_stored = images
            .keys()
            .any(|name| name.split_once('.').unwrap().0 == role);
        assert_eq!(json[role]["is_stored"], is_stored, "{key} {role}");
    }
    if json["k"] != 0 {
        let frame = |role: &str| json[role]["frame"].as_u64().unwrap();
        assert_eq!(json["k"], frame("positive") - frame("anchor"), "{key}");
    }
}

const VIEWS: [&str; 4] = ["anchor", "positive", "anchor_frame", "positive_frame"];

/// Every record has these fields with these types.
fn assert_has_the_schema(json: &Value) {
    let view = json!({
        "is_stored": true, "frame": 0, "has_pts": true, "pts_seconds": 0.0, "frame_size": [0, 0], "box_xywh": [0.0, 0.0, 0.0, 0.0],
        "image_size": [0, 0], "crc32": 0,
    });
    let mut expected = json!({
        "schema": 2, "key": "", "clip": "", "source": "", "kind": "", "label": "", "k": 0, "json_crc32": 0,
        "tracklet": {
            "tracker": "", "has_psr": true, "psr_mean": 0.0, "psr_min": 0.0, "has_forward_backward": true, "forward_backward_iou": 0.0,
            "has_confidence": true, "confidence_mean": 0.0, "confidence_min": 0.0, "confidence_last": 0.0,
        },
    });
    for role in VIEWS {
        expected[role] = view.clone();
    }
    assert_eq!(json["schema"], expected["schema"]);
    assert_eq!(shape(json), shape(&expected), "{json}");
}

/// A value with its texts, numbers and flags replaced by their types.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let shapes = fields
                .iter()
                .map(|(name, value)| (name.clone(), shape(value)));
            Value::Object(shapes.collect())
        }
        Value::Array(values) => values.iter().map(shape).collect(),
        Value::String(_) => "text".into(),
        Value::Bool(_) => "flag".into(),
        Value::Number(number) if number.is_f64() => "float".into(),
        Value::Number(_) => "integer".into(),
        Value::Null => "null".into(),
    }
}

fn extensions(sample: &Sample) -> Vec<&str> {
    sample.images.keys().map(String::as_str).collect()
}

fn frames_of(sample: &Sample) -> (u64, u64) {
    let frame = |role: &str| sample.json[role]["frame"].as_u64().unwrap();
    (frame("anchor"), frame("positive"))
}

#[test]
fn kind_images_stores_single_frames_with_all_fields() {
    let work = Work::new(IMAGES);
    h264(&work.path("clips/a.mp4"), "64x48", 30);
    h264(&work.path("clips/small.mp4"), "32x18", 30);
    work.extract("out").run_well();
    let samples = samples(&work.path("out"));
    assert_eq!(samples.len(), 6);
    for (number, sample) in samples.iter().enumerate() {
        assert_is_sound(sample, number / 3);
        assert_eq!(extensions(sample), ["anchor.jpg"]);
        let view = &sample.json["anchor"];
        let (frame, seconds) = (
            view["frame"].as_u64().unwrap(),
            view["pts_seconds"].as_f64(),
        );
        assert!(
            (seconds.unwrap() - frame as f64 / 30.0).abs() < 1e-3,
            "{view}"
        );
        // 32 px at the short side; smaller frames are not enlarged.
        let (id, frame_size, image_size) = match number / 3 {
            0 => ("a.mp4", [64, 48], [43, 32]),
            _ => ("small.mp4", [32, 18], [32, 18]),
        };
        let expected = json!({
            "clip": id, "source": "videos", "kind": "images", "label": "", "k": 0,
        });
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(sample.json[key], *value, "{key}");
        }
        assert_eq!(view["frame_size"], json!(frame_size));
        assert_eq!(view["image_size"], json!(image_size));
        let [width, height] = frame_size.map(f64::from);
        assert_eq!(view["box_xywh"], json!([0.0, 0.0, width, height]));
    }
}

#[test]
fn kind_frames_obeys_k_the_range_of_k_and_the_stride() {
    let work = Work::new(FRAMES);
    h264(&work.path("clips/a.mp4"), "64x48", 60);
    let extract = |out: &str, settings: &[&str]| {
        let run = settings
            .iter()
            .fold(work.extract(out), |run, setting| run.set(setting));
        run.run_well();
        let samples = samples(&work.path(out));
        for sample in &samples {
            assert_is_sound(sample, 0);
            assert_eq!(sample.json["kind"], "frames");
        }
        samples
    };
    let fixed = extract("fixed", &[]);
    assert_eq!(fixed.len(), 4);
    assert!(fixed.iter().all(|sample| sample.json["k"] == 5));
    assert!(
        fixed
            .iter()
            .all(|sample| extensions(sample) == ["anchor.jpg", "positive.jpg"])
    );
    let anchors: Vec<_> = fixed.iter().map(frames_of).collect();
    assert!(anchors.is_sorted(), "{anchors:?}");

    let ranged = extract("ranged", &["pairs.k=[2,200]", "pairs.per_video=20"]);
    let ks: Vec<u64> = ranged
        .iter()
        .map(|sample| sample.json["k"].as_u64().unwrap())
        .collect();
    assert!(ks.iter().all(|k| (2..60).contains(k)), "{ks:?}");
    assert!(ks.iter().any(|k| *k != ks[0]), "{ks:?}");

    let strided = extract("strided", &["pairs.stride=10", "pairs.k=4"]);
    let ends: Vec<_> = strided.iter().map(frames_of).collect();
    assert_eq!(
        ends,
        [(0, 4), (10, 14), (20, 24), (30, 34), (40, 44), (50, 54)]
    );

    let raw = extract("raw", &["images.codec=rgb-zstd", "pairs.stride=10"]);
    assert!(
        raw.iter()
            .all(|sample| extensions(sample) == ["anchor.rgb.zst", "positive.rgb.zst"])
    );
}

#[test]
fn frames_shared_by_two_pairs_have_equal_bytes_and_another_seed_chooses_other_frames() {
    let work = Work::new(FRAMES);
    h264(&work.path("clips/a.mp4"), "64x48", 300);
    work.extract("strided").set("pairs.stride=5").run_well();
    let strided = samples(&work.path("strided"));
    for pair in strided.windows(2) {
        assert!(pair[0].images["positive.jpg"] == pair[1].images["anchor.jpg"]);
    }
    let frames = |seed: &str| {
        work.extract(seed).set(&format!("seed={seed}")).run_well();
        let samples = samples(&work.path(seed));
        samples.iter().map(frames_of).collect::<Vec<_>>()
    };
    assert_ne!(frames("1"), frames("2"));
}

/// Writes a TrackingNet split with zips, unpacked frames and labels.
fn trackingnet(work: &Work) {
    let root = work.clips();
    let train = root.join("TRAIN_0");
    let frames = jpegs(&root.join("TEST/frames/t_0"), "96x64", 12);
    zip(&train.join("zips/a_0.zip"), &frames);
    jpegs(&train.join("frames/b_0"), "96x64", 12);
    zip(&train.join("zips/c_broken.zip"), &frames);
    zip(&train.join("zips/d_no_boxes.zip"), &frames);
    // Local header of a member in the middle.
    blot(&train.join("zips/c_broken.zip"), 0.4..0.5);
    for (split, video, lines) in [
        (&train, "a_0", "10.5,8,40,30\n".repeat(12)),
        (&train, "b_0", "10,8,40,30\n".repeat(8)),
        (&train, "c_broken", "10,8,40,30\n".repeat(12)),
        (&root.join("TEST"), "t_0", "10,8,40,30\n".to_owned()),
    ] {
        fs::create_dir_all(split.join("anno")).unwrap();
        fs::write(split.join(format!("anno/{video}.txt")), lines).unwrap();
    }
    fs::write(root.join("labels.txt"), "a_0,a cat, asleep\nb_0,dog\n").unwrap();
}

#[test]
fn kind_tracks_of_trackingnet_stores_boxes_labels_and_whole_frames() {
    let work = Work::new(TRACKS);
    trackingnet(&work);
    work.extract("out").run_well();
    let out = work.path("out");
    let samples = samples(&out);
    let of = |id: &str| {
        samples
            .iter()
            .filter(|sample| sample.json["clip"] == id)
            .collect::<Vec<_>>()
    };
    let pairs = of("TRAIN_0/a_0");
    assert_eq!(pairs.len(), 9);
    for sample in &pairs {
        assert_is_sound(sample, 0);
        let members = [
            "anchor.jpg",
            "anchor_frame.jpg",
            "positive.jpg",
            "positive_frame.jpg",
        ];
        assert_eq!(extensions(sample), members);
        let json = &sample.json;
        assert_eq!(json["label"], "a cat, asleep");
        assert_eq!([&json["source"], &json["kind"]], ["trackingnet", "tracks"]);
        assert_eq!(json["anchor"]["box_xywh"], json!([10.5, 8.0, 40.0, 30.0]));
        assert_eq!(json["anchor"]["frame_size"], json!([96, 64]));
        assert_eq!(
            json["anchor_frame"]["box_xywh"],
            json!([0.0, 0.0, 96.0, 64.0])
        );
        assert_eq!(json["anchor_frame"]["image_size"], json!([48, 32]));
        assert_eq!(json["tracklet"]["tracker"], "ground-truth");
        for flag in ["has_psr", "has_forward_backward", "has_confidence"] {
            assert_eq!(json["tracklet"][flag], false, "{flag}");
        }
    }
    // Eight lines for twelve frames: pairs of the first eight frames, and a remark.
    let pairs = of("TRAIN_0/b_0");
    assert_eq!(
        pairs.iter().map(|sample| frames_of(sample)).max(),
        Some((4, 7))
    );
    assert_eq!(pairs[0].json["label"], "dog");
    let line = refusal_of(&out, "TRAIN_0/b_0");
    assert_eq!(
        [&line["outcome"], &line["reason"]],
        ["partial", "8 lines of boxes for 12 frames"]
    );

    let broken = refusal_of(&out, "TRAIN_0/c_broken");
    let num_broken = of("TRAIN_0/c_broken").len();
    assert!((1..9).contains(&num_broken), "{num_broken}");
    assert_eq!(broken["outcome"], "partial");
    let missing = format!("{} of 9 pairs are missing", 9 - num_broken);
    assert!(
        broken["reason"].as_str().unwrap().starts_with(&missing),
        "{broken}"
    );
    assert_eq!(refusal_of(&out, "TRAIN_0/d_no_boxes")["outcome"], "skipped");
    assert_eq!(refused(&out).len(), 3);

    work.extract("bare")
        .set("pairs.with_frames=false")
        .run_well();
    let bare = dataset::samples(&work.path("bare"));
    assert_eq!(extensions(&bare[0]), ["anchor.jpg", "positive.jpg"]);

    // Test splits have the first box only.
    let test = work.extract("test").set("source.splits=['TEST']").run();
    assert_eq!(test.code, Some(0), "{}", test.stderr);
    let line = refusal_of(&work.path("test"), "TEST/t_0");
    assert_eq!([&line["outcome"], &line["stage"]], ["skipped", "sample"]);
    assert_eq!(refused(&work.path("test")).len(), 1);
}

#[test]
fn excluded_boxes_are_in_no_pair() {
    let work = Work::new(TRACKS);
    let train = work.path("clips/TRAIN_0");
    jpegs(&train.join("frames/v_0"), "96x64", 12);
    fs::create_dir_all(train.join("anno")).unwrap();
    let boxes = [
        "10,8,40,30",
        "10,8,40,23",          // 1: below 24 px
        "nan,8,40,30",         // 2
        "10,8,-40,30",         // 3
        "80,8,40,30",          // 4: most of it outside
        "200,8,40,30",         // 5: all of it outside
        "10,8,inf,30",         // 6
        "10,8,0,0",            // 7
        "-1,8,40,30",          // 8: 1/40 of it outside, which is borne
        "10,8,40,30",          // 9
        "10,8,40,30",          // 10
        "1e308,8,1e308,1e308", // 11
    ];
    fs::write(train.join("anno/v_0.txt"), boxes.join("\n")).unwrap();
    let ends = |out: &str, settings: &[&str]| {
        let run = settings
            .iter()
            .fold(work.extract(out), |run, setting| run.set(setting));
        run.run_well();
        let samples = samples(&work.path(out));
        let ends = samples.iter().map(frames_of).collect::<Vec<_>>();
        (samples, ends)
    };
    let (pairs, found) = ends("out", &["pairs.k=1"]);
    assert_eq!(found, [(8, 9), (9, 10)]);
    assert_eq!(
        pairs[0].json["anchor"]["box_xywh"],
        json!([0.0, 8.0, 39.0, 30.0])
    );
    let line = refusal_of(&work.path("out"), "TRAIN_0/v_0");
    assert_eq!(line["reason"], "v_0.txt: 4 of 12 boxes are not valid");

    // Everything is accepted: boxes outside the frame give no pair and do not end the run.
    let (_, found) = ends(
        "all",
        &[
            "pairs.max_box_outside=1",
            "pairs.min_box_px=1",
            "pairs.box_scale=4",
            "pairs.k=1",
        ],
    );
    assert!(
        found.contains(&(0, 1)) && found.contains(&(8, 9)),
        "{found:?}"
    );
    let line = refusal_of(&work.path("all"), "TRAIN_0/v_0");
    assert_eq!(line["outcome"], "partial", "{line}");
    assert_eq!(work.verify("all").code, Some(0));
}

#[test]
fn kind_tracks_of_got10k_uses_its_flags_and_classes() {
    let work = Work::new(
        &TRACKS
            .replace("trackingnet", "got10k")
            .replace("k = 3", "k = 1"),
    );
    let sequence = work.path("clips/train/GOT-10k_Train_000001");
    for (number, path) in jpegs(&sequence, "96x64", 8).iter().enumerate() {
        fs::rename(path, sequence.join(format!("{:08}.jpg", number + 1))).unwrap();
    }
    let write = |name: &str, text: &str| fs::write(sequence.join(name), text).unwrap();
    write("groundtruth.txt", &"10.0,8.0,40.0,30.0\n".repeat(8));
    write("absence.label", "0\n0\n1\n0\n0\n0\n0\n0\n");
    write("cut_by_image.label", "0\n0\n0\n0\n0\n1\n0\n0\n");
    write("cover.label", "8\n8\n0\n8\n8\n8\n8\n8\n");
    write(
        "meta_info.ini",
        "[METAINFO]\nanno_fps: 10Hz\nobject_class: sea lion\n",
    );
    fs::write(work.path("clips/train/list.txt"), "GOT-10k_Train_000001\n").unwrap();
    work.extract("out").run_well();
    let samples = samples(&work.path("out"));
    let ends: Vec<_> = samples.iter().map(frames_of).collect();
    assert_eq!(ends, [(0, 1), (3, 4), (6, 7)]);
    for sample in &samples {
        assert_is_sound(sample, 0);
        assert_eq!(sample.json["label"], "sea lion");
        assert_eq!(sample.json["source"], "got10k");
        let (anchor, _) = frames_of(sample);
        assert_eq!(
            sample.json["anchor"]["pts_seconds"],
            json!(anchor as f64 / 10.0)
        );
    }
    assert!(refused(&work.path("out")).is_empty());

    let other_kind = work
        .extract("frames")
        .set("pairs.kind=frames")
        .set("pairs.k=1");
    other_kind.run_well();
    assert_eq!(
        dataset::samples(&work.path("frames"))[0].json["label"],
        "sea lion"
    );
}

#[test]
fn a_folder_of_jpegs_with_gaps_gives_pairs_of_existing_frames() {
    let work = Work::new(FRAMES);
    let frames = jpegs(&work.path("clips/folder"), "64x48", 30);
    for gap in [4, 5, 6, 17] {
        fs::remove_file(&frames[gap]).unwrap();
    }
    fs::write(&frames[10], "damaged").unwrap();
    work.extract("out").set("pairs.stride=1").run_well();
    let samples = samples(&work.path("out"));
    let gone = [4, 5, 6, 10, 17];
    for sample in &samples {
        assert_is_sound(sample, 0);
        let (anchor, positive) = frames_of(sample);
        assert!(!gone.contains(&anchor) && !gone.contains(&positive));
        assert_eq!(sample.json["anchor"]["has_pts"], false);
    }
    let line = refusal_of(&work.path("out"), "folder");
    assert_eq!(line["outcome"], "partial");
    let reason = line["reason"].as_str().unwrap();
    assert!(
        reason.contains("frame 10: cannot use 10.jpg: neither JPEG, PNG, BMP, TIFF nor WebP"),
        "{reason}"
    );
}

#[test]
fn inputs_without_pairs_are_listed_with_their_reason() {
    let work = Work::new(FRAMES);
    h264(&work.path("clips/a.mp4"), "64x48", 30);
    h264(&work.path("clips/short.mp4"), "64x48", 5);
    fs::write(work.path("clips/empty.mp4"), "").unwrap();
    fs::write(work.path("clips/garbage.mkv"), [9; 3000]).unwrap();
    fs::write(work.path("clips/words.zip"), "no zip").unwrap();
    fs::write(work.path("clips/notes.txt"), "no video, and not listed").unwrap();
    let mkfifo = std::process::Command::new("mkfifo")
        .arg(work.path("clips/fifo.mp4"))
        .status();
    assert!(mkfifo.unwrap().success());
    let summary = work.extract("out").run_json();
    let numbers = ["clips", "refused", "skipped", "pairs"].map(|key| summary[key].clone());
    assert_eq!(numbers, [6, 4, 1, 4].map(Value::from));
    let out = work.path("out");
    let cases = [
        (
            "short.mp4",
            "skipped",
            "5 frames; a pair 5 frames apart needs 6",
        ),
        ("empty.mp4", "refused", "empty"),
        ("garbage.mkv", "refused", "Invalid data"),
        ("words.zip", "refused", "zip"),
        ("fifo.mp4", "refused", "is a FIFO"),
    ];
    for (id, outcome, reason) in cases {
        let line = refusal_of(&out, id);
        assert_eq!(line["outcome"], outcome, "{line}");
        assert!(line["reason"].as_str().unwrap().contains(reason), "{line}");
        assert_eq!(line["path"], format!("clips/{id}"), "{line}");
        assert!(!line["retry"].as_str().unwrap().is_empty(), "{line}");
        assert_eq!(
            set_of_keys(&line),
            ["id", "path", "outcome", "stage", "reason", "retry"]
        );
    }
    assert_eq!(refused(&out).len(), cases.len());
    let verbose = work.extract("verbose").arg("--verbose").run_well();
    assert!(
        verbose.stderr.contains("refused: empty.mp4"),
        "{}",
        verbose.stderr
    );
}

#[test]
fn a_truncated_video_is_listed_whether_it_gives_pairs_or_not() {
    let work = Work::new(FRAMES);
    let whole = work.path("clips/whole.mp4");
    let codec = &[H264, &["-movflags", "+faststart"]].concat();
    let video = Video {
        size: "160x120",
        frames: 90,
        codec,
    };
    video.write(&whole);
    let bytes = fs::read(&whole).unwrap();
    let head = bytes.windows(4).position(|word| word == b"mdat").unwrap() + 4;
    let cut_after = |share: f64| head + ((bytes.len() - head) as f64 * share) as usize;
    fs::write(work.path("clips/long.mp4"), &bytes[..cut_after(0.7)]).unwrap();
    fs::write(work.path("clips/short.mp4"), &bytes[..cut_after(0.05)]).unwrap();
    work.extract("out").run_well();
    let out = work.path("out");
    for (id, outcome) in [("long.mp4", "partial"), ("short.mp4", "refused")] {
        let line = refusal_of(&out, id);
        assert_eq!(line["outcome"], outcome, "{line}");
        let reason = line["reason"].as_str().unwrap();
        assert!(
            reason.contains("breaks off") || reason.contains("damaged"),
            "{reason}"
        );
    }
    assert_eq!(refused(&out).len(), 2);
}

#[test]
fn too_many_refused_clips_give_exit_code_1_and_a_complete_data_set() {
    let work = Work::new(&FRAMES.replace("100%", "30%"));
    h264(&work.path("clips/a.mp4"), "64x48", 30);
    fs::write(work.path("clips/b.mp4"), "no video").unwrap();
    let ran = work.extract("out").arg("--json").run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_eq!(ran.json()["refused"], 1);
    let words = "1 of 2 clips were refused, more than extract.max_refused = 30% allows";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert_is_finished(&work.path("out"));
    assert_eq!(samples(&work.path("out")).len(), 4);
    assert_eq!(work.verify("out").code, Some(0));
    let borne = work.extract("out").set("extract.max_refused=1").run();
    assert_eq!(borne.code, Some(0), "{}", borne.stderr);
}

#[test]
fn a_source_that_cannot_be_listed_gives_exit_code_2_and_states_what_was_searched() {
    let work = Work::new(FRAMES);
    let empty = work.extract("out").run();
    empty.failed_with(
        2,
        &["cannot list the source", "no clip in clips", "video files"],
    );
    h264(&work.path("clips/a.mp4"), "64x48", 30);
    let kind = work.extract("out").set("source.kind=trackingnet").run();
    kind.failed_with(
        2,
        &["no TrackingNet split in clips", "TRAIN_0", "found: a.mp4"],
    );
    let kind = work.extract("out").set("source.kind=got10k").run();
    kind.failed_with(2, &["no GOT-10k split in clips", "list.txt"]);
    assert!(!work.path("out").exists());
}

#[test]
fn a_wrong_setting_gives_exit_code_2_with_its_line_before_any_work() {
    let work = Work::new(&FRAMES.replace("per_video", "per_vidoe"));
    let ran = work.extract("out").run();
    ran.failed_with(
        2,
        &[
            "pipeline.toml line 6",
            "per_vidoe",
            "did you mean per_video?",
        ],
    );
    fs::write(work.path("pipeline.toml"), FRAMES).unwrap();
    let set = |setting: &str| work.extract("out").set(setting).run();
    set("pairs.k=-3").failed_with(2, &["--set", "pairs.k is -3", "expected a whole number"]);
    set("pairs.kk=3").failed_with(2, &["--set", "unknown key pairs.kk"]);
    set("nonsense").failed_with(2, &["--set nonsense", "expected table.key=value"]);
    set("images.zstd_level=3").failed_with(2, &["images.zstd_level"]);
    work.extract("out")
        .workers(0)
        .run()
        .failed_with(2, &["--workers"]);
    let missing = work
        .extract("out")
        .replace("pipeline.toml", "gone.toml")
        .run();
    missing.failed_with(2, &["gone.toml", "No such file"]);
    assert!(!work.path("out").exists());
}

#[test]
fn json_prints_one_object_and_quiet_prints_nothing() {
    let work = Work::new(FRAMES);
    h264(&work.path("clips/a.mp4"), "64x48", 30);
    fs::write(work.path("clips/b.mp4"), "no video").unwrap();
    let ran = work.extract("json").arg("--json").run_well();
    assert_eq!(ran.stdout.lines().count(), 1);
    let summary = ran.json();
    let keys = [
        "clips",
        "refused",
        "pairs",
        "shards",
        "bytes",
        "frames_decoded",
        "frames_tracked",
        "tracker_updates",
        "tracklets",
        "seconds",
        "rejected_tracklets",
    ];
    for key in keys {
        assert!(!summary[key].is_null(), "no {key} in {summary}");
    }
    assert_eq!(summary["rejected_tracklets"], json!({}));
    let bytes = fs::metadata(work.path("json/pairs-000000.tar"))
        .unwrap()
        .len();
    assert_eq!(summary["bytes"], bytes);
    assert!(summary["frames_decoded"].as_u64().unwrap() >= 4);

    let ran = work.extract("quiet").arg("--quiet").run_well();
    assert_eq!((&*ran.stdout, &*ran.stderr), ("", ""));
    let both = work.extract("both").arg("--quiet").arg("--json").run_well();
    assert_eq!(
        (both.json()["pairs"].clone(), &*both.stderr),
        (json!(4), "")
    );
}

#[test]
fn a_closed_output_pipe_does_not_stop_the_run() {
    let work = Work::new(FRAMES);
    h264(&work.path("clips/a.mp4"), "64x48", 30);
    fs::write(work.path("clips/b.mp4"), "no video").unwrap();
    // The reading end of a pipe is closed before anything is written.
    for (out, closed) in [("stdout", "stdout"), ("both", "both")] {
        let extract = work.extract(out).arg("--verbose");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = extract.command();
        command
            .stdin(Stdio::null())
            .stdout(writer.try_clone().unwrap());
        if closed == "both" {
            command.stderr(writer);
        } else {
            command.stderr(Stdio::piped());
        }
        let ran = Ran::of(command.spawn().unwrap());
        assert_eq!(ran.code, Some(0), "{closed}: {}", ran.stderr);
        assert_is_finished(&work.path(out));
    }
    let mut completions = work.extract("none");
    completions.args = vec!["completions".into(), "bash".into()];
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = completions
        .command()
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn();
    let ran = Ran::of(child.unwrap());
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""));
}

#[test]
fn verify_reports_the_damaged_shard_and_record() {
    let work = Work::new(FRAMES);
    h264(&work.path("clips/a.mp4"), "64x48", 60);
    work.extract("out").set("shards.max_records=2").run_well();
    let shard = work.path("out/pairs-000001.tar");
    flip_in_the_middle(&shard);
    let ran = work.verify("out");
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    assert!(ran.stdout.contains("pairs-000001.tar"), "{}", ran.stdout);
    assert!(ran.stdout.contains("00000000-000"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("pairs-000000.tar"), "{}", ran.stdout);
    fs::remove_file(&shard).unwrap();
    assert_eq!(work.verify("out").code, Some(2));
    work.verify("nowhere")
        .failed_with(2, &["there is no folder nowhere"]);
    work.verify("clips")
        .failed_with(2, &["clips is not a data set"]);
}

fn flip_in_the_middle(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 0x10;
    fs::write(path, bytes).unwrap();
}
