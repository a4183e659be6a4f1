//! Stores on moto's server, with limits that make tests quick.
#![allow(dead_code)] // each test file uses a part

use std::time::Duration;

use vidpairs_fixtures::s3::{Bucket, Proxy, Server};
use vidpairs_store::{Location, Options, Store};

/// A watch that never stops.
pub fn go_on(_num_bytes: u64) -> bool {
    true
}

pub fn options(env: Vec<(String, String)>) -> Options {
    Options {
        max_tries: 4,
        max_elapsed: Duration::from_secs(20),
        first_pause: Duration::from_millis(10),
        max_pause: Duration::from_millis(40),
        stall_timeout: Duration::from_secs(1),
        min_upload_bytes_per_sec: 10 << 20,
        // The least that S3 accepts.
        part_bytes: PART as u64,
        ..Options::with_environment(env)
    }
}

/// Bytes of a part: files of more are uploaded in parts.
pub const PART: usize = 5 << 20;

pub fn store(bucket: &Bucket, key: &str) -> Store {
    open(&bucket.url(key), options(bucket.env(None)))
}

/// A store behind a proxy.
pub fn faulty(bucket: &Bucket) -> (Proxy, Store) {
    faulty_with(bucket, |options| options)
}

pub fn faulty_with(bucket: &Bucket, change: impl Fn(Options) -> Options) -> (Proxy, Store) {
    let proxy = Proxy::new(Server::shared().port());
    let options = change(options(bucket.env(Some(&proxy))));
    let store = open(&bucket.url(""), options);
    (proxy, store)
}

/// The names of all objects below a folder.
pub fn names(store: &Store, folder: &str) -> Vec<String> {
    let entries = store.list(folder, &go_on);
    entries.map(|entry| entry.unwrap().name).collect()
}

pub fn open(url: &str, options: Options) -> Store {
    Store::open(Location::parse(url).unwrap(), options).unwrap()
}

/// Bytes without a period that a misplaced part could hide behind.
pub fn bytes(len: usize) -> Vec<u8> {
    let mut state = 1u64;
    let next = |_| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 56) as u8
    };
    (0..len).map(next).collect()
}
