#![no_main]
//! Still pictures: sizes, planes and regions.

use libfuzzer_sys::fuzz_target;
use vidpairs_image::{jpeg, png};

fuzz_target!(|data: &[u8]| {
    let _ = jpeg::frame_size(data);
    let _ = jpeg::decompress(data);
    let _ = png::read_size(data);
    let _ = png::decode(data);
});
