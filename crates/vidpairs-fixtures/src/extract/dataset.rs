//! Contents of a finished data set, read with the `tar` crate instead of our own reader.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde_json::Value;

/// Record of a shard.
#[derive(Debug)]
pub struct Sample {
    pub key: String,
    /// Contents of `KEY.json`.
    pub json: Value,
    /// Bytes of `KEY.json`.
    pub json_bytes: Vec<u8>,
    /// Other members by their extension, such as `anchor.jpg`.
    pub images: BTreeMap<String, Vec<u8>>,
}

/// Contents of `dataset.json`.
pub fn manifest(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("dataset.json")).unwrap()).unwrap()
}

/// Lines of `tracks.jsonl.zst`.
pub fn tracklets(dir: &Path) -> Vec<Value> {
    let file = File::open(dir.join("tracks.jsonl.zst")).unwrap();
    parsed_lines(&zstd::decode_all(file).unwrap())
}

/// Lines of a file of JSON lines.
pub fn json_lines(path: &Path) -> Vec<Value> {
    parsed_lines(&fs::read(path).unwrap())
}

fn parsed_lines(text: &[u8]) -> Vec<Value> {
    let lines = str::from_utf8(text).unwrap().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Lines of `refused.jsonl`.
pub fn refused(dir: &Path) -> Vec<Value> {
    json_lines(&dir.join("refused.jsonl"))
}

/// Line of `refused.jsonl` for the clip `id`.
#[track_caller]
pub fn refusal_of(dir: &Path, id: &str) -> Value {
    let lines = refused(dir);
    let line = lines.iter().find(|line| line["id"] == id);
    line.unwrap_or_else(|| panic!("no {id} in {lines:?}"))
        .clone()
}

/// All records, in the order of the manifest. Asserts that members of one key are consecutive.
pub fn samples(dir: &Path) -> Vec<Sample> {
    let manifest = manifest(dir);
    let shards = manifest["shards"].as_array().unwrap();
    let mut samples: Vec<Sample> = Vec::new();
    for shard in shards {
        let file = File::open(dir.join(shard["file"].as_str().unwrap())).unwrap();
        let mut archive = tar::Archive::new(file);
        for member in archive.entries().unwrap() {
            let mut member = member.unwrap();
            let name = member.path().unwrap().to_str().unwrap().to_owned();
            let (key, extension) = name.split_once('.').unwrap();
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).unwrap();
            if samples.last().is_none_or(|sample| sample.key != key) {
                let is_new = samples.iter().all(|sample| sample.key != key);
                assert!(is_new, "{key} is in two places");
                samples.push(Sample {
                    key: key.to_owned(),
                    json: Value::Null,
                    json_bytes: Vec::new(),
                    images: BTreeMap::new(),
                });
            }
            let sample = samples.last_mut().unwrap();
            if extension == "json" {
                sample.json = serde_json::from_slice(&bytes).unwrap();
                sample.json_bytes = bytes;
            } else {
                sample.images.insert(extension.to_owned(), bytes);
            }
        }
    }
    samples
}

/// Width and height of a JPEG, from its markers.
pub fn jpeg_size(bytes: &[u8]) -> [u64; 2] {
    let mut at = 2;
    loop {
        let (marker, length) = (bytes[at + 1], usize::from(u16_at(bytes, at + 2)));
        if (0xC0..=0xC2).contains(&marker) {
            return [u16_at(bytes, at + 7), u16_at(bytes, at + 5)].map(u64::from);
        }
        at += 2 + length;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}
