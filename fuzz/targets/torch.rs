#![no_main]
//! The pickle of a `torch.save` file, in a sound zip with two storages.

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::zip_of;

fuzz_target!(|data: &[u8]| {
    let members: [(&str, &[u8]); 4] = [
        ("archive/data.pkl", data),
        ("archive/data/0", &[0; 256]),
        ("archive/data/1", &[0; 64]),
        ("archive/version", b"3\n"),
    ];
    if let Ok(weights) = vidpairs_weights::parse_weights(&zip_of(&members)) {
        let _ = vidpairs_weights::backbone(&weights);
    }
});
