#![no_main]
//! The journal of a stopped run, changed from some byte on. Lines that count are a beginning of the lines that were written.

use std::fs;

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{halves, in_scratch};
use vidpairs_run::{RunLayout, Started};

const LAYOUT: RunLayout = RunLayout {
    what: "a fuzzed run",
    manifest: "run.json",
    begin_key: "run",
};
const LINES: [&str; 4] = ["first", "", "third line", "4"];

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    let out = folder.join("out");
    let begin = serde_json::json!({ "program_version": "1" });
    let Ok(Started::Open(mut journal, _)) = LAYOUT.start::<String>(&out, &begin) else {
        panic!("a new run was refused");
    };
    for line in LINES {
        journal.add(&line.to_owned()).expect("memory takes every write");
    }
    drop(journal);
    let path = out.join(".journal/progress.jsonl");
    let mut text = fs::read(&path).expect("the journal was written");
    // The first two bytes of the input state where the change begins; it replaces as many bytes as follow them.
    let (at, change) = halves(data);
    let at = at.len().min(text.len());
    let end = text.len().min(at + change.len());
    text.splice(at..end, change.iter().copied());
    fs::write(&path, &text).expect("memory takes every write");
    if let Ok(Started::Open(_, lines)) = LAYOUT.start::<String>(&out, &begin) {
        assert!(lines.len() <= LINES.len() && lines.iter().eq(&LINES[..lines.len()]), "{lines:?}");
    }
    fs::remove_dir_all(out).expect("a folder of this target");
}));
