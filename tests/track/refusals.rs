//! Refusals of `vidpairs track`, and that other sequences are still scored.

use std::fs;

use vidpairs_fixtures::extract::dataset::{refusal_of, refused};
use vidpairs_fixtures::track::{Bench, boxes, rows};

const DATA: [&str; 2] = ["--data", "got10k=set/val"];

#[test]
fn an_unreadable_sequence_is_refused_and_others_are_scored() {
    let bench = Bench::new();
    bench.got10k("set", "good", 6);
    let first = bench.got10k("set", "first", 6);
    fs::write(first.join("00000001.jpg"), b"no jpeg").unwrap();
    let short = bench.got10k("set", "short", 6);
    fs::remove_file(short.join("00000006.jpg")).unwrap();
    let truth = bench.got10k("set", "truth", 6);
    fs::write(truth.join("groundtruth.txt"), "1,2,3\n").unwrap();
    let tiny = bench.got10k("set", "tiny", 2);
    fs::write(tiny.join("groundtruth.txt"), "20,30,2,2\n20,30,2,2\n").unwrap();
    let unlike = bench.got10k("set", "nowhere", 2);
    fs::write(unlike.join("groundtruth.txt"), "0,0,0,0\n20,30,20,20\n").unwrap();
    let ran = bench.track("out", &DATA).run();
    ran.failed_with(1, &["5 of 6 sequences were refused, more than a tenth"]);
    assert!(ran.stdout.contains("5 refused"), "{}", ran.stdout);
    let out = bench.path("out");
    for (id, stage, reason) in [
        (
            "got10k/val/first",
            "decode",
            "frame 0, the first, cannot be decoded",
        ),
        ("got10k/val/short", "decode", "5 frames, but truth for 6"),
        (
            "got10k/val/truth",
            "source",
            "line 1: \"1,2,3\"; expected four numbers",
        ),
        ("got10k/val/tiny (dcf)", "track", "too little inside"),
        (
            "got10k/val/nowhere",
            "source",
            "the first box has no area, so there is nothing to follow",
        ),
    ] {
        let line = refusal_of(&out, id);
        assert_eq!(
            (&line["stage"], &line["outcome"]),
            (&stage.into(), &"refused".into())
        );
        assert!(line["reason"].as_str().unwrap().contains(reason), "{line}");
    }
    let table = fs::read_to_string(out.join("sequences.csv")).unwrap();
    assert_eq!(table.lines().count(), 2);
}

#[test]
fn a_damaged_frame_repeats_the_previous_box_and_is_reported() {
    let bench = Bench::new();
    let folder = bench.got10k("set", "A", 8);
    fs::write(folder.join("00000004.jpg"), b"no jpeg").unwrap();
    fs::remove_file(folder.join("00000006.jpg")).unwrap();
    bench.track("out", &DATA).run_well();
    let line = refusal_of(&bench.path("out"), "got10k/val/A");
    assert_eq!(line["outcome"], "partial");
    assert!(
        line["reason"]
            .as_str()
            .unwrap()
            .starts_with("2 of 8 frames cannot be decoded")
    );
    let read = |name: &str| {
        let text = fs::read_to_string(bench.path("out/got10k/dcf/A").join(name)).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (boxes, times) = (read("A_001.txt"), read("A_time.txt"));
    assert_eq!((&boxes[3], &boxes[5]), (&boxes[2], &boxes[4]));
    assert_eq!(
        (times[3].as_str(), times[5].as_str(), times.len()),
        ("nan", "nan", 8)
    );
}

#[test]
fn invalid_boxes_are_ignored_if_nothing_is_visible_and_misses_otherwise() {
    let bench = Bench::new();
    let mut truth = boxes(6);
    truth[2].w = 0.0;
    truth[4].h = 0.0;
    for (name, cover) in [
        ("absent", "8\n8\n0\n8\n0\n8\n"),
        ("damaged", "8\n8\n8\n8\n8\n8\n"),
    ] {
        let folder = bench.got10k("set", name, 6);
        fs::write(folder.join("groundtruth.txt"), rows(&truth)).unwrap();
        fs::write(folder.join("cover.label"), cover).unwrap();
    }
    let summary = bench.track("out", &DATA).run_json();
    assert_eq!(summary["scores"][0]["scored_frames"], 3 + 5);
    let lines = refused(&bench.path("out"));
    assert_eq!(
        (lines.len(), &lines[0]["id"]),
        (1, &"got10k/val/damaged".into())
    );
    assert_eq!(
        lines[0]["reason"],
        "2 of 6 frames have no true box and count as misses"
    );
}

#[test]
fn wrong_options_are_refused_before_any_work_and_leave_no_folder() {
    let bench = Bench::new();
    bench.got10k("set", "A", 3);
    let fails = |more: &[&str], words: &[&str]| {
        bench.track("out", more).run().failed_with(2, words);
        assert!(!bench.path("out").exists(), "{more:?}");
    };
    fails(
        &["--data", "got10k"],
        &["--data is got10k; expected got10k=PATH"],
    );
    fails(&["--data", "otb=x"], &["--data is otb=x"]);
    fails(&["--data", "got10k=nowhere"], &["nowhere does not exist"]);
    fails(
        &["--data", "mot=set/val/A"],
        &["neither a video groundtruth.*", "frame,id,left,top"],
    );
    fails(
        &[&DATA[..], &["--tracker", "siam"]].concat(),
        &["--tracker is siam; expected one of dcf"],
    );
    fails(
        &[&DATA[..], &["--media", "x"]].concat(),
        &["--media applies to mot, not to got10k"],
    );
    fails(
        &[&DATA[..], &["--sequences", "B*"]].concat(),
        &["no sequence is called B*"],
    );
    fails(
        &[&DATA[..], &["--plot", "no/p.svg"]].concat(),
        &["there is no folder no"],
    );
}

#[test]
fn a_folder_with_other_files_or_another_run_is_refused() {
    let bench = Bench::new();
    bench.got10k("set", "A", 3);
    bench.got10k("set", "B", 3);
    fs::create_dir(bench.path("mine")).unwrap();
    fs::write(bench.path("mine/notes.txt"), "mine").unwrap();
    bench
        .track("mine", &DATA)
        .run()
        .failed_with(2, &["found notes.txt"]);
    bench.track("out", &DATA).run_well();
    let ran = bench
        .track("out", &[&DATA[..], &["--sequences", "A"]].concat())
        .run();
    ran.failed_with(
        2,
        &["out holds results with other settings (sequences was 2, is 1"],
    );
    let ran = bench.track("out", &DATA).run_well();
    assert!(ran.stdout.contains("complete already"), "{}", ran.stdout);
}

#[test]
fn a_folder_with_the_results_of_another_command_is_refused_with_what_they_are() {
    let bench = Bench::new();
    bench.got10k("set", "A", 3);
    let pipeline = "[source]\nkind = 'got10k'\nsplits = ['val']\n[pairs]\nkind = 'frames'\nk = 1\n";
    fs::write(bench.path("frames.toml"), pipeline).unwrap();
    let extract = |out: &str| {
        let mut run = bench.track(out, &[]);
        let args = ["extract", "frames.toml", "--source", "set", "--out", out];
        run.args = args.map(str::to_owned).to_vec();
        run
    };
    extract("pairs").run_well();
    bench.track("pairs", &DATA).run().failed_with(
        2,
        &[
            "pairs holds pairs written by `vidpairs extract`",
            "choose an empty or a new folder for --out",
        ],
    );
    bench.track("out", &DATA).run_well();
    extract("out")
        .run()
        .failed_with(2, &["out holds results of `vidpairs track`"]);
}

#[test]
fn the_error_states_the_first_reason_if_no_sequence_could_be_tracked() {
    let bench = Bench::new();
    let folder = bench.got10k("set", "A", 3);
    fs::write(folder.join("groundtruth.txt"), "nan,1,2,3\n").unwrap();
    let words = [
        "none of the 1 sequences could be tracked",
        "the first box has no area, so there is nothing to follow",
    ];
    bench.track("out", &DATA).run().failed_with(2, &words);
}
