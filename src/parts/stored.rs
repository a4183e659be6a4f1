//! A run in an object store: its small files come into a temporary folder, where it is looked at like one of this machine.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tempfile::TempDir;
use vidpairs_run::{
    Control, JOURNAL_FOLDER, OutFolder, REFUSED_FILE, RunError, STATE_FILE, failed,
};
use vidpairs_shard::{
    CARD_FILE, CUTS_FILE, MANIFEST_FILE, MAX_MANIFEST_BYTES, ORDER_FILE, PARTS_FILE, Part,
};
use vidpairs_store::{Location, Options, Store, StoreError};
use vidpairs_types::{create_folders_of, read_regular, with_causes};

/// Objects that are fetched at once.
const NUM_THREADS: usize = 16;

/// Why a run in a store cannot be looked at or merged.
#[derive(Debug, thiserror::Error)]
enum StoredError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An error of the copy, with the URL in its text.
    #[error("{0}")]
    Copy(String),
}

impl From<StoredError> for RunError {
    fn from(error: StoredError) -> Self {
        match error {
            StoredError::Store(StoreError::Stopped) => Self::Stopped,
            error => Self::of(error),
        }
    }
}

fn store_failed(err: StoreError) -> RunError {
    StoredError::Store(err).into()
}

/// The small files of a run in a store.
pub(super) struct StoredRun {
    store: Store,
    folder: TempDir,
    /// Length of every object.
    objects: BTreeMap<String, u64>,
}

impl StoredRun {
    /// Fetches what tells how far a run is.
    ///
    /// - `is_to_merge`: also what it takes to merge its parts.
    pub fn fetch(url: &str, is_to_merge: bool, control: &Control) -> Result<Self, RunError> {
        let location = Location::parse(url).map_err(StoreError::from);
        let store = location.and_then(|location| Store::open(location, Options::from_env()));
        let store = store.map_err(store_failed)?;
        let watch = |_: u64| !control.cancel.is_set();
        let mut objects = BTreeMap::new();
        let mut listed = control.counting("objects listed");
        for entry in store.list("", &watch) {
            let entry = entry.map_err(store_failed)?;
            listed.add();
            objects.insert(entry.name, entry.num_bytes);
        }
        let folder = tempfile::tempdir().map_err(failed("create", &std::env::temp_dir()))?;
        let run = Self {
            store,
            folder,
            objects,
        };
        let mut wanted = Vec::new();
        for name in run.objects.keys() {
            let Some((of_run, place)) = place_of(name) else {
                continue;
            };
            let path = run.path().join(name);
            create_folders_of(run.path(), Path::new(name)).map_err(failed("create", &path))?;
            if matches!(place, Place::State | Place::Journal) {
                OutFolder::mark_begun(&run.path().join(of_run))?;
            }
            match place {
                Place::Small | Place::State => wanted.push(name),
                Place::ToMerge if is_to_merge => wanted.push(name),
                Place::ToMerge | Place::Journal => {}
            }
        }
        run.fetch_all(&wanted, control)?;
        Ok(run)
    }

    fn fetch_all(&self, names: &[&String], control: &Control) -> Result<(), RunError> {
        let next = AtomicUsize::new(0);
        let fetch = || -> Result<(), RunError> {
            while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                let path = self.path().join(name);
                let watch = |_: u64| !control.cancel.is_set();
                match self.store.fetch(name, None, &path, &watch) {
                    // The run has moved on since it was listed.
                    Ok(_) | Err(StoreError::NoSuchObject { .. }) => {}
                    Err(err) => {
                        next.store(names.len(), Ordering::Relaxed);
                        return Err(store_failed(err));
                    }
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..NUM_THREADS).map(|_| scope.spawn(fetch)).collect();
            threads.into_iter().try_for_each(|thread| {
                let joined = thread.join();
                joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })
    }

    /// The temporary folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Length of a file of the run, bytes.
    pub fn bytes_of(&self, path: &Path) -> io::Result<u64> {
        let name = path.strip_prefix(self.path()).ok().and_then(Path::to_str);
        let bytes = name.and_then(|name| self.objects.get(name).copied());
        bytes.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no such object"))
    }

    /// An error of the temporary folder, as one of the run.
    pub fn error(&self, err: RunError) -> RunError {
        match err {
            RunError::Stopped => RunError::Stopped,
            err => {
                let url = self.store.location().to_string();
                let text = with_causes(&err);
                let text = text.replace(&*self.path().to_string_lossy(), url.trim_end_matches('/'));
                StoredError::Copy(text).into()
            }
        }
    }

    /// Publishes what `merge` wrote into the temporary folder, the manifest last.
    pub fn publish(&self, control: &Control) -> Result<(), RunError> {
        let watch = |_: u64| !control.cancel.is_set();
        // The manifest of an earlier merge describes the other files that are there.
        if self.objects.contains_key(MANIFEST_FILE) {
            self.store
                .delete(MANIFEST_FILE, &watch)
                .map_err(store_failed)?;
        }
        let mut uploaded = Vec::new();
        let names = [ORDER_FILE, REFUSED_FILE, CARD_FILE].into_iter();
        for name in names.chain(self.cuts_file()) {
            let meta = self.store.upload(&self.path().join(name), name, &watch);
            uploaded.push((name, meta.map_err(store_failed)?));
        }
        let path = self.path().join(MANIFEST_FILE);
        let json = read_regular(&path, MAX_MANIFEST_BYTES).map_err(failed("read", &path))?;
        let in_use = || RunError::InUse {
            out: self.store.location().to_string().into(),
        };
        match self.store.put_if_absent(MANIFEST_FILE, json, &watch) {
            Ok(_) => {}
            Err(StoreError::AlreadyThere { .. }) => return Err(in_use()),
            Err(err) => return Err(store_failed(err)),
        }
        // Another merge may have written its own in between.
        for (name, meta) in uploaded {
            if self.store.head(name, &watch).map_err(store_failed)? != meta {
                self.store
                    .delete(MANIFEST_FILE, &watch)
                    .map_err(store_failed)?;
                return Err(in_use());
            }
        }
        Ok(())
    }

    /// The file of cuts, if `merge` wrote one.
    fn cuts_file(&self) -> Option<&'static str> {
        self.path().join(CUTS_FILE).exists().then_some(CUTS_FILE)
    }

    /// Whether the files of a merge beside its manifest are there, as `merge` wrote them into the temporary folder.
    pub fn has_results(&self) -> bool {
        let mut names = [ORDER_FILE, REFUSED_FILE]
            .into_iter()
            .chain(self.cuts_file());
        names.all(|name| {
            let made = self.path().join(name).metadata();
            made.is_ok_and(|made| self.objects.get(name) == Some(&made.len()))
        })
    }
}

/// What an object of a run is.
enum Place {
    /// A small file that tells about the run or a part of it.
    Small,
    /// The index of a shard, or what a part has set aside or found cuts in.
    ToMerge,
    /// The state of a run that is open.
    State,
    /// Another file of its journal.
    Journal,
}

/// The folder of the run or the part that an object belongs to, and what it is; `None` if it is not needed.
fn place_of(name: &str) -> Option<(&str, Place)> {
    let (run, file) = match name.split_once('/') {
        Some((folder, file)) if Part::of_folder(folder).is_some() => (folder, file),
        _ => ("", name),
    };
    let place = match file.split_once('/') {
        None if [PARTS_FILE, MANIFEST_FILE, CARD_FILE].contains(&file) => Place::Small,
        None if [REFUSED_FILE, CUTS_FILE].contains(&file) || file.ends_with(".idx") => {
            Place::ToMerge
        }
        Some((JOURNAL_FOLDER, STATE_FILE)) => Place::State,
        Some((JOURNAL_FOLDER, _)) => Place::Journal,
        _ => return None,
    };
    Some((run, place))
}
