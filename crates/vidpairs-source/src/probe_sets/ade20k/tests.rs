use crate::probe_sets::{ProbeSetKind, ProbeSetOptions, probe_set};
use crate::test_tree::{make_fifo, tree, write};

use vidpairs_types::Seed;

use super::*;

fn listed(root: &Path) -> Result<ProbeSet, SourceError> {
    let options = ProbeSetOptions {
        test_share: 0.5,
        seed: Seed::of_run(0),
    };
    probe_set(ProbeSetKind::Ade20k, root, &options)
}

fn refusal(names: &[&str], classes: Option<&str>) -> String {
    let root = tree(names);
    if let Some(classes) = classes {
        write(root.path(), CLASSES, classes);
    }
    let text = listed(root.path()).unwrap_err().to_string();
    text.replace(&*root.path().to_string_lossy(), "ROOT")
}

const WHOLE: [&str; 4] = [
    "images/training/a.jpg",
    "annotations/training/a.png",
    "images/validation/v.jpg",
    "annotations/validation/v.png",
];

#[test]
fn images_have_the_label_of_their_stem_and_what_lacks_its_other_half_is_left_out() {
    let root = tree(&[
        "ADEChallengeData2016/images/training/ADE_train_10.jpg",
        "ADEChallengeData2016/images/training/ADE_train_2.JPG",
        "ADEChallengeData2016/images/training/ADE_train_3.jpg",
        "ADEChallengeData2016/images/training/ADE_train_4.jpg",
        "ADEChallengeData2016/images/training/Thumbs.db",
        "ADEChallengeData2016/images/training/.hidden.jpg",
        "ADEChallengeData2016/annotations/training/ADE_train_2.png",
        "ADEChallengeData2016/annotations/training/ADE_train_4.png/",
        "ADEChallengeData2016/annotations/training/ADE_train_5.png",
        "ADEChallengeData2016/annotations/training/ADE_train_10.png",
        "ADEChallengeData2016/images/validation/ADE_val_1.jpg",
        "ADEChallengeData2016/annotations/validation/ADE_val_1.png",
        "ADEChallengeData2016/annotations/validation/ADE_val_2.png",
        "ADEChallengeData2016/images/release.txt",
    ]);
    let release = root.path().join(RELEASE);
    make_fifo(&release, "images/validation/ADE_val_2.jpg");
    let found = listed(root.path()).unwrap();
    assert_eq!(found, listed(&release).unwrap());
    let images: Vec<(&str, Split)> = (found.images.iter())
        .map(|image| (&*image.id, image.split))
        .collect();
    assert_eq!(
        images,
        [
            ("training/ADE_train_2.JPG", Split::Train),
            ("training/ADE_train_10.jpg", Split::Train),
            ("validation/ADE_val_1.jpg", Split::Test),
        ]
    );
    let label = release.join("annotations/training/ADE_train_2.png");
    assert_eq!(found.images[0].label, ProbeLabel::Pixels(label));
    let left_out: Vec<(&str, &str)> = (found.left_out.iter())
        .map(|part| (&*part.what, &*part.reason))
        .collect();
    assert_eq!(
        left_out,
        [
            (
                "training/ADE_train_3.jpg",
                "no label of that name in annotations/training"
            ),
            (
                "training/ADE_train_4.jpg",
                "its label is a folder, not a regular file"
            ),
            (
                "annotations/training/ADE_train_5.png",
                "a label without an image"
            ),
            ("validation/ADE_val_2.jpg", "is a FIFO, not a regular file"),
            (
                "1 other file",
                "no .jpg among the images, or no .png among the labels"
            ),
        ]
    );
    assert_eq!(found.classes.len(), 150);
    assert_eq!(found.classes[149], "class 150");
}

#[test]
fn classes_are_named_by_their_first_synonym_with_and_without_a_heading() {
    let root = tree(&WHOLE);
    for heading in ["", "Idx\tRatio\tTrain\tVal\tStuff\tName\r\n"] {
        let lines =
            "1\t0.1576\t11664\t1172\t1\twall\r\n2\t0.1072\t6046\t612\t1\tbuilding, edifice\r\n";
        write(root.path(), CLASSES, format!("{heading}{lines}"));
        assert_eq!(listed(root.path()).unwrap().classes, ["wall", "building"]);
    }
}

#[test]
fn a_damaged_list_of_classes_is_refused_by_its_line() {
    for (text, line) in [
        ("1\twall\n3\tsky\n", 2),
        ("1\twall\n2\t\n", 2),
        ("wall\n", 1),
        ("Idx\tName\n", 1),
        ("", 1),
    ] {
        let refusal = refusal(&WHOLE, Some(text));
        let start = format!("ROOT/objectInfo150.txt line {line}: ");
        assert!(refusal.starts_with(&start), "{refusal}");
    }
    let many: String = (1..=255).map(|number| format!("{number}\tx\n")).collect();
    assert!(refusal(&WHOLE, Some(&many)).contains("line 255"));
}

#[test]
fn a_root_without_the_layout_a_split_or_an_image_is_refused() {
    assert_eq!(
        refusal(&["train/a.jpg", "val/b.jpg"], None),
        "no ADE20K for scene parsing in ROOT: looked for images/ and annotations/, or ADEChallengeData2016/ with both; found: train, val"
    );
    assert_eq!(
        refusal(&WHOLE[..2], None),
        "no split `validation` in ROOT/images; found: training"
    );
    assert_eq!(
        refusal(&WHOLE[..3], None),
        "no split `validation` in ROOT/annotations; found: training"
    );
    let without = |gone: &str| {
        let folder = format!("{}/", gone.rsplit_once('/').unwrap().0);
        let kept = WHOLE.iter().copied().filter(|name| *name != gone);
        refusal(&kept.chain([&*folder]).collect::<Vec<_>>(), None)
    };
    assert_eq!(
        without("images/validation/v.jpg"),
        "no image set in ROOT: looked for images/validation/<image>.jpg with annotations/validation/<image>.png; left out: 1, the first: \
         annotations/validation/v.png: a label without an image"
    );
    assert!(
        without("annotations/training/a.png")
            .contains("the first: training/a.jpg: no label of that name in annotations/training")
    );
}
