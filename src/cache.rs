//! Fetches a data set from an object store into a folder of this machine, where it is read like any other.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vidpairs_run::{Control, OutFolder, Progress, RunError, Unit, broken, failed, loss_reason};
use vidpairs_shard::{MANIFEST_FILE, MAX_MANIFEST_BYTES, Manifest, ShardEntry, verify_shard};
use vidpairs_store::{Location, Options, Store, StoreError, store_url};
use vidpairs_types::create_folders_of;
use vidpairs_types::parallel::{Heartbeat, Job, Loss, Sink, run_ordered};
use xxhash_rust::xxh3::xxh3_64;

/// What the folder of a copy holds, for errors.
const WHAT: &str = "a copy of a data set";
/// Time without a byte after which a file is given up. A request has shorter limits of its own.
const PATIENCE: Duration = Duration::from_secs(600);

/// Why a data set cannot be fetched. Every variant is final; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// There is no folder for it.
    #[error(
        "--shards is {0}: name a folder of this machine with --cache, into which the shards are fetched"
    )]
    NoFolder(String),
    /// The store does not give what is needed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fetched file is not the one that the manifest describes.
    #[error("{url} is not the file that its {MANIFEST_FILE} describes: {problem}")]
    Differs {
        /// URL of the file.
        url: String,
        /// What differs, with both values.
        problem: String,
    },
    /// A file was not fetched in the end.
    #[error("{url} was not fetched: {reason}")]
    Lost {
        /// URL of the file.
        url: String,
        /// Why.
        reason: String,
    },
}

impl From<CacheError> for RunError {
    fn from(error: CacheError) -> Self {
        match error {
            CacheError::Store(StoreError::Stopped) => Self::Stopped,
            error => Self::of(error),
        }
    }
}

/// The folder of the data set `shards`: itself, or a copy of it below `cache` if it is the URL of a store.
///
/// Only what is read in training is fetched: the manifest, shards with their indices, and the order of their records. Each shard is compared with its checksum. A
/// copy is named by the content of its manifest, so that another version of the data set has another one. A fetch that was stopped is resumed.
///
/// # Errors
/// [`CacheError`]; [`RunError`] of the folder, and if the manifest cannot be read.
pub fn local_dataset(
    shards: &Path,
    cache: Option<&Path>,
    control: &Control,
) -> Result<PathBuf, RunError> {
    let Some(url) = store_url(shards) else {
        return Ok(shards.to_owned());
    };
    let cache = cache.ok_or_else(|| CacheError::NoFolder(url.to_owned()))?;
    let location = Location::parse(url).map_err(StoreError::from);
    let store = location.and_then(|location| Store::open(location, Options::from_env()));
    let store = Arc::new(store.map_err(CacheError::from)?);
    let cancel = Arc::clone(&control.cancel);
    let read = store.read(MANIFEST_FILE, MAX_MANIFEST_BYTES, &|_| !cancel.is_set());
    let (json, _) = read.map_err(CacheError::from)?;
    let manifest = Manifest::of_json(&json, &shards.join(MANIFEST_FILE))?;
    let folder = cache.join(format!("{:016x}", xxh3_64(&json)));
    if folder.join(MANIFEST_FILE).is_file() && !OutFolder::has_journal(&folder) {
        return Ok(folder);
    }
    let mut claimed = OutFolder::claim(&folder, WHAT)?;
    fetch_files(
        &store,
        &manifest,
        &folder,
        &claimed.journal_folder(),
        control,
    )?;
    claimed.write(MANIFEST_FILE, &json)?;
    claimed.finish()?;
    Ok(folder)
}

/// What is fetched as a whole.
#[derive(Clone)]
enum Files {
    /// A shard and its index.
    Shard(ShardEntry),
    /// The order of the records of a data set that was made in parts.
    Order(String),
}

impl Files {
    fn names(&self) -> Vec<String> {
        match self {
            Self::Shard(shard) => {
                let index = Path::new(&shard.file).with_extension("idx");
                vec![index.to_string_lossy().into_owned(), shard.file.clone()]
            }
            Self::Order(name) => vec![name.clone()],
        }
    }
}

fn fetch_files(
    store: &Arc<Store>,
    manifest: &Manifest,
    folder: &Path,
    unfinished: &Path,
    control: &Control,
) -> Result<(), RunError> {
    let shards = manifest.shards.iter().cloned().map(Files::Shard);
    let order = manifest.parts.iter();
    let order = order.map(|parts| Files::Order(parts.order.file.clone()));
    let all: Vec<Files> = shards.chain(order).collect();
    let bytes_done = Arc::new(AtomicU64::new(0));
    let job = Fetch {
        store: Arc::clone(store),
        folder: folder.to_owned(),
        unfinished: unfinished.to_owned(),
        is_shuffled: manifest.is_shuffled(),
        bytes_done: Arc::clone(&bytes_done),
    };
    let mut sink = Fetched {
        progress: Progress::new(Unit::Bytes, manifest.totals.bytes, 0, control.verbosity),
        bytes_done,
    };
    let crew = control.crew(PATIENCE);
    run_ordered(all.into_iter(), Arc::new(job), &crew, &mut sink)
        .map_err(|end| broken(end, folder, "the shards fetched so far"))
}

struct Fetch {
    store: Arc<Store>,
    folder: PathBuf,
    unfinished: PathBuf,
    is_shuffled: bool,
    bytes_done: Arc<AtomicU64>,
}

impl Job for Fetch {
    type Item = Files;
    type Output = Result<(), RunError>;

    fn work(&self, files: Files, heartbeat: &Arc<Heartbeat>) -> Self::Output {
        let names = files.names();
        // The tar comes last, and has its name when both are whole.
        if names.iter().all(|name| self.folder.join(name).is_file()) {
            if let Files::Shard(shard) = &files {
                self.bytes_done.fetch_add(shard.bytes, Ordering::Relaxed);
            }
            return Ok(());
        }
        let goes_on = |bytes: u64| {
            self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
            heartbeat.beat();
            !heartbeat.should_stop()
        };
        for name in &names {
            let part = self.unfinished.join(plain(name));
            let fetched = self.store.fetch(name, None, &part, &goes_on);
            fetched.map_err(fetch_error)?;
        }
        if let Files::Shard(shard) = &files {
            self.check(shard, heartbeat)?;
        }
        for name in &names {
            let path = self.folder.join(name);
            let part = self.unfinished.join(plain(name));
            create_folders_of(&self.folder, Path::new(name))
                .and_then(|()| fs::rename(&part, &path))
                .map_err(failed("write", &path))?;
        }
        Ok(())
    }

    fn lost(&self, files: Files, loss: Loss) -> Self::Output {
        let (_, reason) = loss_reason(loss, PATIENCE);
        let name = files.names().pop().unwrap_or_default();
        let url = self.store.location().url_of(&name);
        Err(CacheError::Lost { url, reason }.into())
    }
}

impl Fetch {
    /// Compares every byte of a fetched shard with its checksums.
    fn check(&self, shard: &ShardEntry, heartbeat: &Heartbeat) -> Result<(), RunError> {
        let fetched = ShardEntry {
            file: plain(&shard.file).to_owned(),
            ..shard.clone()
        };
        let verdict = verify_shard(&self.unfinished, &fetched, self.is_shuffled, &|_| {
            heartbeat.beat();
            !heartbeat.should_stop()
        });
        let Some(verdict) = verdict else {
            return Err(RunError::Stopped);
        };
        match verdict.damage.listed().first() {
            None => Ok(()),
            Some(damage) => {
                let url = self.store.location().url_of(&shard.file);
                let problem = damage.fault.to_string();
                Err(CacheError::Differs { url, problem }.into())
            }
        }
    }
}

/// The name of a file without the folder of its part. Names of shards are those of their parts, so they stay apart.
fn plain(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// An error of a fetch. A local one is that of a file, by which a full disk is recognised.
fn fetch_error(err: StoreError) -> RunError {
    match err {
        StoreError::Local { path, source } => RunError::File {
            action: "write",
            path,
            source,
        },
        err => CacheError::from(err).into(),
    }
}

struct Fetched {
    progress: Progress,
    bytes_done: Arc<AtomicU64>,
}

impl Sink<Result<(), RunError>> for Fetched {
    type Error = RunError;

    fn push(&mut self, done: Result<(), RunError>) -> Result<(), RunError> {
        done
    }

    fn tick(&mut self) {
        let bytes = self.bytes_done.load(Ordering::Relaxed);
        self.progress.set(bytes, 0.0);
    }
}
