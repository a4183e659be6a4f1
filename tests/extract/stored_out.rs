//! An output folder in an object store: moto as the server, and a proxy that lets requests fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use vidpairs_fixtures::extract::media::{h264, jpegs, long_h264};
use vidpairs_fixtures::extract::{
    Extract, FRAMES, REGIONS, Ran, Work, assert_same_files, files, signal,
};
use vidpairs_fixtures::s3::{Bucket, Fault, Proxy, Server};

/// The answer to somebody who may not.
const DENIED: Fault = Fault::Answer(403, "<Error><Code>AccessDenied</Code></Error>");

/// Clips on this machine, and a bucket for what is made of them.
struct Stored {
    work: Work,
    bucket: Bucket,
}

impl Stored {
    fn new(pipeline: &str) -> Self {
        let work = Work::new(pipeline);
        for name in ["a.mp4", "b c.mp4", "ä.mp4"] {
            h264(&work.clips().join(name), "64x48", 60);
        }
        long_h264(&work.path("clips/long.mp4"), 600);
        jpegs(&work.path("clips/pictures"), "64x48", 40);
        fs::write(work.path("clips/bad.mp4"), "no video").unwrap();
        let bucket = Bucket::new();
        Self { work, bucket }
    }

    /// `extract` into the bucket, from the machine whose scratch folder is `machine`.
    fn extract(&self, machine: &str, proxy: Option<&Proxy>) -> Extract {
        let run = self.work.extract(&self.bucket.url("out")).workers(2);
        let run = run.arg("--scratch").arg(machine);
        run.variables(self.bucket.env(proxy))
    }

    fn vidpairs(&self, args: &[&str]) -> Extract {
        let run = self.work.vidpairs(args);
        run.variables(self.bucket.env(None))
    }

    /// A copy of what is in the bucket.
    fn copy(&self) -> PathBuf {
        let copy = self.work.path("copy");
        let _ = fs::remove_dir_all(&copy);
        self.bucket.get_folder(&copy);
        copy.join("out")
    }

    fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        match self.copy() {
            copy if copy.exists() => files(&copy),
            _ => BTreeMap::new(),
        }
    }

    /// Asserts that the bucket holds what a folder gives, and that nothing stays on the machine.
    #[track_caller]
    fn assert_same_as_folder(&self, machine: &str) {
        if !self.work.path("folder").exists() {
            self.work.extract("folder").run_well();
        }
        assert_same_files(&self.copy(), &self.work.path("folder"), machine);
        assert_eq!(fs::read_dir(self.work.path(machine)).unwrap().count(), 0);
    }
}

#[test]
fn a_bucket_gets_the_files_of_a_folder_and_nothing_else() {
    for pipeline in [FRAMES, REGIONS] {
        let stored = Stored::new(pipeline);
        let summary = stored.extract("here", None).run_json();
        stored.assert_same_as_folder("here");
        assert_eq!(summary["refused"], 1);
        let again = stored.extract("here", None).run();
        assert!(
            again.stdout.contains("complete already"),
            "{}",
            again.stdout
        );
        stored.assert_same_as_folder("here");
        let slash = stored.extract("here", None);
        let slash = slash.replace(&stored.bucket.url("out"), &stored.bucket.url("out/"));
        assert!(slash.run().stdout.contains("complete already"));
    }
}

#[test]
fn a_run_that_is_killed_is_resumed_on_the_same_machine_to_the_same_bytes() {
    for pipeline in [FRAMES, REGIONS] {
        let stored = Stored::new(pipeline);
        for moment in (0..8).map(|step| step * 60 + 20) {
            let child = stored.extract("here", None).spawn();
            sleep(Duration::from_millis(moment));
            signal(child.id(), "KILL");
            Ran::of(child);
        }
        // Not held by the dead ones: no minute is waited.
        let start = Instant::now();
        stored.extract("here", None).run_well();
        assert!(start.elapsed() < Duration::from_secs(30));
        stored.assert_same_as_folder("here");
    }
}

#[test]
fn a_run_that_is_killed_is_resumed_on_another_machine_to_the_same_bytes() {
    for pipeline in [FRAMES, REGIONS] {
        let stored = Stored::new(pipeline);
        for (number, moment) in (0..5).map(|step| (step, step * 90 + 60)) {
            let child = stored.extract(&format!("machine{number}"), None).spawn();
            sleep(Duration::from_millis(moment));
            signal(child.id(), "KILL");
            Ran::of(child);
            // As after the minute that another machine waits.
            stored.bucket.remove("out/.journal/state.json");
        }
        stored.extract("last", None).run_well();
        stored.assert_same_as_folder("last");
    }
}

#[test]
fn an_unfinished_shard_is_resumed_from_its_pieces_in_the_bucket() {
    for pipeline in [FRAMES, REGIONS] {
        let stored = Stored::new(pipeline);
        let one_shard = |run: Extract| run.set("shards.max_records=1000");
        let lines = |journal: &[u8]| journal.iter().filter(|&&byte| byte == b'\n').count();
        // A run that was killed before its first shard ended.
        let folder = stored.work.path("killed");
        let journal = folder.join(".journal");
        let mut moment = 100;
        let text = loop {
            let _ = fs::remove_dir_all(&folder);
            let child = one_shard(stored.work.extract("killed")).spawn();
            sleep(Duration::from_millis(moment));
            signal(child.id(), "KILL");
            Ran::of(child);
            let text = fs::read(journal.join("progress.jsonl")).unwrap_or_default();
            if lines(&text) >= 3 && !folder.join("dataset.json").exists() {
                break text;
            }
            moment = if lines(&text) >= 3 { 100 } else { moment + 30 };
        };
        // Its files as pieces, as another machine would have left them: the journal behind the others, and torn.
        for name in ["pairs-000000.tar.part", "tracks.jsonl.zst.part"] {
            let Ok(bytes) = fs::read(journal.join(name)) else {
                continue;
            };
            for (number, piece) in bytes.chunks(bytes.len() / 3 + 1).enumerate() {
                let key = format!("out/.journal/{name}-{number:06}");
                stored.bucket.put(&key, piece);
            }
        }
        let (head, tail) = text.split_at(text.len() / 2);
        stored
            .bucket
            .put("out/.journal/progress.jsonl-000000", head);
        stored.bucket.put(
            "out/.journal/progress.jsonl-000001",
            &tail[..tail.len() - 5],
        );
        let proxy = Proxy::new(Server::shared().port());
        one_shard(stored.extract("here", Some(&proxy))).run_well();
        one_shard(stored.work.extract("folder")).run_well();
        stored.assert_same_as_folder("here");
        // What the bucket held was used: it went only when the whole shard was there.
        let seen = proxy.seen();
        let place = |verb: &str, name: &str| {
            let found = seen
                .iter()
                .position(|line| line.starts_with(verb) && line.contains(name));
            found.unwrap_or_else(|| panic!("no {verb} of {name}: {seen:#?}"))
        };
        let segment = "pairs-000000.tar.part-000000";
        place("GET", segment);
        assert!(place("DELETE", segment) > place("PUT", "pairs-000000.tar "));
    }
}

#[test]
fn parts_in_a_bucket_are_seen_by_status_merged_as_those_of_a_folder() {
    let stored = Stored::new(REGIONS);
    let url = stored.bucket.url("out");
    let status = || {
        let ran = stored.vidpairs(&["status", &url, "--json"]).run();
        (ran.code, ran.json())
    };
    let part = |run: Extract, part: u32| run.arg("--part").arg(&format!("{part}/3"));
    stored
        .vidpairs(&["status", &url])
        .run()
        .failed_with(2, &["holds no run", &url]);
    for number in [2, 0] {
        part(stored.extract("here", None), number).run_well();
        part(stored.work.extract("folder"), number).run_well();
    }
    let (code, found) = status();
    assert_eq!((code, &found["missing"]), (Some(1), &"1".into()));
    stored.vidpairs(&["merge", &url]).run().failed_with(
        2,
        &["1 of 3 parts are not complete", "no process works on 1:"],
    );
    let proxy = Proxy::new(Server::shared().port());
    proxy.fail("PUT", DENIED, usize::MAX);
    part(stored.extract("here", Some(&proxy)), 1)
        .run()
        .failed_with(2, &["may not"]);
    part(stored.extract("here", None), 1).run_well();
    part(stored.work.extract("folder"), 1).run_well();
    let (code, found) = status();
    assert_eq!((code, &found["is_merged"]), (Some(0), &false.into()));
    let merged = stored.vidpairs(&["merge", &url]).run_json();
    assert_eq!(
        merged,
        stored.work.vidpairs(&["merge", "folder"]).run_json()
    );
    stored.assert_same_as_folder("here");
    assert_eq!(status().1["is_merged"], true);
    let again = stored.vidpairs(&["merge", &url]).run();
    assert!(again.stdout.contains("merged already"), "{}", again.stdout);
    // What is missing is named by its URL.
    let shard = merged_shard(&stored);
    stored.bucket.remove(&shard);
    stored
        .vidpairs(&["merge", &url])
        .run()
        .failed_with(2, &[&stored.bucket.url(&shard), "no such object"]);
    part(
        stored
            .extract("here", None)
            .replace("pipeline.toml", "other.toml"),
        0,
    )
    .run()
    .failed_with(2, &["other.toml"]);
    part(stored.extract("here", None), 0)
        .replace("0/3", "0/4")
        .run()
        .failed_with(2, &[&url, "in 3 parts, not in 4"]);
    stored
        .extract("here", None)
        .run()
        .failed_with(2, &[&url, "in 3 parts"]);
}

/// Key of a shard of the merged set.
fn merged_shard(stored: &Stored) -> String {
    let names = stored.objects();
    let shard = names.keys().find(|name| name.ends_with(".tar")).unwrap();
    format!("out/{shard}")
}

#[test]
fn refused_clips_are_retried_in_a_bucket() {
    for pipeline in [FRAMES, REGIONS] {
        let stored = Stored::new(pipeline);
        stored.extract("here", None).run_well();
        stored.work.extract("folder").run_well();
        h264(&stored.work.path("clips/bad.mp4"), "64x48", 60);
        let retried = stored
            .extract("there", None)
            .arg("--retry-refused")
            .run_json();
        assert_eq!(retried["refused"], 0);
        stored
            .work
            .extract("folder")
            .arg("--retry-refused")
            .run_well();
        stored.assert_same_as_folder("there");
    }
}

#[test]
fn a_retry_that_did_not_end_is_resumed_elsewhere_with_or_without_its_option() {
    for option in [None, Some("--retry-refused")] {
        let stored = Stored::new(REGIONS);
        stored.extract("here", None).run_well();
        stored.work.extract("folder").run_well();
        h264(&stored.work.path("clips/bad.mp4"), "64x48", 60);
        let proxy = Proxy::new(Server::shared().port());
        let manifest = format!("PUT /{}/out/dataset.json", stored.bucket.name);
        proxy.fail(&manifest, DENIED, usize::MAX);
        let retry = stored.extract("here", Some(&proxy)).arg("--retry-refused");
        retry.run().failed_with(2, &["may not", "dataset.json"]);
        let resumed = stored.extract("there", None);
        match option {
            Some(option) => resumed.arg(option).run_well(),
            None => resumed.run_well(),
        };
        stored
            .work
            .extract("folder")
            .arg("--retry-refused")
            .run_well();
        stored.assert_same_as_folder("there");
    }
}

#[test]
fn what_is_left_of_a_complete_run_is_removed_by_the_next_one() {
    let stored = Stored::new(FRAMES);
    let proxy = Proxy::new(Server::shared().port());
    proxy.fail("DELETE", DENIED, usize::MAX);
    stored
        .extract("here", Some(&proxy))
        .run()
        .failed_with(2, &["may not"]);
    assert!(stored.objects().contains_key("dataset.json"));
    let status = stored
        .vidpairs(&["status", &stored.bucket.url("out")])
        .run();
    assert_eq!(status.code, Some(1), "{}", status.stdout);
    stored.extract("there", None).run_well();
    stored.extract("here", None).run_well();
    stored.assert_same_as_folder("there");
}

#[test]
fn a_shard_that_somebody_removes_during_the_run_is_not_listed_and_made_anew() {
    let stored = Stored::new(FRAMES);
    let proxy = Proxy::new(Server::shared().port());
    // Time to remove it.
    proxy.fail(
        "refused.jsonl",
        Fault::Trickle(Duration::from_millis(20)),
        usize::MAX,
    );
    let child = stored.extract("here", Some(&proxy)).spawn();
    while !proxy
        .seen()
        .iter()
        .any(|line| line.contains("refused.jsonl"))
    {
        sleep(Duration::from_millis(10));
    }
    stored.bucket.remove("out/pairs-000000.tar");
    Ran::of(child).failed_with(2, &["pairs-000000.tar", "no such object"]);
    assert!(!stored.objects().contains_key("dataset.json"));
    stored.extract("here", None).run_well();
    stored.assert_same_as_folder("here");
}

#[test]
fn a_wrong_source_on_a_stopped_run_leaves_it_as_it_was() {
    let stored = Stored::new(FRAMES);
    let proxy = Proxy::new(Server::shared().port());
    proxy.fail("pairs-000002.tar", DENIED, usize::MAX);
    stored
        .extract("here", Some(&proxy))
        .run()
        .failed_with(2, &["may not"]);
    for machine in ["here", "there"] {
        let wrong = stored.extract(machine, None).replace("clips", "nothing");
        wrong.run().failed_with(2, &["nothing"]);
    }
    stored.extract("there", None).run_well();
    stored.extract("here", None).run_well();
    stored.assert_same_as_folder("there");
}

#[test]
fn requests_that_fail_for_a_while_change_nothing() {
    let stored = Stored::new(REGIONS);
    let proxy = Proxy::new(Server::shared().port());
    let busy = Fault::Answer(503, "<Error><Code>SlowDown</Code></Error>");
    proxy.fail(".tar", busy.clone(), 3);
    let put = |name: &str| format!("PUT /{}/out/{name}", stored.bucket.name);
    proxy.fail(&put(".journal/state.json"), Fault::LoseAnswer, 1);
    proxy.fail(&put("dataset.json"), Fault::LoseAnswer, 2);
    proxy.fail("progress.jsonl", Fault::Reset, 2);
    proxy.fail("PUT /bucket", busy, 2);
    stored.extract("here", Some(&proxy)).run_well();
    stored.assert_same_as_folder("here");
}

#[test]
fn a_bucket_that_refuses_a_shard_ends_the_run_without_a_data_set_and_it_is_resumed() {
    let stored = Stored::new(FRAMES);
    let proxy = Proxy::new(Server::shared().port());
    proxy.fail("pairs-000002.tar", DENIED, usize::MAX);
    stored
        .extract("here", Some(&proxy))
        .run()
        .failed_with(2, &["may not", "pairs-000002.tar"]);
    let names = stored.objects();
    assert!(names.contains_key("pairs-000001.tar") && !names.contains_key("dataset.json"));
    let state = String::from_utf8(names[".journal/state.json"].clone()).unwrap();
    assert!(state.contains("\"is_stopped\":true"), "{state}");
    stored.extract("there", None).run_well();
    stored.assert_same_as_folder("there");
}

#[test]
fn a_second_process_on_a_run_is_refused_and_a_lost_lease_ends_the_first() {
    let stored = Stored::new(FRAMES);
    let proxy = Proxy::new(Server::shared().port());
    // The first one hangs in an upload, and renews its lease.
    proxy.fail("pairs-000000.tar", Fault::Stall, usize::MAX);
    let first = stored.extract("here", Some(&proxy)).spawn();
    while !stored.objects().contains_key(".journal/state.json") {
        sleep(Duration::from_millis(100));
    }
    stored.extract("here", None).run().failed_with(
        2,
        &["another vidpairs is writing to", &stored.bucket.url("out")],
    );
    let second = stored.extract("there", None).run();
    second.failed_with(
        2,
        &["another vidpairs is writing to", &stored.bucket.url("out")],
    );
    assert!(second.stderr.contains("waiting up to"), "{}", second.stderr);
    // Somebody who does not see the first one takes the run from it.
    stored.bucket.remove("out/.journal/state.json");
    stored.extract("there", None).run_well();
    Ran::of(first).failed_with(2, &["another vidpairs is writing to"]);
    stored.assert_same_as_folder("there");
}

#[test]
fn a_run_that_is_stopped_ends_at_once_and_another_machine_takes_it_without_waiting() {
    let stored = Stored::new(FRAMES);
    let proxy = Proxy::new(Server::shared().port());
    proxy.fail("pairs-000001.tar", Fault::Stall, usize::MAX);
    let child = stored.extract("here", Some(&proxy)).spawn();
    while !stored.objects().contains_key("pairs-000000.tar") {
        sleep(Duration::from_millis(100));
    }
    let start = Instant::now();
    signal(child.id(), "TERM");
    let ran = Ran::of(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    let start = Instant::now();
    stored.extract("there", None).run_well();
    assert!(start.elapsed() < Duration::from_secs(30));
    stored.assert_same_as_folder("there");
}

#[test]
fn a_folder_of_somebody_else_a_missing_bucket_and_a_wrong_source_leave_nothing() {
    let stored = Stored::new(FRAMES);
    stored
        .extract("here", None)
        .replace("clips", "nothing")
        .run()
        .failed_with(2, &["nothing"]);
    assert_eq!(stored.objects().len(), 0);
    let url = stored.bucket.url("out");
    stored
        .extract("here", None)
        .replace(&url, "s3://no-such-bucket/out")
        .run()
        .failed_with(2, &["there is no bucket `no-such-bucket`"]);
    stored.bucket.put("out/results.csv", b"mine");
    let refused = ["results.csv", url.as_str(), "is not empty"];
    stored.extract("here", None).run().failed_with(2, &refused);
    stored
        .extract("here", None)
        .arg("--part")
        .arg("0/2")
        .run()
        .failed_with(2, &refused);
    assert_eq!(stored.objects().len(), 1);
}
