//! Searches a folder for catalogues and `.obj` files.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use vidpairs_types::with_causes;
use walkdir::{DirEntry, WalkDir};

use super::category::class_of;
use super::files::Place;
use super::{CatalogError, CatalogObject, Half, Listing, refusal, sh3f};

/// Searches `root` and its subfolders. Symbolic links are followed.
///
/// # Errors
/// [`CatalogError::Unreadable`] if the root itself cannot be read. Everything unreadable below it is refused instead.
pub(super) fn read(root: &Path) -> Result<Listing, CatalogError> {
    let root: Arc<Path> = Arc::from(root);
    let mut listing = Listing::default();
    let entries = WalkDir::new(&root)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.file_name()));
    for entry in entries {
        match entry {
            Ok(entry) => listing.add_entry(&root, &entry),
            Err(error) if error.depth() == 0 => {
                return Err(CatalogError::unreadable(&root, error.into()));
            }
            Err(error) => {
                listing.refuse(&root, error.path().unwrap_or(&root), error.to_string());
            }
        }
    }
    Ok(listing)
}

impl Listing {
    fn add_entry(&mut self, root: &Arc<Path>, entry: &DirEntry) {
        let path = entry.path();
        if entry.file_type().is_dir() {
            return;
        }
        let is_catalogue = has_extension(path, "sh3f");
        if !is_catalogue && !has_extension(path, "obj") {
            self.num_ignored += 1;
        } else if !entry.file_type().is_file() {
            self.refuse(root, path, "not a regular file".to_owned());
        } else if is_catalogue {
            match sh3f::read(path) {
                Ok(catalogue) => {
                    self.objects.extend(catalogue.objects);
                    self.set_aside.extend(catalogue.set_aside);
                }
                Err(error) => self.refuse(root, path, with_causes(&error)),
            }
        } else {
            match object(root, path) {
                Some(object) => self.objects.push(object),
                None => self.refuse(root, path, "the path is not UTF-8".to_owned()),
            }
        }
    }

    fn refuse(&mut self, root: &Path, path: &Path, reason: String) {
        let below = path.strip_prefix(root).unwrap_or(path).display();
        let place = path.display().to_string();
        self.set_aside
            .push(refusal(&below.to_string(), &place, reason));
    }
}

/// Object of an `.obj` file; `None` if its path is not UTF-8.
fn object(root: &Arc<Path>, path: &Path) -> Option<CatalogObject> {
    let below = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = below.iter().map(OsStr::to_str).collect();
    let parts = parts?;
    let (file, folders) = parts.split_last()?;
    let stem = file.rsplit_once('.').map_or(*file, |(stem, _)| stem);
    let id = [folders, &[stem]].concat().join("/");
    let names = std::iter::once(stem).chain(folders.iter().rev().copied());
    let class = class_of(&id, names);
    Some(CatalogObject {
        half: Half::of(&id),
        id,
        name: stem.to_owned(),
        category: class.name,
        group: folders.last().copied().unwrap_or_default().to_owned(),
        creator: String::new(),
        licence: String::new(),
        is_thing: !class.is_fixed,
        size_cm: None,
        rotation: None,
        place: Place::Loose {
            root: Arc::clone(root),
            below: parts.join("/"),
        },
    })
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    let extension = path.extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::test_zip::{catalogue, entry};
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        root
    }

    #[test]
    fn the_id_of_an_obj_file_is_its_path_and_the_group_its_folder() {
        let root = tree(&["home/seats/Arm_Chair.2.OBJ", "cup.obj"]);
        let listing = read(root.path()).unwrap();
        let [cup, chair] = listing.objects.as_slice() else {
            panic!("{:?}", listing.objects)
        };
        assert_eq!(chair.id, "home/seats/Arm_Chair.2");
        assert_eq!(chair.name, "Arm_Chair.2");
        assert_eq!(
            (chair.category.as_str(), chair.group.as_str()),
            ("chair", "seats")
        );
        assert_eq!((cup.id.as_str(), cup.group.as_str()), ("cup", ""));
        assert!(chair.size_cm.is_none() && chair.rotation.is_none() && chair.is_thing);
    }

    #[test]
    fn the_folder_gives_the_class_of_a_file_whose_name_has_no_word() {
        let root = tree(&["motorcycle/0001.obj", "doors/model.obj"]);
        let listing = read(root.path()).unwrap();
        let of = |index: usize| &listing.objects[index];
        assert_eq!(
            (of(1).category.as_str(), of(1).is_thing),
            ("motorbike", true)
        );
        assert_eq!((of(0).category.as_str(), of(0).is_thing), ("door", false));
    }

    #[test]
    fn catalogues_are_found_at_any_depth_and_other_files_are_counted() {
        let root = tree(&["a/b/readme.txt", "a/chair.mtl", ".hidden/x.obj", ".y.obj"]);
        let path = root.path().join("a/b/c.SH3F");
        catalogue(&path, &entry(1, "X#1", "Chair"), &["m/1.obj"]);
        let listing = read(root.path()).unwrap();
        assert_eq!(listing.objects.len(), 1);
        assert_eq!(listing.objects[0].id, "X#1");
        assert_eq!(listing.num_ignored, 2);
        assert!(listing.set_aside.is_empty());
    }

    #[test]
    fn a_bad_catalogue_in_a_folder_is_refused_and_the_other_files_are_read() {
        let root = tree(&["a/bad.sh3f", "z.obj"]);
        let listing = read(root.path()).unwrap();
        assert_eq!(listing.objects.len(), 1);
        let refused = &listing.set_aside[0];
        assert_eq!(
            refused.id,
            Path::new("a").join("bad.sh3f").display().to_string()
        );
        assert!(refused.reason.contains("not a sound ZIP"), "{refused:?}");
        assert!(!refused.retry.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_dangling_link_a_loop_of_links_and_a_name_that_is_not_utf8_are_refused() {
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::fs::symlink;
        let root = tree(&["z.obj"]);
        symlink("/nowhere", root.path().join("lost.obj")).unwrap();
        symlink(".", root.path().join("loop")).unwrap();
        fs::write(root.path().join(OsStr::from_bytes(b"\xFF.obj")), "").unwrap();
        let listing = read(root.path()).unwrap();
        assert_eq!(listing.objects.len(), 1);
        assert_eq!(listing.set_aside.len(), 3, "{:?}", listing.set_aside);
    }
}
