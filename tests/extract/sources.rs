//! Which files of a source `vidpairs extract` takes, and that boxes stay with their frames.

use std::fs;

use serde_json::json;
use vidpairs_fixtures::extract::Work;
use vidpairs_fixtures::extract::dataset::{manifest, refusal_of, refused, samples};
use vidpairs_fixtures::extract::media::{H264, Video, h264, jpegs};

const FRAMES: &str = "[source]\nkind = 'videos'\n[pairs]\nkind = 'frames'\nk = 5\nper_video = 4\n\
                      [images]\nshort_side = 32\n[extract]\nmax_refused = '100%'\n";
const TRACKS: &str = "[pairs]\nkind = 'tracks'\nk = 3\nstride = 1\n\
                      [images]\nshort_side = 32\n[extract]\nmax_refused = '100%'\n";

/// Lines of boxes whose left edge is the index of their frame.
fn boxes(count: u32) -> String {
    (0..count)
        .map(|frame| format!("{frame},4,30,30\n"))
        .collect()
}

#[test]
fn a_box_stays_with_its_frame_where_the_first_pictures_are_missing() {
    for (kind, frames, first, annotation, list) in [
        (
            "trackingnet",
            "TRAIN_0/frames/v_0",
            0,
            "TRAIN_0/anno/v_0.txt",
            None,
        ),
        (
            "got10k",
            "train/v_0",
            1,
            "train/v_0/groundtruth.txt",
            Some("train/list.txt"),
        ),
    ] {
        let work = Work::new(&format!("[source]\nkind = '{kind}'\n{TRACKS}"));
        let folder = work.path("clips").join(frames);
        jpegs(&work.path("made"), "96x64", 60);
        fs::create_dir_all(&folder).unwrap();
        for frame in (2..60).filter(|frame| *frame != 30) {
            let made = work.path("made").join(format!("{frame}.jpg"));
            fs::copy(made, folder.join(format!("{}.jpg", frame + first))).unwrap();
        }
        let annotation = work.path("clips").join(annotation);
        fs::create_dir_all(annotation.parent().unwrap()).unwrap();
        fs::write(&annotation, boxes(60)).unwrap();
        if let Some(list) = list {
            fs::write(work.path("clips").join(list), "v_0\n").unwrap();
        }
        work.extract("out").run_well();
        let found = samples(&work.path("out"));
        // Anchors 2 to 56, without 27 and 30, which pair with or are the missing frame 30.
        assert_eq!(found.len(), 53, "{kind}");
        for sample in found {
            for role in ["anchor", "positive"] {
                let view = &sample.json[role];
                assert_eq!(
                    view["box_xywh"][0],
                    json!(view["frame"].as_f64().unwrap()),
                    "{kind}"
                );
            }
        }
        let [line] = &refused(&work.path("out"))[..] else {
            panic!("{kind}: one line for the clip")
        };
        let reason = line["reason"].as_str().unwrap();
        let missing = format!("3 of 60 frames have no picture, the first of them number {first}");
        assert!(reason.contains(&missing), "{reason}");
    }
}

#[test]
fn pictures_numbered_from_1_are_refused_where_boxes_count_from_0() {
    let work = Work::new(&format!("[source]\nkind = 'trackingnet'\n{TRACKS}"));
    let folder = work.path("clips/TRAIN_0/frames/v_0");
    let made = jpegs(&folder, "96x64", 60);
    fs::rename(&made[0], folder.join("60.jpg")).unwrap();
    fs::create_dir_all(work.path("clips/TRAIN_0/anno")).unwrap();
    fs::write(work.path("clips/TRAIN_0/anno/v_0.txt"), boxes(60)).unwrap();
    work.extract("out").run();
    let line = refusal_of(&work.path("out"), "TRAIN_0/v_0");
    assert_eq!(line["outcome"], "refused");
    let reason = line["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("60 boxes for frames 0 to 59, but the pictures are frames 1 to 60;"),
        "{reason}"
    );
}

#[test]
fn more_boxes_than_frames_are_reported() {
    let work = Work::new(&format!("[source]\nkind = 'trackingnet'\n{TRACKS}"));
    jpegs(&work.path("clips/TRAIN_0/frames/v_0"), "96x64", 50);
    fs::create_dir_all(work.path("clips/TRAIN_0/anno")).unwrap();
    fs::write(work.path("clips/TRAIN_0/anno/v_0.txt"), boxes(60)).unwrap();
    work.extract("out").run_well();
    let line = refusal_of(&work.path("out"), "TRAIN_0/v_0");
    assert_eq!(line["outcome"], "partial");
    assert_eq!(line["reason"], "60 lines of boxes for 50 frames");
}

#[test]
fn ignored_files_are_counted_by_extension_in_the_summary_and_in_the_manifest() {
    let work = Work::new(FRAMES);
    h264(&work.path("clips/a.mp4"), "64x48", 30);
    let mpeg2: &[&str] = &["-c:v", "mpeg2video"];
    for (name, like, codec) in [
        ("b.MOD", "a.mpg", mpeg2),
        ("c.tod", "a.mpg", mpeg2),
        ("d.m2t", "a.ts", H264),
        ("e.divx", "a.avi", H264),
    ] {
        let video = Video {
            size: "64x48",
            frames: 30,
            codec,
        };
        video.write(&work.path(like));
        fs::rename(work.path(like), work.path("clips").join(name)).unwrap();
    }
    for name in ["a.srt", "b.SRT", "c.nfo", "README", "cover.jpg"] {
        fs::write(work.path("clips").join(name), "x").unwrap();
    }
    let ran = work.extract("out").run_well();
    let expected = "ignored 5 other files (2 .srt, 1 .jpg, 1 .nfo, 1 without extension)";
    assert!(ran.stdout.contains(expected), "{}", ran.stdout);
    let manifest = manifest(&work.path("out"));
    assert_eq!(
        manifest["ignored"],
        json!({"": 1, "jpg": 1, "nfo": 1, "srt": 2})
    );
    assert_eq!(manifest["totals"]["clips"], 5);
    assert_eq!(samples(&work.path("out")).len(), 20);
    // A complete run says the same again.
    let again = work.extract("out").run_well();
    assert!(again.stdout.contains(expected), "{}", again.stdout);
}

#[test]
fn thumbnails_beside_videos_give_no_pairs() {
    let work = Work::new(FRAMES);
    let pictures = jpegs(&work.path("made"), "64x48", 10);
    for (number, picture) in pictures.iter().enumerate() {
        let title = work.path("clips").join(format!("Title {number}.mp4"));
        h264(&title, "64x48", 12);
        fs::copy(picture, title.with_extension("jpg")).unwrap();
        let synology = work
            .path("clips")
            .join(format!("@eaDir/Title {number}.mp4"));
        fs::create_dir_all(&synology).unwrap();
        for name in ["SYNOVIDEO_1.jpg", "SYNOVIDEO_2.jpg"] {
            fs::copy(picture, synology.join(name)).unwrap();
        }
    }
    work.extract("out").run_well();
    let found = samples(&work.path("out"));
    assert_eq!(found.len(), 40);
    let is_of_video = |clip: &str| clip.ends_with(".mp4") && !clip.contains("@eaDir");
    assert!(
        found
            .iter()
            .all(|sample| is_of_video(sample.json["clip"].as_str().unwrap()))
    );
    let line = refusal_of(&work.path("out"), "clips");
    assert_eq!(line["outcome"], "skipped");
    assert!(
        line["reason"]
            .as_str()
            .unwrap()
            .starts_with("10 pictures lie beside videos")
    );
}
