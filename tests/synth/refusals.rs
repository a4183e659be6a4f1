//! Damaged objects, wrong folders and wrong options: refusals and error messages.

use std::collections::BTreeSet;
use std::fs;

use vidpairs_fixtures::extract::media::{blot, h264, jpegs};
use vidpairs_fixtures::extract::{Extract, files};
use vidpairs_fixtures::synth::{Work, lines, objects, objects_in_view, truths, with};

/// A run of two short videos of the objects in `objects`.
fn short(work: &Work, objects: &str) -> Extract {
    let options = [
        ["--objects", objects],
        ["--videos", "1"],
        ["--held-out-videos", "1"],
        ["--frames", "2"],
    ];
    let run = work.synth("got10k", "out");
    options
        .iter()
        .fold(run, |run, [option, value]| with(run, option, value))
}

/// Asserts that `refused.jsonl` has exactly the ids of `expected`, each with its word in the reason.
#[track_caller]
fn assert_refused(work: &Work, out: &str, expected: &[(String, &str)]) {
    let lines = lines(&work.path(out), "refused.jsonl");
    let ids: Vec<&str> = lines
        .iter()
        .map(|line| line["id"].as_str().unwrap())
        .collect();
    let expected_ids: Vec<&str> = expected.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, expected_ids, "{lines:?}");
    for (line, (_, word)) in lines.iter().zip(expected) {
        let reason = line["reason"].as_str().unwrap();
        assert!(reason.contains(word), "no {word:?} in {line}");
        assert!(!reason.contains("panic"), "{line}");
    }
}

#[test]
fn bad_objects_are_refused_by_name_and_the_good_ones_rendered() {
    let work = Work::new();
    let bad = objects::write_bad(&work.path("sticks"));
    let run = with(work.synth("aloi", "out"), "--num-objects", "1000");
    let summary = run.run_json();
    assert_eq!([&summary["items"], &summary["items_refused"]], [8, 6]);
    assert_refused(&work, "out", &bad);
    assert_eq!(summary["refused"], 6);
    let good = objects::ids("stick")[2..].to_vec();
    assert_eq!(objects_in_view(&work.path("out")), good);
    assert_eq!(truths(&work.path("out")).len(), 216);
    let stdout = run.run_well().stdout;
    for word in [
        "6 objects could not be made",
        "refused.jsonl says what and why",
    ] {
        assert!(stdout.contains(word), "{stdout}");
    }
}

#[test]
fn bad_objects_are_left_out_of_videos() {
    let work = Work::new();
    let bad = objects::write_bad(&work.path("objects"));
    let options = [
        ["--held-out-videos", "6"],
        ["--clutter", "6"],
        ["--frames", "1"],
    ];
    let run = work.synth("trackingnet", "out");
    let run = options
        .iter()
        .fold(run, |run, [option, value]| with(run, option, value));
    let summary = run.run_json();
    assert_eq!([&summary["items"], &summary["items_refused"]], [9, 0]);
    let refused = lines(&work.path("out"), "refused.jsonl");
    assert!(!refused.is_empty(), "none was drawn");
    for line in refused {
        let (_, word) = bad.iter().find(|(id, _)| line["id"] == *id).unwrap();
        assert!(line["reason"].as_str().unwrap().contains(word), "{line}");
    }
    let seen = objects_in_view(&work.path("out"));
    assert!(seen.iter().all(|id| !id.starts_with("bad/")), "{seen:?}");
}

#[test]
fn objects_of_every_kind_of_file_are_rendered() {
    // Objects without normals, with faces of five corners, with a texture, and with none of these.
    let work = Work::new();
    work.synth("pascal3d", "out").run_well();
    assert_refused(&work, "out", &[]);
    let mut classes = BTreeSet::new();
    for truth in truths(&work.path("out")) {
        if truth.image.contains("_imagenet/") {
            assert_eq!(truth.visible_share, 1.0, "{truth:?}");
            let bbox = truth.box_xywh.unwrap();
            assert!(bbox.w.min(bbox.h) > 15.0, "{truth:?}");
            classes.insert(truth.category);
        }
    }
    assert_eq!(
        classes.iter().collect::<Vec<_>>(),
        ["ball", "car", "chair", "vase"]
    );
}

#[test]
fn a_run_without_a_renderable_object_fails() {
    let work = Work::new();
    let bad = objects::write_bad(&work.path("wrecks"));
    let aloi = with(work.synth("aloi", "out"), "--objects", "wrecks");
    let words = ["none of the 2 items could be made", "bad/"];
    aloi.run().failed_with(2, &words);
    let videos = with(short(&work, "wrecks"), "--videos", "0");
    let words = [
        "none of the 1 items could be made",
        "none of the 6 objects to choose from can be rendered",
    ];
    with(videos, "--out", "videos").run().failed_with(2, &words);
    assert_eq!(bad.len(), 6);
}

#[test]
fn a_video_of_one_class_has_clutter_of_other_classes_as_far_as_there_is_any() {
    let work = Work::new();
    let run = with(short(&work, "objects"), "--categories", "car");
    let run = with(with(run, "--clutter", "20"), "--occlusion", "1");
    let summary = run.run_json();
    assert_eq!(summary["items_refused"], 0);
    for truth in truths(&work.path("out")) {
        assert_eq!(truth.category, "car");
    }
    let seen = objects_in_view(&work.path("out"));
    assert!(seen.iter().any(|id| !id.starts_with("car/")), "{seen:?}");
}

#[test]
fn a_catalogue_is_read_and_its_credits_are_written() {
    let work = Work::new();
    let ids = objects::ids("car");
    let credit = ["A. Turner", "CC BY 3.0"];
    objects::catalogue(&work.path("cars.sh3f"), &work.path("objects"), &ids, credit);
    let run = with(short(&work, "cars.sh3f"), "--categories", "Vehicles");
    with(run, "--clutter", "1").run_well();
    let credits = lines(&work.path("out"), "credits.jsonl");
    assert!(credits.len() > 1);
    for line in credits {
        let id = line["object"]
            .as_str()
            .unwrap()
            .strip_prefix("Own#")
            .unwrap();
        assert!(ids.iter().any(|known| known == id), "{line}");
        assert_eq!([&line["creator"], &line["licence"]], credit, "{line}");
        assert_eq!(line["name"], id.replace('/', " "));
    }
}

#[test]
fn a_broken_catalogue_is_an_error_if_named_and_a_refusal_if_found_in_a_folder() {
    let work = Work::new();
    fs::write(work.path("broken.sh3f"), "no zip").unwrap();
    let named = short(&work, "broken.sh3f").run();
    named.failed_with(2, &["broken.sh3f is not a catalogue"]);
    fs::rename(work.path("broken.sh3f"), work.path("objects/broken.sh3f")).unwrap();
    short(&work, "objects").run_well();
    assert_refused(
        &work,
        "out",
        &[("broken.sh3f".to_owned(), "not a catalogue")],
    );
}

#[test]
fn the_error_for_missing_objects_names_the_path() {
    let work = Work::new();
    let ran = short(&work, "nowhere").run();
    ran.failed_with(2, &["nowhere does not exist"]);
    assert_eq!(ran.stderr.matches("nowhere").count(), 1, "{}", ran.stderr);
    fs::create_dir(work.path("bare")).unwrap();
    fs::write(work.path("bare/readme.txt"), "").unwrap();
    let ran = short(&work, "bare").run();
    ran.failed_with(2, &["no object in bare", ".sh3f", ".obj", "1 other file"]);
    assert!(!work.path("out").exists());
}

#[test]
fn a_category_without_objects_is_reported_and_the_others_are_rendered() {
    let work = Work::new();
    let run = with(short(&work, "objects"), "--categories", "car,chiar,zebra");
    let ran = with(with(run, "--clutter", "0"), "--occlusion", "0").run_well();
    for word in [
        "no object of category `chiar`; did you mean `chair`?",
        "`zebra`",
    ] {
        assert!(ran.stdout.contains(word), "{}", ran.stdout);
    }
    let seen = objects_in_view(&work.path("out"));
    assert!(seen.iter().all(|id| id.starts_with("car/")), "{seen:?}");

    let run = with(short(&work, "objects"), "--categories", "zebra,yak");
    let words = [
        "`zebra`",
        "`yak`",
        "training half",
        "there are ball, car, chair, vase",
    ];
    with(run, "--out", "none").run().failed_with(2, &words);
    assert!(!work.path("none").exists());
}

#[test]
fn damaged_backgrounds_are_refused_by_name_and_the_others_used() {
    let work = Work::new();
    let folder = work.path("backgrounds");
    let pictures = jpegs(&folder, "160x120", 2);
    fs::write(&pictures[1], "no picture").unwrap();
    h264(&folder.join("a.mp4"), "160x120", 20);
    h264(&folder.join("b.mp4"), "160x120", 20);
    blot(&folder.join("b.mp4"), 0.0..1.0);
    let run = with(short(&work, "objects"), "--backgrounds", "backgrounds");
    let summary = with(with(run, "--videos", "8"), "--held-out-videos", "8").run_json();
    assert_eq!([&summary["items"], &summary["items_refused"]], [16, 0]);
    let (video, picture) = (
        "backgrounds/b.mp4".to_owned(),
        "backgrounds/1.jpg".to_owned(),
    );
    assert_refused(&work, "out", &[(picture, "neither JPEG, PNG"), (video, "")]);
}

#[test]
fn a_folder_without_backgrounds_is_refused() {
    let work = Work::new();
    fs::create_dir(work.path("bare")).unwrap();
    fs::write(work.path("bare/readme.txt"), "").unwrap();
    for (folder, words) in [
        (
            "bare",
            [
                "no picture (JPEG, PNG, WebP, BMP, TIFF) and no video in bare",
                "",
            ],
        ),
        (
            "nowhere",
            ["cannot look for backgrounds in nowhere", "No such file"],
        ),
    ] {
        let run = with(short(&work, "objects"), "--backgrounds", folder);
        run.run().failed_with(2, &words);
    }
    fs::write(work.path("bare/torn.png"), "no picture").unwrap();
    let run = with(short(&work, "objects"), "--backgrounds", "bare");
    let words = [
        "none of the 2 items could be made",
        "backgrounds that were tried can be read",
    ];
    run.run().failed_with(2, &words);
}

#[test]
fn the_error_for_an_option_of_another_kind_names_the_kinds_that_have_it() {
    let work = Work::new();
    let cases = [
        ("aloi", "--frames", "9", "trackingnet and got10k"),
        ("pascal3d", "--turn", "9", "trackingnet and got10k"),
        ("aloi", "--azimuths", "9", "pascal3d"),
        (
            "aloi",
            "--size",
            "96x64",
            "trackingnet, got10k, pascal3d, coco and voc",
        ),
        ("got10k", "--container", "zip", "trackingnet"),
        ("pascal3d", "--container", "zip", "trackingnet"),
        ("trackingnet", "--half", "both", "aloi and pascal3d"),
        ("got10k", "--elevations", "0", "pascal3d"),
        ("aloi", "--images", "9", "coco and voc"),
        ("got10k", "--objects-per-image", "3", "coco and voc"),
        ("coco", "--half", "both", "aloi and pascal3d"),
        ("voc", "--frames", "9", "trackingnet and got10k"),
    ];
    for (kind, option, value, kinds) in cases {
        let ran = with(work.bare(kind, "out"), option, value).run();
        ran.failed_with(2, &[option, kind, kinds]);
    }
    assert!(!work.path("out").exists());
}

#[test]
fn the_error_for_a_value_out_of_range_states_the_range() {
    let work = Work::new();
    let cases = [
        ("got10k", "--frames", "0", "from 1 to"),
        ("got10k", "--fps", "241", "from 1 to 240"),
        ("got10k", "--fps", "many", "invalid"),
        ("got10k", "--occlusion", "1.5", "from 0 to 1"),
        ("got10k", "--occlusion", "NaN", "from 0 to 1"),
        ("got10k", "--speed", "inf", "from 0 to 20"),
        ("got10k", "--clutter", "21", "from 0 to 20"),
        ("got10k", "--noise", "65", "from 0 to 64"),
        ("got10k", "--size", "96", "WIDTHxHEIGHT"),
        ("got10k", "--size", "31x64", "32 to 4096"),
        ("got10k", "--size", "96x5000", "32 to 4096"),
        ("got10k", "--quality", "0", "1..=100"),
        ("aloi", "--num-objects", "0", "from 1 to 1000"),
        ("aloi", "--num-objects", "1001", "from 1 to 1000"),
        ("pascal3d", "--azimuths", "361", "from 1 to 360"),
        ("pascal3d", "--elevations", "0,91", "from -90 to 90"),
        ("coco", "--images", "500001", "from 0 to 500000"),
        ("coco", "--objects-per-image", "0-3", "MIN-MAX such as 3-7"),
        ("voc", "--objects-per-image", "5-4", "from 1 to 20"),
        ("voc", "--objects-per-image", "many", "MIN-MAX"),
        ("voc", "--objects-per-image", "3-21", "from 1 to 20"),
        ("trackingnet", "--size", "33x32", "even sides"),
        (
            "trackingnet",
            "--container",
            "avi",
            "possible values: zip, mp4, both",
        ),
        ("video", "--frames", "9", "possible values: trackingnet"),
    ];
    for (kind, option, value, expected) in cases {
        let ran = with(work.bare(kind, "out"), option, value).run();
        let named = if kind == "video" { "--kind" } else { option };
        let value = if kind == "video" { kind } else { value };
        ran.failed_with(2, &[named, value, expected]);
    }
    let none = with(work.bare("got10k", "out"), "--videos", "0");
    let ran = with(none, "--held-out-videos", "0").run();
    ran.failed_with(2, &["--videos", "0", "--held-out-videos"]);
    let none = with(work.bare("coco", "out"), "--images", "0");
    let ran = with(none, "--held-out-images", "0").run();
    ran.failed_with(2, &["--images", "0", "--held-out-images"]);
    assert!(!work.path("out").exists());

    let odd = with(work.synth("trackingnet", "odd"), "--size", "33x35");
    with(odd, "--container", "zip").run_well();
    assert!(
        files(&work.path("odd"))
            .keys()
            .any(|name| name.ends_with(".zip"))
    );
}
