use super::*;
use crate::disk::Disk;
use crate::test_tree::{make_fifo, tree, write};

fn parsed(json: impl AsRef<[u8]>) -> Result<Instances, String> {
    let root = tree(&[]);
    write(root.path(), "a.json", json);
    let found = read(&Disk, &root.path().join("a.json"));
    found.map_err(|err| {
        err.to_string()
            .replace(&*root.path().to_string_lossy(), "ROOT")
    })
}

const SMALL: &str = r#"{"images": [{"id": 4, "file_name": "4.jpg"}], "annotations": [{"image_id": 4, "category_id": 2,
"bbox": [1, 2, 3.5, 4]}], "categories": [{"id": 2, "name": "dog"}]}"#;

#[test]
fn an_annotation_file_cut_at_any_byte_is_refused_with_the_place_and_never_taken_as_whole() {
    assert_eq!(parsed(SMALL).unwrap().images.len(), 1);
    for end in 1..SMALL.len() {
        let reason = parsed(&SMALL[..end]).unwrap_err();
        assert!(
            reason.contains("line ") && reason.contains(" column "),
            "{end}: {reason}"
        );
        assert!(reason.contains("download it again"), "{reason}");
    }
    assert!(parsed("").unwrap_err().contains("EOF"));
    assert!(
        parsed(format!("{SMALL}{SMALL}"))
            .unwrap_err()
            .contains("trailing characters")
    );
}

#[test]
fn other_json_is_refused_with_what_it_lacks() {
    for (text, expected) in [
        ("[]", "expected an object with images"),
        ("{\"images\": []}", "it has no annotations"),
        (
            "{\"images\": {}, \"annotations\": []}",
            "expected a list of images",
        ),
        (
            &*SMALL.replace("\"id\": 4", "\"id\": \"4\""),
            "invalid type: string \"4\"",
        ),
        (
            &*SMALL.replace("3.5", "NaN"),
            "expected value at line 2 column 16; if NaN or Infinity stands there, replace it by null",
        ),
        (
            &*SMALL.replace("\"file_name\": \"4.jpg\"", "\"name\": 1"),
            "missing field `file_name`",
        ),
        (
            &*SMALL.replace("4.jpg", ""),
            "the file name of image 4 has 0 bytes",
        ),
        (
            &*SMALL.replace("dog", &"x".repeat(300)),
            "the name of category 2 has 300 bytes",
        ),
        (
            &*SMALL.replace(
                "\"4.jpg\"}",
                "\"4.jpg\"}, {\"id\": 4, \"file_name\": \"5.jpg\"}",
            ),
            "two images have the id 4",
        ),
        (
            &*SMALL.replace(
                "\"4.jpg\"}",
                "\"4.jpg\"}, {\"id\": 5, \"file_name\": \"4.jpg\"}",
            ),
            "two images have the file name \"4.jpg\"",
        ),
        (
            &*SMALL.replace("\"dog\"}", "\"dog\"}, {\"id\": 2, \"name\": \"cat\"}"),
            "two categories have the id 2",
        ),
    ] {
        let reason = parsed(text).unwrap_err();
        assert!(reason.contains(expected), "{reason:?} lacks {expected:?}");
        assert!(!reason.contains("download"), "{reason}");
        assert!(
            reason.starts_with("cannot use ROOT/a.json as an annotation file of MSCOCO: "),
            "{reason}"
        );
    }
}

#[test]
fn null_and_fractions_in_place_of_a_number_cost_a_box_or_a_size_and_not_the_data_set() {
    let image = |json: &str| {
        let found = parsed(json).unwrap().images.remove(0);
        let object = found.objects.objects[0].clone();
        (found.objects.image_size, object.bbox.is_some(), object.mark)
    };
    let with = |sides: &str, crowd: &str| {
        let sides = format!("\"id\": 4, {sides}");
        let crowd = format!("\"image_id\": 4, \"iscrowd\": {crowd}");
        SMALL
            .replacen("\"id\": 4", &sides, 1)
            .replace("\"image_id\": 4", &crowd)
    };
    let size = Some([64, 32].into());
    let sound = with("\"width\": 64.0, \"height\": 32", "0");
    assert_eq!(image(&sound), (size, true, None));
    assert_eq!(image(&sound.replace("3.5", "null")), (size, false, None));
    for sides in ["null", "64.5", "-64", "1e12"] {
        let sides = format!("\"width\": {sides}, \"height\": 32");
        assert_eq!(image(&with(&sides, "null")), (None, true, None), "{sides}");
    }
    let crowd = with("\"width\": 64, \"height\": 32", "1.0");
    assert_eq!(image(&crowd).2, Some(ObjectMark::Crowd));
}

#[test]
fn ids_may_be_written_as_fractions_and_other_ids_are_refused_in_plain_words() {
    let with = |id: &str| {
        let text = SMALL.replace("\"id\": 4", &format!("\"id\": {id}"));
        parsed(text.replace("\"image_id\": 4", &format!("\"image_id\": {id}")))
    };
    assert_eq!(
        with("4.0").unwrap().images.len(),
        with("4").unwrap().images.len()
    );
    for id in ["\"4\"", "4.5", "-4", "null", "1e300"] {
        let reason = with(id).err().unwrap();
        let expected = "expected a whole number from 0 as an id";
        assert!(
            reason.contains(expected) && !reason.contains("u64"),
            "{reason}"
        );
    }
}

#[test]
fn the_order_of_the_lists_and_a_byte_order_mark_do_not_matter() {
    let turned = r#"{"categories": [{"id": 2, "name": "dog"}], "annotations": [{"category_id": 2, "bbox": null, "image_id": 4},
        {"category_id": 2, "bbox": [], "image_id": 4}, {"category_id": 2, "bbox": [1, 2, -3, 4], "image_id": 4}],
        "images": [{"file_name": "4.jpg", "id": 4}]}"#;
    let found = parsed(format!("\u{feff}{turned}")).unwrap();
    let objects = &found.images[0].objects.objects;
    assert_eq!(objects.len(), 3);
    assert!(objects.iter().all(|object| object.bbox.is_none()));
    assert_eq!(
        (found.images[0].objects.image_size, found.unusable),
        (None, None)
    );
}

#[test]
fn text_that_would_take_much_memory_is_refused_while_it_is_read() {
    let long = format!("{{\"info\": \"{}\"}}", "x".repeat(17 << 20));
    let deep = format!("{{\"info\": {}", "[".repeat(1000));
    for text in [long, deep] {
        assert_eq!(parsed(text).unwrap_err(), "cannot read ROOT/a.json");
    }
    let root = tree(&[]);
    make_fifo(root.path(), "a.json");
    assert!(matches!(
        read(&Disk, &root.path().join("a.json")),
        Err(SourceError::Unreadable { .. })
    ));
}
