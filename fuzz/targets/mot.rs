#![no_main]
//! Rows of MOTChallenge truth.

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{in_scratch, put};

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    put(folder, "clip.mp4", b"");
    let truth = put(folder, "clip.txt", data);
    let _ = vidpairs_source::mot_tracks(&truth, None);
}));
