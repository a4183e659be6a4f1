#![no_main]
//! A zip of frames: its directory, the order of its names, and its first pictures.

use std::ops::ControlFlow;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use vidpairs_extract::decode;
use vidpairs_fuzz::{in_scratch, put};
use vidpairs_types::Media;
use vidpairs_types::parallel::Heartbeat;

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    let path = put(folder, "clip.zip", data);
    let media = Media::JpegZip { path, fps: None, first_number: None };
    let heartbeat = Arc::new(Heartbeat::default());
    let Ok(index) = decode::index(&media, &heartbeat) else {
        return;
    };
    let wanted: Vec<u64> = (0..index.num_frames().min(3)).collect();
    let _ = decode::decode_wanted(&media, &index, &wanted, &heartbeat, &mut |_| ControlFlow::Continue(()));
}));
