#![no_main]
//! Still pictures of every format: size, orientation, planes.

use libfuzzer_sys::fuzz_target;
use vidpairs_image::{jpeg, png, still};

fuzz_target!(|data: &[u8]| {
    let _ = still::read_size(data);
    let _ = still::read_orientation(data);
    let _ = still::decode(data);
    let _ = still::planes(data);
    let _ = jpeg::frame_size(data);
    let _ = jpeg::decompress(data);
    let _ = png::read_size(data);
    let _ = png::decode(data);
    let _ = png::decode_labels(data);
});
