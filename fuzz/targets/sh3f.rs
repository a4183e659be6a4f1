#![no_main]
//! The list of a Sweet Home 3D catalogue, in a sound zip.

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{in_scratch, put, zip_of};
use vidpairs_synth::catalog::Catalog;

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    let members: [(&str, &[u8]); 2] = [
        ("PluginFurnitureCatalog.properties", data),
        ("car.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"),
    ];
    let path = put(folder, "catalogue.sh3f", &zip_of(&members));
    if let Ok(catalog) = Catalog::read(&[path]) {
        for object in &catalog.objects {
            let _ = vidpairs_synth::mesh::load(object);
        }
    }
}));
