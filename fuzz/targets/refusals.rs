#![no_main]
//! `refused.jsonl` of a finished run.

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{in_scratch, put};

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    put(folder, "refused.jsonl", data);
    let _ = vidpairs_run::refusals::read(folder);
    let _ = vidpairs_run::refusals::read_all(folder);
}));
