use super::*;
use crate::test_tree::tree;

/// Label and relative path of every image, as `label: path`.
fn shown(root: &Path, listing: &LabelledImages) -> Vec<String> {
    let below = |image: &LabelledImage| {
        let path = image.path.strip_prefix(root).unwrap().display().to_string();
        format!("{}: {path}", listing.labels[image.label_index])
    };
    listing.images.iter().map(below).collect()
}

fn names(label: &str, count: usize) -> Vec<String> {
    (0..count).map(|at| format!("{label}/{at}.jpg")).collect()
}

fn tree_of(counts: &[(&str, usize)]) -> tempfile::TempDir {
    let names: Vec<String> = counts
        .iter()
        .flat_map(|(label, count)| names(label, *count))
        .collect();
    tree(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn images_are_in_natural_order_at_any_depth() {
    let root = tree(&[
        "10/a.jpg",
        "10/b.PNG",
        "2/10.png",
        "2/2.JPEG",
        "2/more/1/x.jpg",
        "2/more/1/notes.txt",
        "2/.hidden.jpg",
        "2/.cache/x.jpg",
        "readme.jpg",
    ]);
    let listing = labelled_images(root.path(), usize::MAX).unwrap();
    assert_eq!(
        shown(root.path(), &listing),
        [
            "2: 2/2.JPEG",
            "2: 2/10.png",
            "2: 2/more/1/x.jpg",
            "10: 10/a.jpg",
            "10: 10/b.PNG"
        ]
    );
    assert_eq!(listing.num_ignored, 1);
}

#[test]
fn the_first_half_of_each_label_is_the_bank_and_the_second_the_queries() {
    let root = tree_of(&[("a", 1), ("b", 4), ("c", 3)]);
    let images = labelled_images(root.path(), usize::MAX).unwrap();
    let halves = images.halves(&[0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(halves.bank, [0, 1, 2, 5, 6]);
    assert_eq!(halves.queries, [3, 4, 7]);
    // Images that cannot be read are left out before the division.
    let halves = images.halves(&[1, 2, 6, 7]);
    assert_eq!(halves.bank, [1, 6]);
    assert_eq!(halves.queries, [2, 7]);
}

#[test]
fn too_many_images_are_thinned_evenly_within_each_label() {
    let root = tree_of(&[("a", 100), ("b", 3), ("c", 10)]);
    let listing = |max_images| labelled_images(root.path(), max_images).unwrap();
    assert_eq!(listing(113).images.len(), 113);
    // `b` keeps its three images; the remaining 17 are eight for each other label.
    let thinned = shown(root.path(), &listing(20));
    let place = |line: &String| -> u32 {
        let name = line.rsplit('/').next().unwrap();
        name.trim_end_matches(".jpg").parse().unwrap()
    };
    let places: Vec<u32> = thinned.iter().map(place).collect();
    assert_eq!(places[..8], [6, 18, 31, 43, 56, 68, 81, 93]);
    assert_eq!(places[8..11], [0, 1, 2]);
    assert_eq!(places[11..], [0, 1, 3, 4, 5, 6, 8, 9]);
}

#[test]
fn roots_with_too_few_images_give_errors_with_the_reason() {
    let message = |names: &[&str], max_images| {
        let root = tree(names);
        let err = labelled_images(root.path(), max_images).unwrap_err();
        err.to_string()
            .replace(&root.path().display().to_string(), "ROOT")
    };
    assert_eq!(
        message(&["a.jpg", "b.jpg"], 9),
        "no label folder in ROOT: looked for <label>/<image>.jpg or .png; found: a.jpg, b.jpg"
    );
    assert_eq!(
        message(&["a/1.jpg", "a/2.jpg", "b/1.gif", "c/"], 9),
        "ROOT holds images of 1 label (a); expected at least two labels, and two images of one of \
         them; folders without a JPEG or PNG: b, c"
    );
    assert_eq!(
        message(&["a/1.jpg", "b/1.jpg"], 9),
        "ROOT holds images of 2 labels (a, b); expected at least two labels, and two images of one \
         of them; folders without a JPEG or PNG: nothing"
    );
    let three = ["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg", "b/3.jpg"];
    assert_eq!(
        message(&three, 3),
        "max_images is 3; expected at least 2 for each of the 2 labels"
    );
    let missing = labelled_images(Path::new("/nowhere/at/all"), 9).unwrap_err();
    assert_eq!(missing.to_string(), "/nowhere/at/all does not exist");
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_bad_links_ignored() {
    use std::os::unix::fs::symlink;
    let elsewhere = tree(&["1.jpg"]);
    let root = tree(&["a/1.jpg", "a/2.jpg", "c/1.jpg"]);
    let at = |name: &str| root.path().join(name);
    symlink(elsewhere.path(), at("b")).unwrap();
    symlink(at("a"), at("a/back")).unwrap();
    symlink(at("nothing"), at("a/lost.jpg")).unwrap();
    let listing = labelled_images(root.path(), usize::MAX).unwrap();
    assert_eq!(listing.labels, ["a", "b", "c"]);
    assert_eq!((listing.images.len(), listing.num_ignored), (4, 2));
    // No image has two labels.
    symlink(at("c"), at("a/other")).unwrap();
    symlink(root.path(), at("b/all")).unwrap();
    symlink(at("c"), at("d")).unwrap();
    let listing = labelled_images(root.path(), usize::MAX).unwrap();
    assert_eq!(listing.labels, ["a", "b", "c"]);
    assert_eq!((listing.images.len(), listing.num_ignored), (4, 5));
}
