//! A folder of catalogues and of `.obj` files, searched to the bottom.

use std::ffi::OsStr;
use std::path::{Component, Path};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use super::category::class_of;
use super::files::Place;
use super::half::Half;
use super::{CatalogError, CatalogObject, Found, refusal, sh3f};

/// Searches `root`. Symbolic links are followed.
///
/// # Errors
/// [`CatalogError::Unreadable`] if the root itself can't be read. Whatever is wrong below is set aside.
pub(super) fn read(root: &Path) -> Result<Found, CatalogError> {
    let root: Arc<Path> = Arc::from(root);
    let mut found = Found::default();
    let entries = WalkDir::new(&root)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.file_name()));
    for entry in entries {
        match entry {
            Ok(entry) => found.take(&root, &entry),
            Err(error) if error.depth() == 0 => {
                return Err(CatalogError::unreadable(&root, error.into()));
            }
            Err(error) => {
                let path = error.path().unwrap_or(&root);
                let (id, place) = (below(&root, path), path.display().to_string());
                found
                    .set_aside
                    .push(refusal(&id, &place, error.to_string()));
            }
        }
    }
    Ok(found)
}

impl Found {
    fn take(&mut self, root: &Arc<Path>, entry: &DirEntry) {
        let path = entry.path();
        let is_catalogue = has_extension(path, "sh3f");
        if entry.file_type().is_dir() {
            return;
        }
        if !is_catalogue && !has_extension(path, "obj") {
            self.num_ignored += 1;
            return;
        }
        let taken = if !entry.file_type().is_file() {
            Err("not a regular file".to_owned())
        } else if is_catalogue {
            sh3f::read(path)
                .map(|inner| self.absorb(inner))
                .map_err(|error| error.in_words())
        } else {
            object(root, path)
                .map(|object| self.objects.push(object))
                .ok_or_else(|| "the path is not UTF-8".to_owned())
        };
        if let Err(reason) = taken {
            let place = path.display().to_string();
            self.set_aside
                .push(refusal(&below(root, path), &place, reason));
        }
    }

    fn absorb(&mut self, inner: Self) {
        self.objects.extend(inner.objects);
        self.set_aside.extend(inner.set_aside);
    }
}

/// The object of an `.obj` file; `None` if its path is not UTF-8.
fn object(root: &Arc<Path>, path: &Path) -> Option<CatalogObject> {
    let parts: Option<Vec<&str>> = path
        .strip_prefix(root)
        .ok()?
        .components()
        .map(|part| match part {
            Component::Normal(part) => part.to_str(),
            _ => None,
        })
        .collect();
    let parts = parts?;
    let (file, folders) = parts.split_last()?;
    let stem = file.rsplit_once('.').map_or(*file, |(stem, _)| stem);
    let id = [folders, &[stem]].concat().join("/");
    let inside_out = folders.iter().rev().copied();
    let class = class_of(&id, std::iter::once(stem).chain(inside_out));
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
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(wanted))
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn below(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
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
    fn an_obj_file_is_named_by_its_path_and_grouped_by_its_folder() {
        let root = tree(&["home/seats/Arm_Chair.2.OBJ", "cup.obj"]);
        let found = read(root.path()).unwrap();
        let [cup, chair] = found.objects.as_slice() else {
            panic!("{:?}", found.objects)
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
    fn the_folder_names_the_class_of_a_file_without_a_word() {
        let root = tree(&["motorcycle/0001.obj", "doors/model.obj"]);
        let found = read(root.path()).unwrap();
        let of = |index: usize| &found.objects[index];
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
        let found = read(root.path()).unwrap();
        assert_eq!(found.objects.len(), 1);
        assert_eq!(found.objects[0].id, "X#1");
        assert_eq!(found.num_ignored, 2);
        assert!(found.set_aside.is_empty());
    }

    #[test]
    fn a_bad_catalogue_in_a_folder_is_set_aside_and_the_rest_goes_on() {
        let root = tree(&["a/bad.sh3f", "z.obj"]);
        let found = read(root.path()).unwrap();
        assert_eq!(found.objects.len(), 1);
        let refused = &found.set_aside[0];
        assert_eq!(
            refused.id,
            Path::new("a").join("bad.sh3f").display().to_string()
        );
        assert!(refused.reason.contains("not a sound ZIP"), "{refused:?}");
        assert!(!refused.retry.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nowhere_a_circle_and_a_name_that_is_no_text_are_set_aside() {
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::fs::symlink;
        let root = tree(&["z.obj"]);
        symlink("/nowhere", root.path().join("lost.obj")).unwrap();
        symlink(".", root.path().join("circle")).unwrap();
        fs::write(root.path().join(OsStr::from_bytes(b"\xFF.obj")), "").unwrap();
        let found = read(root.path()).unwrap();
        assert_eq!(found.objects.len(), 1);
        assert_eq!(found.set_aside.len(), 3, "{:?}", found.set_aside);
    }
}
