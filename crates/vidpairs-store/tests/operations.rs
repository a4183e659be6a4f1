//! Operations on a server that another project wrote (moto), with objects that another client wrote and reads (boto3).

// Clippy takes functions without the attribute of a test for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::Stdio;

use common::{PART, bytes, go_on, store};
use vidpairs_fixtures::python;
use vidpairs_fixtures::s3::{Bucket, Server};
use vidpairs_store::{LevelEntry, StoreError, Version};

fn boto3(verb: &str, bucket: &Bucket, input: &str) -> String {
    let mut child = python::command("s3_objects.py")
        .args([verb, &Server::shared().endpoint(), &bucket.name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn strange_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "a b",
        " leading and trailing ",
        "#1.mp4",
        "100%",
        "%20",
        "a%2Fb",
        "a+b",
        "a?b=c&d",
        "a;b,c:d@e=f$g!h*i'j(k)",
        "[x]{y}<z>|\\^`\"~",
        "\u{e9}.mp4",
        "e\u{301}.mp4",
        "日本語/動画.mp4",
        "😀",
        ".hidden",
        "a/..b/c",
        "folder/",
        "folder/inner/",
        "&amp;",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("x".repeat(1000));
    names
}

#[test]
fn names_with_any_characters_written_by_boto3_are_listed_and_read_as_they_are() {
    let bucket = Bucket::new();
    let names = strange_names();
    boto3("put", &bucket, &serde_json::to_string(&names).unwrap());

    let store = store(&bucket, "");
    let listed: BTreeMap<_, _> = store
        .list("", &go_on)
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.name, (entry.num_bytes, entry.version)))
        .collect();
    let mut expected = names.clone();
    expected.sort();
    assert_eq!(listed.keys().cloned().collect::<Vec<_>>(), expected);
    let folder = tempfile::tempdir().unwrap();
    for name in &names {
        let (num_bytes, version) = &listed[name];
        assert_eq!(*num_bytes, name.len() as u64);
        assert_eq!(
            store.head(name, &go_on).unwrap().version,
            *version,
            "{name}"
        );
        let path = folder.path().join("fetched");
        store.fetch(name, Some(version), &path, &go_on).unwrap();
        assert_eq!(fs::read(&path).unwrap(), name.as_bytes());
    }
}

#[test]
fn names_with_any_characters_are_written_as_boto3_reads_them_also_below_a_strange_folder() {
    let bucket = Bucket::new();
    for key in ["", "a b/#%20+?é", "twice//"] {
        let store = store(&bucket, key);
        for name in strange_names() {
            store.put(&name, name.as_bytes().to_vec(), &go_on).unwrap();
            assert!(store.exists(&name, &go_on).unwrap(), "{key} {name}");
        }
        assert_eq!(store.list("", &go_on).count(), strange_names().len());
    }
    let texts: BTreeMap<String, String> =
        serde_json::from_str(&boto3("list", &bucket, "")).unwrap();
    assert_eq!(texts.len(), 3 * strange_names().len());
    for key in ["", "a b/#%20+?é/", "twice//"] {
        for name in strange_names() {
            assert_eq!(texts[&format!("{key}{name}")], name);
        }
    }
}

#[test]
fn a_key_that_cannot_be_asked_for_is_listed_and_refused_by_name_and_the_others_are_read() {
    let bucket = Bucket::new();
    boto3("put", &bucket, r#"["/rooted", "a/../b", "plain"]"#);
    let store = store(&bucket, "");
    let listed: Vec<_> = store
        .list("", &go_on)
        .map(|entry| entry.unwrap().name)
        .collect();
    assert!(listed.contains(&"/rooted".to_owned()), "{listed:?}");
    for name in ["/rooted", "a/../b", "a/\n"] {
        let err = store.head(name, &go_on).unwrap_err();
        assert!(matches!(err, StoreError::Inexpressible { .. }) && err.is_of_one_object());
        assert!(err.to_string().contains(&bucket.url(name)), "{err}");
    }
    assert_eq!(store.read("plain", 100, &go_on).unwrap().0, b"plain");
}

#[test]
fn a_listing_of_several_pages_has_every_name_once_with_its_size() {
    let bucket = Bucket::new();
    for nth in 0..1105 {
        bucket.put(&format!("clips/{nth:05}"), &vec![0; nth % 7]);
    }
    bucket.put("clips", b"");
    bucket.put("clips2/0", b"");
    let store = store(&bucket, "clips");
    let listed: Vec<_> = store.list("", &go_on).map(|entry| entry.unwrap()).collect();
    assert_eq!(listed.len(), 1105);
    for (nth, entry) in listed.iter().enumerate() {
        assert_eq!(entry.name, format!("{nth:05}"));
        assert_eq!(entry.num_bytes as usize, nth % 7);
    }
}

#[test]
fn a_level_has_its_folders_and_objects_and_names_are_relative_to_the_store() {
    let bucket = Bucket::new();
    for key in ["f/", "f/a/1", "f/a/2", "f/a b/c#/d", "f/z", "f/a", "g/x"] {
        let store = store(&bucket, "");
        store.put(key, b"x".to_vec(), &go_on).unwrap();
    }
    let store = store(&bucket, "f");
    let level = |folder: &str| {
        let entries = store
            .list_level(folder, &go_on)
            .map(|entry| match entry.unwrap() {
                LevelEntry::Folder(name) => format!("{name}/"),
                LevelEntry::Object(entry) => entry.name,
            });
        entries.collect::<Vec<_>>()
    };
    assert_eq!(level(""), ["a b/", "a/", "a", "z"]);
    assert_eq!(level("a"), ["a/1", "a/2"]);
    assert_eq!(level("a b"), ["a b/c#/"]);
    assert_eq!(level("nothing"), [""; 0]);
    let below: Vec<_> = store
        .list("a b", &go_on)
        .map(|entry| entry.unwrap().name)
        .collect();
    assert_eq!(below, ["a b/c#/d"]);
}

#[test]
fn files_of_any_length_around_the_part_size_come_back_the_same() {
    let bucket = Bucket::new();
    let store = store(&bucket, "");
    let folder = tempfile::tempdir().unwrap();
    let (local, back) = (folder.path().join("local"), folder.path().join("back"));
    for len in [0, 1, PART - 1, PART, PART + 1, 3 * PART, 5 * PART + 77] {
        let content = bytes(len);
        fs::write(&local, &content).unwrap();
        let uploaded = store.upload(&local, "file", &go_on).unwrap();
        assert_eq!(uploaded.num_bytes, len as u64);
        assert_eq!(
            uploaded.version.as_str().contains('-'),
            len > PART,
            "in parts: {len}"
        );
        assert!(bucket.get("file") == content, "uploaded {len}");
        let moved = std::cell::Cell::new(0);
        let count = |num_bytes| {
            moved.set(moved.get() + num_bytes);
            true
        };
        let fetched = store
            .fetch("file", Some(&uploaded.version), &back, &count)
            .unwrap();
        assert_eq!(fetched, uploaded);
        assert_eq!(moved.get(), len as u64);
        assert!(fs::read(&back).unwrap() == content, "fetched {len}");
    }
    assert_eq!(bucket.num_open_uploads(), 0);
}

#[test]
fn of_many_writers_at_once_one_creates_the_object_and_the_others_are_told() {
    let bucket = Bucket::new();
    let store = store(&bucket, "");
    let won: Vec<bool> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|nth| {
                let store = &store;
                scope.spawn(move || {
                    match store.put_if_absent("lease", format!("writer {nth}").into_bytes(), &go_on)
                    {
                        Ok(_) => true,
                        Err(StoreError::AlreadyThere { .. }) => false,
                        Err(err) => panic!("{err}"),
                    }
                })
            })
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .collect()
    });
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    let winner = won.iter().position(|won| *won).unwrap();
    assert_eq!(bucket.get("lease"), format!("writer {winner}").into_bytes());
}

#[test]
fn an_object_is_replaced_only_while_it_has_the_version_that_was_read() {
    let bucket = Bucket::new();
    let store = store(&bucket, "");
    let first = store.put_if_absent("lease", b"1".to_vec(), &go_on).unwrap();
    let (_, read) = store.read("lease", 10, &go_on).unwrap();
    assert_eq!(read, first);
    let second = store
        .put_if_version("lease", b"2".to_vec(), &first, &go_on)
        .unwrap();
    for outdated in [&first, &Version::from_text("0123")] {
        let err = store
            .put_if_version("lease", b"3".to_vec(), outdated, &go_on)
            .unwrap_err();
        assert!(matches!(err, StoreError::Changed { .. }), "{err}");
    }
    assert_eq!(bucket.get("lease"), b"2");
    store.delete("lease", &go_on).unwrap();
    store.delete("lease", &go_on).unwrap();
    let err = store
        .put_if_version("lease", b"3".to_vec(), &second, &go_on)
        .unwrap_err();
    assert!(matches!(err, StoreError::Changed { .. }), "{err}");
    assert!(!store.exists("lease", &go_on).unwrap());
}

#[test]
fn an_object_that_is_not_the_expected_version_is_not_fetched() {
    let bucket = Bucket::new();
    let store = store(&bucket, "");
    bucket.put("clip", b"old");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip");
    let old = store.head("clip", &go_on).unwrap().version;
    let kept = Version::from_text(old.as_str());
    store.fetch("clip", Some(&kept), &path, &go_on).unwrap();
    bucket.put("clip", b"new");
    let err = store.fetch("clip", Some(&kept), &path, &go_on).unwrap_err();
    assert!(
        matches!(err, StoreError::Changed { .. }) && err.is_of_one_object(),
        "{err}"
    );
    assert!(!path.exists());
    store.delete("clip", &go_on).unwrap();
    let err = store.fetch("clip", Some(&kept), &path, &go_on).unwrap_err();
    assert!(matches!(err, StoreError::NoSuchObject { .. }), "{err}");
}

#[test]
fn a_small_object_that_is_too_large_is_not_read() {
    let bucket = Bucket::new();
    let store = store(&bucket, "");
    bucket.put("journal", &[7; 1000]);
    assert_eq!(store.read("journal", 1000, &go_on).unwrap().0, [7; 1000]);
    let err = store.read("journal", 999, &go_on).unwrap_err();
    assert!(
        err.to_string().contains("1000 bytes; expected at most 999"),
        "{err}"
    );
}

#[test]
fn a_missing_object_is_told_from_a_missing_bucket_by_every_operation() {
    let bucket = Bucket::new();
    let store = store(&bucket, "");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for err in [
        store.head("gone", &go_on).unwrap_err(),
        store.read("gone", 10, &go_on).unwrap_err(),
        store.fetch("gone", None, &path, &go_on).unwrap_err(),
    ] {
        assert!(matches!(err, StoreError::NoSuchObject { .. }) && err.is_of_one_object());
        assert!(err.to_string().contains(&bucket.url("gone")), "{err}");
    }
    assert!(!store.exists("gone", &go_on).unwrap());
    assert_eq!(store.list("gone", &go_on).count(), 0);

    let nowhere = common::open("s3://no-such-bucket/f", common::options(bucket.env(None)));
    fs::write(&path, bytes(PART + 1)).unwrap();
    let local = path.as_path();
    for err in [
        nowhere.head("x", &go_on).unwrap_err(),
        nowhere.exists("x", &go_on).unwrap_err(),
        nowhere.read("x", 10, &go_on).unwrap_err(),
        nowhere.list("", &go_on).next().unwrap().unwrap_err(),
        nowhere.put("x", vec![1], &go_on).unwrap_err(),
        nowhere.put_if_absent("x", vec![1], &go_on).unwrap_err(),
        nowhere.upload(local, "x", &go_on).unwrap_err(),
    ] {
        assert!(matches!(err, StoreError::NoSuchBucket { .. }), "{err}");
        assert!(!err.is_of_one_object());
        assert!(err.to_string().contains("`no-such-bucket`"), "{err}");
    }
}

#[test]
fn a_file_that_cannot_be_written_or_read_is_a_local_error_that_names_it() {
    let bucket = Bucket::new();
    let store = store(&bucket, "");
    bucket.put("clip", b"bytes");
    let folder = tempfile::tempdir().unwrap();
    for err in [
        store
            .fetch("clip", None, &folder.path().join("no/folder"), &go_on)
            .unwrap_err(),
        store
            .upload(&folder.path().join("nothing"), "x", &go_on)
            .unwrap_err(),
        store.upload(folder.path(), "x", &go_on).unwrap_err(),
    ] {
        assert!(
            matches!(err, StoreError::Local { .. }) && !err.is_of_one_object(),
            "{err}"
        );
        assert!(err.to_string().contains(folder.path().to_str().unwrap()));
    }
}
