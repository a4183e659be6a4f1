//! Lists the objects that can be rendered, with their classes, and opens their files.
//!
//! - **Takes** roots: catalogues of Sweet Home 3D (`.sh3f`), and folders of catalogues or of `.obj` files.
//! - **Gives** a [`Catalog`]: [`CatalogObject`]s sorted by id, in the same order on every machine. Each opens its
//!   [`ObjectFiles`].
//! - **Fails** with [`CatalogError`] for a bad root. A bad entry or file below a good root is a [`Refusal`] in
//!   [`Catalog::set_aside`], never an error.
//! - **Source**: the format of the catalogues that `sweethome3d-furniture` distributes, see `docs/OBJECTS.md`.

mod category;
mod error;
mod files;
mod folder;
mod half;
mod select;
mod sh3f;
#[cfg(test)]
mod test_zip;

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use vidpairs_types::{Outcome, Refusal, Stage};

pub use error::CatalogError;
pub use files::{MAX_FILE_BYTES, ObjectFiles};
pub use half::Half;
pub use select::{Selected, UnknownCategory};

use files::Place;

/// Objects that can be rendered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalog {
    /// At least one object; sorted by the bytes of their unique ids.
    pub objects: Vec<CatalogObject>,
    /// Refused objects and catalogues, sorted by id.
    pub set_aside: Vec<Refusal>,
}

/// One object of a catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogObject {
    /// Unique and permanent id: `Scopia#bathroom3`, or the path below the folder without `.obj`.
    pub id: String,
    /// Name for people: `Coffee table`.
    pub name: String,
    /// Class, lower-case ASCII letters and `-`: `table`. Usable as the name of a folder.
    pub category: String,
    /// Category in the catalogue, `Kitchen`, `Vehicles`; for an `.obj` file the name of its folder, empty in the root.
    pub group: String,
    /// Author, as the catalogue states; may be empty.
    pub creator: String,
    /// Licence, as the catalogue states; may be empty.
    pub licence: String,
    /// Half of the catalogue.
    pub half: Half,
    /// Whether the object makes sense alone in an image: not a door, a wall socket, a carpet or anything flat.
    pub is_thing: bool,
    /// Width, height and depth in centimetres, each above 0, if the catalogue states all three.
    pub size_cm: Option<[f32; 3]>,
    /// Rotation that brings the model upright and its front to +z, row-major, if the catalogue states one.
    pub rotation: Option<[f32; 9]>,
    place: Place,
}

impl Catalog {
    /// Reads every root: a `.sh3f` or `.zip` file, or a folder, whose subfolders are searched for `.sh3f` and `.obj` files
    /// too. Hidden files and folders are skipped; a root given twice is read once.
    ///
    /// The order of the objects depends on their names only. Of two objects with the same id, the one of the earlier root
    /// is kept; within a root, the one of the earlier path.
    ///
    /// # Errors
    /// [`CatalogError`] if no root is given; if a root does not exist, cannot be read or holds no object; or if a root is
    /// a file but not a catalogue.
    ///
    /// # Examples
    /// ```
    /// use vidpairs_synth::catalog::Catalog;
    ///
    /// let root = tempfile::tempdir()?;
    /// std::fs::write(root.path().join("red_car_2.obj"), b"v 0 0 0")?;
    /// let catalog = Catalog::read(&[root.path().to_owned()])?;
    /// assert_eq!(catalog.objects[0].id, "red_car_2");
    /// assert_eq!(catalog.objects[0].category, "car");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(roots: &[PathBuf]) -> Result<Self, CatalogError> {
        if roots.is_empty() {
            return Err(CatalogError::NoRoot);
        }
        let mut catalog = Self::default();
        let mut roots_read = HashSet::new();
        for root in roots {
            let metadata =
                fs::metadata(root).map_err(|source| CatalogError::of_root(root, source))?;
            let true_path =
                fs::canonicalize(root).map_err(|source| CatalogError::unreadable(root, source))?;
            if !roots_read.insert(true_path) {
                continue;
            }
            let listing = if metadata.is_dir() {
                folder::read(root)?
            } else if metadata.is_file() {
                sh3f::read(root)?
            } else {
                return Err(CatalogError::NotRegular { root: root.clone() });
            };
            if listing.objects.is_empty() {
                return Err(CatalogError::NoObject {
                    root: root.clone(),
                    num_ignored: listing.num_ignored,
                    set_aside: listing.set_aside,
                });
            }
            catalog.objects.extend(listing.objects);
            catalog.set_aside.extend(listing.set_aside);
        }
        catalog.set_aside_duplicates();
        let key = |refusal: &Refusal| (refusal.id.clone(), refusal.path.clone());
        catalog.set_aside.sort_by_cached_key(key);
        Ok(catalog)
    }

    fn set_aside_duplicates(&mut self) {
        // Stable: of objects with the same id, the one listed first stays first.
        self.objects.sort_by(|a, b| a.id.cmp(&b.id));
        let set_aside = &mut self.set_aside;
        self.objects.dedup_by(|object, first| {
            let is_duplicate = object.id == first.id;
            if is_duplicate {
                let reason = format!("the id is taken by {}", first.place);
                set_aside.push(refusal(&object.id, &object.place(), reason));
            }
            is_duplicate
        });
    }
}

impl CatalogObject {
    /// Location of the model, for messages: a path, or a catalogue and the name of a member.
    pub fn place(&self) -> String {
        self.place.to_string()
    }

    /// Opens the object's catalogue or folder. Cheap: of a catalogue, only the ZIP directory is read.
    ///
    /// # Errors
    /// [`CatalogError`] if the catalogue cannot be read any more.
    pub fn open(&self) -> Result<ObjectFiles, CatalogError> {
        ObjectFiles::open(&self.place)
    }
}

/// Contents of one root, in the order in which they are found.
#[derive(Default)]
struct Listing {
    objects: Vec<CatalogObject>,
    set_aside: Vec<Refusal>,
    /// Number of other files.
    num_ignored: u64,
}

fn refusal(id: &str, path: &str, reason: String) -> Refusal {
    Refusal {
        id: id.to_owned(),
        path: path.to_owned(),
        outcome: Outcome::Refused,
        stage: Stage::Source,
        reason,
        retry: "repair it and render the set into a new folder".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::test_zip::{catalogue, entry};
    use super::*;

    fn ids(catalog: &Catalog) -> Vec<&str> {
        catalog
            .objects
            .iter()
            .map(|object| object.id.as_str())
            .collect()
    }

    #[test]
    fn objects_of_all_roots_are_sorted_by_id() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("a.zip");
        catalogue(
            &file,
            &[entry(1, "Z#b", "Bowl"), entry(2, "A#a", "Chair")].concat(),
            &["m/1.obj", "m/2.obj"],
        );
        let folder = root.path().join("loose");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("M.obj"), "").unwrap();
        let catalog = Catalog::read(&[file, folder]).unwrap();
        assert_eq!(ids(&catalog), ["A#a", "M", "Z#b"]);
        assert!(catalog.set_aside.is_empty());
    }

    #[test]
    fn of_two_objects_with_the_same_id_the_later_is_refused() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a.sh3f", "b.sh3f"] {
            let lines = [entry(1, "X#1", "Bowl"), entry(2, name, "Bowl")].concat();
            catalogue(&root.path().join(name), &lines, &["m/1.obj", "m/2.obj"]);
        }
        let catalog = Catalog::read(&[root.path().to_owned()]).unwrap();
        assert_eq!(ids(&catalog), ["X#1", "a.sh3f", "b.sh3f"]);
        let [refused] = catalog.set_aside.as_slice() else {
            panic!("{:?}", catalog.set_aside)
        };
        assert_eq!(
            (refused.id.as_str(), refused.stage, refused.outcome),
            ("X#1", Stage::Source, Outcome::Refused)
        );
        assert!(refused.path.contains("b.sh3f"), "{refused:?}");
        assert!(refused.reason.contains("a.sh3f"), "{refused:?}");
    }

    #[test]
    fn a_root_given_twice_is_read_once() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("cup.obj"), "").unwrap();
        let same = root.path().join(".");
        let catalog = Catalog::read(&[root.path().to_owned(), same]).unwrap();
        assert_eq!(ids(&catalog), ["cup"]);
        assert!(catalog.set_aside.is_empty());
    }

    #[test]
    fn the_error_for_a_missing_root_names_the_root() {
        let error = Catalog::read(&[PathBuf::from("/nowhere/at/all")]).unwrap_err();
        assert_eq!(error.to_string(), "/nowhere/at/all does not exist");
    }

    #[test]
    fn a_call_without_roots_is_refused() {
        assert!(matches!(Catalog::read(&[]), Err(CatalogError::NoRoot)));
    }

    #[test]
    fn the_error_for_a_root_without_objects_names_what_it_holds() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("readme.txt"), "").unwrap();
        fs::write(root.path().join("bad.sh3f"), "no zip").unwrap();
        let error = Catalog::read(&[root.path().to_owned()]).unwrap_err();
        let text = error.to_string();
        for part in [".sh3f", ".obj", "1 other file", "bad.sh3f"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_device_given_as_a_root_is_refused_without_being_opened() {
        let error = Catalog::read(&[PathBuf::from("/dev/null")]).unwrap_err();
        assert!(
            matches!(error, CatalogError::NotRegular { .. }),
            "{error:?}"
        );
    }
}
