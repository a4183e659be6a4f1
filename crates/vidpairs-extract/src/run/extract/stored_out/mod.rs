//! An output folder in an object store.
//!
//! The run is written into a folder of this machine, below the scratch folder, and its files follow into the store: each shard when it is
//! finished, and the journal with the files that it describes about once a minute, in pieces. So another machine can resume the run from
//! the store, and loses a minute of it at most; this machine loses nothing. `dataset.json` comes last, by a conditional write.

mod follow;
mod growing;
mod lease;
mod staging;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vidpairs_run::{JOURNAL_FILE, JOURNAL_FOLDER, OutFolder, REFUSED_FILE, RunError, failed};
use vidpairs_shard::{
    MANIFEST_FILE, MAX_MANIFEST_BYTES, PARTS_FILE, Part, ShardEntry, TRACKS_FILE, TracksWriter,
};
use vidpairs_store::{
    LevelEntry, Location, Options, Store, StoreError, Version, Watch, is_store_url,
};
use vidpairs_types::{create_own_folder, read_regular, replace_whole};

pub(super) use self::follow::Reached;
use self::follow::{Follower, Job, Shared};
use self::growing::Growing;
use self::lease::Lease;
use self::staging::Staging;
use super::resume::Ready;
use super::{ExtractOptions, ExtractSummary};
use crate::run::ExtractError;
use crate::run::stored::{self, failed as store_failed};

/// Time between two moments at which the journal follows.
const PERIOD: Duration = Duration::from_secs(60);
/// Time for the last word to a store by a run that is stopped.
const LAST_WORD: Duration = Duration::from_millis(600);

/// An output folder in a store, kept for this process.
pub(super) struct StoredOut {
    shared: Arc<Shared>,
    /// Folder of all parts; `None` without parts.
    root: Option<Store>,
    staging: Staging,
    /// Name and length of every object of the run when it was opened.
    objects: BTreeMap<String, u64>,
    /// Version of its manifest.
    manifest: Option<Version>,
    /// The journal as it was in the store.
    journal: Vec<u8>,
    jobs: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<()>>,
    followed: Instant,
    is_complete: bool,
}

/// The URL, if `out` is one.
pub(super) fn url_of(out: &Path) -> Option<&str> {
    out.to_str().filter(|url| is_store_url(url))
}

/// Runs an extraction whose output folder is `url`.
///
/// - `run`: extracts into a folder of this machine, and tells the store what it reached.
pub(super) fn extract_to(
    url: &str,
    options: &ExtractOptions,
    run: impl FnOnce(&ExtractOptions, &mut StoredOut) -> Result<ExtractSummary, RunError>,
) -> Result<ExtractSummary, RunError> {
    let mut stored = StoredOut::open(url, options)?;
    let local = ExtractOptions {
        out: stored.staging.out(),
        ..options.clone()
    };
    let outcome = run(&local, &mut stored);
    let outcome = match stored.shared.take_failure() {
        Some(failure) => Err(failure),
        None => outcome,
    };
    let outcome = outcome.and_then(|summary| {
        stored.end()?;
        Ok(summary)
    });
    let place = stored.staging.out();
    drop(stored);
    outcome.map_err(|err| with_url(err, &place, url))
}

/// An error that names the folder `place` of this machine, with the URL instead.
fn with_url(mut err: RunError, place: &Path, url: &str) -> RunError {
    let rename = |out: &mut PathBuf| {
        if let Ok(below) = out.strip_prefix(place) {
            let slash = if url.ends_with('/') { "" } else { "/" };
            *out = match below.as_os_str().is_empty() {
                true => url.into(),
                false => format!("{url}{slash}{}", below.display()).into(),
            };
        }
    };
    err.out_mut().into_iter().for_each(rename);
    let of_extract = err.command_mut::<ExtractError>();
    of_extract
        .and_then(ExtractError::out_mut)
        .into_iter()
        .for_each(rename);
    err
}

impl StoredOut {
    /// Claims the folder for this process, and brings what is needed to resume to this machine.
    fn open(url: &str, options: &ExtractOptions) -> Result<Self, RunError> {
        let open = |location| Store::open(location, Options::from_env()).map_err(store_failed);
        let whole = stored::location(Path::new(url)).map_err(store_failed)?;
        let (root, location) = match options.part {
            Some(part) => (Some(open(whole.clone())?), whole.join(&part.folder())),
            None => (None, whole),
        };
        let store = Arc::new(open(location)?);
        let staging = Staging::claim(
            options.scratch.folder.as_deref(),
            store.location(),
            options.part,
        )?;
        let control = &options.control;
        let watch = |_: u64| !control.cancel.is_set();
        let objects = list(&store, &watch)?;
        if let (Some(root), Some(part)) = (&root, options.part) {
            check_root(root, part, &watch)?;
        }
        check(&store, &objects)?;
        let has_journal = objects.keys().any(|name| is_of_journal(name));
        let is_open = has_journal || !objects.contains_key(MANIFEST_FILE);
        let lease = match is_open || options.retry_refused {
            // There is nothing to write.
            false => None,
            true => {
                let taken = Lease::take(
                    &store,
                    staging.writer(),
                    staging.dead_writers(),
                    lease::PATIENCE,
                    &watch,
                    &|line| control.notice(line),
                );
                Some(taken?)
            }
        };
        // What another process wrote until now.
        let objects = list(&store, &watch)?;
        let shared = Shared::new(store, staging.run(), lease, Arc::clone(&control.cancel));
        let mut stored = Self {
            shared: Arc::new(shared),
            root,
            staging,
            objects,
            manifest: None,
            journal: Vec::new(),
            jobs: None,
            threads: Vec::new(),
            followed: Instant::now(),
            is_complete: false,
        };
        if stored.shared.lease.is_some() {
            stored.threads.push(Shared::keep_lease(&stored.shared)?);
        }
        stored.restore(options.retry_refused)?;
        Ok(stored)
    }

    /// Brings the folder of this machine into the state of the store, unless it is ahead of it.
    fn restore(&mut self, is_retry: bool) -> Result<(), RunError> {
        let shared = Arc::clone(&self.shared);
        let (store, watch) = (&shared.store, shared.watch());
        let journal = Growing::found(JOURNAL_FILE, &self.objects);
        self.journal = journal.read(store, &watch)?;
        if !self.journal.is_empty() {
            shared.set_has_journal();
        }
        let run = self.staging.run();
        let folder = run.join(JOURNAL_FOLDER);
        let is_ahead = !self.journal.is_empty() && journal.is_start_of(&self.journal, &folder)?;
        if !is_ahead {
            self.staging.clear()?;
        }
        create_own_folder(&run).map_err(failed("create", &run))?;
        if !is_ahead && !self.journal.is_empty() {
            create_own_folder(&folder).map_err(failed("create", &folder))?;
            OutFolder::mark_begun(&run)?;
            let names = self.objects.keys();
            let mut names: Vec<&str> = names.filter_map(|name| Growing::name_of(name)).collect();
            names.dedup();
            for name in names.into_iter().filter(|name| *name != JOURNAL_FILE) {
                Growing::found(name, &self.objects).fetch(store, &folder, &watch)?;
            }
            // Last: it describes the others.
            let path = folder.join(JOURNAL_FILE);
            replace_whole(&path, &self.journal).map_err(failed("write", &path))?;
        }
        if let Some(root) = &self.root {
            let path = self.staging.out().join(PARTS_FILE);
            fetch_or_remove(root, PARTS_FILE, &path, &watch)?;
        } else {
            fetch_or_remove(store, PARTS_FILE, &run.join(PARTS_FILE), &watch)?;
        }
        let path = run.join(MANIFEST_FILE);
        self.manifest = fetch_or_remove(store, MANIFEST_FILE, &path, &watch)?;
        if self.manifest.is_some() {
            fetch_or_remove(store, REFUSED_FILE, &run.join(REFUSED_FILE), &watch)?;
        }
        if self.manifest.is_some() && is_retry && self.objects.contains_key(TRACKS_FILE) {
            let path = run.join(TRACKS_FILE);
            let fetched = store.fetch(TRACKS_FILE, None, &path, &watch);
            fetched.map_err(store_failed)?;
        }
        Ok(())
    }

    /// Whether a finished shard is in the store, with its index.
    pub fn has(&self, shard: &ShardEntry) -> bool {
        let index = Path::new(&shard.file).with_extension("idx");
        self.objects.get(&shard.file) == Some(&shard.bytes)
            && self.objects.contains_key(&*index.to_string_lossy())
    }

    /// Writes `parts.json` of this machine unless the store has one. Returns whether it has this one now; else it is on this machine
    /// instead.
    pub fn share_parts(&self) -> Result<bool, RunError> {
        let Some(root) = &self.root else {
            return Ok(true);
        };
        let path = self.staging.out().join(PARTS_FILE);
        let ours = read_regular(&path, MAX_MANIFEST_BYTES).map_err(failed("read", &path))?;
        let watch = self.shared.watch();
        match root.put_if_absent(PARTS_FILE, ours.clone(), &watch) {
            Ok(_) => return Ok(true),
            Err(StoreError::AlreadyThere { .. }) => {}
            Err(err) => return Err(store_failed(err)),
        }
        fetch_or_remove(root, PARTS_FILE, &path, &watch)?;
        let theirs = read_regular(&path, MAX_MANIFEST_BYTES).map_err(failed("read", &path))?;
        Ok(ours == theirs)
    }

    /// Begins to follow a run that is new or resumed. What the store has and the run does not is removed there.
    pub fn begin(&mut self, ready: &Ready) -> Result<(), RunError> {
        let shared = Arc::clone(&self.shared);
        let (store, watch) = (&shared.store, shared.watch());
        let folder = self.staging.run().join(JOURNAL_FOLDER);
        let mut journal = Growing::found(JOURNAL_FILE, &self.objects);
        if !journal.is_start_of(&self.journal, &folder)? {
            journal.cut(store, 0, &watch)?;
        }
        let reached = ready.reached();
        let (open, open_bytes) = reached.open.clone().unwrap_or_default();
        let names = self.objects.keys();
        let mut names: Vec<&str> = names.filter_map(|name| Growing::name_of(name)).collect();
        names.dedup();
        for name in names.into_iter().filter(|name| *name != JOURNAL_FILE) {
            let keep = match name {
                TracksWriter::UNFINISHED => reached.tracks,
                name if name == open => open_bytes,
                _ => 0,
            };
            Growing::found(name, &self.objects).cut(store, keep, &watch)?;
        }
        // Their lengths have changed.
        let pieces = list(store, &watch)?;
        let found = |name: &str| Growing::found(name, &pieces);
        let first = ready.begin.shard(ready.progress.shards.len() as u64);
        let is_later = |name: &&String| {
            let ordinal = first.part_ordinal_of(name);
            ordinal.is_some_and(|ordinal| ordinal >= first.ordinal)
        };
        for name in pieces.keys().filter(is_later) {
            store.delete(name, &watch).map_err(store_failed)?;
        }
        let (jobs, follower) = Follower::start(
            &shared,
            [
                found(JOURNAL_FILE),
                found(TracksWriter::UNFINISHED),
                found(&open),
            ],
        )?;
        self.threads.push(follower);
        self.jobs = Some(jobs);
        for shard in &ready.progress.shards {
            if !self.has(shard) {
                self.send(Job::Shard(shard.file.clone()))?;
            }
        }
        self.follow(reached)
    }

    /// Tells that a shard is finished.
    pub fn finished(&mut self, shard: &ShardEntry, reached: Reached) -> Result<(), RunError> {
        self.send(Job::Shard(shard.file.clone()))?;
        self.follow(reached)
    }

    /// Tells how far the run is. It follows if the last time is a while ago.
    pub fn reached(&mut self, reached: impl FnOnce() -> Reached) -> Result<(), RunError> {
        match self.followed.elapsed() >= PERIOD {
            true => self.follow(reached()),
            false => self.shared.check(),
        }
    }

    fn follow(&mut self, reached: Reached) -> Result<(), RunError> {
        self.followed = Instant::now();
        self.send(Job::Reached(reached))
    }

    fn send(&mut self, job: Job) -> Result<(), RunError> {
        // It ends before its time after a failure only.
        let sent = self
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.send(job).is_ok());
        match sent {
            true => Ok(()),
            false => Err(self.shared.why_ended()),
        }
    }

    /// Waits until all that was told is in the store, and adds the results but the manifest.
    pub fn flush(&mut self, results: &[&str]) -> Result<(), RunError> {
        drop(self.jobs.take());
        if let Some(follower) = self.threads.pop() {
            // Its panics are caught.
            let _ = follower.join();
        }
        self.shared.check()?;
        for name in results {
            let path = self.staging.run().join(name);
            let uploaded = self.shared.store.upload(&path, name, &self.shared.watch());
            uploaded.map_err(store_failed)?;
        }
        Ok(())
    }

    /// Publishes the manifest, over the one that was there at the start only.
    pub fn publish(&mut self) -> Result<(), RunError> {
        let path = self.staging.run().join(MANIFEST_FILE);
        let json = read_regular(&path, MAX_MANIFEST_BYTES).map_err(failed("read", &path))?;
        let (store, watch) = (&self.shared.store, self.shared.watch());
        let published = match &self.manifest {
            Some(before) => store.put_if_version(MANIFEST_FILE, json, before, &watch),
            None => store.put_if_absent(MANIFEST_FILE, json, &watch),
        };
        match published {
            Ok(_) => Ok(()),
            Err(StoreError::Changed { .. } | StoreError::AlreadyThere { .. }) => {
                let out = self.staging.out();
                Err(RunError::InUse { out })
            }
            Err(err) => Err(store_failed(err)),
        }
    }

    /// Ends a run that is complete: its journal is removed from the store, and its folder from this machine.
    fn end(&mut self) -> Result<(), RunError> {
        self.shared.end_lease();
        self.threads
            .drain(..)
            .for_each(|thread| drop(thread.join()));
        let (store, watch) = (&self.shared.store, self.shared.watch());
        if let Some(lease) = &self.shared.lease {
            for entry in store.list(JOURNAL_FOLDER, &watch) {
                let name = entry.map_err(store_failed)?.name;
                if name != lease::name() {
                    store.delete(&name, &watch).map_err(store_failed)?;
                }
            }
            lease.remove(&watch).map_err(store_failed)?;
        }
        self.is_complete = true;
        self.staging.remove();
        Ok(())
    }
}

impl Drop for StoredOut {
    fn drop(&mut self) {
        self.shared.end_all();
        drop(self.jobs.take());
        self.threads
            .drain(..)
            .for_each(|thread| drop(thread.join()));
        let Some(lease) = self.shared.lease.as_ref().filter(|_| !self.is_complete) else {
            return;
        };
        let start = Instant::now();
        let watch = |_: u64| start.elapsed() < LAST_WORD;
        // Others find out by waiting if this fails.
        let _ = match self.shared.has_journal() {
            true => lease.release(&self.staging.run(), &watch),
            // A run that did not begin leaves nothing.
            false => lease.remove(&watch),
        };
    }
}

fn is_of_journal(name: &str) -> bool {
    name.split_once('/')
        .is_some_and(|(folder, _)| folder == JOURNAL_FOLDER)
}

/// Name and length of every object of a run. Objects by which some programs mark a folder are none.
fn list(store: &Store, watch: &dyn Watch) -> Result<BTreeMap<String, u64>, RunError> {
    let mut objects = BTreeMap::new();
    for entry in store.list("", watch) {
        let entry = entry.map_err(store_failed)?;
        if !entry.name.is_empty() && !entry.name.ends_with('/') {
            objects.insert(entry.name, entry.num_bytes);
        }
    }
    Ok(objects)
}

/// Fails if a folder of a run holds objects of somebody else.
fn check(store: &Store, objects: &BTreeMap<String, u64>) -> Result<(), RunError> {
    let is_run = |name: &String| is_of_journal(name) || name == MANIFEST_FILE || name == PARTS_FILE;
    match objects.keys().next() {
        Some(found) if !objects.keys().any(is_run) => Err(not_ours(store.location(), found)),
        _ => Ok(()),
    }
}

/// Fails if a folder of parts is new and holds anything else.
fn check_root(root: &Store, part: Part, watch: &dyn Watch) -> Result<(), RunError> {
    if root.exists(PARTS_FILE, watch).map_err(store_failed)? {
        return Ok(());
    }
    for entry in root.list_level("", watch) {
        match entry.map_err(store_failed)? {
            LevelEntry::Folder(name) if name == JOURNAL_FOLDER => {
                let out = root.location().to_string().into();
                return Err(ExtractError::WithoutParts { out }.into());
            }
            LevelEntry::Folder(name) => {
                if Part::of_folder(&name).is_none_or(|other| other.of() != part.of()) {
                    return Err(not_ours(root.location(), &name));
                }
            }
            LevelEntry::Object(object) => {
                // Another process may have begun since.
                if !object.name.is_empty() && object.name != PARTS_FILE {
                    return Err(not_ours(root.location(), &object.name));
                }
            }
        }
    }
    Ok(())
}

fn not_ours(location: &Location, found: &str) -> RunError {
    RunError::NotOurs {
        out: location.to_string().into(),
        found: found.to_owned(),
    }
}

/// Brings a small object to `path`, or removes the file of that name if there is no such object. Returns its version.
fn fetch_or_remove(
    store: &Store,
    name: &str,
    path: &Path,
    watch: &dyn Watch,
) -> Result<Option<Version>, RunError> {
    match store.fetch(name, None, path, watch) {
        Ok(found) => Ok(Some(found.version)),
        // `fetch` leaves no file then.
        Err(StoreError::NoSuchObject { .. }) => Ok(None),
        Err(err) => Err(store_failed(err)),
    }
}
