//! Lists a user's own image sets: `<class>/<set>/<image>`.

use std::path::Path;

use vidpairs_types::{Condition, is_still_name};

use super::builder::{ConditionedImage, SetsBuilder};
use crate::disk::Disk;
use crate::error::SourceError;
use crate::files::{Entry, Files, Kind};
use crate::natural::natural_order;

/// Lists the sets of each class, in natural order.
///
/// Images are the JPEGs and PNGs directly in the folder of a set. Sets and classes without images are left out by name;
/// other files, and folders inside sets, are counted.
pub(super) fn list_sets(root: &Path) -> Result<SetsBuilder, SourceError> {
    let entries = Disk.root_entries(root)?;
    if !entries.iter().any(Entry::is_folder) {
        return Err(SourceError::WrongRoot {
            root: root.to_owned(),
            wanted: "class folder",
            looked_for: "<class>/<set>/<image>.jpg or .png",
            found: entries.into_iter().map(|entry| entry.name).collect(),
        });
    }
    let mut sets = SetsBuilder::default();
    let mut num_others = 0;
    for class in folders(entries, &mut num_others) {
        let set_folders = folders(Disk.readable_entries(&class.path)?, &mut num_others);
        if set_folders.is_empty() {
            sets.leave_out(&*class.name, "a class without a set folder");
        }
        for set in set_folders {
            let id = format!("{}/{}", class.name, set.name);
            let images = images(Disk.readable_entries(&set.path)?, &mut num_others);
            if images.is_empty() {
                sets.leave_out(&*id, "a set without a JPEG or PNG");
            }
            sets.add_set(id, &class.name, images);
        }
    }
    let reason = "neither <class>/<set>/<image>.jpg nor .png";
    sets.leave_out_counted(
        num_others,
        "other file or folder",
        "other files or folders",
        reason,
    );
    Ok(sets)
}

/// Folders among `entries`, in natural order; others are counted.
fn folders(entries: Vec<Entry>, num_others: &mut u64) -> Vec<Entry> {
    sorted(entries, Entry::is_folder, num_others)
}

/// Images among `entries`, in natural order; others are counted.
fn images(entries: Vec<Entry>, num_others: &mut u64) -> Vec<ConditionedImage> {
    let is_image = |entry: &Entry| matches!(entry.kind, Kind::File) && is_still_name(&entry.name);
    sorted(entries, is_image, num_others)
        .into_iter()
        .map(|entry| ConditionedImage {
            path: entry.path,
            region: None,
            condition: Condition::Unknown,
        })
        .collect()
}

fn sorted(
    entries: Vec<Entry>,
    is_wanted: impl Fn(&Entry) -> bool,
    num_others: &mut u64,
) -> Vec<Entry> {
    let (mut wanted, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_wanted);
    *num_others += others.len() as u64;
    wanted.sort_by(|a, b| natural_order(&a.name, &b.name));
    wanted
}

#[cfg(test)]
mod tests {
    use vidpairs_types::{Invariance, NearView, Seed};

    use super::*;
    use crate::image_sets::test_sets::{error_text, left_out, sets_of};
    use crate::image_sets::{ImageSetKind, image_sets};
    use crate::test_tree::tree;

    #[test]
    fn classes_sets_and_images_are_in_natural_order() {
        let root = tree(&[
            "c10/s/1.png",
            "c2/set10/a.png",
            "c2/set2/10.JPG",
            "c2/set2/2.jpeg",
            "c2/.hidden/1.png",
            ".git/a/1.png",
        ]);
        let found = image_sets(ImageSetKind::Folders, root.path(), Seed::of_run(0)).unwrap();
        assert_eq!(found.targets, ["c2", "c10"]);
        let expected = [("c2/set2", "c2"), ("c2/set10", "c2"), ("c10/s", "c10")];
        assert_eq!(sets_of(&found), expected);
        let images: Vec<_> = found
            .images
            .iter()
            .map(|image| {
                (
                    image.path.strip_prefix(root.path()).unwrap(),
                    image.set_index,
                )
            })
            .collect();
        let expected = [
            ("c2/set2/2.jpeg", 0),
            ("c2/set2/10.JPG", 0),
            ("c2/set10/a.png", 1),
            ("c10/s/1.png", 2),
        ];
        assert_eq!(images, expected.map(|(path, set)| (Path::new(path), set)));
        assert_eq!((found.invariance, found.side_px), (Invariance::Other, 224));
        assert_eq!(found.near, NearView::Itself);
        assert!(found.left_out.is_empty());
    }

    #[test]
    fn empty_sets_and_classes_are_left_out_by_name_and_other_files_counted() {
        let root = tree(&[
            "a/s/1.png",
            "a/s/notes.txt",
            "a/s/deeper/2.png",
            "a/1.png",
            "a/empty/",
            "b/",
            "readme.md",
        ]);
        let found = image_sets(ImageSetKind::Folders, root.path(), Seed::of_run(0)).unwrap();
        assert_eq!(found.images.len(), 1);
        let expected = [
            ("a/empty", "a set without a JPEG or PNG"),
            ("b", "a class without a set folder"),
            (
                "4 other files or folders",
                "neither <class>/<set>/<image>.jpg nor .png",
            ),
        ];
        assert_eq!(left_out(&found), expected);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed() {
        use std::os::unix::fs::symlink;
        let elsewhere = tree(&["s/1.png"]);
        let root = tree(&["a/"]);
        symlink(elsewhere.path().join("s"), root.path().join("a/linked")).unwrap();
        symlink("/nowhere", root.path().join("a/broken")).unwrap();
        let found = image_sets(ImageSetKind::Folders, root.path(), Seed::of_run(0)).unwrap();
        assert_eq!(sets_of(&found), [("a/linked", "a")]);
        assert_eq!(left_out(&found)[0].0, "1 other file or folder");
    }

    #[test]
    fn roots_without_folders_or_images_give_errors_with_the_reason() {
        let root = tree(&["1.png"]);
        assert_eq!(
            error_text(ImageSetKind::Folders, root.path()),
            "no class folder in ROOT: looked for <class>/<set>/<image>.jpg or .png; found: 1.png"
        );
        let root = tree(&["a/1.png"]);
        assert_eq!(
            error_text(ImageSetKind::Folders, root.path()),
            "no image set in ROOT: looked for <class>/<set>/<image>.jpg or .png; left out: 2, the first: a: \
             a class without a set folder"
        );
    }
}
