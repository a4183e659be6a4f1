//! Keeps an output folder in a store for one process: an object that it writes anew every few seconds, each time over its own version.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use vidpairs_run::{JOURNAL_FOLDER, RunError, RunState, STATE_FILE};
use vidpairs_store::{Store, StoreError, Version, Watch};

use crate::run::ExtractError;
use crate::run::stored::failed;

/// Time between two renewals.
pub(super) const PERIOD: Duration = Duration::from_secs(15);
/// Time without a renewal after which the holder is taken for dead. No clock but that of the observer matters.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// Time without a renewal after which the holder itself writes no more.
const SURE: Duration = Duration::from_secs(45);
/// Time between two looks at a lease that another process holds.
const LOOK: Duration = Duration::from_millis(500);
/// Most tries to take a lease that is free: each fails only if another process is faster.
const MAX_TRIES: u32 = 20;
/// Largest such object that is read, bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The right to write into a folder of a store. It also tells others how far the run is.
#[derive(Debug)]
pub(super) struct Lease {
    store: Arc<Store>,
    writer: String,
    /// Locked while a renewal is on its way.
    version: Mutex<Version>,
    /// When the last renewal that succeeded was begun.
    renewed: Mutex<Instant>,
}

/// Name of the object.
pub(super) fn name() -> String {
    format!("{JOURNAL_FOLDER}/{STATE_FILE}")
}

impl Lease {
    /// Takes the lease: at once if it is free, else when its holder has not renewed it for `patience`.
    ///
    /// - `writer`: text that no other process has.
    /// - `dead`: texts of writers that are known to have ended.
    /// - `report`: gets a line if there is something to wait for.
    ///
    /// # Errors
    /// [`RunError::InUse`] if another process holds it; [`ExtractError::Unconditional`]; [`RunError::Stopped`]; errors of the store.
    pub fn take(
        store: &Arc<Store>,
        writer: String,
        dead: &[String],
        patience: Duration,
        watch: &dyn Watch,
        report: &dyn Fn(&str),
    ) -> Result<Self, RunError> {
        let url = || store.location().to_string();
        let mut seen: Option<(Version, Instant)> = None;
        let mut num_changes = 0;
        let mut num_tries = 0;
        loop {
            let begun = Instant::now();
            let mut state = RunState::begun(&writer);
            let taken = match store.read(&name(), MAX_BYTES, watch) {
                Err(StoreError::NoSuchObject { .. }) => {
                    store.put_if_absent(&name(), json(&state), watch)
                }
                Err(err) => return Err(failed(err)),
                Ok((found, version)) => {
                    // One that cannot be read is that of another version of this program.
                    let holder: Option<RunState> = serde_json::from_slice(&found).ok();
                    let is_free = holder.as_ref().is_some_and(|holder| {
                        let writer = holder.writer.as_ref();
                        holder.is_stopped || writer.is_some_and(|writer| dead.contains(writer))
                    });
                    let since = match &seen {
                        Some((last, since)) if *last == version => *since,
                        _ => {
                            num_changes += u32::from(seen.is_some());
                            Instant::now()
                        }
                    };
                    // The first change may come from a process that has ended: its last renewal was on the way.
                    if num_changes > 1 && !is_free {
                        return Err(RunError::InUse { out: url().into() });
                    }
                    if !is_free && since.elapsed() < patience {
                        if seen.is_none() {
                            let host = holder.map_or_else(String::new, |holder| holder.host);
                            report(&format!(
                                "{} is in use by a process on {host}, or was left by it: waiting up to {} s to see",
                                url(),
                                patience.as_secs()
                            ));
                        }
                        seen = Some((version, since));
                        if !watch.goes_on(0) {
                            return Err(RunError::Stopped);
                        }
                        sleep(LOOK);
                        continue;
                    }
                    // Until the first renewal, others see how far the run was.
                    if let Some(holder) = holder {
                        state.done = holder.done;
                        state.done_before = holder.done;
                        state.total = holder.total;
                        state.counts = holder.counts;
                    }
                    store.put_if_version(&name(), json(&state), &version, watch)
                }
            };
            num_tries += 1;
            match taken {
                Ok(version) => {
                    let lease = Self {
                        store: Arc::clone(store),
                        writer,
                        version: Mutex::new(version),
                        renewed: Mutex::new(begun),
                    };
                    lease.check_conditions(watch)?;
                    return Ok(lease);
                }
                // Another process was faster. Its renewals are seen in the next rounds.
                Err(StoreError::Changed { .. } | StoreError::AlreadyThere { .. })
                    if num_tries < MAX_TRIES =>
                {
                    sleep(LOOK / 10);
                }
                Err(err) => return Err(failed(err)),
            }
        }
    }

    /// Fails if the store ignores conditions: then nothing keeps a second process out.
    fn check_conditions(&self, watch: &dyn Watch) -> Result<(), RunError> {
        let other = RunState::begun("nobody");
        match self.store.put_if_absent(&name(), json(&other), watch) {
            Err(StoreError::AlreadyThere { .. }) => Ok(()),
            Err(err) => Err(failed(err)),
            Ok(_) => {
                let _ = self.store.delete(&name(), watch);
                let url = self.store.location().to_string();
                Err(ExtractError::Unconditional { url }.into())
            }
        }
    }

    /// Whether no other process can hold the lease.
    pub fn is_sure(&self) -> bool {
        lock(&self.renewed).elapsed() < SURE
    }

    /// Renews the lease, with the state of the run in the folder `out` of this machine.
    ///
    /// # Errors
    /// [`StoreError::Changed`] if another process has taken it since, and all that a request can meet.
    pub fn renew(&self, out: &Path, watch: &dyn Watch) -> Result<(), StoreError> {
        self.write(out, false, watch)
    }

    /// Marks the run as stopped, so that others need not wait.
    ///
    /// # Errors
    /// Those of [`Self::renew`].
    pub fn release(&self, out: &Path, watch: &dyn Watch) -> Result<(), StoreError> {
        self.write(out, true, watch)
    }

    /// Removes the lease, if no other process has taken it since: there is nothing left to write.
    ///
    /// # Errors
    /// Those of [`Self::renew`].
    pub fn remove(&self, watch: &dyn Watch) -> Result<(), StoreError> {
        let _version = lock(&self.version);
        match self.own_version(watch)? {
            Some(_) => self.store.delete(&name(), watch),
            None => Ok(()),
        }
    }

    /// The version of the object, if it is that of this process.
    fn own_version(&self, watch: &dyn Watch) -> Result<Option<Version>, StoreError> {
        match self.store.read(&name(), MAX_BYTES, watch) {
            Err(StoreError::NoSuchObject { .. }) => Ok(None),
            Err(err) => Err(err),
            Ok((found, version)) => {
                let found: Option<RunState> = serde_json::from_slice(&found).ok();
                let writer = found.and_then(|found| found.writer);
                Ok((writer.as_ref() == Some(&self.writer)).then_some(version))
            }
        }
    }

    fn write(&self, out: &Path, is_stopped: bool, watch: &dyn Watch) -> Result<(), StoreError> {
        let begun = RunState::begun(&self.writer);
        let state = RunState {
            writer: begun.writer.clone(),
            unix_seconds: begun.unix_seconds,
            is_stopped,
            ..RunState::read(out).unwrap_or(begun)
        };
        let mut version = lock(&self.version);
        let renewed = Instant::now();
        let put = |version: &Version| {
            self.store
                .put_if_version(&name(), json(&state), version, watch)
        };
        *version = match put(&version) {
            // The answer to an earlier renewal may have been lost.
            Err(err @ StoreError::Changed { .. }) => match self.own_version(watch)? {
                Some(version) => put(&version)?,
                None => return Err(err),
            },
            put => put?,
        };
        *lock(&self.renewed) = renewed;
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A state has no value that JSON lacks.
fn json(state: &RunState) -> Vec<u8> {
    serde_json::to_vec(state).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use vidpairs_fixtures::s3::{Bucket, Fault, Proxy, Server};
    use vidpairs_store::{Location, Options};

    use super::*;

    fn store(bucket: &Bucket) -> Arc<Store> {
        let location = Location::parse(&bucket.url("out")).unwrap();
        let options = Options::with_environment(bucket.env(None));
        Arc::new(Store::open(location, options).unwrap())
    }

    fn take(store: &Arc<Store>, writer: &str, dead: Option<&str>) -> Result<Lease, RunError> {
        let patience = Duration::from_secs(3);
        let dead: Vec<String> = dead.into_iter().map(str::to_owned).collect();
        Lease::take(
            store,
            writer.to_owned(),
            &dead,
            patience,
            &|_| true,
            &|_| {},
        )
    }

    #[test]
    fn a_lease_is_held_by_one_process_until_it_is_given_back_or_not_renewed() {
        let bucket = Bucket::new();
        let store = store(&bucket);
        let out = tempfile::tempdir().unwrap();
        let first = take(&store, "first", None).unwrap();
        // While it is renewed, others are refused.
        let refused = std::thread::scope(|scope| {
            let second = scope.spawn(|| take(&store, "second", None));
            while !second.is_finished() {
                first.renew(out.path(), &|_| true).unwrap();
                sleep(Duration::from_millis(300));
            }
            second.join().unwrap().unwrap_err()
        });
        assert!(matches!(refused, RunError::InUse { .. }), "{refused}");
        // Not renewed: taken over, and the first one learns of it.
        let second = take(&store, "second", None).unwrap();
        let lost = first.renew(out.path(), &|_| true).unwrap_err();
        assert!(matches!(lost, StoreError::Changed { .. }), "{lost}");
        // Given back while another waits, given back before, or known to be dead: taken at once.
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| take(&store, "waiting", None));
            sleep(Duration::from_millis(700));
            second.release(out.path(), &|_| true).unwrap();
            let waiting = waiting.join().unwrap().unwrap();
            waiting.release(out.path(), &|_| true).unwrap();
        });
        let start = Instant::now();
        take(&store, "third", None).unwrap();
        take(&store, "fourth", Some("third")).unwrap();
        assert!(start.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn a_renewal_whose_answer_is_lost_does_not_end_the_lease() {
        let bucket = Bucket::new();
        let proxy = Proxy::new(Server::shared().port());
        let location = Location::parse(&bucket.url("out")).unwrap();
        let options = Options {
            max_tries: 1,
            ..Options::with_environment(bucket.env(Some(&proxy)))
        };
        let store = Arc::new(Store::open(location, options).unwrap());
        let out = tempfile::tempdir().unwrap();
        let lease = take(&store, "writer", None).unwrap();
        proxy.fail("PUT", Fault::LoseAnswer, 1);
        lease.renew(out.path(), &|_| true).unwrap_err();
        lease.renew(out.path(), &|_| true).unwrap();
        assert!(lease.is_sure());
        // Only its own one is removed.
        lease.release(out.path(), &|_| true).unwrap();
        let other = take(&store, "other", None).unwrap();
        lease.remove(&|_| true).unwrap();
        other.renew(out.path(), &|_| true).unwrap();
        other.remove(&|_| true).unwrap();
        assert!(!store.exists(&name(), &|_| true).unwrap());
    }

    #[test]
    fn of_processes_that_begin_at_once_one_has_the_lease() {
        let bucket = Bucket::new();
        let store = store(&bucket);
        let out = tempfile::tempdir().unwrap();
        let taken = std::thread::scope(|scope| {
            let all: Vec<_> = (0..6)
                .map(|number| {
                    let (store, out) = (&store, out.path());
                    scope.spawn(move || {
                        let lease = take(store, &format!("writer {number}"), None).ok()?;
                        for _ in 0..20 {
                            lease.renew(out, &|_| true).ok()?;
                            sleep(Duration::from_millis(200));
                        }
                        Some(lease)
                    })
                })
                .collect();
            let leases = all.into_iter().filter_map(|thread| thread.join().unwrap());
            leases.count()
        });
        assert_eq!(taken, 1);
    }
}
