//! `vidpairs list`: a pinned source.

use std::fs;
use std::fs::File;
use std::time::{Duration, SystemTime};

use vidpairs_fixtures::extract::media::{h264, jpegs};
use vidpairs_fixtures::extract::{FRAMES, Work, assert_same_files, dataset};

fn work() -> Work {
    let work = Work::new(FRAMES);
    for name in ["a.mp4", "b #%20.mp4", "ä.mp4"] {
        h264(&work.clips().join(name), "64x48", 60);
    }
    jpegs(&work.path("clips/pictures"), "64x48", 40);
    fs::write(work.path("clips/notes.txt"), "").unwrap();
    std::os::unix::fs::symlink("nowhere", work.path("clips/broken.mp4")).unwrap();
    work
}

fn listed(work: &Work) -> Vec<serde_json::Value> {
    let list = [
        "list",
        "pipeline.toml",
        "--source",
        "clips",
        "--out",
        "clips.jsonl",
    ];
    let summary = work.vidpairs(&list).run_json();
    let lines = dataset::json_lines(&work.path("clips.jsonl"));
    assert_eq!(summary["clips"], lines.len() as u64 - 1);
    lines
}

#[test]
fn a_list_has_a_line_for_each_clip_and_gives_the_bytes_of_its_folder() {
    let work = work();
    let lines = listed(&work);
    let ids: Vec<&str> = lines[1..]
        .iter()
        .map(|line| {
            let id = line["id"].as_str();
            id.or(line["set_aside"]["id"].as_str()).unwrap()
        })
        .collect();
    assert_eq!(
        ids,
        ["a.mp4", "b #%20.mp4", "broken.mp4", "pictures", "ä.mp4"]
    );
    assert_eq!(lines[0]["clips"], 5);
    let of_a = fs::metadata(work.path("clips/a.mp4")).unwrap();
    assert_eq!(lines[1]["files"]["bytes"], of_a.len());
    assert_eq!(lines[1]["media"]["video"], "a.mp4");
    for (number, line) in lines[1..].iter().enumerate() {
        assert_eq!(line["ordinal"], number as u64);
    }
    work.extract("folder").run_well();
    work.extract("list")
        .replace("clips", "clips.jsonl")
        .run_well();
    assert_same_files(&work.path("list"), &work.path("folder"), "from a list");
    // From another place, with the folder stated in the header.
    let text = fs::read_to_string(work.path("clips.jsonl")).unwrap();
    fs::rename(work.clips(), work.path("moved")).unwrap();
    let clips = work.clips().canonicalize().unwrap_or_else(|_| work.clips());
    let moved = text.replace(
        clips.to_str().unwrap(),
        work.path("moved").to_str().unwrap(),
    );
    fs::create_dir(work.path("lists")).unwrap();
    fs::write(work.path("lists/moved.jsonl"), moved).unwrap();
    work.extract("moved-out")
        .replace("clips", "lists/moved.jsonl")
        .run_well();
    let samples = |out: &str| dataset::samples(&work.path(out)).len();
    assert_eq!(samples("moved-out"), samples("folder"));
}

#[test]
fn a_single_video_and_a_list_of_paths_can_be_pinned() {
    let work = work();
    fs::write(work.path("paths.txt"), "clips/ä.mp4\nclips/pictures\n").unwrap();
    for source in ["clips/a.mp4", "paths.txt"] {
        let list = [
            "list",
            "pipeline.toml",
            "--source",
            source,
            "--out",
            "pinned",
        ];
        work.vidpairs(&list).run_well();
        for (from, out) in [(source, "direct"), ("pinned", "out")] {
            work.extract(out).replace("clips", from).run_well();
        }
        assert_same_files(&work.path("out"), &work.path("direct"), source);
        for made in ["direct", "out"] {
            fs::remove_dir_all(work.path(made)).unwrap();
        }
        fs::remove_file(work.path("pinned")).unwrap();
    }
}

#[test]
fn a_clip_that_changed_since_it_was_listed_is_refused_and_the_others_are_taken() {
    let work = work();
    listed(&work);
    h264(&work.path("clips/a.mp4"), "64x48", 90);
    let later = SystemTime::now() + Duration::from_secs(5);
    let ä = File::options()
        .append(true)
        .open(work.path("clips/ä.mp4"))
        .unwrap();
    ä.set_modified(later).unwrap();
    fs::remove_file(work.path("clips/b #%20.mp4")).unwrap();
    let summary = work
        .extract("out")
        .replace("clips", "clips.jsonl")
        .run_json();
    assert_eq!(summary["refused"], 4, "{summary}");
    let reason = |id: &str| {
        let line = dataset::refusal_of(&work.path("out"), id);
        line["reason"].as_str().unwrap().to_owned()
    };
    assert!(
        reason("a.mp4").starts_with("changed since it was listed: "),
        "{}",
        reason("a.mp4")
    );
    assert!(
        reason("a.mp4").contains("bytes then"),
        "{}",
        reason("a.mp4")
    );
    assert!(
        reason("ä.mp4").contains("another time"),
        "{}",
        reason("ä.mp4")
    );
    assert!(
        reason("b #%20.mp4").contains("No such file"),
        "{}",
        reason("b #%20.mp4")
    );
    assert!(
        dataset::samples(&work.path("out"))
            .iter()
            .all(|sample| sample.json["clip"] == "pictures")
    );
}

#[test]
fn a_list_that_is_cut_edited_or_of_another_source_is_refused_with_the_line() {
    let work = work();
    listed(&work);
    let text = fs::read_to_string(work.path("clips.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let refused = |text: String, words: &[&str]| {
        fs::write(work.path("other.jsonl"), text).unwrap();
        let run = work.extract("out").replace("clips", "other.jsonl");
        run.run().failed_with(2, words);
        assert!(!work.path("out").exists());
    };
    refused(
        lines[..4].join("\n"),
        &["other.jsonl line 5", "it ends after 3 of 5 clips"],
    );
    refused(
        [lines[0], lines[2]].join("\n"),
        &["line 2", "ordinal is 1; expected 0"],
    );
    refused(
        text.replace("\"a.mp4\",\"media", "\"c.mp4\",\"media"),
        &["their ids were changed"],
    );
    refused(
        text.replace("\"ordinal\":2", "\"ordinal\":two"),
        &["other.jsonl line 4"],
    );
    refused(
        text.replace("\"format_version\":1", "\"format_version\":2"),
        &["use a newer vidpairs"],
    );
    refused(
        text.replace("\"kind\":\"videos\"", "\"kind\":\"got10k\""),
        &["source.kind = \"got10k\"", "\"videos\""],
    );
    for no_list in ["", "a.mp4\n", "{\"format\": \"other\"}\n", &text[1..]] {
        refused(no_list.to_owned(), &["other.jsonl line 1"]);
    }
    let list = [
        "list",
        "pipeline.toml",
        "--source",
        "clips",
        "--out",
        "clips.jsonl",
    ];
    work.vidpairs(&list)
        .run()
        .failed_with(2, &["clips.jsonl exists already"]);
    // Parts that were begun with a list go on with it alone.
    let part = |source: &str, part: &str| {
        let run = work.extract("parts").replace("clips", source);
        run.arg("--part").arg(part).run()
    };
    assert_eq!(part("clips.jsonl", "0/2").code, Some(0));
    part("clips", "1/2").failed_with(2, &["another list of clips"]);
}
