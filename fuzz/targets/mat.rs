#![no_main]
//! A MATLAB file, as a PASCAL3D+ annotation.

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{in_scratch, put};
use vidpairs_source::{ImageSetKind, image_sets};
use vidpairs_types::Seed;

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    put(folder, "Annotations/car_imagenet/n1_1.mat", data);
    put(folder, "Images/car_imagenet/n1_1.JPEG", b"\xff\xd8");
    let _ = image_sets(ImageSetKind::Pascal3dViewpoint, folder, Seed::of_run(0));
}));
