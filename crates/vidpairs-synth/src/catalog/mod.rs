//! Objects to render: what there is, what it is called, and where its files lie.
//!
//! - **Takes** roots: catalogues of Sweet Home 3D (`.sh3f`), and folders of them or of `.obj` files.
//! - **Gives** a [`Catalog`]: [`CatalogObject`]s sorted by id, the same on every machine; later, when an
//!   object's turn comes, its [`ObjectFiles`].
//! - **Fails** with [`CatalogError`] where a root is not what it should be. One bad entry or file below a good
//!   root is a [`Refusal`] in [`Catalog::set_aside`], never an error.
//! - **Source**: the catalogues' format as `sweethome3d-furniture` distributes it, see `docs/OBJECTS.md`.

mod category;
mod error;
mod files;
mod folder;
mod half;
mod properties;
mod select;
mod sh3f;
#[cfg(test)]
mod test_zip;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use vidpairs_types::{Outcome, Refusal, Stage};

pub use category::is_flat;
pub use error::CatalogError;
pub use files::{MAX_FILE_BYTES, ObjectFiles};
pub use half::Half;
pub use select::{Selected, UnknownCategory};

use files::Place;

/// What may be rendered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalog {
    /// At least one; sorted by the bytes of the id, ids unique.
    pub objects: Vec<CatalogObject>,
    /// What should have been an object or a catalogue but can't be, sorted by id.
    pub set_aside: Vec<Refusal>,
}

/// One object of a catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogObject {
    /// Unique and lasting: `Scopia#bathroom3`, or the path below the folder without `.obj`.
    pub id: String,
    /// What people call it: `Coffee table`.
    pub name: String,
    /// Its class, lower-case ASCII letters and `-`: `table`. Fit to be a folder's name.
    pub category: String,
    /// The catalogue's own category, `Kitchen`, `Vehicles`; for an `.obj` file the folder it lies in, or
    /// nothing if that is the root.
    pub group: String,
    /// Who made it, as the catalogue says; may be empty.
    pub creator: String,
    /// The catalogue's licence in its own words; may be empty.
    pub licence: String,
    /// Which half it belongs to.
    pub half: Half,
    /// Whether it makes sense alone in a picture: no door, no wall socket, no carpet, nothing flat.
    pub is_thing: bool,
    /// Width, height and depth in centimetres, each above 0, where the catalogue tells all three.
    pub size_cm: Option<[f32; 3]>,
    /// The turn that brings the model upright and to the front, row-major, where the catalogue has one.
    pub rotation: Option<[f32; 9]>,
    place: Place,
}

impl Catalog {
    /// Reads every root: a `.sh3f` or `.zip` file, or a folder, which is searched to the bottom for `.sh3f`
    /// and for `.obj` files. Hidden files and folders are left out; a root given twice is read once.
    ///
    /// The order depends on names only. Of two objects with one id the earlier root's stays, within a root
    /// the earlier path's.
    ///
    /// # Errors
    /// [`CatalogError`] if there is no root, if one does not exist, can't be read or holds no object, and if
    /// a file that was given is no catalogue.
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
            let found = if metadata.is_dir() {
                folder::read(root)?
            } else if metadata.is_file() {
                sh3f::read(root)?
            } else {
                return Err(CatalogError::NotRegular { root: root.clone() });
            };
            catalog.add(root, found)?;
        }
        catalog.set_aside_duplicates();
        let key = |refusal: &Refusal| (refusal.id.clone(), refusal.path.clone());
        catalog.set_aside.sort_by_cached_key(key);
        Ok(catalog)
    }

    fn add(&mut self, root: &Path, found: Found) -> Result<(), CatalogError> {
        if found.objects.is_empty() {
            return Err(CatalogError::NoObject {
                root: root.to_owned(),
                num_ignored: found.num_ignored,
                set_aside: found.set_aside,
            });
        }
        self.objects.extend(found.objects);
        self.set_aside.extend(found.set_aside);
        Ok(())
    }

    fn set_aside_duplicates(&mut self) {
        // Stable: the first of those with one id is the one found first.
        self.objects.sort_by(|a, b| a.id.cmp(&b.id));
        let mut unique: Vec<CatalogObject> = Vec::with_capacity(self.objects.len());
        for object in self.objects.drain(..) {
            match unique.last() {
                Some(first) if first.id == object.id => {
                    let reason = format!("the id is taken by {}", first.place);
                    self.set_aside
                        .push(refusal(&object.id, &object.place.to_string(), reason));
                }
                _ => unique.push(object),
            }
        }
        self.objects = unique;
    }
}

impl CatalogObject {
    /// Where the model lies, for people: a path, or a catalogue and a name in it.
    pub fn place(&self) -> String {
        self.place.to_string()
    }

    /// Opens what holds its files. Cheap: of a catalogue, the ZIP's directory is read.
    ///
    /// # Errors
    /// [`CatalogError`] if the catalogue can't be read any more.
    pub fn open(&self) -> Result<ObjectFiles, CatalogError> {
        ObjectFiles::open(&self.place)
    }
}

/// What a root holds, in the order in which it was found.
#[derive(Default)]
struct Found {
    objects: Vec<CatalogObject>,
    set_aside: Vec<Refusal>,
    num_ignored: u64,
}

fn refusal(id: &str, path: &str, reason: String) -> Refusal {
    Refusal {
        id: id.to_owned(),
        path: path.to_owned(),
        outcome: Outcome::Refused,
        stage: Stage::Source,
        reason,
        retry: "mend it, and render the set into a new folder".to_owned(),
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
    fn of_two_objects_with_one_id_the_later_is_set_aside_by_name() {
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
    fn a_root_that_does_not_exist_is_named() {
        let error = Catalog::read(&[PathBuf::from("/nowhere/at/all")]).unwrap_err();
        assert_eq!(error.to_string(), "/nowhere/at/all does not exist");
    }

    #[test]
    fn without_a_root_there_is_nothing_to_read() {
        assert!(matches!(Catalog::read(&[]), Err(CatalogError::NoRoot)));
    }

    #[test]
    fn a_root_without_objects_says_what_was_looked_for_and_found() {
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
    fn a_root_that_could_block_is_never_opened() {
        let error = Catalog::read(&[PathBuf::from("/dev/null")]).unwrap_err();
        assert!(
            matches!(error, CatalogError::NotRegular { .. }),
            "{error:?}"
        );
    }
}
