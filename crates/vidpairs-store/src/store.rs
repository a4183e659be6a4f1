//! The store and its operations on small objects.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::TryStreamExt;
use object_store::list::PaginatedListStore;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode};

use crate::error::{Action, StoreError};
use crate::key::path_of;
use crate::location::Location;
use crate::open;
use crate::options::Options;
use crate::retry::Context;
use crate::runtime::{Moved, Watch, run};
use crate::version::Version;

/// What each kind of store can do.
pub(crate) trait Backend: ObjectStore + PaginatedListStore + MultipartStore {}

impl<T: ObjectStore + PaginatedListStore + MultipartStore> Backend for T {}

/// Size and version of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Size in bytes.
    pub num_bytes: u64,
    /// Version.
    pub version: Version,
}

impl Meta {
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        Self {
            num_bytes: meta.size,
            version: Version::of_meta(meta),
        }
    }
}

/// A folder of an object store: a bucket, or the part of it below a key.
///
/// Names are those of objects below the folder (`a/b.mp4`), taken literally. It can be used from several threads at once. Inside an
/// asynchronous runtime its operations panic, because they block.
pub struct Store {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) context: Context,
    /// Whether the bucket is known to exist, so that a 404 can only be about the object.
    has_bucket: AtomicBool,
}

impl Store {
    /// Opens a folder of a store. No request is made yet, so that a bucket which does not exist is an error of the first operation.
    ///
    /// # Errors
    /// [`StoreError::Setup`] if a setting in the environment or in a file that it names does not make sense.
    pub fn open(location: Location, options: Options) -> Result<Self, StoreError> {
        let (backend, opened) = open::open(&location, &options)?;
        Ok(Self {
            backend,
            context: Context {
                location,
                options,
                transport: opened.transport,
                identity: opened.identity,
                looked_at: opened.looked_at,
                region: opened.region,
                num_retries: AtomicU64::new(0),
            },
            has_bucket: AtomicBool::new(false),
        })
    }

    /// The folder.
    pub fn location(&self) -> &Location {
        &self.context.location
    }

    /// Where the credentials come from, in words, for a line of a log: the variable, the profile and its file, or the service.
    pub fn identity(&self) -> &str {
        &self.context.identity
    }

    /// Requests that were tried again, since the store was opened.
    pub fn num_retries(&self) -> u64 {
        self.context.num_retries.load(Ordering::Relaxed)
    }

    /// Size and version of an object.
    ///
    /// # Errors
    /// [`StoreError::NoSuchObject`] and all that a request can meet.
    pub fn head(&self, name: &str, watch: &dyn Watch) -> Result<Meta, StoreError> {
        let path = self.path(name)?;
        run(watch, &Moved::default(), self.head_by(&path, name))
    }

    pub(crate) async fn head_by(&self, path: &Path, name: &str) -> Result<Meta, StoreError> {
        let found = self
            .get(path, name, &GetOptions::new().with_head(true))
            .await;
        let err = match found {
            Ok(found) => {
                self.has_bucket.store(true, Ordering::Relaxed);
                return Ok(Meta::of(&found.meta));
            }
            Err(err) => err,
        };
        // The answer to HEAD has no body, so it does not say why. That to GET does.
        let is_clear = match &err {
            StoreError::NoSuchObject { .. } => self.has_bucket.load(Ordering::Relaxed),
            StoreError::AccessDenied { .. } | StoreError::Refused { .. } => false,
            _ => true,
        };
        if is_clear {
            return Err(err);
        }
        let first_byte = GetOptions::new().with_range(Some(GetRange::Bounded(0..1)));
        match self.get(path, name, &first_byte).await {
            Ok(_) => Err(err),
            Err(StoreError::NoSuchObject { url }) => {
                self.has_bucket.store(true, Ordering::Relaxed);
                Err(StoreError::NoSuchObject { url })
            }
            Err(clear) => Err(clear),
        }
    }

    /// Whether there is an object of this name.
    ///
    /// # Errors
    /// Those of [`Self::head`] but [`StoreError::NoSuchObject`].
    pub fn exists(&self, name: &str, watch: &dyn Watch) -> Result<bool, StoreError> {
        match self.head(name, watch) {
            Ok(_) => Ok(true),
            Err(StoreError::NoSuchObject { .. }) => Ok(false),
            Err(err) => Err(err),
        }
    }

    /// The bytes of a small object, and their version.
    ///
    /// - `max_bytes`: most bytes that such an object can have. No more are read.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`], [`StoreError::NoSuchObject`] and all that a request can meet.
    pub fn read(
        &self,
        name: &str,
        max_bytes: u64,
        watch: &dyn Watch,
    ) -> Result<(Vec<u8>, Version), StoreError> {
        let path = self.path(name)?;
        let moved = Moved::default();
        run(watch, &moved, self.read_by(&path, name, max_bytes, &moved))
    }

    async fn read_by(
        &self,
        path: &Path,
        name: &str,
        max_bytes: u64,
        moved: &Moved,
    ) -> Result<(Vec<u8>, Version), StoreError> {
        let mut trial = self.context.trial(Action::Read, self.url(name));
        loop {
            let request = async || self.backend.get_opts(path, GetOptions::new()).await;
            let found = self.context.retry(&mut trial, request).await?;
            let meta = Meta::of(&found.meta);
            if meta.num_bytes > max_bytes {
                return Err(StoreError::TooLarge {
                    url: trial.url,
                    num_bytes: meta.num_bytes,
                    max_bytes,
                });
            }
            let mut bytes = Vec::new();
            let chunks = found.into_stream().try_for_each(|chunk| {
                moved.add(chunk.len());
                bytes.extend_from_slice(&chunk);
                std::future::ready(Ok(()))
            });
            match chunks.await {
                Ok(()) => return Ok((bytes, meta.version)),
                Err(err) => trial.pause_after(&err).await?,
            }
        }
    }

    /// Writes a small object in one request, over any other of the name.
    ///
    /// # Errors
    /// All that a request can meet.
    pub fn put(&self, name: &str, bytes: Vec<u8>, watch: &dyn Watch) -> Result<(), StoreError> {
        self.put_by(name, bytes, PutMode::Overwrite, watch)?;
        Ok(())
    }

    /// Writes a small object unless there is one of the name. Of several writers at once, one succeeds.
    ///
    /// The answer to a request can be lost after the store has carried it out. So the object also counts as written if, after a failed
    /// try, the store holds exactly `bytes`. Bytes that decide who comes first must therefore differ between writers.
    ///
    /// - Returns the version written.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`] and all that a request can meet. A store that does not know conditional writes may refuse with 501;
    /// one that ignores them cannot be told.
    pub fn put_if_absent(
        &self,
        name: &str,
        bytes: Vec<u8>,
        watch: &dyn Watch,
    ) -> Result<Version, StoreError> {
        self.put_by(name, bytes, PutMode::Create, watch)
    }

    /// Writes a small object over the version `expected` of it only.
    ///
    /// After a failed try it counts as written if the store holds exactly `bytes`, as for [`Self::put_if_absent`].
    ///
    /// - `expected`: what [`Self::read`], [`Self::head`] or an earlier put returned.
    /// - Returns the version written.
    ///
    /// # Errors
    /// [`StoreError::Changed`] if the object has another version or is gone, and all that a request can meet.
    pub fn put_if_version(
        &self,
        name: &str,
        bytes: Vec<u8>,
        expected: &Version,
        watch: &dyn Watch,
    ) -> Result<Version, StoreError> {
        self.put_by(name, bytes, PutMode::Update(expected.to_update()), watch)
    }

    fn put_by(
        &self,
        name: &str,
        bytes: Vec<u8>,
        mode: PutMode,
        watch: &dyn Watch,
    ) -> Result<Version, StoreError> {
        let path = self.path(name)?;
        let payload = bytes::Bytes::from(bytes);
        let moved = Moved::default();
        run(watch, &moved, async {
            let mut trial = self.context.trial(Action::Write, self.url(name));
            let request = async || {
                let mode = mode.clone().into();
                self.backend
                    .put_opts(&path, payload.clone().into(), mode)
                    .await
            };
            let err = match self.context.retry(&mut trial, request).await {
                Ok(put) => {
                    moved.add(payload.len());
                    return match Version::of_put(&put) {
                        Some(version) => Ok(version),
                        None => Ok(self.head_by(&path, name).await?.version),
                    };
                }
                Err(err) => err,
            };
            let lost = match (err, &mode) {
                (StoreError::Changed { url }, PutMode::Create) => StoreError::AlreadyThere { url },
                (StoreError::NoSuchObject { url }, PutMode::Update(_)) => {
                    StoreError::Changed { url }
                }
                (err @ (StoreError::Changed { .. } | StoreError::AlreadyThere { .. }), _) => err,
                (err, _) => return Err(err),
            };
            // The first failure of several may hide that it was carried out.
            if trial.num_failed > 1 {
                let max_bytes = payload.len() as u64;
                let found = self.read_by(&path, name, max_bytes, &moved).await;
                if let Ok((found, version)) = found
                    && found == payload
                {
                    return Ok(version);
                }
            }
            Err(lost)
        })
    }

    /// Deletes an object. One that is not there counts as deleted.
    ///
    /// # Errors
    /// All that a request can meet.
    pub fn delete(&self, name: &str, watch: &dyn Watch) -> Result<(), StoreError> {
        let path = self.path(name)?;
        run(watch, &Moved::default(), async {
            let mut trial = self.context.trial(Action::Write, self.url(name));
            let request = async || self.backend.delete(&path).await;
            match self.context.retry(&mut trial, request).await {
                Err(StoreError::NoSuchObject { .. }) => Ok(()),
                done => done,
            }
        })
    }

    /// A read request whose body is not needed.
    async fn get(
        &self,
        path: &Path,
        name: &str,
        request: &GetOptions,
    ) -> Result<object_store::GetResult, StoreError> {
        let mut trial = self.context.trial(Action::Read, self.url(name));
        let get = async || self.backend.get_opts(path, request.clone()).await;
        self.context.retry(&mut trial, get).await
    }

    pub(crate) fn url(&self, name: &str) -> String {
        self.context.location.url_of(name)
    }

    /// # Errors
    /// [`StoreError::Inexpressible`].
    pub(crate) fn path(&self, name: &str) -> Result<Path, StoreError> {
        path_of(&self.context.location.key_of(name)).map_err(|reason| StoreError::Inexpressible {
            url: self.url(name),
            reason,
        })
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.context.location)
    }
}
