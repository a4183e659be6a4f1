//! Serves S3 from a folder, for checks and benchmarks: `s3_server FOLDER [PORT]`. Subfolders are buckets; the access key is `key`, the secret
//! key `secret`. Prints the port, and ends when its standard input ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // a tool of the project's own scripts

mod serve;

use std::io::{self, Read};
use std::path::PathBuf;

fn main() {
    let mut args = std::env::args_os().skip(1);
    let folder = PathBuf::from(args.next().expect("s3_server FOLDER [PORT]"));
    let port = args.next().map_or(0, |port| {
        let port = port.to_str().and_then(|port| port.parse().ok());
        port.expect("PORT is a number")
    });
    println!("{}", serve::serve(&folder, port, 2).port());
    let _ = io::stdin().read_to_end(&mut Vec::new());
}
