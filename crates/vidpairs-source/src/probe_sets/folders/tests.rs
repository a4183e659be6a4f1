use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::Path;

use vidpairs_types::{ProbeLabel, Seed};

use crate::probe_sets::{ProbeSetKind, probe_set};
use crate::test_tree::{tree, write};

use super::*;

const OPTIONS: fn(u64) -> ProbeSetOptions = |seed| ProbeSetOptions {
    test_share: 0.25,
    seed: Seed::of_run(seed),
};

fn listed(kind: ProbeSetKind, root: &Path) -> ProbeSet {
    probe_set(kind, root, &OPTIONS(0)).unwrap()
}

fn error_text(kind: ProbeSetKind, root: &Path) -> String {
    let error = probe_set(kind, root, &OPTIONS(0)).unwrap_err();
    error.to_string().replace(&*root.to_string_lossy(), "ROOT")
}

/// Id, class and split of each image.
fn images(found: &ProbeSet) -> Vec<(&str, usize, Split)> {
    let class = |label: &ProbeLabel| match label {
        ProbeLabel::One(class) => *class,
        other => panic!("{other:?}"),
    };
    let images = found.images.iter();
    images
        .map(|image| (&*image.id, class(&image.label), image.split))
        .collect()
}

fn left_out(found: &ProbeSet) -> Vec<(&str, &str)> {
    let left_out = found.left_out.iter();
    left_out.map(|part| (&*part.what, &*part.reason)).collect()
}

#[test]
fn imagenet_is_numbered_by_wnid_and_what_real_copies_have_beside_it_is_left_out() {
    let root = tree(&[
        "train/n02000000/b.JPEG",
        "train/n01000000/a.JPEG",
        "train/n01000000/.a.JPEG.part",
        "train/n03000000/",
        "train/n04000000.tar",
        "train/lost+found/x.JPEG",
        "val/n01000000/v1.jpeg",
        "val/n02000000/v2.JPEG",
        "val/n02000000/.DS_Store",
        "val/n05000000/v3.JPEG",
        "val/n05000000/v4.JPEG",
        "test/ILSVRC2012_test_00000001.JPEG",
    ]);
    let found = listed(ProbeSetKind::Imagenet, root.path());
    assert_eq!(found.classes, ["n01000000", "n02000000"]);
    let expected = [
        ("train/n01000000/a.JPEG", 0, Split::Train),
        ("train/n02000000/b.JPEG", 1, Split::Train),
        ("val/n01000000/v1.jpeg", 0, Split::Test),
        ("val/n02000000/v2.JPEG", 1, Split::Test),
    ];
    assert_eq!(images(&found), expected);
    let expected = [
        ("train/lost+found", "its name is not that of a class"),
        ("train/n03000000", "a class without an image"),
        (
            "n05000000",
            "a class without a training image; its test images are left out: 2",
        ),
        (
            "1 other file",
            "no image by its name, in the folder of a class",
        ),
    ];
    assert_eq!(left_out(&found), expected);
}

#[test]
fn a_missing_split_and_validation_images_outside_of_class_folders_are_named() {
    let root = tree(&["train/n01000000/a.JPEG", "train/n02000000/a.JPEG"]);
    assert_eq!(
        error_text(ProbeSetKind::Imagenet, root.path()),
        "no split `val` in ROOT; found: train"
    );
    assert_eq!(
        error_text(ProbeSetKind::Folders, root.path()),
        "no split `val` in ROOT; found: train"
    );
    write(root.path(), "val/ILSVRC2012_val_00000001.JPEG", "");
    assert_eq!(
        error_text(ProbeSetKind::Imagenet, root.path()),
        "the images of ROOT/val do not lie in folders of their classes; expected <class>/<image>: for ImageNet, valprep.sh of \
         PyTorch's examples moves them"
    );
    let root = tree(&["val/a/1.png", "val/b/1.png"]);
    assert_eq!(
        error_text(ProbeSetKind::Folders, root.path()),
        "no split `train` in ROOT; found: val"
    );
}

#[test]
fn folders_with_splits_keep_them_and_a_class_of_training_images_alone_stays() {
    let root = tree(&[
        "train/c2/1.png",
        "train/c10/deep/er/1.PNG",
        "train/only/1.png",
        "test/c10/2.jpg",
        "test/c2/2.jpg",
        "val/c2/3.jpg",
        "notes.txt",
    ]);
    let found = listed(ProbeSetKind::Folders, root.path());
    assert_eq!(found.classes, ["c2", "c10", "only"]);
    let expected = [
        ("train/c2/1.png", 0, Split::Train),
        ("train/c10/deep/er/1.PNG", 1, Split::Train),
        ("train/only/1.png", 2, Split::Train),
        ("test/c2/2.jpg", 0, Split::Test),
        ("test/c10/2.jpg", 1, Split::Test),
    ];
    assert_eq!(images(&found), expected);
    assert_eq!(
        left_out(&found),
        [("val", "the split test is used for testing")]
    );
}

#[test]
fn splits_beside_another_folder_stay_splits_and_the_other_folder_is_left_out_by_name() {
    let names = [
        "train/a/1.png",
        "train/b/1.png",
        "val/a/2.png",
        "meta/devkit.png",
    ];
    let root = tree(&names);
    let found = listed(ProbeSetKind::Folders, root.path());
    assert_eq!(found.classes, ["a", "b"]);
    let expected = [
        ("train/a/1.png", 0, Split::Train),
        ("train/b/1.png", 1, Split::Train),
        ("val/a/2.png", 0, Split::Test),
    ];
    assert_eq!(images(&found), expected);
    let expected = [("meta", "a folder beside the splits")];
    assert_eq!(left_out(&found), expected);
    // An image of its own makes `train` a class: the vehicle.
    write(root.path(), "train/1.png", "");
    write(root.path(), "val/1.png", "");
    write(root.path(), "meta/1.png", "");
    let found = listed(ProbeSetKind::Folders, root.path());
    assert_eq!(found.classes, ["meta", "train", "val"]);
}

#[test]
fn without_splits_every_class_is_divided_by_the_seed_and_no_other_class_changes_it() {
    let mut names: Vec<String> = (0..12).map(|n| format!("train/{n}.png")).collect();
    names.extend((0..2).map(|n| format!("car/{n}.png")));
    names.extend(["single/1.png".to_owned(), "void/".to_owned()]);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let root = tree(&names);
    let test = |root: &Path, seed: u64| -> BTreeSet<String> {
        let found = probe_set(ProbeSetKind::Folders, root, &OPTIONS(seed)).unwrap();
        let test = images(&found)
            .into_iter()
            .filter(|image| image.2 == Split::Test);
        test.map(|image| image.0.to_owned()).collect()
    };
    let found = listed(ProbeSetKind::Folders, root.path());
    // A class that is called `train`, the vehicle, is no split beside others.
    assert_eq!(found.classes, ["car", "train"]);
    let first = test(root.path(), 0);
    let num = |class: &str| first.iter().filter(|id| id.starts_with(class)).count();
    assert_eq!((num("car/"), num("train/")), (1, 3));
    assert_eq!(first, test(root.path(), 0));
    assert!((1..9).any(|seed| test(root.path(), seed) != first));
    let expected = [
        ("void", "a class without an image"),
        (
            "single",
            "a class with a single image, which cannot be divided into training and test images",
        ),
    ];
    assert_eq!(left_out(&found), expected);
    write(root.path(), "bus/1.png", "");
    write(root.path(), "bus/2.png", "");
    let more = test(root.path(), 0);
    assert!(first.is_subset(&more));
}

#[test]
fn one_class_or_one_image_is_refused_with_what_was_left_out() {
    let root = tree(&["a/1.png", "b/1.png", "b/2.png"]);
    assert_eq!(
        error_text(ProbeSetKind::Folders, root.path()),
        "ROOT has training images of 1 class (b); expected at least two; left out: 1, the first: a: a class with a single image, \
         which cannot be divided into training and test images"
    );
    let root = tree(&["train/a/1.png", "train/b/1.png", "val/c/1.png"]);
    assert_eq!(
        error_text(ProbeSetKind::Folders, root.path()),
        "ROOT has no test image of a class with training images; left out: 1, the first: c: a class without a training image; its \
         test images are left out: 1"
    );
    let root = tree(&["1.png"]);
    assert!(error_text(ProbeSetKind::Folders, root.path()).starts_with("no class folder in ROOT"));
}

#[test]
fn no_link_puts_the_images_of_other_classes_or_of_the_test_into_a_class() {
    let store = tree(&["more/5.png", "b2/6.png"]);
    let root = tree(&[
        "train/a/1.png",
        "train/b/2.png",
        "val/a/3.png",
        "val/b/sub/4.png",
    ]);
    let link = |target: &Path, name: &str| symlink(target, root.path().join(name)).unwrap();
    link(&store.path().join("more"), "train/a/more");
    link(&store.path().join("b2"), "train/b2");
    let clean = listed(ProbeSetKind::Folders, root.path());
    let expected = [
        ("train/a/1.png", 0, Split::Train),
        ("train/a/more/5.png", 0, Split::Train),
        ("train/b/2.png", 1, Split::Train),
        ("train/b2/6.png", 2, Split::Train),
        ("val/a/3.png", 0, Split::Test),
        ("val/b/sub/4.png", 1, Split::Test),
    ];
    assert_eq!(images(&clean), expected);
    assert_eq!(left_out(&clean), []);
    link(Path::new(".."), "train/a/0up");
    link(Path::new("../.."), "train/a/1root");
    link(root.path().parent().unwrap(), "train/a/2above");
    link(Path::new("../b"), "train/a/3other");
    link(Path::new("../../val/b/sub"), "train/b/4test");
    link(Path::new("../../val/a"), "train/b/5test");
    link(Path::new("."), "train/b/6self");
    link(Path::new("../../val"), "train/b/8tests");
    write(root.path(), "train/loose.png", "");
    link(&store.path().join("b2"), "train/a/7linked");
    link(store.path(), "train/a/zaround");
    link(Path::new("b"), "train/c");
    let found = listed(ProbeSetKind::Folders, root.path());
    assert_eq!(found.images, clean.images);
    let above = "a link to a folder that holds listed folders, which is not followed";
    let twice = "the same folder is listed under another name";
    let expected = [
        ("train/c", twice),
        ("train/a/0up", above),
        ("train/a/1root", above),
        ("train/a/2above", above),
        ("train/a/3other", twice),
        ("train/a/7linked", twice),
        ("train/a/zaround/b2", twice),
        ("train/a/zaround/more", twice),
        ("train/b/4test", twice),
        ("train/b/5test", twice),
        ("train/b/6self", twice),
        ("train/b/8tests", above),
        (
            "1 other file",
            "no image by its name, in the folder of a class",
        ),
    ];
    assert_eq!(left_out(&found), expected);
}

#[test]
fn a_test_split_that_is_a_link_to_the_training_split_tests_nothing() {
    let root = tree(&["train/a/1.png", "train/b/1.png"]);
    symlink("train", root.path().join("val")).unwrap();
    let text = error_text(ProbeSetKind::Folders, root.path());
    assert!(
        text.starts_with("ROOT has no test image of a class with training images; left out: 2, the first: val/a: the same folder"),
        "{text}"
    );
}

#[test]
fn usual_names_of_splits_in_any_case_are_splits_and_not_classes() {
    for [train, test] in [
        ["train", "valid"],
        ["training", "validation"],
        ["Train", "Test"],
        ["TRAIN", "testing"],
    ] {
        let files =
            [train, test].map(|split| ["a", "b"].map(|class| format!("{split}/{class}/1.jpg")));
        let files: Vec<&str> = files.iter().flatten().map(String::as_str).collect();
        let root = tree(&files);
        let found = listed(ProbeSetKind::Folders, root.path());
        assert_eq!(found.classes, ["a", "b"], "{train}, {test}");
        let ids = [&format!("{train}/a/1.jpg"), &format!("{test}/a/1.jpg")];
        let of_first = images(&found).into_iter().filter(|image| image.1 == 0);
        let of_first: Vec<_> = of_first
            .map(|image| (image.0.to_owned(), image.2))
            .collect();
        let expected = [
            (ids[0].clone(), Split::Train),
            (ids[1].clone(), Split::Test),
        ];
        assert_eq!(of_first, expected);
    }
    // Of several, one is used.
    let root = tree(&[
        "Train/a/1.jpg",
        "Train/b/1.jpg",
        "valid/a/2.jpg",
        "valid/b/2.jpg",
        "Test/a/3.jpg",
        "Test/b/3.jpg",
    ]);
    let found = listed(ProbeSetKind::Folders, root.path());
    assert_eq!(
        left_out(&found),
        [("valid", "the split Test is used for testing")]
    );
}

#[test]
fn a_link_to_an_image_that_is_listed_anyway_is_left_out_by_name() {
    let root = tree(&[
        "train/a/1.jpg",
        "train/b/1.jpg",
        "val/a/2.jpg",
        "val/b/2.jpg",
    ]);
    let store = tree(&["kept.jpg"]);
    // A store beside the splits is listed by its links only.
    write(root.path(), "store/4.jpg", "");
    symlink("../../store/4.jpg", root.path().join("val/a/4.jpg")).unwrap();
    let link = |to: &Path, at: &str| symlink(to, root.path().join(at)).unwrap();
    link(Path::new("../../train/a/1.jpg"), "val/a/1.jpg");
    link(Path::new("../b/1.jpg"), "train/a/2.jpg");
    // Links out of the data set are images, each file once.
    link(&store.path().join("kept.jpg"), "train/a/3.jpg");
    link(&store.path().join("kept.jpg"), "val/b/3.jpg");
    let found = listed(ProbeSetKind::Folders, root.path());
    let ids: Vec<&str> = images(&found).iter().map(|image| image.0).collect();
    assert_eq!(
        ids,
        [
            "train/a/1.jpg",
            "train/a/3.jpg",
            "train/b/1.jpg",
            "val/a/2.jpg",
            "val/a/4.jpg",
            "val/b/2.jpg"
        ]
    );
    let reason = "a link to an image that is listed under another name";
    assert_eq!(
        left_out(&found),
        [
            ("store", "a folder beside the splits"),
            ("train/a/2.jpg", reason),
            ("val/a/1.jpg", reason),
            ("val/b/3.jpg", reason)
        ]
    );
}
