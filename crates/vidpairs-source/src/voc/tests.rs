use vidpairs_types::{Media, Outcome, ProbeImage, ProbeLabel, ProbeSet, SourceKind, Split};

use super::*;
use crate::objects;
use crate::test_tree::{ids, jpeg_head, listed, listed_parts, make_fifo, refused, tree, write};
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

/// A year with boxes of dogs and cats in both splits.
fn boxes_of_pets() -> tempfile::TempDir {
    let root = voc2007();
    let file = |name: &str, text: &str| write(root.path(), &format!("{YEAR}/{name}"), text);
    let pets = |bbox| xml(&[("dog", [1, 1, 20, 20], false), ("cat", bbox, false)]);
    file("Annotations/000005.xml", &pets([1, 1, 5, 5]));
    file("Annotations/000001.xml", &pets([3, 4, 10, 30]));
    root
}

/// Image, box and class of each image.
fn crops(set: &ProbeSet) -> Vec<(&str, [f64; 4], &str)> {
    let crop = |image: &'_ ProbeImage| match image.label {
        ProbeLabel::One(class) => (image.region.unwrap().into(), class),
        ref other => panic!("{other:?}"),
    };
    let images = set.images.iter().map(|image| (&*image.id, crop(image)));
    images
        .map(|(id, (region, class))| (id, region, &*set.classes[class]))
        .collect()
}

fn left_out(set: &ProbeSet) -> Vec<(&str, &str)> {
    let left_out = set.left_out.iter();
    left_out.map(|part| (&*part.what, &*part.reason)).collect()
}

#[test]
fn each_box_that_is_not_difficult_is_an_image_of_its_class_and_unknown_classes_are_left_out() {
    let root = boxes_of_pets();
    let set = voc_probe_set(root.path(), ImageParts::Boxes).unwrap();
    let expected = [
        ("000005/1", [0.0, 0.0, 20.0, 20.0], "dog"),
        ("000005/2", [0.0, 0.0, 5.0, 5.0], "cat"),
        ("000001/1", [0.0, 0.0, 20.0, 20.0], "dog"),
        ("000001/2", [2.0, 3.0, 8.0, 27.0], "cat"),
    ];
    assert_eq!(crops(&set), expected);
    let expected = [
        (
            "train",
            "a class without a training image; its test images are left out: 1",
        ),
        (
            "1 difficult objects",
            "difficult objects do not count, as in VOC's own evaluation",
        ),
    ];
    assert_eq!(left_out(&set), expected);
}

#[test]
fn boxes_are_those_that_extraction_uses_with_a_shortest_side_of_a_pixel() {
    let root = boxes_of_pets();
    let boxes = [
        ("dog", [1, 1, 1, 1], false),
        ("cat", [46, 1, 90, 90], false),
        ("cat", [51, 1, 60, 9], false),
        ("dog", [9, 9, 3, 3], false),
    ];
    write(
        root.path(),
        &format!("{YEAR}/Annotations/000002.xml"),
        xml(&boxes),
    );
    let set = voc_probe_set(root.path(), ImageParts::Boxes).unwrap();
    let expected = [
        ("000002/1", [0.0, 0.0, 1.0, 1.0], "dog"),
        ("000002/2", [45.0, 0.0, 5.0, 40.0], "cat"),
    ];
    assert_eq!(crops(&set)[4..], expected);
    let expected = [
        ("000002/3", "its box lies outside the image"),
        ("000002/4", "its annotation has no valid box"),
    ];
    assert_eq!(left_out(&set)[..2], expected);
}

#[test]
fn boxes_of_an_image_of_another_size_are_left_out_of_a_probe_as_of_an_extraction() {
    let root = boxes_of_pets();
    let year = root.path().join(YEAR);
    // 000002 has the stated 50 x 40 px, 000001 is a scaled copy.
    write(&year, "JPEGImages/000002.jpg", jpeg_head(50, 40));
    write(&year, "JPEGImages/000001.jpg", jpeg_head(25, 20));
    let pets = xml(&[("dog", [1, 1, 20, 20], false)]);
    write(&year, "Annotations/000002.xml", pets);
    let set = voc_probe_set(root.path(), ImageParts::Boxes).unwrap();
    let of_test = |image: &&ProbeImage| image.split == Split::Test;
    let ids: Vec<&str> = (set.images.iter().filter(of_test))
        .map(|image| &*image.id)
        .collect();
    assert_eq!(ids, ["000002/1"]);
    let (what, reason) = left_out(&set)[0];
    assert_eq!(what, "000001");
    let expected =
        "its annotation is of an image of 50 x 40 px, but the stored image has 25 x 20 px";
    assert!(reason.starts_with(expected), "{reason}");
    // The classes of a whole image do not depend on its size.
    let set = voc_probe_set(root.path(), ImageParts::Whole).unwrap();
    assert_eq!((set.images.len(), set.left_out.len()), (5, 0));
}

#[test]
fn a_split_that_loses_every_image_is_an_error_that_names_it_and_the_missing_files() {
    let root = boxes_of_pets();
    let message = |of| {
        let err = voc_probe_set(root.path(), of).unwrap_err();
        err.to_string()
            .replace(&*root.path().to_string_lossy(), "ROOT")
    };
    let remove = |id: &str| {
        std::fs::remove_file(root.path().join(format!("{YEAR}/Annotations/{id}.xml"))).unwrap();
    };
    // Boxes of one class, and of no class that is known.
    let dogs = |id: &str, class| {
        let name = format!("{YEAR}/Annotations/{id}.xml");
        write(root.path(), &name, xml(&[(class, [1, 1, 5, 5], false)]));
    };
    dogs("000005", "dog");
    let expected = "has training images of 1 class (dog); expected at least two";
    assert!(message(ImageParts::Boxes).contains(expected));
    // A single class is told from the images without it.
    assert!(voc_probe_set(root.path(), ImageParts::Whole).is_ok());
    write(
        root.path(),
        &format!("{YEAR}/Annotations/000005.xml"),
        xml(&[]),
    );
    let expected = "has training images of 0 classes (nothing); expected at least one";
    assert!(message(ImageParts::Whole).contains(expected));
    dogs("000005", "dog");
    dogs("000007", "cat");
    dogs("000001", "bird");
    let text = message(ImageParts::Boxes);
    let expected =
        "has no test image of a class with training images; left out: 3, the first: bird: ";
    assert!(text.contains(expected), "{text}");
    remove("000001");
    remove("000002");
    let expected = "no image set in ROOT/VOCdevkit/VOC2007: looked for JPEGImages/<image>.jpg and Annotations/<image>.xml of the images in \
                    ImageSets/Main/test.txt; left out: 2, the first: 000001: cannot read \
                    ROOT/VOCdevkit/VOC2007/Annotations/000001.xml: No such file";
    for of in [ImageParts::Whole, ImageParts::Boxes] {
        let text = message(of);
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn an_image_without_a_readable_annotation_is_left_out_of_a_probe_and_a_missing_split_is_an_error() {
    let root = voc2007();
    let year = root.path().join(YEAR);
    std::fs::remove_file(year.join("Annotations/000007.xml")).unwrap();
    write(&year, "Annotations/000002.xml", "<annotation><object>");
    std::fs::remove_file(year.join("JPEGImages/000009.jpg")).unwrap();
    let set = voc_probe_set(root.path(), ImageParts::Whole).unwrap();
    let left_out: Vec<&str> = set.left_out.iter().map(|left| &*left.what).collect();
    assert_eq!(left_out, ["000007", "000009", "000002"]);
    assert_eq!(set.images.len(), 2);
    std::fs::remove_file(year.join("ImageSets/Main/test.txt")).unwrap();
    let err = voc_probe_set(root.path(), ImageParts::Whole).unwrap_err();
    assert!(
        matches!(&err, SourceError::SplitMissing { split, .. } if split == "test"),
        "{err}"
    );
}

#[test]
fn names_of_images_may_have_spaces_and_a_list_of_one_class_is_no_split() {
    let root = voc2007();
    let file = |name: &str, text: &str| write(root.path(), &format!("{YEAR}/{name}"), text);
    for image in ["my dog", "my dog 1", "a  b"] {
        file(&format!("JPEGImages/{image}.jpg"), "");
        let objects = xml(&[("dog", [1, 1, 20, 20], false)]);
        file(&format!("Annotations/{image}.xml"), &objects);
    }
    file(
        "ImageSets/Main/trainval.txt",
        "my dog\r\n  my dog 1 \na  b\n000005\n",
    );
    let listing = voc(root.path(), &[]);
    let expected = [
        "VOC2007/000005",
        "VOC2007/a  b",
        "VOC2007/my dog",
        "VOC2007/my dog 1",
    ];
    assert_eq!(ids(&listing), expected);
    assert_eq!(refused(&listing), []);
    let boxes = listed_parts(SourceKind::Voc, root.path(), &[], ImageParts::Boxes).unwrap();
    let found = objects(&boxes.clips[3]).unwrap();
    assert_eq!(&*found.objects[0].label, "dog");
    let probed = voc_probe_set(root.path(), ImageParts::Whole).unwrap();
    let is_training = |image: &&ProbeImage| image.split == Split::Train;
    let training = probed.images.iter().filter(is_training);
    let training: Vec<&str> = training.map(|image| &*image.id).collect();
    assert_eq!(training, ["000005", "a  b", "my dog", "my dog 1"]);
    for line in ["my dog  1", "my dog -1", "000005  0"] {
        file("ImageSets/Main/trainval.txt", line);
        let err = listed(SourceKind::Voc, root.path(), &[]).unwrap_err();
        let expected = format!(
            "trainval.txt line 1: {line:?}; expected the name of an image alone, as in the lists of the splits; those of single classes \
             have values"
        );
        assert!(err.to_string().ends_with(&expected), "{err}");
    }
    for line in ["../my dog", "JPEGImages/000005", "a\\b", ".dog"] {
        file("ImageSets/Main/trainval.txt", line);
        let err = listed(SourceKind::Voc, root.path(), &[]).unwrap_err();
        let expected = "expected the name of an image without its extension";
        assert!(err.to_string().ends_with(expected), "{err}");
    }
}
