#![no_main]
//! A Wavefront OBJ and its MTL.

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{halves, in_scratch, put};
use vidpairs_synth::catalog::Catalog;

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    let (materials, model) = halves(data);
    let path = put(folder, "objects/car.obj", model);
    put(folder, "objects/car.mtl", materials);
    if let Ok(catalog) = Catalog::read(&[path.with_file_name("")]) {
        for object in &catalog.objects {
            let _ = vidpairs_synth::mesh::load(object);
        }
    }
}));
