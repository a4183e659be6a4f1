#![no_main]
//! A list of paths as source, on a disk and in an object store; and the same lines as names of objects.

use std::path::{Component, Path};

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{in_scratch, put};
use vidpairs_source::{
    ImageParts, ObjectNames, ObjectTree, SourceOptions, StoredObject, list, list_tree, paths_in_list,
};
use vidpairs_types::SourceKind;

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    put(folder, "cat.mp4", b"");
    let file = put(folder, "list.txt", data);
    let options = SourceOptions { kind: SourceKind::Videos, splits: Vec::new() };
    let _ = list(&file, &options);
    let _ = paths_in_list(data);
    let mut names = ObjectNames::default();
    let text = data.to_owned();
    for name in String::from_utf8_lossy(data).lines() {
        names.add(StoredObject { name, size_bytes: name.len() as u64 % 2, version: "1" });
    }
    names.add(StoredObject { name: "list.txt", size_bytes: text.len() as u64, version: "1" });
    let tree = ObjectTree::new("s3://bucket", names, move |_, range| {
        Ok(text[range.start as usize..range.end as usize].to_vec())
    });
    for root in [Path::new("s3://bucket"), Path::new("s3://bucket/list.txt"), &file] {
        let Ok(listing) = list_tree(&tree, root, &options, ImageParts::Whole) else { continue };
        for object in listing.clips.iter().flat_map(|clip| tree.files_of(clip).unwrap()) {
            // Joined to a scratch folder, the name must stay below it.
            let mut parts = Path::new(object.name).components();
            assert!(parts.all(|part| matches!(part, Component::Normal(_))), "{}", object.name);
        }
    }
}));
