//! Clips in an object store: moto as the server, and a proxy that lets requests fail.

use std::fs;
use std::path::Path;
use std::time::Duration;

use vidpairs_fixtures::extract::media::{h264, jpegs, zip};
use vidpairs_fixtures::extract::{Extract, FRAMES, Ran, Work, assert_same_files, dataset, signal};
use vidpairs_fixtures::s3::{Bucket, Fault, Proxy, Server};

/// A folder of clips, and a bucket with the same files below `set`.
struct Both {
    work: Work,
    bucket: Bucket,
}

impl Both {
    fn new(pipeline: &str, make: impl FnOnce(&Path)) -> Self {
        let (work, bucket) = (Work::new(pipeline), Bucket::new());
        make(&work.clips());
        fs::create_dir(work.path("up")).unwrap();
        fs::rename(work.clips(), work.path("up/set")).unwrap();
        bucket.put_folder(&work.path("up"));
        fs::rename(work.path("up/set"), work.clips()).unwrap();
        Self { work, bucket }
    }

    fn videos() -> Self {
        Self::new(FRAMES, |clips| {
            for name in ["a.mp4", "b c #1%20.mp4", "ä/d+e?.mp4"] {
                let path = clips.join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                h264(&path, "64x48", 60);
            }
            let frames = jpegs(&clips.join("pictures"), "64x48", 40);
            zip(&clips.join("zipped.zip"), &frames);
            fs::write(clips.join("notes.txt"), "no clip").unwrap();
        })
    }

    /// `extract` from the bucket, with scratch files in the folder `scratch`.
    fn extract(&self, out: &str, proxy: Option<&Proxy>) -> Extract {
        let run = self
            .work
            .extract(out)
            .replace("clips", &self.bucket.url("set"));
        let run = run.arg("--scratch").arg("scratch").workers(2);
        run.variables(self.bucket.env(proxy))
    }

    /// Asserts that `out` holds what the folder gives, and that nothing stays in the scratch folder.
    #[track_caller]
    fn assert_same_as_folder(&self, out: &str) {
        if !self.work.path("folder").exists() {
            self.work.extract("folder").run_well();
        }
        assert_same_files(&self.work.path(out), &self.work.path("folder"), out);
        self.assert_nothing_in_scratch();
    }

    #[track_caller]
    fn assert_nothing_in_scratch(&self) {
        let left = fs::read_dir(self.work.path("scratch")).unwrap();
        assert_eq!(left.count(), 0);
    }
}

#[test]
fn a_bucket_gives_the_bytes_of_a_folder_whatever_the_names() {
    let both = Both::videos();
    both.extract("out", None).run_well();
    both.assert_same_as_folder("out");
    // A single object, and a slash at the end.
    let one = both
        .extract("one", None)
        .replace(&both.bucket.url("set"), &both.bucket.url("set/a.mp4"));
    assert_eq!(one.run_json()["clips"], 1);
    let slash = both
        .extract("slash", None)
        .replace(&both.bucket.url("set"), &both.bucket.url("set/"));
    slash.run_well();
    both.assert_same_as_folder("slash");
}

#[test]
fn trackingnet_and_got10k_in_a_bucket_have_their_boxes_and_labels() {
    let tracks = FRAMES
        .replace("\"frames\"", "\"tracks\"")
        .replace("k = 20", "k = 5\nmin_box_px = 4");
    let boxes = |num: u32| {
        (0..num)
            .map(|at| format!("{},10,30,20\n", 5 + at % 3))
            .collect::<String>()
    };
    let trackingnet = tracks.replace("videos", "trackingnet");
    let both = Both::new(&trackingnet, |clips| {
        let split = clips.join("TRAIN_0");
        for video in ["x", "y"] {
            let frames: Vec<_> = (0..30).map(|at| clips.join(format!("{at}.jpg"))).collect();
            let made = jpegs(&clips.join("made"), "64x48", 30);
            for (from, to) in made.iter().zip(&frames) {
                fs::rename(from, to).unwrap();
            }
            fs::create_dir_all(split.join("zips")).unwrap();
            zip(&split.join("zips").join(format!("{video}.zip")), &frames);
            frames
                .iter()
                .for_each(|frame| fs::remove_file(frame).unwrap());
            fs::remove_dir(clips.join("made")).unwrap();
            fs::create_dir_all(split.join("anno")).unwrap();
            fs::write(split.join("anno").join(format!("{video}.txt")), boxes(30)).unwrap();
        }
    });
    both.extract("out", None).run_well();
    both.assert_same_as_folder("out");
    assert!(!dataset::samples(&both.work.path("out")).is_empty());
    let both = Both::new(&tracks.replace("videos", "got10k"), |clips| {
        let sequence = clips.join("train/GOT-10k_Train_000001");
        for (at, frame) in jpegs(&sequence, "64x48", 30).iter().enumerate() {
            let name = sequence.join(format!("{:08}.jpg", at + 1));
            fs::rename(frame, name).unwrap();
        }
        fs::write(sequence.join("groundtruth.txt"), boxes(30)).unwrap();
        for label in ["absence.label", "cut_by_image.label"] {
            fs::write(sequence.join(label), "0\n".repeat(30)).unwrap();
        }
        let meta = "[METAINFO]\nanno_fps: 10Hz\nobject_class: fox\n";
        fs::write(sequence.join("meta_info.ini"), meta).unwrap();
        fs::write(clips.join("train/list.txt"), "GOT-10k_Train_000001\n").unwrap();
    });
    both.extract("out", None).run_well();
    both.assert_same_as_folder("out");
    let samples = dataset::samples(&both.work.path("out"));
    assert!(samples.iter().all(|sample| sample.json["label"] == "fox"));
}

#[test]
fn refused_requests_cut_bodies_and_resets_are_tried_again_and_change_nothing() {
    let both = Both::videos();
    let proxy = Proxy::new(Server::shared().port());
    proxy.fail(
        "GET",
        Fault::Answer(503, "<Error><Code>SlowDown</Code></Error>"),
        2,
    );
    proxy.fail("a.mp4", Fault::CutBody(100), 2);
    proxy.fail("zipped.zip", Fault::Reset, 2);
    both.extract("out", Some(&proxy)).run_well();
    both.assert_same_as_folder("out");
}

#[test]
fn an_object_that_may_not_be_read_is_refused_and_the_others_are_taken() {
    let both = Both::videos();
    let proxy = Proxy::new(Server::shared().port());
    let denied = Fault::Answer(
        403,
        "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
    );
    proxy.fail("/set/a.mp4", denied, usize::MAX);
    let summary = both.extract("out", Some(&proxy)).run_json();
    assert_eq!(
        (&summary["clips"], &summary["refused"]),
        (&5.into(), &1.into())
    );
    let refusal = dataset::refusal_of(&both.work.path("out"), "a.mp4");
    let reason = refusal["reason"].as_str().unwrap();
    assert!(
        reason.contains("may not read") && reason.contains("/set/a.mp4"),
        "{reason}"
    );
    assert_eq!(refusal["path"], both.bucket.url("set/a.mp4"));
    // It is retried alone.
    let seen = proxy.seen().len();
    let direct = both.extract("out", None).arg("--retry-refused").run_json();
    assert_eq!(direct["refused"], 0);
    assert_eq!(proxy.seen().len(), seen);
}

#[test]
fn a_pinned_list_of_a_bucket_serves_parts_and_names_what_changed_or_is_gone() {
    let both = Both::videos();
    let list = [
        "list",
        "pipeline.toml",
        "--source",
        &both.bucket.url("set"),
        "--out",
        "clips.jsonl",
    ];
    both.work
        .vidpairs(&list)
        .variables(both.bucket.env(None))
        .run_well();
    let proxy = Proxy::new(Server::shared().port());
    let from_list = |out: &str| {
        both.extract(out, Some(&proxy))
            .replace(&both.bucket.url("set"), "clips.jsonl")
    };
    from_list("out").run_well();
    both.assert_same_as_folder("out");
    let lists = proxy
        .seen()
        .iter()
        .filter(|line| line.contains("list-type"))
        .count();
    assert_eq!(lists, 0, "a worker with a list lists no bucket");
    for part in ["0/2", "1/2"] {
        from_list("parts").arg("--part").arg(part).run_well();
    }
    let merged = both.work.vidpairs(&["merge", "parts"]).run_json();
    assert_eq!(
        merged["records"],
        dataset::samples(&both.work.path("folder")).len()
    );
    both.bucket.put("set/a.mp4", b"other bytes");
    both.bucket.remove("set/zipped.zip");
    let summary = from_list("changed").run_json();
    assert_eq!(summary["refused"], 2, "{summary}");
    let reason =
        |id: &str| dataset::refusal_of(&both.work.path("changed"), id)["reason"].to_string();
    assert!(
        reason("a.mp4").contains("changed since it was listed"),
        "{}",
        reason("a.mp4")
    );
    assert!(
        reason("zipped.zip").contains("there is no object"),
        "{}",
        reason("zipped.zip")
    );
    // The list in the bucket itself.
    both.bucket.put(
        "clips.jsonl",
        &fs::read(both.work.path("clips.jsonl")).unwrap(),
    );
    let stored = both
        .extract("stored", None)
        .replace(&both.bucket.url("set"), &both.bucket.url("clips.jsonl"));
    assert_eq!(stored.run_json()["refused"], 2);
}

#[test]
fn a_bucket_that_is_not_there_wrong_credentials_and_unknown_schemes_are_named() {
    let both = Both::new(FRAMES, |clips| h264(&clips.join("a.mp4"), "64x48", 30));
    let from = |url: &str| {
        both.extract("out", None)
            .replace(&both.bucket.url("set"), url)
    };
    from("s3://no-such-bucket/set")
        .run()
        .failed_with(2, &["there is no bucket `no-such-bucket`"]);
    from("hdfs://x/y")
        .run()
        .failed_with(2, &["hdfs://x/y", "s3://"]);
    from(&both.bucket.url("nothing"))
        .run()
        .failed_with(2, &["nothing"]);
    let strict = Server::strict();
    let mut variables = both.bucket.env(None);
    for (name, value) in &mut variables {
        if name == "AWS_ENDPOINT_URL" {
            *value = strict.endpoint();
        }
    }
    from(&both.bucket.url("set"))
        .variables(variables)
        .run()
        .failed_with(2, &["does not accept", "AWS_ACCESS_KEY_ID"]);
    assert!(!both.work.path("out").exists());
}

#[test]
fn the_scratch_folder_has_a_ceiling_and_a_larger_clip_is_refused() {
    let both = Both::videos();
    let size = |name: &str| fs::metadata(both.work.clips().join(name)).unwrap().len();
    let largest = ["a.mp4", "b c #1%20.mp4", "ä/d+e?.mp4", "zipped.zip"]
        .map(size)
        .into_iter()
        .max()
        .unwrap();
    let pictures: u64 = fs::read_dir(both.work.path("clips/pictures"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    // Room for one clip at a time.
    let tight = largest.max(pictures);
    both.extract("out", None)
        .arg("--scratch-bytes")
        .arg(&tight.to_string())
        .run_well();
    both.assert_same_as_folder("out");
    let small = both
        .extract("small", None)
        .arg("--scratch-bytes")
        .arg(&(tight - 1).to_string())
        .run_json();
    assert_eq!(small["refused"], 1);
    let refused = &dataset::refused(&both.work.path("small"))[0];
    assert!(
        refused["reason"]
            .as_str()
            .unwrap()
            .contains("--scratch-bytes"),
        "{refused}"
    );
    both.assert_nothing_in_scratch();
}

#[test]
fn a_run_that_is_killed_or_stopped_while_it_fetches_is_resumed_to_the_same_bytes() {
    let both = Both::videos();
    let proxy = Proxy::new(Server::shared().port());
    proxy.fail(
        "zipped.zip",
        Fault::Trickle(Duration::from_millis(20)),
        usize::MAX,
    );
    for moment in [300, 600, 900] {
        let child = both.extract("out", Some(&proxy)).spawn();
        std::thread::sleep(Duration::from_millis(moment));
        signal(child.id(), "KILL");
        Ran::of(child);
    }
    let child = both.extract("out", Some(&proxy)).spawn();
    std::thread::sleep(Duration::from_millis(900));
    let start = std::time::Instant::now();
    signal(child.id(), "TERM");
    assert_eq!(Ran::of(child).code, Some(130));
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    both.extract("out", None).run_well();
    // What a kill left in the scratch folder is removed by the next run.
    both.assert_same_as_folder("out");
}

#[test]
fn a_scratch_folder_that_is_emptied_ends_the_run_and_refuses_no_clip() {
    let both = Both::videos();
    let proxy = Proxy::new(Server::shared().port());
    proxy.fail(
        "zipped.zip",
        Fault::Trickle(Duration::from_micros(20)),
        usize::MAX,
    );
    let child = both.extract("out", Some(&proxy)).spawn();
    while !proxy.seen().iter().any(|line| line.contains("zipped.zip")) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    for folder in fs::read_dir(both.work.path("scratch")).unwrap() {
        fs::remove_dir_all(folder.unwrap().path()).unwrap();
    }
    Ran::of(child).failed_with(2, &["was moved, removed or unmounted"]);
    both.extract("out", None).run_well();
    both.assert_same_as_folder("out");
}

#[test]
fn folders_of_others_stay_in_the_scratch_folder() {
    let both = Both::new(FRAMES, |clips| h264(&clips.join("a.mp4"), "64x48", 60));
    for (folder, lock) in [
        ("vidpairs-results", "lock"),
        ("vidpairs-scratch-mine", "lock"),
        ("other", ".vidpairs-scratch-lock"),
    ] {
        let folder = both.work.path("scratch").join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(lock), "").unwrap();
    }
    both.extract("out", None).run_well();
    assert_eq!(fs::read_dir(both.work.path("scratch")).unwrap().count(), 3);
}
