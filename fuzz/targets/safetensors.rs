#![no_main]
//! A safetensors file.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(weights) = vidpairs_weights::parse_weights(data) {
        let _ = vidpairs_weights::backbone(&weights);
    }
});
