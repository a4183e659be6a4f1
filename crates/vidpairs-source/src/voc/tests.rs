use vidpairs_types::{Media, Outcome, ProbeLabel, SourceKind, Split};

use super::*;
use crate::objects;
use crate::test_tree::{ids, listed, listed_parts, make_fifo, refused, tree, write};
use crate::voc_probe_set;

/// An annotation with objects of these classes, boxes and values of `difficult`.
fn xml(objects: &[(&str, [u32; 4], bool)]) -> String {
    let object = |(name, [xmin, ymin, xmax, ymax], difficult): &(&str, [u32; 4], bool)| {
        format!(
            "\t<object>\n\t\t<name>{name}</name>\n\t\t<pose>Left</pose>\n\t\t<truncated>0</truncated>\n\t\t<difficult>{}</difficult>\n\
             \t\t<bndbox>\n\t\t\t<xmin>{xmin}</xmin>\n\t\t\t<ymin>{ymin}</ymin>\n\t\t\t<xmax>{xmax}</xmax>\n\t\t\t<ymax>{ymax}</ymax>\n\
             \t\t</bndbox>\n\t</object>\n",
            u8::from(*difficult)
        )
    };
    let objects: Vec<String> = objects.iter().map(object).collect();
    format!(
        "<annotation>\n\t<folder>VOC2007</folder>\n\t<size>\n\t\t<width>50</width>\n\t\t<height>40</height>\n\t\t<depth>3</depth>\n\
         \t</size>\n\t<segmented>0</segmented>\n{}</annotation>\n",
        objects.concat()
    )
}

const YEAR: &str = "VOCdevkit/VOC2007";

/// One year with three images of `trainval` and two of `test`.
fn voc2007() -> tempfile::TempDir {
    let root = tree(&[]);
    let file = |name: &str, text: &str| write(root.path(), &format!("{YEAR}/{name}"), text);
    for id in ["000001", "000002", "000005", "000007", "000009"] {
        file(&format!("JPEGImages/{id}.jpg"), "");
    }
    let person = [8, 12, 40, 40];
    file(
        "Annotations/000001.xml",
        &xml(&[("dog", [1, 1, 20, 20], false), ("person", person, true)]),
    );
    file(
        "Annotations/000002.xml",
        &xml(&[("train", [3, 4, 10, 30], false)]),
    );
    let both = [("person", person, true), ("person", [1, 1, 5, 5], false)];
    file("Annotations/000005.xml", &xml(&both));
    file("Annotations/000007.xml", &xml(&[]));
    file(
        "Annotations/000009.xml",
        &xml(&[("dog", [1, 1, 50, 40], true)]),
    );
    file("ImageSets/Main/trainval.txt", "000005\n000007\r\n000009\n");
    file("ImageSets/Main/train.txt", "000005\n");
    file("ImageSets/Main/val.txt", "000007\n000009\n");
    file("ImageSets/Main/test.txt", "000001\n000002\n\n");
    file("ImageSets/Main/dog_test.txt", "000001  1\n000002 -1\n");
    root
}

fn voc(root: &Path, splits: &[&str]) -> Listing {
    listed(SourceKind::Voc, root, splits).unwrap()
}

#[test]
fn the_year_its_devkit_and_the_parent_of_the_devkit_give_the_same_clips() {
    let root = voc2007();
    let from_parent = voc(root.path(), &[]);
    let expected = ["VOC2007/000005", "VOC2007/000007", "VOC2007/000009"];
    assert_eq!(ids(&from_parent), expected);
    for part in ["VOCdevkit", YEAR] {
        assert_eq!(ids(&voc(&root.path().join(part), &[])), expected, "{part}");
    }
    let image = root.path().join(YEAR).join("JPEGImages/000005.jpg");
    assert_eq!(from_parent.clips[0].media, Media::Still(image));
    assert_eq!(from_parent.clips[0].annotation, Annotation::None);
    assert!(from_parent.refused.is_empty());
    assert_eq!(
        ids(&voc(root.path(), &["test"])),
        ["VOC2007/000001", "VOC2007/000002"]
    );
    // Splits that overlap give each image once.
    assert_eq!(
        ids(&voc(root.path(), &["trainval", "train", "test"])).len(),
        5
    );
}

#[test]
fn several_years_are_listed_together_and_a_split_that_none_has_is_named() {
    let root = voc2007();
    write(
        root.path(),
        "VOCdevkit/VOC2012/JPEGImages/2008_000001.jpg",
        "",
    );
    write(
        root.path(),
        "VOCdevkit/VOC2012/ImageSets/Main/trainval.txt",
        "2008_000001\n",
    );
    let listing = voc(root.path(), &[]);
    assert_eq!(ids(&listing).last(), Some(&"VOC2012/2008_000001"));
    assert_eq!(listing.clips.len(), 4);
    assert_eq!(voc(root.path(), &["test"]).clips.len(), 2);
    let message = |splits: &[&str]| {
        let err = listed(SourceKind::Voc, root.path(), splits).unwrap_err();
        err.to_string()
            .replace(&*root.path().to_string_lossy(), "ROOT")
    };
    // Lists of one class are no splits.
    assert_eq!(
        message(&["dog_test"]),
        "no split `dog_test` in ROOT; found: test, train, trainval (and 1 more)"
    );
    let err = voc_probe_set(root.path(), ImageParts::Whole).unwrap_err();
    let expected = "holds several years: VOC2007, VOC2012; name the folder of one";
    assert!(err.to_string().ends_with(expected), "{err}");
    assert!(voc_probe_set(&root.path().join(YEAR), ImageParts::Whole).is_ok());
}

#[test]
fn absent_images_and_what_is_no_file_are_refused_and_the_rest_is_listed() {
    let root = voc2007();
    let year = root.path().join(YEAR);
    std::fs::remove_file(year.join("JPEGImages/000007.jpg")).unwrap();
    std::fs::remove_file(year.join("JPEGImages/000009.jpg")).unwrap();
    make_fifo(&year, "JPEGImages/000009.jpg");
    let listing = voc(root.path(), &[]);
    assert_eq!(ids(&listing), ["VOC2007/000005"]);
    let expected = [
        (
            "VOC2007/000007",
            "no image of that name in JPEGImages, though ImageSets/Main lists it",
        ),
        ("VOC2007/000009", "is a FIFO, not a regular file"),
    ];
    assert_eq!(refused(&listing), expected);
    assert!(
        listing
            .refused
            .iter()
            .all(|refusal| refusal.outcome == Outcome::Refused)
    );
    // A list that names files elsewhere.
    write(
        &year,
        "ImageSets/Main/trainval.txt",
        "000005\n../../secret\n",
    );
    let err = listed(SourceKind::Voc, root.path(), &[])
        .unwrap_err()
        .to_string();
    assert!(
        err.contains("trainval.txt line 2: \"../../secret\""),
        "{err}"
    );
    let wrong = tree(&["images/1.jpg"]);
    let err = listed(SourceKind::Voc, wrong.path(), &[])
        .unwrap_err()
        .to_string();
    assert!(
        err.contains("looked for VOCdevkit/") && err.ends_with("found: images"),
        "{err}"
    );
}

#[test]
fn boxes_are_read_from_the_annotation_of_each_image() {
    let root = voc2007();
    let listing = listed_parts(SourceKind::Voc, root.path(), &[], ImageParts::Boxes).unwrap();
    let found = objects(&listing.clips[0]).unwrap();
    assert_eq!(found.objects.len(), 2);
    assert_eq!(found.objects[0].bbox, Some([7.0, 11.0, 33.0, 29.0].into()));
    assert!(objects(&listing.clips[1]).unwrap().objects.is_empty());
}

#[test]
fn labels_of_whole_images_are_the_values_of_the_lists_of_classes() {
    let root = voc2007();
    let set = voc_probe_set(root.path(), ImageParts::Whole).unwrap();
    assert_eq!(set.classes, ["dog", "person", "train"]);
    let many = |positive: &[usize], ignored: &[usize]| ProbeLabel::Many {
        positive: positive.to_vec(),
        ignored: ignored.to_vec(),
    };
    let found: Vec<_> = set
        .images
        .iter()
        .map(|image| (&*image.id, image.split, image.label.clone()))
        .collect();
    let expected = [
        ("000005", Split::Train, many(&[1], &[])),
        ("000007", Split::Train, many(&[], &[])),
        ("000009", Split::Train, many(&[], &[0])),
        ("000001", Split::Test, many(&[0], &[1])),
        ("000002", Split::Test, many(&[2], &[])),
    ];
    assert_eq!(found, expected);
    assert!(set.images.iter().all(|image| image.region.is_none()));
    assert!(set.left_out.is_empty());
}

#[test]
fn labels_agree_with_lists_of_classes_made_by_the_definition_of_the_development_kit() {
    let root = tree(&[]);
    let classes = ["bird", "boat", "cow", "sofa"];
    // Value of each class in each image: 1 with an object that is not difficult, 0 with difficult ones only, -1 without any.
    let mut lists = vec![String::new(); classes.len()];
    let mut images = String::new();
    for number in 0..81u32 {
        let id = format!("{number:06}");
        let mut objects = Vec::new();
        for (class, (name, list)) in classes.iter().zip(&mut lists).enumerate() {
            // Three values for each of four classes: 81 images.
            let value = number / 3u32.pow(class as u32) % 3;
            let marks: &[bool] = match value {
                0 => &[],
                1 => &[true, true],
                _ => &[true, false],
            };
            objects.extend(
                marks
                    .iter()
                    .map(|&difficult| (*name, [1, 1, 9, 9], difficult)),
            );
            list.push_str(&format!(
                "{id} {:2}\n",
                i64::from(value == 2) - i64::from(value == 0)
            ));
        }
        write(root.path(), &format!("VOC2007/JPEGImages/{id}.jpg"), "");
        write(
            root.path(),
            &format!("VOC2007/Annotations/{id}.xml"),
            xml(&objects),
        );
        images.push_str(&format!("{id}\n"));
    }
    for split in ["trainval", "test"] {
        write(
            root.path(),
            &format!("VOC2007/ImageSets/Main/{split}.txt"),
            &images,
        );
    }
    let set = voc_probe_set(root.path(), ImageParts::Whole).unwrap();
    assert_eq!(
        (set.classes, set.images.len()),
        (classes.map(str::to_owned).to_vec(), 162)
    );
    for (class, list) in lists.iter().enumerate() {
        for (line, image) in list.lines().zip(&set.images) {
            let (id, value) = line.split_once(' ').unwrap();
            let ProbeLabel::Many { positive, ignored } = &image.label else {
                panic!("{image:?}")
            };
            let found = match (positive.contains(&class), ignored.contains(&class)) {
                (true, false) => "1",
                (false, true) => "0",
                (false, false) => "-1",
                (true, true) => "both",
            };
            assert_eq!((&*image.id, found), (id, value.trim()));
        }
    }
}

#[test]
fn each_box_that_is_not_difficult_is_an_image_of_its_class() {
    let root = voc2007();
    let set = voc_probe_set(root.path(), ImageParts::Boxes).unwrap();
    let found: Vec<_> = set
        .images
        .iter()
        .map(|image| {
            (
                &*image.id,
                image.region.map(<[f64; 4]>::from),
                image.label.clone(),
            )
        })
        .collect();
    let expected = [
        ("000005/2", Some([0.0, 0.0, 5.0, 5.0]), ProbeLabel::One(1)),
        ("000001/1", Some([0.0, 0.0, 20.0, 20.0]), ProbeLabel::One(0)),
        ("000002/1", Some([2.0, 3.0, 8.0, 27.0]), ProbeLabel::One(2)),
    ];
    assert_eq!(found, expected);
    assert_eq!(set.left_out[0].what, "3 difficult objects");
}

#[test]
fn an_image_without_a_readable_annotation_is_left_out_of_a_probe_and_a_missing_split_is_an_error() {
    let root = voc2007();
    let year = root.path().join(YEAR);
    std::fs::remove_file(year.join("Annotations/000005.xml")).unwrap();
    write(&year, "Annotations/000002.xml", "<annotation><object>");
    std::fs::remove_file(year.join("JPEGImages/000009.jpg")).unwrap();
    let set = voc_probe_set(root.path(), ImageParts::Whole).unwrap();
    let left_out: Vec<&str> = set.left_out.iter().map(|left| &*left.what).collect();
    assert_eq!(left_out, ["000005", "000009", "000002"]);
    assert_eq!(set.images.len(), 2);
    std::fs::remove_file(year.join("ImageSets/Main/test.txt")).unwrap();
    let err = voc_probe_set(root.path(), ImageParts::Whole).unwrap_err();
    assert!(
        matches!(&err, SourceError::SplitMissing { split, .. } if split == "test"),
        "{err}"
    );
}
