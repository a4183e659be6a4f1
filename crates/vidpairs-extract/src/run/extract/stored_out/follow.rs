//! The threads beside a run whose output folder is in a store: one lets the store follow, one keeps the lease.

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

use super::super::journal::{Extracted, Line};
use super::growing::Growing;
use super::lease::{self, Lease};
use crate::run::stored::failed;

/// Shards that wait. The run waits when there are more, so the disk of this machine holds few of them.
const MAX_WAITING: usize = 2;
/// Time between two looks at whether a thread is to end.
const TICK: Duration = Duration::from_millis(50);
/// Longest time for one renewal: the next one says the same.
const RENEWAL: Duration = Duration::from_secs(20);

/// How far a run is: lengths of the files in its journal's folder that the journal vouches for, bytes.
#[derive(Debug, Clone, Default)]
pub(in crate::run::extract) struct Reached {
    pub journal: u64,
    pub tracks: u64,
    /// Name of the unfinished shard, and its length.
    pub open: Option<(String, u64)>,
}

impl Reached {
    /// How far a run is.
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
    /// The journal, and what it describes.
    Reached(Reached),
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
    has_journal: AtomicBool,
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
            has_journal: AtomicBool::default(),
        }
    }

    /// Ends an operation when the run is stopped.
    pub fn watch(&self) -> impl Watch + '_ {
        |_: u64| !self.cancel.is_set() && !self.is_over.load(Ordering::Relaxed)
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

    /// Fails as a thread did.
    pub fn check(&self) -> Result<(), RunError> {
        match self.take_failure() {
            Some(failure) => Err(failure),
            None if self.cancel.is_set() => Err(RunError::Stopped),
            None => Ok(()),
        }
    }

    /// Why the store no longer follows.
    pub fn why_ended(&self) -> RunError {
        self.take_failure().unwrap_or(RunError::Stopped)
    }

    /// Whether a journal of the run is in the store.
    pub fn has_journal(&self) -> bool {
        self.has_journal.load(Ordering::Relaxed)
    }

    /// Tells that a journal of the run is in the store.
    pub fn set_has_journal(&self) {
        self.has_journal.store(true, Ordering::Relaxed);
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
            while !is_over() {
                sleep(TICK);
                if renewed.elapsed() < lease::PERIOD {
                    continue;
                }
                renewed = Instant::now();
                let watch = |_: u64| !is_over() && renewed.elapsed() < RENEWAL;
                // A store that cannot be reached ends the uploads, or answers the next time.
                if let Err(StoreError::Changed { .. }) = lease.renew(&shared.run, &watch) {
                    let out = shared.store.location().to_string().into();
                    shared.fail(RunError::InUse { out });
                    return;
                }
            }
        };
        let builder = thread::Builder::new().name("lease".to_owned());
        builder.spawn(keep).map_err(RunError::Thread)
    }
}

/// Lets the store follow.
pub(super) struct Follower {
    shared: Arc<Shared>,
    journal: Growing,
    tracks: Growing,
    /// The unfinished shard.
    open: Growing,
}

impl Follower {
    /// Starts its thread.
    ///
    /// - `found`: what the store has of the journal, the tracklets and the unfinished shard.
    pub fn start(
        shared: &Arc<Shared>,
        found: [Growing; 3],
    ) -> Result<(SyncSender<Job>, JoinHandle<()>), RunError> {
        let [journal, tracks, open] = found;
        let follower = Self {
            shared: Arc::clone(shared),
            journal,
            tracks,
            open,
        };
        let (sender, jobs) = sync_channel(MAX_WAITING);
        let builder = thread::Builder::new().name("upload".to_owned());
        let started = builder.spawn(move || follower.run(&jobs));
        Ok((sender, started.map_err(RunError::Thread)?))
    }

    fn run(mut self, jobs: &Receiver<Job>) {
        let shared = Arc::clone(&self.shared);
        let follow = || jobs.iter().try_for_each(|job| self.follow(job));
        let done = caught(follow).unwrap_or_else(|panic| {
            let (_, reason) = loss_reason(Loss::Panicked(panic), Duration::ZERO);
            let what = "the upload";
            Err(RunError::Lost { what, reason })
        });
        if let Err(err) = done {
            shared.fail(err);
        }
    }

    fn follow(&mut self, job: Job) -> Result<(), RunError> {
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
            Job::Reached(reached) => {
                let (name, bytes) = reached.open.unwrap_or_default();
                let mut left = None;
                if name != self.open.name() {
                    left = Some(mem::replace(&mut self.open, Growing::new(&name)));
                }
                // The journal comes last: it describes the others. What has moved on since is told by a later job.
                let is_there = self.open.follow(store, &folder, bytes, &watch)?
                    && self.tracks.follow(store, &folder, reached.tracks, &watch)?
                    && self
                        .journal
                        .follow(store, &folder, reached.journal, &watch)?;
                if is_there {
                    shared.set_has_journal();
                }
                match left {
                    Some(mut left) if is_there => left.cut(store, 0, &watch),
                    Some(left) => {
                        self.open = left;
                        Ok(())
                    }
                    None => Ok(()),
                }
            }
        }
    }
}
