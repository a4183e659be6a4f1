//! Tests on the real catalogues; skipped unless `scripts/fetch-objects.sh` has fetched them.

use std::path::PathBuf;

use vidpairs_synth::catalog::{Catalog, Half};
use vidpairs_synth::mesh;

fn catalog() -> Option<Catalog> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| std::env::home_dir().unwrap().join(".cache"));
    let root = cache.join("vidpairs/objects");
    if !root.is_dir() {
        eprintln!(
            "skipped: no objects in {}; scripts/fetch-objects.sh fetches them",
            root.display()
        );
        return None;
    }
    Some(Catalog::read(&[root]).unwrap())
}

#[test]
fn all_820_objects_are_listed_and_about_a_quarter_is_held_out() {
    let Some(catalog) = catalog() else { return };
    assert_eq!(catalog.objects.len(), 820);
    assert_eq!(catalog.set_aside, []);
    let held_out = catalog
        .objects
        .iter()
        .filter(|object| object.half == Half::HeldOut)
        .count();
    assert!((165..=245).contains(&held_out), "{held_out}");
    for class in ["car", "chair", "person", "sofa", "table", "tree"] {
        for half in [Half::Training, Half::HeldOut] {
            let count = catalog
                .select(Some(half), &[class.to_owned()])
                .objects
                .len();
            assert!(count >= 4, "{count} {class} in the {} half", half.name());
        }
    }
}

#[test]
fn every_tenth_object_loads_as_a_mesh_of_unit_size_or_names_its_missing_file() {
    let Some(catalog) = catalog() else { return };
    let mut num_read = 0;
    for object in catalog.objects.iter().step_by(10) {
        let mesh = match mesh::load(object) {
            Ok(mesh) => mesh,
            Err(err) => {
                let err = err.to_string();
                assert!(
                    err.contains(".jpg") || err.contains(".png") || err.contains(".mtl"),
                    "{err}"
                );
                continue;
            }
        };
        num_read += 1;
        let farthest = mesh.vertices.iter().map(|vertex| vertex.position.length());
        let farthest = farthest.fold(0.0, f32::max);
        assert!(
            (0.3..1.001).contains(&farthest),
            "{}: {farthest}",
            object.id
        );
        for vertex in &mesh.vertices {
            assert!((0.0..=1.0).contains(&vertex.openness), "{}", object.id);
        }
        let used = mesh
            .triangles
            .iter()
            .flatten()
            .map(|&corner| &mesh.vertices[corner as usize]);
        for vertex in used {
            assert!((vertex.normal.length() - 1.0).abs() < 1e-3, "{}", object.id);
        }
    }
    assert!(num_read >= 78, "only {num_read} of 82 objects can be read");
}
