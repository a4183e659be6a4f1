#![no_main]
//! Lines of `tracks.jsonl.zst`, in a sound zstd frame.

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{entry_of, in_scratch, put};
use vidpairs_shard::{TRACKS_FILE, TrackletCounts, TracksEntry, verify_tracks};

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    let frame = zstd::encode_all(data, 1).expect("memory takes every write");
    put(folder, TRACKS_FILE, &frame);
    let entry = entry_of(TRACKS_FILE, &frame, 0);
    let entry = TracksEntry {
        file: entry.file,
        bytes: entry.bytes,
        xxh64: entry.xxh64,
        counts: TrackletCounts::default(),
    };
    let _ = verify_tracks(folder, &entry, &|_| true);
}));
