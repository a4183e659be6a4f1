#![no_main]
//! A pipeline file, and an override in its first line.

use libfuzzer_sys::fuzz_target;
use vidpairs_pipeline::Pipeline;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let _ = Pipeline::from_str(&text, "fuzzed.toml", &[]);
    if let Some((first, rest)) = text.split_once('\n') {
        let _ = Pipeline::from_str(rest, "fuzzed.toml", &[first.to_owned()]);
    }
});
