//! Keeps an output folder in a store for one process: an object that it writes anew every few seconds, each time over its own version.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use vidpairs_run::{JOURNAL_FOLDER, RunError, RunState, STATE_FILE};
use vidpairs_store::{Store, StoreError, Version, Watch};

use crate::run::stored::failed;

/// Time between two renewals.
pub(super) const PERIOD: Duration = Duration::from_secs(15);
/// Time without a renewal after which the holder is taken for dead. No clock but that of the observer matters.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// Time between two looks at a lease that somebody else holds.
const LOOK: Duration = Duration::from_millis(500);
/// Largest such object that is read, bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The right to write into a folder of a store. It also tells others how far the run is.
#[derive(Debug)]
pub(super) struct Lease {
    store: Arc<Store>,
    writer: String,
    version: Mutex<Version>,
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
    /// [`RunError::InUse`] if another process holds it; [`RunError::Stopped`]; errors of the store.
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
        loop {
            let state = RunState::begun(&writer);
            let bytes = serde_json::to_vec(&state).map_err(RunError::of)?;
            let taken = match store.read(&name(), MAX_BYTES, watch) {
                Err(StoreError::NoSuchObject { .. }) => store.put_if_absent(&name(), bytes, watch),
                Err(err) => return Err(failed(err)),
                Ok((found, version)) => {
                    let holder: Option<RunState> = serde_json::from_slice(&found).ok();
                    let is_free = holder.as_ref().is_none_or(|holder| {
                        let writer = holder.writer.as_ref();
                        holder.is_stopped || writer.is_some_and(|writer| dead.contains(writer))
                    });
                    let since = match &seen {
                        Some((first, _)) if *first != version => {
                            return Err(RunError::InUse { out: url().into() });
                        }
                        Some((_, since)) => *since,
                        None => Instant::now(),
                    };
                    if !is_free && since.elapsed() < patience {
                        if seen.is_none() {
                            let host = holder.map_or_else(String::new, |holder| holder.host);
                            report(&format!(
                                "{} was left by a process on {host}, or is in use: waiting up to {} s to see",
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
                    store.put_if_version(&name(), bytes, &version, watch)
                }
            };
            match taken {
                Ok(version) => {
                    return Ok(Self {
                        store: Arc::clone(store),
                        writer,
                        version: Mutex::new(version),
                    });
                }
                // Somebody was faster. Its renewals are seen in the next rounds.
                Err(StoreError::Changed { .. } | StoreError::AlreadyThere { .. }) => {}
                Err(err) => return Err(failed(err)),
            }
        }
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

    /// Removes the lease: there is nothing left to write.
    ///
    /// # Errors
    /// All that a request can meet.
    pub fn remove(&self, watch: &dyn Watch) -> Result<(), StoreError> {
        // Held until it is gone, so that no renewal brings it back.
        let _version = self.version();
        self.store.delete(&name(), watch)
    }

    fn write(&self, out: &Path, is_stopped: bool, watch: &dyn Watch) -> Result<(), StoreError> {
        let begun = RunState::begun(&self.writer);
        let state = RunState {
            writer: begun.writer.clone(),
            unix_seconds: begun.unix_seconds,
            is_stopped,
            ..RunState::read(out).unwrap_or(begun)
        };
        let bytes = serde_json::to_vec(&state).unwrap_or_default();
        let mut version = self.version();
        *version = self.store.put_if_version(&name(), bytes, &version, watch)?;
        Ok(())
    }

    fn version(&self) -> MutexGuard<'_, Version> {
        self.version.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use vidpairs_fixtures::s3::Bucket;
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
        // Given back, or known to be dead: taken at once.
        second.release(out.path(), &|_| true).unwrap();
        let start = Instant::now();
        take(&store, "third", None).unwrap();
        take(&store, "fourth", Some("third")).unwrap();
        assert!(start.elapsed() < Duration::from_secs(2));
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
