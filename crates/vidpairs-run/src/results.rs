//! Recognises the finished results of a command, to name them where another command cannot write.

use std::path::Path;

use serde_json::Value;
use vidpairs_shard::MANIFEST_FILE;
use vidpairs_types::read_regular;

/// Largest file of results that is read, bytes.
const MAX_BYTES: u64 = 64 << 20;

/// File that a command writes last, a value that this file has, and what the command wrote.
const RESULTS: [(&str, &str, &str); 6] = [
    (
        MANIFEST_FILE,
        "/clips_xxh64",
        "pairs written by `vidpairs extract`",
    ),
    (
        "run.json",
        "/dataset_xxh64",
        "a training run of `vidpairs train`",
    ),
    (
        "synth.json",
        "/set/program_version",
        "a set rendered by `vidpairs synth`",
    ),
    (
        "summary.json",
        "/run/program_version",
        "results of `vidpairs track`",
    ),
    (
        "invariance.json",
        "/program_version",
        "results of `vidpairs invariance`",
    ),
    (
        "probe.json",
        "/program_version",
        "results of `vidpairs probe`",
    ),
];

/// The results of a command in `out`, in words, unless they are in one of the files `ours`.
pub(crate) fn foreign_results(out: &Path, ours: &[&str]) -> Option<&'static str> {
    let is_there = |(file, pointer, _): &(&str, &str, &str)| {
        let json = read_regular(&out.join(file), MAX_BYTES).unwrap_or_default();
        let json: Value = serde_json::from_slice(&json).unwrap_or_default();
        !ours.contains(file) && json.pointer(pointer).is_some()
    };
    let (_, _, what) = RESULTS.into_iter().find(is_there)?;
    Some(what)
}
