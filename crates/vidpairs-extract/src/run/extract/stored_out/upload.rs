//! The threads beside a run whose output folder is in a store: one uploads, one keeps the lease.

use std::fs;
use std::mem;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use vidpairs_run::{JOURNAL_FOLDER, Journal, RunError, loss_reason};
use vidpairs_shard::ShardName;
use vidpairs_store::{Store, StoreError, Watch};
use vidpairs_types::parallel::{Cancel, Loss, caught};
use vidpairs_types::with_causes;

use super::super::journal::{Extracted, Line};
use super::lease::{self, Lease};
use super::segments::SegmentedFile;
use crate::run::ExtractError;
use crate::run::stored::failed;

/// Shards that wait. The run waits when there are more, so the disk of this machine holds few of them.
const MAX_WAITING: usize = 2;
/// Time between two looks at whether a thread is to end.
const TICK: Duration = Duration::from_millis(50);
/// Time until the first renewal, which tells how much there is to do.
const FIRST_RENEWAL: Duration = Duration::from_secs(2);
/// Longest time for one renewal: the next one says the same.
const RENEWAL: Duration = Duration::from_secs(20);

/// A state of a run that can be resumed: lengths of the files in its journal's folder that belong together, bytes.
#[derive(Debug, Clone, Default)]
pub(in crate::run::extract) struct Checkpoint {
    pub journal: u64,
    pub tracks: u64,
    /// Name of the unfinished shard, and its length.
    pub open: Option<(String, u64)>,
}

impl Checkpoint {
    /// The present state of a run.
    ///
    /// - `first_shard`: of this run.
    pub fn of(progress: &Extracted, journal: &Journal<Line>, first_shard: ShardName) -> Self {
        let open = ShardName {
            ordinal: first_shard.ordinal + progress.shards.len() as u64,
            ..first_shard
        };
        Self {
            journal: journal.bytes(),
            tracks: progress.tracks.map_or(0, |mark| mark.bytes),
            open: progress.open.map(|mark| (open.unfinished(), mark.bytes)),
        }
    }
}

/// What is to be brought into the store.
pub(super) enum Job {
    /// A finished shard, by the name of its tar.
    Shard(String),
    /// The journal, after what it describes.
    Checkpoint(Checkpoint),
}

/// What the threads have in common.
pub(super) struct Shared {
    pub store: Arc<Store>,
    /// Folder of the run on this machine.
    run: PathBuf,
    pub lease: Option<Lease>,
    cancel: Arc<Cancel>,
    /// The first failure of a thread, which ends the run.
    failure: Mutex<Option<RunError>>,
    is_lease_over: AtomicBool,
    is_over: AtomicBool,
}

impl Shared {
    pub fn new(store: Arc<Store>, run: PathBuf, lease: Option<Lease>, cancel: Arc<Cancel>) -> Self {
        Self {
            store,
            run,
            lease,
            cancel,
            failure: Mutex::default(),
            is_lease_over: AtomicBool::default(),
            is_over: AtomicBool::default(),
        }
    }

    /// Ends an operation when the run is stopped, or may not write any more.
    pub fn watch(&self) -> impl Watch + '_ {
        |_: u64| {
            let goes_on = !self.cancel.is_set() && !self.is_over.load(Ordering::Relaxed);
            if goes_on && self.lease.as_ref().is_some_and(|lease| !lease.is_sure()) {
                self.lose_lease("it took too long");
                return false;
            }
            goes_on
        }
    }

    fn lose_lease(&self, reason: &str) {
        let url = self.store.location().to_string();
        let reason = reason.to_owned();
        self.fail(ExtractError::LeaseLost { url, reason }.into());
    }

    fn failure(&self) -> MutexGuard<'_, Option<RunError>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the run with this error.
    fn fail(&self, err: RunError) {
        // The user stopped it, or it failed before.
        if !matches!(err, RunError::Stopped) {
            self.failure().get_or_insert(err);
        }
        self.cancel.set();
    }

    /// The failure that ended the run.
    pub fn take_failure(&self) -> Option<RunError> {
        self.failure().take()
    }

    /// Fails once a thread has failed, or the run was stopped. Its reason is [`take_failure`](Self::take_failure).
    pub fn check(&self) -> Result<(), RunError> {
        match self.cancel.is_set() {
            true => Err(RunError::Stopped),
            false => Ok(()),
        }
    }

    /// Ends the renewals of the lease.
    pub fn end_lease(&self) {
        self.is_lease_over.store(true, Ordering::Relaxed);
    }

    /// Ends all threads.
    pub fn end_all(&self) {
        self.end_lease();
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Starts the thread that renews the lease.
    pub fn keep_lease(shared: &Arc<Self>) -> Result<JoinHandle<()>, RunError> {
        let shared = Arc::clone(shared);
        let keep = move || {
            let Some(lease) = &shared.lease else { return };
            let is_over = || shared.is_lease_over.load(Ordering::Relaxed);
            let mut renewed = Instant::now();
            let mut period = FIRST_RENEWAL;
            while !is_over() {
                sleep(TICK);
                if renewed.elapsed() < period {
                    continue;
                }
                (renewed, period) = (Instant::now(), lease::PERIOD);
                let watch = |_: u64| !is_over() && renewed.elapsed() < RENEWAL;
                match lease.renew(&shared.run, &watch) {
                    Ok(()) => {}
                    Err(StoreError::Changed { .. }) => {
                        return shared.lose_lease("another process has taken it");
                    }
                    // A store that cannot be reached may answer the next time.
                    Err(_) if lease.is_sure() => {}
                    Err(err) => return shared.lose_lease(&with_causes(&err)),
                }
            }
        };
        let builder = thread::Builder::new().name("lease".to_owned());
        builder.spawn(keep).map_err(RunError::Thread)
    }
}

/// Uploads what the run makes.
pub(super) struct Uploader {
    shared: Arc<Shared>,
    journal: SegmentedFile,
    tracks: SegmentedFile,
    /// The unfinished shard.
    open: SegmentedFile,
}

impl Uploader {
    /// Starts its thread.
    ///
    /// - `found`: what the store has of the journal, the tracklets and the unfinished shard.
    pub fn start(
        shared: &Arc<Shared>,
        found: [SegmentedFile; 3],
    ) -> Result<(SyncSender<Job>, JoinHandle<()>), RunError> {
        let [journal, tracks, open] = found;
        let uploader = Self {
            shared: Arc::clone(shared),
            journal,
            tracks,
            open,
        };
        let (sender, jobs) = sync_channel(MAX_WAITING);
        let builder = thread::Builder::new().name("upload".to_owned());
        let started = builder.spawn(move || uploader.run(&jobs));
        Ok((sender, started.map_err(RunError::Thread)?))
    }

    fn run(mut self, jobs: &Receiver<Job>) {
        let shared = Arc::clone(&self.shared);
        let upload = || jobs.iter().try_for_each(|job| self.upload(job));
        let done = caught(upload).unwrap_or_else(|panic| {
            let (_, reason) = loss_reason(Loss::Panicked(panic), Duration::ZERO);
            let what = "the upload";
            Err(RunError::Lost { what, reason })
        });
        if let Err(err) = done {
            shared.fail(err);
        }
    }

    fn upload(&mut self, job: Job) -> Result<(), RunError> {
        let shared = Arc::clone(&self.shared);
        let (store, watch) = (&shared.store, shared.watch());
        let folder = shared.run.join(JOURNAL_FOLDER);
        match job {
            Job::Shard(tar) => {
                let index = PathBuf::from(&tar).with_extension("idx");
                let names = [index.to_string_lossy().into_owned(), tar];
                for name in &names {
                    let path = shared.run.join(name);
                    store.upload(&path, name, &watch).map_err(failed)?;
                }
                // The store has them. The journal need not: another machine makes the shard again, with the same bytes.
                for name in &names {
                    let _ = fs::remove_file(shared.run.join(name));
                }
                Ok(())
            }
            Job::Checkpoint(checkpoint) => {
                let (name, bytes) = checkpoint.open.unwrap_or_default();
                let mut finished = None;
                if name != self.open.name() {
                    finished = Some(mem::replace(&mut self.open, SegmentedFile::new(&name)));
                }
                // The journal comes last: it describes the others. What has moved on since comes with a later job.
                let is_there = self.open.upload(store, &folder, bytes, &watch)?
                    && self
                        .tracks
                        .upload(store, &folder, checkpoint.tracks, &watch)?
                    && self
                        .journal
                        .upload(store, &folder, checkpoint.journal, &watch)?;
                match finished {
                    Some(mut finished) if is_there => finished.remove(store, &watch),
                    Some(finished) => {
                        self.open = finished;
                        Ok(())
                    }
                    None => Ok(()),
                }
            }
        }
    }
}
