//! Servers and networks that fail, by a proxy before moto.

// Clippy takes functions without the attribute of a test for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::cell::Cell;
use std::fs;
use std::time::{Duration, Instant};

use common::{PART, bytes, faulty, faulty_with, go_on, names, open, options};
use vidpairs_fixtures::s3::{Bucket, Fault};
use vidpairs_store::StoreError;

const SLOW_DOWN: &str =
    "<Error><Code>SlowDown</Code><Message>Please reduce your rate</Message></Error>";

#[test]
fn answers_that_ask_to_come_later_are_tried_again_and_counted() {
    let bucket = Bucket::new();
    bucket.put("clip", b"bytes");
    for (status, body) in [
        (500, ""),
        (502, ""),
        (503, SLOW_DOWN),
        (429, ""),
        (400, SLOW_DOWN),
    ] {
        let (proxy, store) = faulty(&bucket);
        proxy.fail("/clip", Fault::Answer(status, body), 2);
        assert_eq!(
            store.read("clip", 10, &go_on).unwrap().0,
            b"bytes",
            "{status}"
        );
        assert_eq!(store.num_retries(), 2, "{status}");
    }
}

#[test]
fn every_operation_survives_resets_and_stalls() {
    let bucket = Bucket::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, bytes(2 * PART + 5)).unwrap();
    for fault in [Fault::Reset, Fault::Stall] {
        let (proxy, store) = faulty(&bucket);
        for method in ["GET", "PUT", "POST", "HEAD", "DELETE"] {
            proxy.fail(&format!("{method} /"), fault.clone(), 2);
        }
        let uploaded = store.upload(&path, "file", &go_on).unwrap();
        store
            .fetch("file", Some(&uploaded.version), &path, &go_on)
            .unwrap();
        assert!(fs::read(&path).unwrap() == bytes(2 * PART + 5));
        assert_eq!(names(&store, "").len(), 1);
        store.delete("file", &go_on).unwrap();
        assert_eq!(store.num_retries(), 10, "{fault:?}");
    }
    assert_eq!(bucket.num_open_uploads(), 0);
}

#[test]
fn a_store_that_never_recovers_is_given_up_with_the_number_of_tries_and_the_last_reason() {
    let bucket = Bucket::new();
    bucket.put("clip", b"bytes");
    let (proxy, store) = faulty(&bucket);
    proxy.fail("GET", Fault::Answer(503, SLOW_DOWN), usize::MAX);
    proxy.fail("PUT", Fault::Answer(503, SLOW_DOWN), usize::MAX);
    let err = store.read("clip", 10, &go_on).unwrap_err();
    let text = err.to_string();
    assert!(
        text.contains("after 4 tries") && text.contains("503 SlowDown: Please reduce"),
        "{text}"
    );
    assert!(text.contains(&bucket.url("clip")), "{text}");
    assert!(
        err.is_of_one_object(),
        "an input that cannot be read is refused"
    );
    assert_eq!(store.num_retries(), 3);
    let err = store.put("clip", vec![1], &go_on).unwrap_err();
    assert!(matches!(err, StoreError::GaveUp { .. }) && !err.is_of_one_object());
    let err = store.list("", &go_on).next().unwrap().unwrap_err();
    assert!(matches!(err, StoreError::GaveUp { .. }) && !err.is_of_one_object());
}

#[test]
fn a_server_that_is_not_there_stops_the_run_soon() {
    let bucket = Bucket::new();
    let mut env = bucket.env(None);
    env.push(("AWS_ENDPOINT_URL_S3".into(), "http://127.0.0.1:9".into()));
    let mut options = options(env);
    options.max_tries = 100;
    let store = open(&bucket.url(""), options);
    let started = Instant::now();
    let err = store.read("clip", 10, &go_on).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(!err.is_of_one_object());
    assert!(err.to_string().contains("cannot connect"), "{err}");
}

#[test]
fn other_refusals_fail_at_once() {
    let bucket = Bucket::new();
    bucket.put("clip", b"bytes");
    for status in [400, 403, 405, 501] {
        let (proxy, store) = faulty(&bucket);
        proxy.fail("/clip", Fault::Answer(status, ""), usize::MAX);
        let err = store.read("clip", 10, &go_on).unwrap_err();
        assert!(err.to_string().contains(&status.to_string()), "{err}");
        assert_eq!(
            (store.num_retries(), proxy.seen().len()),
            (0, 1),
            "{status}"
        );
    }
}

#[test]
fn one_forbidden_object_is_refused_by_its_name_and_the_others_are_read() {
    let bucket = Bucket::new();
    bucket.put("good", b"1");
    bucket.put("bad", b"2");
    let (proxy, store) = faulty(&bucket);
    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    proxy.fail("/bad", Fault::Answer(403, denied), usize::MAX);
    for err in [
        store.read("bad", 10, &go_on).unwrap_err(),
        store.head("bad", &go_on).unwrap_err(),
    ] {
        let text = err.to_string();
        assert!(matches!(err, StoreError::AccessDenied { .. }) && err.is_of_one_object());
        for part in [
            &bucket.url("bad"),
            "AWS_ACCESS_KEY_ID",
            "s3:GetObject",
            "AccessDenied",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
    assert_eq!(store.read("good", 10, &go_on).unwrap().0, b"1");
    let err = store.put("bad", vec![1], &go_on).unwrap_err();
    assert!(matches!(err, StoreError::AccessDenied { .. }) && !err.is_of_one_object());
}

#[test]
fn a_body_that_is_cut_is_continued_where_it_stopped() {
    let bucket = Bucket::new();
    let len = 4 * PART;
    bucket.put("clip", &bytes(len));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip");
    let (proxy, store) = faulty(&bucket);
    proxy.fail("GET", Fault::CutBody(2 << 20), 3);
    proxy.fail("GET", Fault::CutBody(100), 3);
    store.fetch("clip", None, &path, &go_on).unwrap();
    assert!(fs::read(&path).unwrap() == bytes(len));
    assert_eq!(store.num_retries(), 6);
}

#[test]
fn a_body_that_is_always_cut_is_continued_for_ever_while_each_answer_brings_enough() {
    let bucket = Bucket::new();
    bucket.put("clip", &bytes(2 * PART));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip");
    let (proxy, store) = faulty_with(&bucket, |options| vidpairs_store::Options {
        max_tries: 2,
        ..options
    });
    proxy.fail("GET", Fault::CutBody(1200 << 10), usize::MAX);
    store.fetch("clip", None, &path, &go_on).unwrap();
    assert!(fs::read(&path).unwrap() == bytes(2 * PART));

    let (proxy, store) = faulty(&bucket);
    proxy.fail("GET", Fault::CutBody(1000), usize::MAX);
    let err = store.fetch("clip", None, &path, &go_on).unwrap_err();
    assert!(matches!(err, StoreError::GaveUp { .. }), "{err}");
    assert!(!path.exists(), "half a file stays");
}

#[test]
fn an_object_that_changes_while_it_is_fetched_is_not_mixed() {
    let bucket = Bucket::new();
    bucket.put("clip", &bytes(2 * PART));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip");
    let (proxy, store) = faulty_with(&bucket, |options| vidpairs_store::Options {
        first_pause: Duration::from_millis(300),
        max_pause: Duration::from_millis(300),
        ..options
    });
    proxy.fail("GET", Fault::CutBody(1 << 20), usize::MAX);
    let moved = Cell::new(0);
    let change = |num_bytes| {
        if moved.get() == 0 && num_bytes > 0 {
            bucket.put("clip", &vec![7; 2 * PART]);
        }
        moved.set(moved.get() + num_bytes);
        true
    };
    let err = store.fetch("clip", None, &path, &change).unwrap_err();
    assert!(matches!(err, StoreError::Changed { .. }), "{err}");
    assert!(!path.exists());
}

#[test]
fn a_body_of_a_byte_now_and_then_does_not_pass_as_progress() {
    let bucket = Bucket::new();
    bucket.put("clip", &bytes(100_000));
    let folder = tempfile::tempdir().unwrap();
    let (proxy, store) = faulty(&bucket);
    proxy.fail("GET", Fault::Trickle(Duration::from_millis(20)), usize::MAX);
    let started = Instant::now();
    let err = store
        .fetch("clip", None, &folder.path().join("clip"), &go_on)
        .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(15));
    assert!(
        err.to_string().contains("are too few") && err.is_of_one_object(),
        "{err}"
    );
    let err = store.read("clip", 1 << 20, &go_on).unwrap_err();
    assert!(err.to_string().contains("are too few"), "{err}");
}

/// Stops after some time, and tells how long the operation took from there.
fn stopped_after<T: std::fmt::Debug>(
    pause: Duration,
    operation: impl FnOnce(&dyn vidpairs_store::Watch) -> Result<T, StoreError>,
) -> Duration {
    let started = Instant::now();
    let num_asked = Cell::new(0);
    let watch = |_| {
        num_asked.set(num_asked.get() + 1);
        started.elapsed() < pause
    };
    let err = operation(&watch).unwrap_err();
    assert!(matches!(err, StoreError::Stopped), "{err}");
    assert!(
        num_asked.get() >= pause.as_millis() / 200,
        "asked {} times",
        num_asked.get()
    );
    started.elapsed() - pause
}

#[test]
fn every_operation_ends_within_a_second_after_the_watch_says_stop_and_leaves_nothing() {
    let bucket = Bucket::new();
    bucket.put("clip", &bytes(3 * PART));
    let folder = tempfile::tempdir().unwrap();
    let (local, path) = (folder.path().join("local"), folder.path().join("path"));
    fs::write(&local, bytes(4 * PART)).unwrap();
    let second = Duration::from_secs(1);
    let (proxy, store) = faulty_with(&bucket, |options| vidpairs_store::Options {
        stall_timeout: Duration::from_secs(60),
        ..options
    });
    proxy.fail("partNumber=3", Fault::Stall, usize::MAX);
    proxy.fail("GET", Fault::Stall, usize::MAX);
    proxy.fail("HEAD", Fault::Stall, usize::MAX);
    let pause = second;
    assert!(stopped_after(pause, |watch| store.head("clip", watch)) < second);
    assert!(stopped_after(pause, |watch| store.read("clip", 1 << 30, watch)) < second);
    assert!(stopped_after(pause, |watch| store.fetch("clip", None, &path, watch)) < second);
    assert!(!path.exists());
    assert!(stopped_after(pause, |watch| store.list("", watch).next().unwrap()) < second);
    assert!(stopped_after(pause, |watch| store.upload(&local, "up", watch)) < second);
    assert_eq!(bucket.num_open_uploads(), 0);
    assert!(stopped_after(Duration::ZERO, |watch| store.put("up", vec![1], watch)) < second);

    let closing = Instant::now();
    while proxy.num_open() > 0 {
        assert!(
            closing.elapsed() < second,
            "{} connections stay",
            proxy.num_open()
        );
        std::thread::sleep(Duration::from_millis(10));
    }

    // Also while it waits before the next try.
    let (proxy, store) = faulty_with(&bucket, |options| vidpairs_store::Options {
        first_pause: Duration::from_secs(60),
        max_pause: Duration::from_secs(60),
        ..options
    });
    proxy.fail("GET", Fault::Answer(503, ""), usize::MAX);
    assert!(stopped_after(pause, |watch| store.read("clip", 1 << 30, watch)) < second);
}

#[test]
fn an_upload_whose_part_fails_for_good_is_aborted() {
    let bucket = Bucket::new();
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("local");
    fs::write(&local, bytes(4 * PART)).unwrap();
    let (proxy, store) = faulty(&bucket);
    proxy.fail("partNumber=2", Fault::Answer(403, ""), usize::MAX);
    let err = store.upload(&local, "up", &go_on).unwrap_err();
    assert!(matches!(err, StoreError::AccessDenied { .. }), "{err}");
    assert_eq!(bucket.num_open_uploads(), 0);
    assert!(proxy.seen().iter().any(|line| line.starts_with("DELETE")));
    assert!(!store.exists("up", &go_on).unwrap());
}

#[test]
fn a_lost_answer_to_a_write_does_not_lose_or_double_it() {
    let bucket = Bucket::new();
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("local");
    fs::write(&local, bytes(2 * PART)).unwrap();
    let (proxy, store) = faulty(&bucket);
    proxy.fail("PUT /", Fault::LoseAnswer, 1);
    let first = store
        .put_if_absent("lease", b"mine".to_vec(), &go_on)
        .unwrap();
    proxy.fail("PUT /", Fault::LoseAnswer, 1);
    let second = store
        .put_if_version("lease", b"mine 2".to_vec(), &first, &go_on)
        .unwrap();
    assert_eq!(store.head("lease", &go_on).unwrap().version, second);
    assert_eq!(bucket.get("lease"), b"mine 2");
    // Another's lease is not mistaken for one's own.
    proxy.fail("PUT /", Fault::LoseAnswer, 1);
    let err = store
        .put_if_absent("lease", b"other".to_vec(), &go_on)
        .unwrap_err();
    assert!(matches!(err, StoreError::AlreadyThere { .. }), "{err}");

    proxy.fail("?uploadId=", Fault::LoseAnswer, 1);
    store.upload(&local, "up", &go_on).unwrap();
    assert!(bucket.get("up") == bytes(2 * PART));
    assert_eq!(bucket.num_open_uploads(), 0);
}

#[test]
fn a_completion_that_fails_in_the_body_of_a_success_is_tried_again() {
    let bucket = Bucket::new();
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("local");
    fs::write(&local, bytes(2 * PART)).unwrap();
    let (proxy, store) = faulty(&bucket);
    let failed = "<Error><Code>InternalError</Code><Message>try again</Message></Error>";
    proxy.fail("?uploadId=", Fault::Answer(200, failed), 2);
    store.upload(&local, "up", &go_on).unwrap();
    assert_eq!(store.num_retries(), 2);
    assert!(bucket.get("up") == bytes(2 * PART));
}

#[test]
fn a_listing_survives_cut_pages_and_stops_at_pages_without_end() {
    let bucket = Bucket::new();
    for nth in 0..20 {
        bucket.put(&format!("{nth:02}"), b"");
    }
    let (proxy, store) = faulty(&bucket);
    proxy.fail("list-type=2", Fault::CutBody(300), 2);
    assert_eq!(names(&store, "").len(), 20);
    assert_eq!(store.num_retries(), 2);

    let endless = "<ListBucketResult><Contents><Key>a</Key><Size>1</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
         </Contents><NextContinuationToken>again</NextContinuationToken></ListBucketResult>";
    proxy.fail("list-type=2", Fault::Answer(200, endless), usize::MAX);
    let listed: Vec<_> = store.list("", &go_on).take(100).collect();
    let err = listed.last().unwrap().as_ref().unwrap_err();
    assert!(err.to_string().contains("the same page twice"), "{err}");
    let html = "<html>not a store</html>";
    let (proxy, store) = faulty(&bucket);
    proxy.fail("list-type=2", Fault::Answer(200, html), usize::MAX);
    assert_eq!(store.list("", &go_on).filter(Result::is_ok).count(), 0);
}

#[test]
fn a_bucket_of_another_region_is_refused_with_the_region_to_set() {
    let bucket = Bucket::new();
    let (proxy, store) = faulty(&bucket);
    let moved = "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message><Region>eu-west-3</Region></Error>";
    proxy.fail("GET", Fault::Answer(301, moved), usize::MAX);
    let err = store.list("", &go_on).next().unwrap().unwrap_err();
    assert!(
        err.to_string().contains("set AWS_REGION=eu-west-3"),
        "{err}"
    );
    assert!(!err.is_of_one_object());
}
