//! Fetches the clips of a source in an object store into a scratch folder, the next ones while others are worked on.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;
use vidpairs_run::{RunError, loss_reason};
use vidpairs_store::{Store, StoreError, Version};
use vidpairs_types::parallel::{Cancel, Heartbeat, Loss, caught};
use vidpairs_types::{Clip, Media, create_fresh, open_own, stays_below, with_causes};

use super::job::Item;
use crate::run::ExtractError;
use crate::run::entries::Entry;
use crate::run::files::ClipFiles;
use crate::run::stored;

/// Threads that fetch clips.
const NUM_THREADS: usize = 4;
/// Most clips that are fetched and not yet worked on.
const MAX_AHEAD: usize = 256;
/// Time between two looks at a clip that is awaited.
const TICK: Duration = Duration::from_millis(100);

/// Where clips are fetched to.
#[derive(Debug, Clone)]
pub struct Scratch {
    /// Folder for a temporary folder; `None` for the system's own.
    pub folder: Option<PathBuf>,
    /// Most bytes that the files of clips take in it.
    pub max_bytes: u64,
}

/// A clip whose files are on this machine. They are removed when the last clone is dropped.
#[derive(Clone)]
pub(super) struct LocalClip {
    pub clip: Clip,
    /// Of a clip that was fetched.
    pub room: Option<Arc<Room>>,
}

/// The files of a fetched clip.
pub(super) struct Room {
    folder: PathBuf,
    files: Vec<PathBuf>,
    ordinal: u64,
    queue: Arc<Queue>,
}

impl Room {
    /// The error that stops the run if a file is gone: somebody empties the scratch folder.
    pub fn fault(&self) -> Option<RunError> {
        let is_there = |path: &PathBuf| fs::symlink_metadata(path).is_ok();
        (!self.files.iter().all(is_there)).then(|| RunError::SourceGone {
            root: self.queue.folder().to_owned(),
        })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // What cannot be removed goes with the whole folder.
        let _ = fs::remove_dir_all(&self.folder);
        self.queue.give_back(self.ordinal);
    }
}

/// Why a clip was not fetched.
pub(super) enum NotFetched {
    /// The clip is at fault.
    Refused(String),
    /// The store, or this machine, is at fault: the run stops.
    Fault(Box<RunError>),
    /// The run was stopped.
    Stopped,
}

/// Fetches clips in the order in which they are worked on. The threads end with it, and the scratch folder goes.
pub(super) struct Fetcher {
    pub queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
    _folder: Folder,
}

/// Temporary folder of this process in the scratch folder. What killed processes left there is removed.
struct Folder {
    dir: TempDir,
    /// Locked as long as the process lives.
    _lock: File,
}

impl Folder {
    const PREFIX: &str = "vidpairs-scratch-";
    const LOCK: &str = ".vidpairs-scratch-lock";

    fn new(parent: &Path) -> io::Result<Self> {
        for entry in fs::read_dir(parent)?.flatten() {
            let name = entry.file_name();
            // A folder of nobody else has both names.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if !is_folder || !name.to_string_lossy().starts_with(Self::PREFIX) {
                continue;
            }
            // One that was made just now has no lock yet. The lock is held until the folder is gone.
            let path = entry.path().join(Self::LOCK);
            let Ok(lock) = open_own(File::options().append(true), &path) else {
                continue;
            };
            if lock.try_lock().is_ok() {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        loop {
            let dir = tempfile::Builder::new()
                .prefix(Self::PREFIX)
                .tempdir_in(parent)?;
            let path = dir.path().join(Self::LOCK);
            let lock = create_fresh(&path)?;
            // Another process may look at it before it is locked, and remove it. A file system without locks is used without: then
            // nothing of others is removed either.
            let is_seen = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
            if !is_seen && path.exists() {
                return Ok(Self { dir, _lock: lock });
            }
        }
    }
}

/// Clips to be fetched, and those that were.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    items: Vec<Item>,
    store: Arc<Store>,
    folder: PathBuf,
    max_bytes: u64,
    cancel: Arc<Cancel>,
}

struct State {
    /// Index of the next item to be fetched.
    next: usize,
    /// Bytes that may still be taken.
    free: u64,
    /// Bytes that clips take, by ordinal.
    taken: HashMap<u64, u64>,
    /// What was fetched, by ordinal, until it is taken.
    done: HashMap<u64, Result<LocalClip, NotFetched>>,
    is_over: bool,
}

impl Fetcher {
    /// Starts to fetch the clips of `items`.
    pub fn start(
        items: Vec<Item>,
        store: Arc<Store>,
        scratch: &Scratch,
        cancel: Arc<Cancel>,
    ) -> Result<Self, RunError> {
        let system = std::env::temp_dir();
        let parent = scratch.folder.as_deref().unwrap_or(&system);
        let made = fs::create_dir_all(parent).and_then(|()| Folder::new(parent));
        let folder = made.map_err(ExtractError::scratch(parent))?;
        let queue = Arc::new(Queue {
            state: Mutex::new(State {
                next: 0,
                free: scratch.max_bytes,
                taken: HashMap::new(),
                done: HashMap::new(),
                is_over: false,
            }),
            changed: Condvar::new(),
            items,
            store,
            folder: folder.dir.path().to_owned(),
            max_bytes: scratch.max_bytes,
            cancel,
        });
        let mut fetcher = Self {
            queue,
            threads: Vec::new(),
            _folder: folder,
        };
        for number in 0..NUM_THREADS {
            let queue = Arc::clone(&fetcher.queue);
            let builder = thread::Builder::new().name(format!("fetch-{number}"));
            let started = builder.spawn(move || while queue.fetch_next() {});
            fetcher.threads.push(started.map_err(RunError::Thread)?);
        }
        Ok(fetcher)
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        self.queue.lock().is_over = true;
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            // Their panics are caught.
            let _ = thread.join();
        }
        // What nobody took holds the queue.
        let left = std::mem::take(&mut self.queue.lock().done);
        drop(left);
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder that clips are fetched into.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Gives back the room that the clip `ordinal` takes, once.
    pub fn give_back(&self, ordinal: u64) {
        let mut state = self.lock();
        if let Some(bytes) = state.taken.remove(&ordinal) {
            state.free += bytes;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The clip of the item `ordinal`, when it is here. Each can be taken once.
    pub fn take(&self, ordinal: u64, heartbeat: &Heartbeat) -> Result<LocalClip, NotFetched> {
        let mut state = self.lock();
        loop {
            if let Some(done) = state.done.remove(&ordinal) {
                self.changed.notify_all();
                return done;
            }
            if heartbeat.should_stop() || state.is_over {
                return Err(NotFetched::Stopped);
            }
            // A transfer has its own time limits.
            heartbeat.beat();
            let waited = self.changed.wait_timeout(state, TICK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The text of a message, with the URL of the clip `ordinal` instead of its place in the scratch folder.
    pub fn with_url(&self, ordinal: u64, text: &str) -> String {
        let folder = self.folder.join(ordinal.to_string());
        let url = root_of(&self.store);
        text.replace(&*folder.to_string_lossy(), &url.to_string_lossy())
    }

    /// Fetches the next clip. Returns whether to go on.
    fn fetch_next(self: &Arc<Self>) -> bool {
        let mut state = self.lock();
        // Room is given in order: a clip never waits for room that a later one holds.
        let (item, bytes) = loop {
            let Some(item) = self.items.get(state.next) else {
                return false;
            };
            if state.is_over {
                return false;
            }
            let bytes = match &*item.entry {
                Entry::Clip { pinned, .. } => pinned.as_ref().map_or(0, ClipFiles::bytes),
                Entry::SetAside(_) => 0,
            };
            let is_too_large = bytes > self.max_bytes;
            if is_too_large || (bytes <= state.free && state.done.len() < MAX_AHEAD) {
                break (item, bytes);
            }
            let waited = self.changed.wait_timeout(state, TICK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        state.next += 1;
        if bytes > self.max_bytes {
            let reason = format!(
                "its files have {bytes} bytes, more than the {} of --scratch-bytes: raise it",
                self.max_bytes
            );
            state
                .done
                .insert(item.ordinal, Err(NotFetched::Refused(reason)));
            self.changed.notify_all();
            return true;
        }
        state.free -= bytes;
        state.taken.insert(item.ordinal, bytes);
        drop(state);
        let done = match caught(|| self.fetch(item)) {
            // Nobody waits for it any more.
            Ok(Err(NotFetched::Stopped)) => return false,
            Ok(done) => done,
            Err(panic) => {
                let (_, reason) = loss_reason(Loss::Panicked(panic), Duration::ZERO);
                Err(NotFetched::Refused(reason))
            }
        };
        self.lock().done.insert(item.ordinal, done);
        self.changed.notify_all();
        true
    }

    fn fetch(self: &Arc<Self>, item: &Item) -> Result<LocalClip, NotFetched> {
        let (clip, objects) = match &*item.entry {
            Entry::Clip {
                clip,
                pinned: Some(ClipFiles::Stored { objects }),
            } => (Some(clip), &**objects),
            _ => (None, &[][..]),
        };
        let folder = self.folder.join(item.ordinal.to_string());
        // Given back on every way out.
        let room = Arc::new(Room {
            files: objects
                .iter()
                .map(|object| folder.join(&object.name))
                .collect(),
            folder,
            ordinal: item.ordinal,
            queue: Arc::clone(self),
        });
        let Some(clip) = clip else {
            return Err(NotFetched::Refused("it is not in the store".to_owned()));
        };
        let clip = clip.clone().moved(&root_of(&self.store), &room.folder);
        let local = |err: io::Error| {
            let fault = ExtractError::scratch(&self.folder)(err);
            NotFetched::Fault(Box::new(fault.into()))
        };
        // A folder of no picture is there and empty, as on a disk.
        if let Media::JpegFolder { path, .. } = &clip.media {
            fs::create_dir_all(path).map_err(local)?;
        }
        for (object, path) in objects.iter().zip(&room.files) {
            if !stays_below(Path::new(&object.name)) {
                let reason = format!("{:?} is no name of a file", object.name);
                return Err(NotFetched::Refused(reason));
            }
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(local)?;
            }
            let version = Version::from_text(object.version.as_str());
            let goes_on = |_| !self.cancel.is_set() && !self.lock().is_over;
            let fetched = self
                .store
                .fetch(&object.name, Some(&version), path, &goes_on);
            let found = fetched.map_err(|err| self.not_fetched(err))?.num_bytes;
            if found != object.bytes {
                let listed = object.bytes;
                let reason =
                    format!("the store gave {found} bytes of an object listed with {listed}");
                return Err(NotFetched::Refused(reason));
            }
        }
        match room.fault() {
            Some(fault) => Err(NotFetched::Fault(Box::new(fault))),
            None => Ok(LocalClip {
                clip,
                room: Some(room),
            }),
        }
    }

    fn not_fetched(&self, err: StoreError) -> NotFetched {
        match err {
            StoreError::Stopped => NotFetched::Stopped,
            StoreError::Local { source, .. } => {
                let fault = ExtractError::scratch(&self.folder)(source);
                NotFetched::Fault(Box::new(fault.into()))
            }
            StoreError::Changed { .. } => {
                NotFetched::Refused("changed since it was listed".to_owned())
            }
            err if err.is_of_one_object() => NotFetched::Refused(with_causes(&err)),
            err => NotFetched::Fault(Box::new(stored::failed(err))),
        }
    }
}

/// The root of a store as [`vidpairs_source::ObjectTree`] writes it in paths.
fn root_of(store: &Store) -> PathBuf {
    PathBuf::from(store.location().to_string().trim_end_matches('/'))
}
