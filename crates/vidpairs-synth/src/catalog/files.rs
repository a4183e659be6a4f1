//! The files of an object: its model, and what the model names.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zip::ZipArchive;
use zip::result::ZipError;

use super::CatalogError;

/// The largest file of an object that is read, bytes.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Where a model lies.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    Member {
        catalogue: Arc<Path>,
        /// Its name in the ZIP.
        member: String,
    },
    Loose {
        root: Arc<Path>,
        /// Its path below the root, with `/`.
        below: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member { catalogue, member } => write!(f, "{}: {member}", catalogue.display()),
            Self::Loose { root, below } => write!(f, "{}", root.join(below).display()),
        }
    }
}

/// The files of one object, opened by [`CatalogObject::open`](super::CatalogObject::open).
pub struct ObjectFiles {
    store: Store,
    /// The model's path in the store.
    model: String,
    /// The model, for people.
    place: String,
}

enum Store {
    Zip(Zip),
    Folder(Arc<Path>),
}

impl ObjectFiles {
    pub(super) fn open(place: &Place) -> Result<Self, CatalogError> {
        let (store, model) = match place {
            Place::Member { catalogue, member } => (Store::Zip(Zip::open(catalogue)?), member),
            Place::Loose { root, below } => (Store::Folder(Arc::clone(root)), below),
        };
        Ok(Self {
            store,
            model: model.clone(),
            place: place.to_string(),
        })
    }

    /// The bytes of the `.obj` file.
    ///
    /// # Errors
    /// [`CatalogError`] if it is gone, damaged, unreadable or larger than [`MAX_FILE_BYTES`].
    pub fn model(&mut self) -> Result<Vec<u8>, CatalogError> {
        let (model, place) = (&self.model, &self.place);
        match &mut self.store {
            Store::Zip(zip) => zip.read(model, model, place),
            Store::Folder(root) => read_file(&root.join(model), model, place),
        }
    }

    /// The bytes of a file that the model or its materials name, relative to the model's folder.
    ///
    /// The name is tried as it is, then with `\` for `/`, then without regard to upper and lower case.
    ///
    /// # Errors
    /// [`CatalogError::FileOutside`] for an absolute path and for one that leads out of the catalogue or the
    /// root; [`CatalogError::FileMissing`] if there is no such file; others as for [`model`](Self::model).
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>, CatalogError> {
        let place = &self.place;
        let folder = self.model.rsplit_once('/').map_or("", |(folder, _)| folder);
        let outside = |_| CatalogError::FileOutside {
            name: name.to_owned(),
            model: place.clone(),
        };
        let missing = || CatalogError::FileMissing {
            name: name.to_owned(),
            model: place.clone(),
        };
        match &mut self.store {
            Store::Zip(zip) => {
                let member = zip.find(folder, name).map_err(outside)?;
                zip.read(&member.ok_or_else(missing)?, name, place)
            }
            Store::Folder(root) => {
                let path = find_file(root, folder, name).map_err(outside)?;
                read_file(&path.ok_or_else(missing)?, name, place)
            }
        }
    }
}

/// A catalogue, opened.
pub(super) struct Zip {
    path: Arc<Path>,
    archive: ZipArchive<BufReader<File>>,
}

impl Zip {
    pub(super) fn open(path: &Arc<Path>) -> Result<Self, CatalogError> {
        let file = File::open(path).map_err(|source| CatalogError::unreadable(path, source))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|source| match source {
            ZipError::Io(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
                CatalogError::unreadable(path, source)
            }
            source => CatalogError::NotAZip {
                catalogue: path.to_path_buf(),
                source,
            },
        })?;
        Ok(Self {
            path: Arc::clone(path),
            archive,
        })
    }

    pub(super) fn holds(&self, member: &str) -> bool {
        self.archive.index_for_name(member).is_some()
    }

    /// What is called `name`, seen from `folder`, as [`ObjectFiles::read`] looks for it.
    pub(super) fn find(&self, folder: &str, name: &str) -> Result<Option<String>, Outside> {
        let (literal, wanted) = candidates(folder, name)?;
        if let Some(member) = [&literal, &wanted]
            .into_iter()
            .find(|member| self.holds(member))
        {
            return Ok(Some(member.clone()));
        }
        let wanted = wanted.to_lowercase();
        let mut names = self.archive.file_names().filter_map(Result::ok);
        let alike = names.find(|member| member.to_lowercase() == wanted);
        Ok(alike.map(|member| member.into_owned()))
    }

    /// The bytes of `member`, which the model `model` calls `name`.
    pub(super) fn read(
        &mut self,
        member: &str,
        name: &str,
        model: &str,
    ) -> Result<Vec<u8>, CatalogError> {
        let damaged = |source| CatalogError::FileDamaged {
            name: member.to_owned(),
            catalogue: self.path.to_path_buf(),
            source,
        };
        let file = self.archive.by_name(member).map_err(damaged)?;
        let declared = file.size();
        read_bounded(file, declared, MAX_FILE_BYTES)
            .map_err(|source| damaged(ZipError::Io(source)))?
            .map_err(|bytes| too_large(name, model, bytes))
    }
}

/// A name that leads out of the catalogue or the root.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outside;

fn find_file(root: &Path, folder: &str, name: &str) -> Result<Option<PathBuf>, Outside> {
    let (literal, wanted) = candidates(folder, name)?;
    let exact = [literal, wanted.clone()]
        .into_iter()
        .map(|below| root.join(below))
        .find(|path| path.is_file());
    let parts: Vec<String> = wanted.split('/').map(str::to_lowercase).collect();
    Ok(exact.or_else(|| find_alike(root, &parts)))
}

/// The file below `folder` whose path is `parts`, but for upper and lower case; of several the first by name.
fn find_alike(folder: &Path, parts: &[String]) -> Option<PathBuf> {
    let (part, rest) = parts.split_first()?;
    let is_alike = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.to_lowercase() == *part)
    };
    let entries = fs::read_dir(folder).ok()?;
    let mut alike: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(is_alike)
        .collect();
    alike.sort();
    if rest.is_empty() {
        return alike.into_iter().find(|path| path.is_file());
    }
    alike.iter().find_map(|path| find_alike(path, rest))
}

/// Where `name` may lie, seen from `folder`: as it is, and with `\` for `/`.
fn candidates(folder: &str, name: &str) -> Result<(String, String), Outside> {
    // Judged by the second: Windows would take `\` of the first for `/`, too.
    let wanted = resolve(folder, &name.replace('\\', "/"))?;
    let literal = resolve(folder, name).unwrap_or_else(|_| wanted.clone());
    Ok((literal, wanted))
}

/// The path `name` seen from `folder`, without `.` and `..`.
fn resolve(folder: &str, name: &str) -> Result<String, Outside> {
    let has_drive = name.as_bytes().get(1) == Some(&b':')
        && name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if name.starts_with('/') || has_drive {
        return Err(Outside);
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or(Outside)?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

fn read_file(path: &Path, name: &str, model: &str) -> Result<Vec<u8>, CatalogError> {
    let unreadable = |source| CatalogError::unreadable(path, source);
    // Asked before it is opened: opening a FIFO waits for a writer that may never come.
    let metadata = fs::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => CatalogError::FileMissing {
            name: name.to_owned(),
            model: model.to_owned(),
        },
        _ => unreadable(source),
    })?;
    if !metadata.is_file() {
        return Err(CatalogError::FileMissing {
            name: name.to_owned(),
            model: model.to_owned(),
        });
    }
    let file = File::open(path).map_err(unreadable)?;
    read_bounded(file, metadata.len(), MAX_FILE_BYTES)
        .map_err(unreadable)?
        .map_err(|bytes| too_large(name, model, bytes))
}

/// All bytes of `file`, or their number where there are more than `max_bytes`. `declared` is what its header
/// says; it is not believed where it says less.
fn read_bounded(
    file: impl Read,
    declared: u64,
    max_bytes: u64,
) -> io::Result<Result<Vec<u8>, u64>> {
    if declared > max_bytes {
        return Ok(Err(declared));
    }
    let mut bytes = Vec::new();
    // Grows with what is really there; one byte more than is allowed, to notice what goes on.
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    let num = bytes.len() as u64;
    Ok(if num > max_bytes { Err(num) } else { Ok(bytes) })
}

fn too_large(name: &str, model: &str, bytes: u64) -> CatalogError {
    CatalogError::FileTooLarge {
        name: name.to_owned(),
        model: model.to_owned(),
        bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_zip::zip;
    use super::*;

    const FILES: &[(&str, &[u8])] = &[
        ("lib/wood.jpg", b"shared"),
        ("m/chair/chair.obj", b"v 0 0 0"),
        ("m/chair/chair.mtl", b"newmtl a"),
        ("m/chair/Tex/Red.JPG", b"red"),
        ("m/chair/back\\slash.jpg", b"literal"),
    ];

    /// The same object once in a ZIP and once in a folder.
    fn both(test: impl Fn(&mut ObjectFiles)) {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("c.sh3f");
        zip(&path, FILES);
        let root = scratch.path().join("root");
        for (name, bytes) in FILES {
            let file = root.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
        fs::write(scratch.path().join("secret.txt"), "secret").unwrap();
        let model = "m/chair/chair.obj".to_owned();
        let member = Place::Member {
            catalogue: path.into(),
            member: model.clone(),
        };
        let loose = Place::Loose {
            root: root.into(),
            below: model,
        };
        for place in [member, loose] {
            test(&mut ObjectFiles::open(&place).unwrap());
        }
    }

    #[test]
    fn the_model_and_the_files_it_names_are_read() {
        both(|files| {
            assert_eq!(files.model().unwrap(), b"v 0 0 0");
            assert_eq!(files.read("chair.mtl").unwrap(), b"newmtl a");
            assert_eq!(files.read("./Tex/Red.JPG").unwrap(), b"red");
            assert_eq!(files.read("../../lib/wood.jpg").unwrap(), b"shared");
        });
    }

    #[test]
    fn backslashes_and_other_case_are_tried_after_the_exact_name() {
        both(|files| {
            assert_eq!(files.read("Tex\\Red.JPG").unwrap(), b"red");
            assert_eq!(files.read("tex\\red.jpg").unwrap(), b"red");
            assert_eq!(files.read("CHAIR.MTL").unwrap(), b"newmtl a");
            assert_eq!(files.read("..\\..\\LIB/wood.jpg").unwrap(), b"shared");
            #[cfg(unix)]
            assert_eq!(files.read("back\\slash.jpg").unwrap(), b"literal");
        });
    }

    #[test]
    fn a_missing_file_is_named_with_its_model() {
        both(|files| {
            let error = files.read("gone.jpg").unwrap_err();
            assert!(
                matches!(error, CatalogError::FileMissing { .. }),
                "{error:?}"
            );
            let text = error.to_string();
            assert!(
                text.contains("gone.jpg") && text.contains("chair.obj"),
                "{text}"
            );
            for folder in ["", ".", "Tex"] {
                let error = files.read(folder).unwrap_err();
                assert!(
                    !matches!(error, CatalogError::FileOutside { .. }),
                    "{error:?}"
                );
            }
        });
    }

    #[test]
    fn nothing_outside_the_catalogue_or_the_root_is_ever_opened() {
        both(|files| {
            for name in [
                "../../../secret.txt",
                "..\\..\\..\\secret.txt",
                "../../../root/lib/wood.jpg",
                "/etc/passwd",
                "\\etc\\passwd",
                "C:\\wood.jpg",
                "c:wood.jpg",
            ] {
                let error = files.read(name).unwrap_err();
                assert!(
                    matches!(error, CatalogError::FileOutside { .. }),
                    "{name}: {error:?}"
                );
            }
        });
    }

    #[test]
    fn a_size_beyond_the_bound_is_refused_before_a_byte_is_read() {
        struct Untouchable;
        impl Read for Untouchable {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("read")
            }
        }
        assert_eq!(read_bounded(Untouchable, 11, 10).unwrap(), Err(11));
    }

    #[test]
    fn a_header_that_tells_too_little_is_found_out() {
        assert_eq!(read_bounded([7; 11].as_slice(), 3, 10).unwrap(), Err(11));
        assert_eq!(
            read_bounded([7; 10].as_slice(), 3, 10).unwrap(),
            Ok(vec![7; 10])
        );
    }

    #[test]
    fn a_zip_that_claims_gigabytes_is_refused_and_one_with_damaged_bytes_is_named() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("c.sh3f");
        zip(&path, &[("a.obj", b"0123456789abcdef")]);
        let whole = fs::read(&path).unwrap();
        let place = Place::Member {
            catalogue: path.clone().into(),
            member: "a.obj".to_owned(),
        };
        let error_of = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            ObjectFiles::open(&place).unwrap().model().unwrap_err()
        };
        // The uncompressed size lies 24 bytes into an entry of the ZIP's directory.
        let mut boastful = whole.clone();
        let entry = whole.windows(4).position(|it| it == b"PK\x01\x02").unwrap();
        boastful[entry + 24..entry + 28].copy_from_slice(&0x7FFF_FFFF_u32.to_le_bytes());
        let error = error_of(&boastful);
        assert!(
            matches!(error, CatalogError::FileTooLarge { .. }),
            "{error:?}"
        );
        let mut damaged = whole.clone();
        let content = whole.windows(4).position(|it| it == b"0123").unwrap();
        damaged[content] ^= 1;
        let error = error_of(&damaged);
        assert!(
            matches!(error, CatalogError::FileDamaged { .. }),
            "{error:?}"
        );
    }
}
