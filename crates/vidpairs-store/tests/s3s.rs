//! A second server (s3s-fs), in process. It checks every signature, lists no etags, and keeps objects as files.

// Clippy takes functions without the attribute of a test for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
#[path = "../examples/s3_server/serve.rs"]
mod serve;

use std::collections::BTreeMap;
use std::fs;

use common::{PART, bytes, go_on, open, options};
use serve::serve;
use vidpairs_store::{Store, StoreError};

fn store(address: std::net::SocketAddr, secret: &str, url: &str) -> Store {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_ENDPOINT_URL", &format!("http://{address}")),
    ];
    let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    open(url, options(owned.to_vec()))
}

#[test]
fn signatures_of_names_with_any_characters_are_right() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("bucket")).unwrap();
    let address = serve(folder.path(), 0, 1);
    let store = store(address, "secret", "s3://bucket/f #1");
    let names = [
        "a b",
        "#1",
        "100%",
        "%20",
        "a+b",
        "a?b=c&d",
        "a;b,c:d@e=f$g!h*i'j(k)",
        "~[x]{y}",
        "\u{e9}",
        "e\u{301}",
        "日本語/動画",
        " x ",
        "😀",
    ];
    for name in names {
        store.put(name, name.as_bytes().to_vec(), &go_on).unwrap();
        assert_eq!(
            store.read(name, 100, &go_on).unwrap().0,
            name.as_bytes(),
            "{name}"
        );
        let file = folder.path().join("bucket/f #1").join(name);
        assert_eq!(fs::read(file).unwrap(), name.as_bytes());
    }
    let listed: BTreeMap<_, _> = store
        .list("", &go_on)
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.name.clone(), entry))
        .collect();
    assert_eq!(listed.len(), names.len());
    for name in names {
        assert_eq!(listed[name].num_bytes as usize, name.len());
        store.delete(name, &go_on).unwrap();
        assert!(!store.exists(name, &go_on).unwrap());
    }
}

#[test]
fn parts_ranges_and_conditions_work_and_a_change_is_seen_by_its_time() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("bucket")).unwrap();
    let address = serve(folder.path(), 0, 1);
    let store = store(address, "secret", "s3://bucket");
    let (local, back) = (folder.path().join("local"), folder.path().join("back"));
    fs::write(&local, bytes(3 * PART + 7)).unwrap();
    let uploaded = store.upload(&local, "clip", &go_on).unwrap();
    store
        .fetch("clip", Some(&uploaded.version), &back, &go_on)
        .unwrap();
    assert!(fs::read(&back).unwrap() == bytes(3 * PART + 7));

    let listed = store.list("", &go_on).next().unwrap().unwrap();
    assert!(
        listed.version.as_str().starts_with("modified "),
        "{}",
        listed.version
    );
    store
        .fetch("clip", Some(&listed.version), &back, &go_on)
        .unwrap();
    let file = fs::File::options()
        .write(true)
        .open(folder.path().join("bucket/clip"))
        .unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    file.set_modified(later).unwrap();
    let err = store
        .fetch("clip", Some(&listed.version), &back, &go_on)
        .unwrap_err();
    assert!(matches!(err, StoreError::Changed { .. }), "{err}");

    let first = store.put_if_absent("lease", b"1".to_vec(), &go_on).unwrap();
    let err = store
        .put_if_absent("lease", b"2".to_vec(), &go_on)
        .unwrap_err();
    assert!(matches!(err, StoreError::AlreadyThere { .. }), "{err}");
    store
        .put_if_version("lease", b"3".to_vec(), &first, &go_on)
        .unwrap();
    let err = store
        .put_if_version("lease", b"4".to_vec(), &first, &go_on)
        .unwrap_err();
    assert!(matches!(err, StoreError::Changed { .. }), "{err}");
}

#[test]
fn a_wrong_secret_key_is_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let address = serve(folder.path(), 0, 1);
    let store = store(address, "wrong", "s3://bucket");
    let err = store.list("", &go_on).next().unwrap().unwrap_err();
    assert!(matches!(err, StoreError::BadCredentials { .. }), "{err}");
    assert!(err.to_string().contains("check the secret key"), "{err}");
}
