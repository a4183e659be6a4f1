//! A source in an object store: what is listed, and where its objects are fetched from.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;
use vidpairs_run::{Control, RunError};
use vidpairs_source::{ImageParts, Listing, ObjectNames, ObjectTree, SourceOptions, StoredObject};
use vidpairs_store::{Location, Options, Store, StoreError, Version};
use vidpairs_types::{Clip, open_regular};

use super::ExtractError;
use super::files::{ClipFiles, StoredFile};

/// Largest object that a listing reads in one request, bytes. Larger ones are fetched into a temporary file.
const MAX_READ_BYTES: u64 = 8 << 20;
/// End of the name of a pinned list.
const LIST: &str = ".jsonl";
/// Ends of the names of lists of paths.
const PATH_LISTS: [&str; 2] = [".txt", ".list"];

/// What the URL of a source leads to.
pub(super) enum Stored {
    /// A pinned list, fetched into a temporary folder.
    List { folder: TempDir, file: PathBuf },
    /// A data set, a folder or a video.
    Tree(StoredSource),
}

/// A listed source, and the folder of the store that the names of its objects are relative to.
pub(super) struct StoredSource {
    pub listing: Listing,
    pub tree: ObjectTree,
    pub store: Arc<Store>,
}

/// Opens the folder `url` of a store.
pub(super) fn open(url: &Path) -> Result<Arc<Store>, RunError> {
    let store = location(url).and_then(|location| Store::open(location, Options::from_env()));
    Ok(Arc::new(store.map_err(failed)?))
}

pub(super) fn location(url: &Path) -> Result<Location, StoreError> {
    Ok(Location::parse(&url.to_string_lossy())?)
}

/// An error of a store, as one of the run.
pub(super) fn failed(err: StoreError) -> RunError {
    match err {
        StoreError::Stopped => RunError::Stopped,
        err => ExtractError::Store(err).into(),
    }
}

/// Lists the source at `url`.
pub(super) fn list(
    url: &Path,
    options: &SourceOptions,
    parts: ImageParts,
    control: &Control,
) -> Result<Stored, RunError> {
    let cancel = Arc::clone(&control.cancel);
    let watch = move |_| !cancel.is_set();
    let whole = location(url).map_err(failed)?;
    // An object of this name comes before a folder: `s3://bucket/clips.jsonl`.
    let named = match whole.split() {
        Some((folder, name)) => {
            let store = Store::open(folder, Options::from_env()).map_err(failed)?;
            let is_object = store.exists(name, &watch).map_err(failed)?;
            is_object.then(|| (store, name.to_owned()))
        }
        None => None,
    };
    let mut names = ObjectNames::default();
    let mut listed = control.counting("objects listed");
    let (store, root) = match named {
        Some((store, name)) if name.ends_with(LIST) => {
            let folder = tempfile::tempdir()
                .map_err(ExtractError::scratch(Path::new("the temporary folder")))?;
            let file = folder.path().join("clips.jsonl");
            store.fetch(&name, None, &file, &watch).map_err(failed)?;
            return Ok(Stored::List { folder, file });
        }
        Some((store, name)) => {
            let is_list = PATH_LISTS.iter().any(|end| name.ends_with(end));
            for entry in store.list("", &watch) {
                listed.add();
                let entry = entry.map_err(failed)?;
                if is_list || entry.name == name {
                    add(&mut names, &entry);
                }
            }
            (store, Some(name))
        }
        None => {
            let store = Store::open(whole, Options::from_env()).map_err(failed)?;
            for entry in store.list("", &watch) {
                listed.add();
                add(&mut names, &entry.map_err(failed)?);
            }
            (store, None)
        }
    };
    let store = Arc::new(store);
    let reader = Reader {
        store: Arc::clone(&store),
        control: control.clone(),
        fetched: Mutex::default(),
    };
    let root_url = store.location().to_string();
    let tree = ObjectTree::new(&root_url, names, move |object, range| {
        reader.read(object, range)
    });
    let root = match root {
        Some(name) => tree.root().join(name),
        None => tree.root().to_owned(),
    };
    let listing = vidpairs_source::list_tree(&tree, &root, options, parts);
    let listing = listing.map_err(ExtractError::from)?;
    Ok(Stored::Tree(StoredSource {
        listing,
        tree,
        store,
    }))
}

fn add(names: &mut ObjectNames, entry: &vidpairs_store::Entry) {
    names.add(StoredObject {
        name: &entry.name,
        size_bytes: entry.num_bytes,
        version: entry.version.as_str(),
    });
}

impl StoredSource {
    /// The objects of a clip.
    pub fn files_of(&self, clip: &Clip) -> Result<ClipFiles, ExtractError> {
        let objects = self.tree.files_of(clip)?.into_iter();
        let objects = objects.map(|object| StoredFile {
            name: object.name.to_owned(),
            bytes: object.size_bytes,
            version: object.version.to_owned(),
        });
        Ok(ClipFiles::Stored {
            objects: objects.collect(),
        })
    }
}

/// Reads what a listing needs.
struct Reader {
    store: Arc<Store>,
    control: Control,
    /// Large objects, which are read in ranges.
    fetched: Mutex<HashMap<String, Arc<Fetched>>>,
}

struct Fetched {
    file: File,
    _folder: TempDir,
}

impl Reader {
    fn read(&self, object: StoredObject<'_>, range: Range<u64>) -> io::Result<Vec<u8>> {
        let len = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
        if object.size_bytes <= MAX_READ_BYTES {
            let (bytes, version) = self
                .store
                .read(object.name, MAX_READ_BYTES, &|_| self.goes_on())
                .map_err(io_error)?;
            if version != Version::from_text(object.version) {
                let url = self.store.location().url_of(object.name);
                return Err(io_error(StoreError::Changed { url }));
            }
            let start = usize::try_from(range.start).map_err(io::Error::other)?;
            let wanted = bytes.get(start..start + len);
            return Ok(wanted.ok_or(io::ErrorKind::UnexpectedEof)?.to_vec());
        }
        let fetched = self.fetched(object)?;
        let mut bytes = vec![0; len];
        fetched.file.read_exact_at(&mut bytes, range.start)?;
        Ok(bytes)
    }

    fn fetched(&self, object: StoredObject<'_>) -> io::Result<Arc<Fetched>> {
        let mut all = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fetched) = all.get(object.name) {
            return Ok(Arc::clone(fetched));
        }
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("object");
        let version = Version::from_text(object.version);
        self.store
            .fetch(object.name, Some(&version), &path, &|_| self.goes_on())
            .map_err(io_error)?;
        let fetched = Arc::new(Fetched {
            file: open_regular(&path)?,
            _folder: folder,
        });
        all.insert(object.name.to_owned(), Arc::clone(&fetched));
        Ok(fetched)
    }

    fn goes_on(&self) -> bool {
        !self.control.cancel.is_set()
    }
}

/// An error of a store as one of a file, for readers of files.
fn io_error(err: StoreError) -> io::Error {
    let kind = match &err {
        StoreError::NoSuchObject { .. } => io::ErrorKind::NotFound,
        StoreError::AccessDenied { .. } => io::ErrorKind::PermissionDenied,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, err)
}
