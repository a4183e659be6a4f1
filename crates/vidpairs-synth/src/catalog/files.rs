//! Reads the files of an object, from a catalogue (ZIP) or from a folder.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vidpairs_types::open_regular;
use zip::ZipArchive;
use zip::result::ZipError;

use super::CatalogError;

/// Maximum size of a file of an object, bytes.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Location of a model.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    /// A member of a catalogue.
    Member {
        catalogue: Arc<Path>,
        member: String,
    },
    /// A file in a folder; `below` is its path below the root, with `/`.
    Loose { root: Arc<Path>, below: String },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member { catalogue, member } => write!(f, "{}: {member}", catalogue.display()),
            Self::Loose { root, below } => write!(f, "{}", root.join(below).display()),
        }
    }
}

/// Files of one object, opened by [`CatalogObject::open`](super::CatalogObject::open).
pub struct ObjectFiles {
    store: Store,
    /// Path of the model in the store.
    model: String,
    /// Location of the model, for messages.
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

    /// Bytes of the `.obj` file.
    ///
    /// # Errors
    /// [`CatalogError`] if the file is missing, damaged, unreadable or larger than [`MAX_FILE_BYTES`].
    pub fn model(&mut self) -> Result<Vec<u8>, CatalogError> {
        let file = Reference {
            name: &self.model,
            model: &self.place,
        };
        match &mut self.store {
            Store::Zip(zip) => zip.read(&self.model, file),
            Store::Folder(root) => read_file(&root.join(&self.model), file),
        }
    }

    /// Bytes of a file that the model or its materials name, relative to the model's folder.
    ///
    /// The name is tried as it is, then with `\` replaced by `/`, then ignoring case.
    ///
    /// # Errors
    /// [`CatalogError::FileOutside`] if the path is absolute or leads out of the catalogue or the root;
    /// [`CatalogError::FileMissing`] if there is no such file; others as for [`model`](Self::model).
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>, CatalogError> {
        let place = self.locate(name)?;
        let file = Reference {
            name,
            model: &self.place,
        };
        match &mut self.store {
            Store::Zip(zip) => zip.read(&place.to_string_lossy(), file), // its names are UTF-8
            Store::Folder(_) => read_file(Path::new(&place), file),
        }
    }

    /// Place at which [`read`](Self::read) finds the file `name`: the same for all spellings of it.
    ///
    /// # Errors
    /// [`CatalogError::FileOutside`], [`CatalogError::FileMissing`].
    pub fn locate(&self, name: &str) -> Result<OsString, CatalogError> {
        let file = Reference {
            name,
            model: &self.place,
        };
        let folder = self.model.rsplit_once('/').map_or("", |(folder, _)| folder);
        let place = match &self.store {
            Store::Zip(zip) => zip
                .find(folder, name)
                .map(|member| member.map(OsString::from)),
            Store::Folder(root) => {
                find_file(root, folder, name).map(|path| path.map(PathBuf::into_os_string))
            }
        };
        (place.map_err(|_| file.outside())?).ok_or_else(|| file.missing())
    }
}

/// A file name and the model that refers to it, for errors.
#[derive(Clone, Copy)]
pub(super) struct Reference<'a> {
    pub(super) name: &'a str,
    pub(super) model: &'a str,
}

impl Reference<'_> {
    fn missing(self) -> CatalogError {
        CatalogError::FileMissing {
            name: self.name.to_owned(),
            model: self.model.to_owned(),
        }
    }

    fn outside(self) -> CatalogError {
        CatalogError::FileOutside {
            name: self.name.to_owned(),
            model: self.model.to_owned(),
        }
    }

    fn too_large(self, bytes: u64) -> CatalogError {
        CatalogError::FileTooLarge {
            name: self.name.to_owned(),
            model: self.model.to_owned(),
            bytes,
            max_bytes: MAX_FILE_BYTES,
        }
    }
}

/// An open catalogue.
pub(super) struct Zip {
    path: Arc<Path>,
    archive: ZipArchive<BufReader<File>>,
}

impl Zip {
    pub(super) fn open(path: &Arc<Path>) -> Result<Self, CatalogError> {
        let file = open_regular(path).map_err(|source| CatalogError::unreadable(path, source))?;
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

    /// Member called `name`, seen from `folder`; searched as [`ObjectFiles::read`] states.
    pub(super) fn find(&self, folder: &str, name: &str) -> Result<Option<String>, Outside> {
        let candidates = candidates(folder, name)?;
        let wanted = candidates[1].to_lowercase();
        let exact = candidates.into_iter().find(|member| self.holds(member));
        Ok(exact.or_else(|| {
            let mut names = self.archive.file_names().filter_map(Result::ok);
            let alike = names.find(|member| member.to_lowercase() == wanted)?;
            Some(alike.into_owned())
        }))
    }

    /// Bytes of `member`, to which `file` refers.
    pub(super) fn read(
        &mut self,
        member: &str,
        file: Reference<'_>,
    ) -> Result<Vec<u8>, CatalogError> {
        let damaged = |source| CatalogError::FileDamaged {
            name: member.to_owned(),
            catalogue: self.path.to_path_buf(),
            source,
        };
        let content = self.archive.by_name(member).map_err(damaged)?;
        let declared = content.size();
        read_bounded(content, declared, MAX_FILE_BYTES)
            .map_err(|source| damaged(ZipError::Io(source)))?
            .map_err(|bytes| file.too_large(bytes))
    }
}

/// The path leads out of the catalogue or the root.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outside;

fn find_file(root: &Path, folder: &str, name: &str) -> Result<Option<PathBuf>, Outside> {
    let candidates = candidates(folder, name)?;
    let wanted: Vec<String> = candidates[1].split('/').map(str::to_lowercase).collect();
    let mut paths = candidates.iter().map(|below| root.join(below));
    let exact = paths.find(|path| path.is_file());
    Ok(exact.or_else(|| find_alike(root, &wanted)))
}

/// First file by name below `folder` whose path is `parts` (lower case) when case is ignored.
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

/// Possible paths of `name`, seen from `folder`: as written, and with `\` replaced by `/`.
fn candidates(folder: &str, name: &str) -> Result<[String; 2], Outside> {
    // The second decides whether the path leads outside: Windows takes `\` for `/` in the first, too.
    let with_slashes = resolve(folder, &name.replace('\\', "/"))?;
    let literal = resolve(folder, name).unwrap_or_else(|_| with_slashes.clone());
    Ok([literal, with_slashes])
}

/// Path of `name`, seen from `folder`, without `.` and `..`.
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

fn read_file(path: &Path, file: Reference<'_>) -> Result<Vec<u8>, CatalogError> {
    let unreadable = |source| CatalogError::unreadable(path, source);
    // Checked before opening: to open a FIFO blocks until it has a writer.
    let len = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(unreadable(source)),
        _ => return Err(file.missing()),
    };
    let content = open_regular(path).map_err(unreadable)?;
    read_bounded(content, len, MAX_FILE_BYTES)
        .map_err(unreadable)?
        .map_err(|bytes| file.too_large(bytes))
}

/// All bytes of `file`; as the inner error, their number if there are more than `max_bytes`.
///
/// - `declared`: size that the header of the file states, which may be too small.
fn read_bounded(
    file: impl Read,
    declared: u64,
    max_bytes: u64,
) -> io::Result<Result<Vec<u8>, u64>> {
    if declared > max_bytes {
        return Ok(Err(declared));
    }
    let mut bytes = Vec::new();
    // Reads one byte more than allowed, to notice longer files.
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    let num = bytes.len() as u64;
    Ok(if num > max_bytes { Err(num) } else { Ok(bytes) })
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

    /// Runs `test` on an object in a ZIP, and on the same object in a folder.
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
    fn the_model_and_the_files_that_it_names_are_read() {
        both(|files| {
            assert_eq!(files.model().unwrap(), b"v 0 0 0");
            assert_eq!(files.read("chair.mtl").unwrap(), b"newmtl a");
            assert_eq!(files.read("./Tex/Red.JPG").unwrap(), b"red");
            assert_eq!(files.read("../../lib/wood.jpg").unwrap(), b"shared");
        });
    }

    #[test]
    fn a_name_with_backslashes_or_other_case_matches_after_the_exact_name() {
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
    fn the_error_for_a_missing_file_names_the_file_and_the_model() {
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
    fn a_file_outside_the_catalogue_or_the_root_is_never_opened() {
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
    fn a_declared_size_above_the_maximum_is_refused_before_a_byte_is_read() {
        struct Untouchable;
        impl Read for Untouchable {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("read")
            }
        }
        assert_eq!(read_bounded(Untouchable, 11, 10).unwrap(), Err(11));
    }

    #[test]
    fn a_file_longer_than_its_declared_size_is_refused_at_the_maximum() {
        assert_eq!(read_bounded([7; 11].as_slice(), 3, 10).unwrap(), Err(11));
        assert_eq!(
            read_bounded([7; 10].as_slice(), 3, 10).unwrap(),
            Ok(vec![7; 10])
        );
    }

    #[test]
    fn a_zip_member_that_claims_gigabytes_or_has_damaged_bytes_is_refused() {
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
        let mut oversized = whole.clone();
        let find = |bytes: &[u8]| whole.windows(4).position(|window| window == bytes).unwrap();
        let entry = find(b"PK\x01\x02");
        oversized[entry + 24..entry + 28].copy_from_slice(&0x7FFF_FFFF_u32.to_le_bytes());
        let error = error_of(&oversized);
        assert!(
            matches!(error, CatalogError::FileTooLarge { .. }),
            "{error:?}"
        );
        let mut damaged = whole.clone();
        damaged[find(b"0123")] ^= 1;
        let error = error_of(&damaged);
        assert!(
            matches!(error, CatalogError::FileDamaged { .. }),
            "{error:?}"
        );
    }
}
