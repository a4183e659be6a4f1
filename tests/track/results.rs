//! Results of `vidpairs track`, compared with those of third-party programs.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::Value;
use vidpairs_fixtures::extract::{files, media};
use vidpairs_fixtures::track::{Bench, boxes, draw, rows};
use vidpairs_types::BoxXywh;

/// Score of the first tracker on the first data set.
fn score(summary: &Value) -> &Value {
    &summary["scores"][0]
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Rows of `sequences.csv` by column name.
fn sequences(out: &Path) -> Vec<BTreeMap<String, String>> {
    let lines = lines(&out.join("sequences.csv"));
    let split = |line: &String| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let heading = split(&lines[0]);
    let row = |line| heading.iter().cloned().zip(split(line)).collect();
    lines[1..].iter().map(row).collect()
}

#[track_caller]
fn same(ours: &Value, theirs: &Value) {
    let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
    assert!((ours - theirs).abs() < 1e-6, "{ours} {theirs}");
}

#[test]
fn the_got10k_toolkit_computes_the_same_scores_from_the_results() {
    let bench = Bench::new();
    for (name, len) in [("A", 30), ("B", 12)] {
        let folder = bench.got10k("set", name, len);
        let cover: String = (0..len)
            .map(|frame| if frame % 5 == 3 { "0\n" } else { "7\n" })
            .collect();
        fs::write(folder.join("cover.label"), cover).unwrap();
    }
    let summary = bench.track("out", &["--data", "got10k=set/val"]).run_json();
    let results = bench.path("out/got10k");
    let path = |name| bench.path(name).display().to_string();
    let args = ["got10k", &path("set"), "val", &path("out/got10k"), "dcf"];
    let theirs: Value =
        serde_json::from_str(&vidpairs_fixtures::python::run("score_tracks.py", args)).unwrap();
    let ours = score(&summary);
    same(&ours["ao"], &theirs["overall"]["ao"]);
    same(&ours["sr50"], &theirs["overall"]["sr"]);
    same(&ours["sr75"], &theirs["overall"]["succ_curve"][75]);
    assert_eq!(ours["scored_frames"], 23 + 9);
    assert_eq!(lines(&results.join("dcf/A/A_001.txt")).len(), 30);
    let times = lines(&results.join("dcf/A/A_time.txt"));
    assert!(
        times
            .iter()
            .all(|time| time.split_once('.').unwrap().1.len() == 8),
        "{times:?}"
    );
    assert_eq!(
        lines(&results.join("dcf/A/A_confidence.txt"))[0],
        "1.000000"
    );
}

#[test]
fn trackingnet_results_are_in_a_folder_of_their_own_and_scores_follow_its_definitions() {
    let bench = Bench::new();
    let split = bench.path("set/TRAIN_0");
    fs::create_dir_all(split.join("anno")).unwrap();
    for (name, len) in [("a_0", 20), ("-b_1", 9)] {
        draw(&split.join("frames").join(name), &boxes(len), |frame| {
            format!("{frame}.jpg")
        });
        fs::write(
            split.join("anno").join(format!("{name}.txt")),
            rows(&boxes(len)),
        )
        .unwrap();
    }
    let summary = bench
        .track("out", &["--data", "trackingnet=set"])
        .run_json();
    let results = bench.path("out/trackingnet/dcf");
    let names: Vec<String> = files(&results).into_keys().collect();
    assert_eq!(names, ["-b_1.txt", "a_0.txt"]);
    let args = [Path::new("trackingnet"), &split.join("anno"), &results];
    let theirs: Value =
        serde_json::from_str(&vidpairs_fixtures::python::run("score_tracks.py", args)).unwrap();
    for name in ["success", "precision", "normalized_precision"] {
        same(&score(&summary)[name], &theirs["scores"][name]);
    }
}

#[test]
fn a_test_split_with_one_box_is_tracked_to_the_end_and_not_scored() {
    let bench = Bench::new();
    let split = bench.path("TEST");
    draw(&split.join("frames/a_0"), &boxes(8), |frame| {
        format!("{frame}.jpg")
    });
    fs::create_dir_all(split.join("anno")).unwrap();
    fs::write(split.join("anno/a_0.txt"), rows(&boxes(1))).unwrap();
    let ran = bench
        .track("out", &["--data", "trackingnet=TEST", "--json"])
        .run_well();
    let score = &ran.json()["scores"][0];
    assert_eq!(
        (&score["ao"], &score["success"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(lines(&bench.path("out/trackingnet/dcf/a_0.txt")).len(), 8);
}

#[test]
fn each_id_of_sparse_truth_is_tracked_from_its_first_row_to_its_last() {
    let bench = Bench::new();
    let all = boxes(20);
    draw(&bench.path("clips/street"), &all, |frame| {
        format!("{:06}.jpg", frame + 1)
    });
    let row = |frame: usize, id: u32, more: &str| {
        let BoxXywh { x, y, w, h } = all[frame - 1];
        format!("{frame},{id},{x},{y},{w},{h}{more}\n")
    };
    // Rows of two ids in no order. One row is to be ignored, one is invisible.
    let truth = [
        row(15, 3, ",1,1,0.9"),
        row(5, 3, ",1,1,1"),
        row(10, 3, ",0,1,1"),
        row(12, 3, ",1,1,0"),
        row(1, 8, ""),
        row(4, 8, ""),
    ];
    fs::create_dir(bench.path("truth")).unwrap();
    fs::write(bench.path("truth/street.txt"), truth.concat()).unwrap();
    bench
        .track("out", &["--data", "mot=truth", "--media", "clips"])
        .run_well();
    let found = sequences(&bench.path("out"));
    let of = |row: usize| {
        ["sequence", "first_frame", "frames", "scored_frames"]
            .map(|column| found[row][column].clone())
    };
    assert_eq!(of(0), ["street/3", "4", "11", "1"]);
    assert_eq!(of(1), ["street/8", "0", "4", "1"]);
    let boxes = lines(&bench.path("out/mot/dcf/street_3/street_3_001.txt"));
    assert_eq!(
        (boxes.len(), boxes[0].as_str()),
        (11, "26.000,32.000,44.000,36.000")
    );
}

#[test]
fn a_single_truth_file_uses_the_named_video() {
    let bench = Bench::new();
    let all = boxes(16);
    draw(&bench.path("frames"), &all, |frame| format!("{frame}.jpg"));
    let (frames, video) = (bench.path("frames/%d.jpg"), bench.path("street.mp4"));
    let input = ["-start_number", "0", "-i", frames.to_str().unwrap()];
    let output = [
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        video.to_str().unwrap(),
    ];
    media::ffmpeg(&[&input[..], &output[..]].concat());
    let BoxXywh { x, y, w, h } = all[2];
    let row = format!("3,1,{x},{y},{w},{h}\n16,1,{x},{y},{w},{h}\n");
    fs::write(bench.path("gt.txt"), row).unwrap();
    bench
        .track("out", &["--data", "mot=gt.txt", "--media", "street.mp4"])
        .run_well();
    assert_eq!(sequences(&bench.path("out"))[0]["frames"], "14");
    // Without a folder in the path and without a name for the video: both lie in the current folder.
    fs::rename(&video, bench.path("gt.mp4")).unwrap();
    bench.track("beside", &["--data", "mot=gt.txt"]).run_well();
    assert_eq!(sequences(&bench.path("beside"))[0]["frames"], "14");
}

#[test]
fn media_and_truth_in_a_folder_whose_name_is_not_utf_8_are_tracked() {
    let bench = Bench::new();
    let all = boxes(6);
    let name = OsStr::from_bytes(b"nu\xff");
    draw(&bench.path("").join(name).join("street"), &all, |frame| {
        format!("{}.jpg", frame + 1)
    });
    let BoxXywh { x, y, w, h } = all[0];
    let row = format!("1,1,{x},{y},{w},{h}\n6,1,{x},{y},{w},{h}\n");
    fs::write(bench.path("gt.txt"), row).unwrap();
    let run = bench.track("out", &["--data", "mot=gt.txt"]);
    let mut command = run.command();
    command.arg("--media").arg(Path::new(name).join("street"));
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let text = fs::read(bench.path("out/summary.json")).unwrap();
    let summary: Value = serde_json::from_slice(&text).unwrap();
    let media = summary["run"]["media"].as_str().unwrap();
    assert!(media.ends_with("nu\u{fffd}/street"), "{media}");
}

#[test]
fn results_are_the_same_for_one_and_for_four_workers() {
    let bench = Bench::new();
    for name in ["A", "B", "C", "D", "E"] {
        bench.got10k("set", name, 12);
    }
    let results = |out: &str, workers: &str| {
        let more = ["--data", "got10k=set/val"];
        bench.track(out, &more).replace("2", workers).run_well();
        let mut files = files(&bench.path(out));
        files.retain(|name, _| name.ends_with("_001.txt") || name.ends_with("_confidence.txt"));
        files
    };
    let (one, four) = (results("one", "1"), results("four", "4"));
    assert_eq!(one.len(), 10);
    assert!(one == four);
}

#[test]
fn data_sets_of_one_kind_are_listed_separately_and_in_total() {
    let bench = Bench::new();
    bench.got10k("calm", "A", 6);
    bench.got10k("fast", "A", 9);
    let data = [
        "--data",
        "got10k=calm/val",
        "--data",
        "got10k=fast",
        "--splits",
        "val",
    ];
    let ran = bench.track("out", &data).arg("--per-sequence").run_well();
    let table: Vec<Vec<&str>> = ran
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let column = |number: usize| table.iter().filter_map(move |row| row.get(number).copied());
    for name in ["got10k-calm-val", "got10k-fast", "all"] {
        assert!(column(1).any(|cell| cell == name), "{}", ran.stdout);
    }
    assert!(column(3).any(|cell| cell == "15"), "{}", ran.stdout);
    assert!(column(2).any(|cell| cell == "val/A"), "{}", ran.stdout);
}

#[test]
fn names_and_a_limit_select_sequences() {
    let bench = Bench::new();
    for name in ["A_1", "A_2", "A_3", "B_1"] {
        bench.got10k("set", name, 4);
    }
    let names = |out: &str, more: &[&str]| {
        bench
            .track(out, &[&["--data", "got10k=set/val"], more].concat())
            .run_well();
        let rows = sequences(&bench.path(out));
        rows.iter()
            .map(|row| row["sequence"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names("a", &["--sequences", "A_*,val/B_1", "--limit", "2"]),
        ["val/A_1", "val/A_2"]
    );
    assert_eq!(names("b", &["--sequences", "?_1"]), ["val/A_1", "val/B_1"]);
}

#[test]
fn the_page_shows_each_sequence_with_boxes_and_curves_and_the_plot_is_written() {
    let bench = Bench::new();
    for (name, len) in [("A", 20), ("B", 3)] {
        bench.got10k("set", name, len);
    }
    let more = [
        "--data",
        "got10k=set/val",
        "--gallery",
        "page.html",
        "--plot",
        "plot.svg",
    ];
    let written = bench.track("out", &more).run_json();
    let html = fs::read_to_string(bench.path("page.html")).unwrap();
    assert_eq!(written["gallery"]["bytes"], html.len());
    assert_eq!(html.matches("<article>").count(), 2);
    assert_eq!(html.matches("<figure>").count(), 8 + 3);
    assert!(!html.contains("This frame cannot be shown"));
    assert!(html.matches("class=\"line truth\"").count() > 11);
    let svg = fs::read_to_string(bench.path("plot.svg")).unwrap();
    assert!(svg.contains("<polyline") && svg.contains(">dcf<"));
    // The page of a finished run can be written later.
    fs::remove_file(bench.path("page.html")).unwrap();
    let again = bench.track("out", &more).run_json();
    assert_eq!(again["is_complete_already"], true);
    assert_eq!(fs::read_to_string(bench.path("page.html")).unwrap(), html);
}
