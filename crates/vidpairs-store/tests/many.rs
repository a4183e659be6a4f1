//! A listing of many names. Alone in its file, because it measures the memory of the process.

// Clippy takes functions without the attribute of a test for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::{fs, thread};

use common::{go_on, open, options};

const NUM_PAGES: usize = 200;
const PAGE: usize = 1000;

/// Answers list requests with pages of names, over one connection after the other.
fn serve_pages() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            while answer(stream.as_ref().unwrap()).is_some() {}
        }
    });
    port
}

fn answer(mut stream: &TcpStream) -> Option<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    let token = first
        .split_once("continuation-token=")
        .map_or("0", |(_, rest)| rest);
    let digits = token.split(|c: char| !c.is_ascii_digit()).next().unwrap();
    let page: usize = digits.parse().unwrap();
    let mut xml = String::from("<ListBucketResult>");
    for nth in page * PAGE..(page + 1) * PAGE {
        let name = format!("videos/of a folder/{nth:09}/clip é.mp4");
        write!(
            xml,
            "<Contents><Key>{name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;{nth:032x}&quot;</ETag>\
             <Size>{nth}</Size></Contents>"
        )
        .unwrap();
    }
    if page + 1 < NUM_PAGES {
        write!(
            xml,
            "<NextContinuationToken>{}</NextContinuationToken>",
            page + 1
        )
        .unwrap();
    }
    xml.push_str("</ListBucketResult>");
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{xml}",
        xml.len()
    )
    .ok()
}

/// Memory of this process that is in use now, MiB.
fn resident_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib = line.split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() >> 10
}

#[test]
fn two_hundred_thousand_names_are_listed_with_memory_for_some_pages() {
    let variables = [
        ("AWS_SKIP_SIGNATURE", "true".to_owned()),
        (
            "AWS_ENDPOINT_URL",
            format!("http://127.0.0.1:{}", serve_pages()),
        ),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let store = open("s3://bucket/videos", options(variables.to_vec()));
    let (mut num_names, mut start_mib, mut most_mib) = (0, 0, 0);
    for entry in store.list("", &go_on) {
        let entry = entry.unwrap();
        assert_eq!(entry.name, format!("of a folder/{num_names:09}/clip é.mp4"));
        assert_eq!(entry.num_bytes, num_names);
        num_names += 1;
        if num_names % 1000 == 0 {
            let now_mib = resident_mib();
            if num_names == 10_000 {
                start_mib = now_mib;
            }
            most_mib = most_mib.max(now_mib);
        }
    }
    assert_eq!(num_names as usize, NUM_PAGES * PAGE);
    let grown_mib = most_mib.saturating_sub(start_mib);
    assert!(
        grown_mib < 10,
        "{start_mib} MiB after 10,000 names, then {grown_mib} more"
    );
}
