//! Folders of a release, and its lists in `Image_sets`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::disk::Disk;
use crate::error::SourceError;
use crate::files::{Entry, Files, bad_line, lines};

/// Folder to which the archive of the release is unpacked. The root may be the folder around it.
pub(super) const UNPACKED: &str = "PASCAL3D+_release1.1";

/// Indices of the listed objects of each image, from 0, by the id of the image.
pub(super) type ListedObjects = BTreeMap<String, BTreeSet<usize>>;

/// Folders of a release.
pub(super) struct Release {
    pub(super) annotations: PathBuf,
    pub(super) images: PathBuf,
    /// Folder of the lists, which may be missing.
    lists: PathBuf,
}

impl Release {
    /// Finds the release at `root`.
    pub(super) fn at(root: &Path) -> Result<Self, SourceError> {
        let mut entries = Disk.root_entries(root)?;
        let mut folder = root.to_owned();
        let is_unpacked = |entry: &&Entry| entry.is_folder() && entry.name == UNPACKED;
        if let Some(unpacked) = entries.iter().find(is_unpacked) {
            folder = unpacked.path.clone();
            entries = Disk.readable_entries(&folder)?;
        }
        let has = |name| {
            let mut entries = entries.iter();
            entries.any(|entry| entry.is_folder() && entry.name == name)
        };
        if has("Annotations") && has("Images") {
            return Ok(Self {
                annotations: folder.join("Annotations"),
                images: folder.join("Images"),
                lists: folder.join("Image_sets"),
            });
        }
        Err(SourceError::WrongRoot {
            root: root.to_owned(),
            wanted: "release of PASCAL3D+",
            looked_for: "Annotations/ and Images/",
            found: entries.into_iter().map(|entry| entry.name).collect(),
        })
    }

    /// Objects of the ImageNet images of a class: object 0 of each image in the lists for training and validation. `None`
    /// if there is no list.
    pub(super) fn imagenet_objects(
        &self,
        class: &str,
    ) -> Result<Option<ListedObjects>, SourceError> {
        let mut objects = None;
        for part in ["train", "val"] {
            let path = self.lists.join(format!("{class}_imagenet_{part}.txt"));
            if let Some(text) = Disk.read_text_if_any(&path)? {
                let objects = objects.get_or_insert_with(ListedObjects::new);
                for (number, line) in lines(&text).filter(|(_, line)| !line.is_empty()) {
                    let id = std::str::from_utf8(line)
                        .map_err(|_| bad_line(&path, number, line, "an id in UTF-8"))?;
                    objects.insert(id.to_owned(), BTreeSet::from([0]));
                }
            }
        }
        Ok(objects)
    }

    /// Objects of the PASCAL images of a class; `None` if there is no list.
    pub(super) fn pascal_objects(&self, class: &str) -> Result<Option<ListedObjects>, SourceError> {
        let path = self.lists.join(format!("{class}_pascal.txt"));
        let Some(text) = Disk.read_text_if_any(&path)? else {
            return Ok(None);
        };
        let mut objects = ListedObjects::new();
        for (number, line) in lines(&text).filter(|(_, line)| !line.is_empty()) {
            let (id, index) = id_and_index(line)
                .ok_or_else(|| bad_line(&path, number, line, "<id> <object index>"))?;
            objects.entry(id).or_default().insert(index);
        }
        Ok(Some(objects))
    }
}

fn id_and_index(line: &[u8]) -> Option<(String, usize)> {
    let mut words = std::str::from_utf8(line).ok()?.split_whitespace();
    let (id, index) = (words.next()?, words.next()?.parse().ok()?);
    words.next().is_none().then(|| (id.to_owned(), index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_tree::{tree, write};

    /// A release with its lists in `root`.
    fn release(root: &Path) -> Release {
        Release {
            annotations: PathBuf::new(),
            images: PathBuf::new(),
            lists: root.to_owned(),
        }
    }

    #[test]
    fn the_two_imagenet_lists_are_joined_and_may_be_missing() {
        let root = tree(&[]);
        let objects = || release(root.path()).imagenet_objects("car").unwrap();
        assert_eq!(objects(), None);
        write(root.path(), "car_imagenet_val.txt", "n1_2\r\nn1_1\r\n\r\n");
        write(root.path(), "car_imagenet_train.txt", "n2_1\nn1_2\n");
        let first = ["n1_1", "n1_2", "n2_1"].map(|id| (id.to_owned(), BTreeSet::from([0])));
        assert_eq!(objects(), Some(BTreeMap::from(first)));
    }

    #[test]
    fn pascal_objects_are_counted_from_0_and_a_bad_line_is_an_error() {
        let root = tree(&[]);
        let objects = || release(root.path()).pascal_objects("car");
        assert_eq!(objects().unwrap(), None);
        write(
            root.path(),
            "car_pascal.txt",
            "2008_2 1\n2008_2\t0\n2008_1 10\n",
        );
        let expected = BTreeMap::from([
            ("2008_1".to_owned(), BTreeSet::from([10])),
            ("2008_2".to_owned(), BTreeSet::from([0, 1])),
        ]);
        assert_eq!(objects().unwrap(), Some(expected));
        for line in ["2008_1", "2008_1 -1", "2008_1 1 1"] {
            write(root.path(), "car_pascal.txt", line);
            let message = objects().unwrap_err().to_string();
            let expected = format!("line 1: {line:?}; expected <id> <object index>");
            assert!(message.ends_with(&expected), "{message}");
        }
    }
}
