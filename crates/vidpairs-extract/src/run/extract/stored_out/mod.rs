//! An output folder in an object store.
//!
//! The run is written into a folder of this machine first, below the scratch folder. Each shard is uploaded when it is finished, and about
//! once a minute the journal with the unfinished files that it describes, in segments. So another machine can resume the run from the store,
//! and does a little work again; this machine does none again. `dataset.json` comes last, by a conditional write.

mod checks;
mod lease;
mod segments;
mod staging;
mod upload;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vidpairs_run::{JOURNAL_FILE, JOURNAL_FOLDER, OutFolder, REFUSED_FILE, RunError, failed};
use vidpairs_shard::{
    CARD_FILE, CUTS_FILE, MANIFEST_FILE, MAX_MANIFEST_BYTES, Manifest, PARTS_FILE, ShardEntry,
    TRACKS_FILE, TracksWriter,
};
use vidpairs_store::{Options, Store, StoreError, Version};
use vidpairs_types::{create_own_folder, read_regular, replace_whole};

use self::checks::{check_root, check_run, check_stored, fetch_or_remove, is_of_journal, list};
use self::lease::Lease;
use self::segments::SegmentedFile;
use self::staging::Staging;
pub(super) use self::upload::Checkpoint;
use self::upload::{Job, Shared, Uploader};
use super::resume::Ready;
use super::{ExtractOptions, ExtractSummary};
use crate::run::ExtractError;
use crate::run::stored::{self, failed as store_failed};

/// Time between two uploads of the journal.
const PERIOD: Duration = Duration::from_secs(60);
/// Time in which a run that is stopped gives up its lease.
const RELEASE: Duration = Duration::from_millis(600);

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
    /// The journal as it was in the store, until the run begins.
    journal: Vec<u8>,
    jobs: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<()>>,
    /// When the journal was last uploaded.
    uploaded: Instant,
    /// Whether anything of the run can be in the store.
    has_begun: bool,
    is_complete: bool,
}

/// Runs an extraction whose output folder is `url`.
///
/// - `run`: extracts into a folder of this machine, and has its files uploaded.
pub(super) fn extract_to(
    url: &str,
    options: &ExtractOptions,
    run: impl FnOnce(&ExtractOptions, &mut StoredOut) -> Result<ExtractSummary, RunError>,
) -> Result<ExtractSummary, RunError> {
    let mut stored = StoredOut::open(url, options)?;
    let place = stored.staging.out();
    let local = ExtractOptions {
        out: place.clone(),
        ..options.clone()
    };
    let outcome = stored.restore(options.retry_refused);
    let outcome = outcome.and_then(|()| run(&local, &mut stored));
    let outcome = match stored.shared.take_failure() {
        Some(failure) => Err(failure),
        None => outcome,
    };
    let outcome = outcome.and_then(|summary| {
        stored.end()?;
        Ok(summary)
    });
    drop(stored);
    outcome.map_err(|err| with_url(err, &place, url))
}

/// An error that names the folder `place` of this machine, with the URL instead.
fn with_url(mut err: RunError, place: &Path, url: &str) -> RunError {
    if let RunError::Interrupted { out, .. } = &mut err {
        // What is not yet uploaded is here.
        *out = format!("{url} and {}", place.display()).into();
        return err;
    }
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
    /// Claims the folder for this process.
    fn open(url: &str, options: &ExtractOptions) -> Result<Self, RunError> {
        let open = |location| Store::open(location, Options::from_env()).map_err(store_failed);
        let whole = stored::location(Path::new(url)).map_err(store_failed)?;
        let (root, location) = match options.part {
            Some(part) => (Some(open(whole.clone())?), whole.join(&part.folder())),
            None => (None, whole),
        };
        let store = Arc::new(open(location)?);
        let scratch = options.scratch.folder.as_deref();
        let staging = Staging::claim(scratch, store.location(), options.part)?;
        let control = &options.control;
        let watch = |_: u64| !control.cancel.is_set();
        let objects = list(&store, &watch)?;
        if let (Some(root), Some(part)) = (&root, options.part) {
            check_root(root, part, &watch)?;
        }
        check_run(&store, &objects)?;
        let is_complete =
            objects.contains_key(MANIFEST_FILE) && !objects.keys().any(|name| is_of_journal(name));
        let is_in_parts = objects.contains_key(PARTS_FILE);
        // Without it nothing is written: the run is complete, or will be refused.
        let lease = match (is_complete && !options.retry_refused) || is_in_parts {
            true => None,
            false => Some(Lease::take(
                &store,
                staging.writer(),
                staging.dead_writers(),
                lease::PATIENCE,
                &watch,
                &|line| control.notice(line),
            )?),
        };
        let shared = Shared::new(store, staging.run(), lease, Arc::clone(&control.cancel));
        Ok(Self {
            shared: Arc::new(shared),
            root,
            staging,
            objects,
            manifest: None,
            journal: Vec::new(),
            jobs: None,
            threads: Vec::new(),
            uploaded: Instant::now(),
            has_begun: false,
            is_complete: false,
        })
    }

    /// Brings the folder of this machine into the state of the store, unless it is ahead of it.
    fn restore(&mut self, is_retry: bool) -> Result<(), RunError> {
        let shared = Arc::clone(&self.shared);
        let (store, watch) = (&shared.store, shared.watch());
        if shared.lease.is_some() {
            self.threads.push(Shared::keep_lease(&self.shared)?);
            // What another process wrote until it ended.
            let lease = lease::name();
            self.objects = list(store, &watch)?;
            self.objects.retain(|name, _| *name != lease);
        }
        let journal = SegmentedFile::in_listing(JOURNAL_FILE, &self.objects);
        self.journal = journal.read(store, &watch)?;
        let run = self.staging.run();
        let folder = run.join(JOURNAL_FOLDER);
        let has_journal = !self.journal.is_empty();
        let is_ahead = has_journal && journal.num_same(&self.journal, &folder)? == journal.bytes();
        if !is_ahead {
            self.staging.clear()?;
        }
        create_own_folder(&run).map_err(failed("create", &run))?;
        if has_journal {
            create_own_folder(&folder).map_err(failed("create", &folder))?;
            OutFolder::mark_begun(&run)?;
        }
        if has_journal && !is_ahead {
            let names = SegmentedFile::names(&self.objects).into_iter();
            for name in names.filter(|name| *name != JOURNAL_FILE) {
                SegmentedFile::in_listing(name, &self.objects).fetch(store, &folder, &watch)?;
            }
            // Last: it describes the others.
            let path = folder.join(JOURNAL_FILE);
            replace_whole(&path, &self.journal).map_err(failed("write", &path))?;
        }
        let parts = self.staging.out().join(PARTS_FILE);
        fetch_or_remove(
            self.root.as_ref().unwrap_or(store),
            PARTS_FILE,
            &parts,
            &watch,
        )?;
        let path = run.join(MANIFEST_FILE);
        self.manifest = fetch_or_remove(store, MANIFEST_FILE, &path, &watch)?;
        if self.manifest.is_some() {
            fetch_or_remove(store, REFUSED_FILE, &run.join(REFUSED_FILE), &watch)?;
            fetch_or_remove(store, CUTS_FILE, &run.join(CUTS_FILE), &watch)?;
            fetch_or_remove(store, CARD_FILE, &run.join(CARD_FILE), &watch)?;
            if (is_retry || has_journal) && self.objects.contains_key(TRACKS_FILE) {
                fetch_or_remove(store, TRACKS_FILE, &run.join(TRACKS_FILE), &watch)?;
            }
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

    /// Begins the uploads of a run that is new or resumed. What the store has and the run does not is removed there.
    pub fn begin(&mut self, ready: &Ready) -> Result<(), RunError> {
        let shared = Arc::clone(&self.shared);
        let (store, watch) = (&shared.store, shared.watch());
        let folder = self.staging.run().join(JOURNAL_FOLDER);
        let checkpoint = ready.checkpoint();
        let (open, open_bytes) = checkpoint.open.clone().unwrap_or_default();
        // The journal first: it must not describe what is removed below.
        let mut journal = SegmentedFile::in_listing(JOURNAL_FILE, &self.objects);
        let same = journal.num_same(&self.journal, &folder)?;
        journal.agree(store, &folder, same, &watch)?;
        self.journal = Vec::new();
        let [mut tracks, mut unfinished] =
            [TracksWriter::UNFINISHED, &open].map(SegmentedFile::new);
        for name in SegmentedFile::names(&self.objects) {
            let mut file = SegmentedFile::in_listing(name, &self.objects);
            if name == TracksWriter::UNFINISHED {
                file.agree(store, &folder, checkpoint.tracks, &watch)?;
                tracks = file;
            } else if name == open {
                file.agree(store, &folder, open_bytes, &watch)?;
                unfinished = file;
            } else if name != JOURNAL_FILE {
                file.remove(store, &watch)?;
            }
        }
        let first = ready.begin.shard(ready.progress.shards.len() as u64);
        let is_later = |name: &&String| {
            let ordinal = first.part_ordinal_of(name);
            ordinal.is_some_and(|ordinal| ordinal >= first.ordinal)
        };
        for name in self.objects.keys().filter(is_later) {
            store.delete(name, &watch).map_err(store_failed)?;
        }
        let (jobs, uploader) = Uploader::start(&shared, [journal, tracks, unfinished])?;
        self.threads.push(uploader);
        self.has_begun = true;
        self.jobs = Some(jobs);
        for shard in &ready.progress.shards {
            if !self.has(shard) {
                self.send(Job::Shard(shard.file.clone()))?;
            }
        }
        self.upload(checkpoint)
    }

    /// Uploads a finished shard.
    pub fn finished(&mut self, shard: &ShardEntry, checkpoint: Checkpoint) -> Result<(), RunError> {
        self.send(Job::Shard(shard.file.clone()))?;
        self.upload(checkpoint)
    }

    /// Uploads the state of the run if the last time is a while ago.
    pub fn checkpoint(&mut self, checkpoint: impl FnOnce() -> Checkpoint) -> Result<(), RunError> {
        match self.uploaded.elapsed() >= PERIOD {
            true => self.upload(checkpoint()),
            false => self.shared.check(),
        }
    }

    fn upload(&mut self, checkpoint: Checkpoint) -> Result<(), RunError> {
        self.uploaded = Instant::now();
        self.send(Job::Checkpoint(checkpoint))
    }

    fn send(&mut self, job: Job) -> Result<(), RunError> {
        // The uploader ends early after a failure only, which `extract_to` returns instead.
        let jobs = self.jobs.as_ref();
        let sent = jobs.is_some_and(|jobs| jobs.send(job).is_ok());
        sent.then_some(()).ok_or(RunError::Stopped)
    }

    /// Waits until all is uploaded, and uploads the results but the manifest.
    pub fn flush(&mut self, results: &[&str]) -> Result<(), RunError> {
        drop(self.jobs.take());
        if let Some(uploader) = self.threads.pop() {
            // Its panics are caught.
            let _ = uploader.join();
        }
        self.shared.check()?;
        for name in results {
            let path = self.staging.run().join(name);
            let watch = self.shared.watch();
            let uploaded = self.shared.store.upload(&path, name, &watch);
            uploaded.map_err(store_failed)?;
        }
        Ok(())
    }

    /// Publishes the manifest, if all that it lists is in the store, and over the one that was there at the start only.
    pub fn publish(&mut self) -> Result<(), RunError> {
        let run = self.staging.run();
        let path = run.join(MANIFEST_FILE);
        let json = read_regular(&path, MAX_MANIFEST_BYTES).map_err(failed("read", &path))?;
        let (store, watch) = (&self.shared.store, self.shared.watch());
        check_stored(store, &Manifest::read(&run)?, &watch)?;
        let published = match &self.manifest {
            Some(before) => store.put_if_version(MANIFEST_FILE, json, before, &watch),
            None => store.put_if_absent(MANIFEST_FILE, json, &watch),
        };
        match published {
            Ok(_) => Ok(()),
            Err(StoreError::Changed { .. } | StoreError::AlreadyThere { .. }) => {
                let out = store.location().to_string().into();
                Err(RunError::InUse { out })
            }
            Err(err) => Err(store_failed(err)),
        }
    }

    /// Ends a run that is complete: its journal is removed from the store, and its folder from this machine.
    fn end(&mut self) -> Result<(), RunError> {
        let shared = Arc::clone(&self.shared);
        let (store, watch) = (&shared.store, shared.watch());
        if let Some(lease) = &shared.lease {
            // The journal last: it describes the others.
            let mut names = Vec::new();
            for entry in store.list(JOURNAL_FOLDER, &watch) {
                names.push(entry.map_err(store_failed)?.name);
            }
            let is_journal = |name: &String| name.contains(JOURNAL_FILE);
            names.sort_by_key(|name| is_journal(name));
            for name in names.iter().filter(|name| **name != lease::name()) {
                store.delete(name, &watch).map_err(store_failed)?;
            }
            shared.end_lease();
            self.threads
                .drain(..)
                .for_each(|thread| drop(thread.join()));
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
        let watch = |_: u64| start.elapsed() < RELEASE;
        // Others find out by waiting if this fails.
        let _ = match self.has_begun || !self.objects.is_empty() {
            true => lease.release(&self.staging.run(), &watch),
            // A run that did not begin leaves nothing.
            false => lease.remove(&watch),
        };
    }
}
