#![no_main]
//! A stream of `torch.save` as before PyTorch 1.6: pickles and storages.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(weights) = vidpairs_weights::parse_weights(data) {
        let _ = vidpairs_weights::backbone(&weights);
    }
});
