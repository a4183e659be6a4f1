use std::os::unix::fs::symlink;

use vidpairs_types::{Media, ObjectMark, Outcome, SourceKind};

use super::*;
use crate::objects;
use crate::test_tree::{ids, listed, listed_parts, make_fifo, refused, tree, write};

/// Annotations in the order of the official files: the images before the annotations, the classes last.
const INSTANCES: &str = r#"{"info": {"year": 2017}, "licenses": [{"id": 1}],
"images": [
 {"license": 1, "file_name": "000000000030.jpg", "coco_url": "http://", "height": 40, "width": 60, "id": 30},
 {"license": 1, "file_name": "000000000009.jpg", "height": 480, "width": 640, "id": 9},
 {"file_name": "000000000011.jpg", "height": 10, "width": 10, "id": 11},
 {"file_name": "000000000025.jpg", "height": 10, "width": 10, "id": 25}],
"annotations": [
 {"segmentation": [[500.49, 473.53, 599.73]], "area": 120.5, "iscrowd": 0, "image_id": 9, "bbox": [473.07, 395.93, 38.65, 28.67],
  "category_id": 90, "id": 1},
 {"segmentation": {"counts": [272, 2, 4], "size": [480, 640]}, "area": 18419, "iscrowd": 1, "image_id": 9,
  "bbox": [1, 190, 638, 136], "category_id": 1, "id": 900100000009},
 {"segmentation": {"counts": "PPYg1", "size": [480, 640]}, "iscrowd": false, "image_id": 9, "bbox": [0, 0, 5, 0], "category_id": 1},
 {"iscrowd": 0, "image_id": 25, "bbox": [1, 2, 3, 4], "category_id": 90},
 {"iscrowd": 0, "image_id": 9, "bbox": [1, 2, 3], "category_id": 90},
 {"iscrowd": 0, "image_id": 9, "bbox": [1, 2, 3, 4], "category_id": 12},
 {"iscrowd": 0, "image_id": 77, "bbox": [1, 2, 3, 4], "category_id": 1},
 {"iscrowd": 0, "image_id": 78, "bbox": [1, 2, 3, 4], "category_id": 1}],
"categories": [{"supercategory": "person", "id": 1, "name": "person"}, {"id": 90, "name": "toothbrush"}]}"#;

fn coco(instances: &str) -> tempfile::TempDir {
    let root = tree(&[
        "train2017/000000000009.jpg",
        "train2017/000000000030.jpg",
        "train2017/000000000025.jpg",
        "train2017/000000000099.jpg",
        "train2017/notes.txt",
        "val2017/000000000139.jpg",
        "train2014/COCO_train2014_000000000009.jpg",
        "annotations/captions_train2017.json",
    ]);
    write(
        root.path(),
        "annotations/instances_train2017.json",
        instances,
    );
    root
}

#[test]
fn whole_images_are_the_files_of_train2017_and_need_no_annotations() {
    let root = coco("no JSON");
    let listing = listed(SourceKind::Coco, root.path(), &[]).unwrap();
    let names = [
        "000000000009",
        "000000000025",
        "000000000030",
        "000000000099",
    ];
    let expected = names.map(|name| format!("train2017/{name}.jpg"));
    assert_eq!(ids(&listing), expected);
    let image = root.path().join("train2017/000000000009.jpg");
    assert_eq!(listing.clips[0].media, Media::Still(image));
    assert_eq!(listing.ignored.to_string(), "1 other file (1 .txt)");
    let named = listed(SourceKind::Coco, root.path(), &["val2017"]).unwrap();
    assert_eq!(ids(&named), ["val2017/000000000139.jpg"]);
}

#[test]
fn an_image_has_the_objects_of_its_id_with_the_names_of_their_categories() {
    let root = coco(INSTANCES);
    let listing = listed_parts(SourceKind::Coco, root.path(), &[], ImageParts::Boxes).unwrap();
    assert_eq!(
        ids(&listing),
        ["train2017/000000000009.jpg", "train2017/000000000025.jpg"]
    );
    let found = objects(&listing.clips[0]).unwrap();
    assert_eq!(found.image_size, Some([640, 480].into()));
    let expected = [
        (Some([473.07, 395.93, 38.65, 28.67]), "toothbrush", None),
        (
            Some([1.0, 190.0, 638.0, 136.0]),
            "person",
            Some(ObjectMark::Crowd),
        ),
        (None, "person", None),
        (None, "toothbrush", None),
    ];
    let objects: Vec<_> = found
        .objects
        .iter()
        .map(|object| {
            (
                object.bbox.map(<[f64; 4]>::from),
                &*object.label,
                object.mark,
            )
        })
        .collect();
    assert_eq!(objects, expected);
}

#[test]
fn absent_images_images_without_objects_and_annotations_of_nothing_are_named_and_counted() {
    let root = coco(INSTANCES);
    let listing = listed_parts(SourceKind::Coco, root.path(), &[], ImageParts::Boxes).unwrap();
    let name = "instances_train2017.json";
    let expected = [
        (
            "annotations/instances_train2017.json".to_owned(),
            "1 annotation has no listed category_id (the first: 12); 2 annotations have no listed image_id (the first: 77)"
                .to_owned(),
        ),
        ("train2017/000000000011.jpg".to_owned(), format!("no such file, though {name} lists it")),
        ("train2017/000000000030.jpg".to_owned(), format!("{name} has no object in it")),
        ("train2017/000000000099.jpg".to_owned(), format!("{name} does not list it")),
    ];
    let found = refused(&listing);
    let expected: Vec<_> = expected
        .iter()
        .map(|(id, reason)| (&**id, &**reason))
        .collect();
    assert_eq!(found, expected);
    let outcomes: Vec<Outcome> = listing
        .refused
        .iter()
        .map(|refusal| refusal.outcome)
        .collect();
    assert_eq!(
        outcomes,
        [
            Outcome::Skipped,
            Outcome::Refused,
            Outcome::Skipped,
            Outcome::Skipped
        ]
    );
}

#[test]
fn names_that_lead_elsewhere_and_what_is_no_file_are_refused() {
    let root = coco(&INSTANCES.replace("000000000030.jpg", "../val2017/000000000139.jpg"));
    std::fs::remove_file(root.path().join("train2017/000000000025.jpg")).unwrap();
    make_fifo(root.path(), "train2017/000000000025.jpg");
    let listing = listed_parts(SourceKind::Coco, root.path(), &[], ImageParts::Boxes).unwrap();
    assert_eq!(ids(&listing), ["train2017/000000000009.jpg"]);
    let reason_of = |id: &str| {
        let found = listing.refused.iter().find(|refusal| refusal.id == id);
        &*found.unwrap().reason
    };
    assert_eq!(
        reason_of("train2017/000000000025.jpg"),
        "is a FIFO, not a regular file"
    );
    let elsewhere = reason_of("train2017/../val2017/000000000139.jpg");
    let expected = "its file_name in instances_train2017.json is a path with `..`; expected the name of a file in train2017/, or a path below that \
                    folder";
    assert_eq!(elsewhere, expected);
}

#[test]
fn a_wrong_root_a_missing_split_and_missing_annotations_are_errors_that_name_what_is_missing() {
    let message = |root: &Path, splits: &[&str], parts| {
        let err = listed_parts(SourceKind::Coco, root, splits, parts).unwrap_err();
        err.to_string().replace(&*root.to_string_lossy(), "ROOT")
    };
    let root = coco(INSTANCES);
    assert_eq!(
        message(root.path(), &["train2018"], ImageParts::Whole),
        "no split `train2018` in ROOT; found: train2014, train2017, val2017"
    );
    assert_eq!(
        message(root.path(), &["val2017"], ImageParts::Boxes),
        "cannot read ROOT/annotations/instances_val2017.json"
    );
    let other = tree(&["images/1.jpg", "val2014/1.jpg"]);
    let expected = "no split train2017 in ROOT; found: val2014; name the splits to list";
    assert_eq!(message(other.path(), &[], ImageParts::Whole), expected);
    let wrong = tree(&["images/1.jpg"]);
    let text = message(wrong.path(), &[], ImageParts::Whole);
    assert!(
        text.starts_with("no MSCOCO split in ROOT: looked for train2017/"),
        "{text}"
    );
}

/// A split with one annotated image for each of `names`.
fn with_names(names: &[&str]) -> String {
    let images: Vec<_> = (0..)
        .zip(names)
        .map(|(id, name)| serde_json::json!({ "id": id, "file_name": name }))
        .collect();
    let annotations: Vec<_> = (0..names.len())
        .map(|id| serde_json::json!({ "image_id": id, "category_id": 1, "bbox": [1, 2, 3, 4] }))
        .collect();
    let categories = [serde_json::json!({ "id": 1, "name": "cat" })];
    let all = serde_json::json!({ "images": images, "annotations": annotations, "categories": categories });
    all.to_string()
}

#[test]
fn a_file_name_with_a_folder_leads_to_the_file_below_the_folder_of_the_split() {
    let root = coco(&with_names(&[
        "train2017/000000000009.jpg",
        "train2017\\000000000025.jpg",
        "./000000000030.jpg",
        "sub/a b.jpg",
        "train2017/.//sub\\1.jpg",
        "odd\\name.jpg",
        "val2017/000000000139.jpg",
    ]));
    for name in ["sub/a b.jpg", "sub/1.jpg", "sub/2.jpg", "odd\\name.jpg"] {
        write(root.path(), &format!("train2017/{name}"), "");
    }
    let listing = listed_parts(SourceKind::Coco, root.path(), &[], ImageParts::Boxes).unwrap();
    let expected = [
        "train2017/000000000009.jpg",
        "train2017/000000000025.jpg",
        "train2017/000000000030.jpg",
        "train2017/odd\\name.jpg",
        "train2017/sub/1.jpg",
        "train2017/sub/a b.jpg",
    ];
    assert_eq!(ids(&listing), expected);
    let last = root.path().join("train2017/sub/a b.jpg");
    assert_eq!(listing.clips[5].media, Media::Still(last));
    let name = "instances_train2017.json";
    let expected = [
        (
            "train2017/000000000099.jpg",
            format!("{name} does not list it"),
        ),
        (
            "train2017/val2017/000000000139.jpg",
            format!("no such file, though {name} lists it"),
        ),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(id, reason)| (*id, &**reason))
        .collect();
    assert_eq!(refused(&listing), expected);
}

#[test]
fn no_file_name_leads_out_of_the_folder_of_the_split() {
    let root = tree(&["train2017/1.jpg", "train2017/sub/", "secret.jpg"]);
    let absolute = root.path().join("secret.jpg");
    let absolute = absolute.to_str().unwrap();
    for (name, what) in [
        ("../secret.jpg", "a path with `..`"),
        ("sub/../../secret.jpg", "a path with `..`"),
        ("..\\secret.jpg", "a path with `..`"),
        ("train2017/../secret.jpg", "a path with `..`"),
        (absolute, "an absolute path"),
        ("C:\\data\\secret.jpg", "an absolute path"),
        ("\\\\server\\secret.jpg", "an absolute path"),
        ("https://example.com/secret.jpg", "an absolute path"),
        ("./", "empty"),
    ] {
        let json = with_names(&["1.jpg", name]);
        write(root.path(), "annotations/instances_train2017.json", json);
        let listing = listed_parts(SourceKind::Coco, root.path(), &[], ImageParts::Boxes).unwrap();
        assert_eq!(ids(&listing), ["train2017/1.jpg"], "{name}");
        let found = refused(&listing);
        let expected = format!(
            "its file_name in instances_train2017.json is {what}; expected the name of a file"
        );
        assert!(found[0].1.starts_with(&expected), "{found:?}");
    }
}

#[test]
fn two_names_that_lead_to_one_file_are_an_error_that_has_both() {
    let root = tree(&["train2017/1.jpg", "train2017/sub/2.jpg"]);
    symlink("sub", root.path().join("train2017/alias")).unwrap();
    for (names, file) in [
        (["alias/2.jpg", "sub/2.jpg"], "sub/2.jpg"),
        (["./1.jpg", "1.jpg"], "1.jpg"),
        (["1.jpg", "train2017/1.jpg"], "1.jpg"),
        (["sub/2.jpg", "sub\\2.jpg"], "sub/2.jpg"),
    ] {
        let json = with_names(&names);
        write(root.path(), "annotations/instances_train2017.json", json);
        let err = listed_parts(SourceKind::Coco, root.path(), &[], ImageParts::Boxes).unwrap_err();
        let expected = format!(
            "as an annotation file of MSCOCO: {:?} and {:?} both lead to train2017/{file}; expected one entry for each image",
            names[0], names[1]
        );
        assert!(err.to_string().ends_with(&expected), "{err}");
    }
}

#[test]
fn an_error_without_clips_counts_refused_and_skipped_inputs_apart() {
    let names = ["1.png", "2.png", "3.png"];
    let root = tree(&["train2017/1.jpg", "train2017/2.jpg", "train2017/3.jpg"]);
    write(
        root.path(),
        "annotations/instances_train2017.json",
        with_names(&names),
    );
    let err = listed_parts(SourceKind::Coco, root.path(), &[], ImageParts::Boxes).unwrap_err();
    let expected = "3 refused and 3 skipped, the first: train2017/1.png: no such file, though instances_train2017.json lists it";
    assert!(err.to_string().ends_with(expected), "{err}");
}
