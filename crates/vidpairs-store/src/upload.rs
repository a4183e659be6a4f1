//! Uploads local files.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path as LocalPath;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::multipart::PartId;
use object_store::path::Path;
use tokio::time::timeout;
use vidpairs_types::open_regular;

use crate::error::{Action, StoreError};
use crate::runtime::{Moved, Watch, run, runtime};
use crate::store::{Meta, Store};

/// Most parts of a multipart upload.
const MAX_PARTS: u64 = 10_000;

/// Time to abort an upload that was stopped. With the last tick before it, an operation ends within a second.
const ABORT_STOPPED: Duration = Duration::from_millis(700);

/// Time to abort an upload that failed.
const ABORT_FAILED: Duration = Duration::from_secs(10);

impl Store {
    /// Uploads a file, over any object of the name. The object appears when it is whole. A file of more than
    /// [`part_bytes`](crate::Options::part_bytes) is uploaded in parts, several at once. If that fails or is stopped, the upload is
    /// aborted. The length of the object is compared at the end.
    ///
    /// - Returns size and version of the object.
    ///
    /// # Errors
    /// [`StoreError::Local`] if the file cannot be read or is cut meanwhile, [`StoreError::WrongLength`], and all that a request can
    /// meet.
    pub fn upload(
        &self,
        local: &LocalPath,
        name: &str,
        watch: &dyn Watch,
    ) -> Result<Meta, StoreError> {
        let path = self.path(name)?;
        let failed = |source| StoreError::Local {
            path: local.to_owned(),
            source,
        };
        let file = open_regular(local).map_err(failed)?;
        let num_bytes = file.metadata().map_err(failed)?.len();
        let upload = Upload {
            store: self,
            path: &path,
            url: self.url(name),
            file: &file,
            local,
            num_bytes,
        };
        if num_bytes <= self.context.options.part_bytes {
            let bytes = upload.read(0, num_bytes)?;
            self.put(name, bytes, watch)?;
        } else {
            upload.in_parts(name, watch)?;
        }
        let meta = self.head(name, watch)?;
        match meta.num_bytes == num_bytes {
            true => Ok(meta),
            false => Err(StoreError::WrongLength {
                url: upload.url,
                num_bytes: meta.num_bytes,
                expected: num_bytes,
            }),
        }
    }
}

struct Upload<'a> {
    store: &'a Store,
    path: &'a Path,
    url: String,
    file: &'a File,
    local: &'a LocalPath,
    num_bytes: u64,
}

impl Upload<'_> {
    fn in_parts(&self, name: &str, watch: &dyn Watch) -> Result<(), StoreError> {
        let context = &self.store.context;
        let moved = Moved::default();
        let id = run(watch, &moved, async {
            let mut trial = context.trial(Action::Write, self.url.clone());
            let create = async || self.store.backend.create_multipart(self.path).await;
            context.retry(&mut trial, create).await
        })?;
        let done = run(watch, &moved, async {
            let parts = self.parts(&id, &moved).await?;
            self.complete(name, &id, parts).await
        });
        if let Err(err) = &done {
            let limit = match err {
                StoreError::Stopped => ABORT_STOPPED,
                _ => ABORT_FAILED,
            };
            // Whether it succeeds changes nothing: the lifecycle rule of the bucket is the last resort.
            let _ = runtime()?.block_on(async { timeout(limit, self.abort(&id)).await });
        }
        done
    }

    async fn parts(&self, id: &String, moved: &Moved) -> Result<Vec<PartId>, StoreError> {
        let options = &self.store.context.options;
        let part_bytes = options.part_bytes.max(self.num_bytes.div_ceil(MAX_PARTS));
        let parts = (0..self.num_bytes.div_ceil(part_bytes)).map(async |nth| {
            let start = nth * part_bytes;
            let bytes = self.read(start, part_bytes.min(self.num_bytes - start))?;
            let bytes = Bytes::from(bytes);
            let mut trial = self.store.context.trial(Action::Write, self.url.clone());
            let put = async || {
                let payload = bytes.clone().into();
                let backend = &self.store.backend;
                backend.put_part(self.path, id, nth as usize, payload).await
            };
            let part = self.store.context.retry(&mut trial, put).await?;
            moved.add(bytes.len());
            Ok(part)
        });
        let parts = stream::iter(parts).buffered(options.num_parallel.max(1));
        parts.try_collect().await
    }

    async fn complete(
        &self,
        name: &str,
        id: &String,
        parts: Vec<PartId>,
    ) -> Result<(), StoreError> {
        let context = &self.store.context;
        let mut trial = context.trial(Action::Write, self.url.clone());
        let complete = async || {
            let backend = &self.store.backend;
            backend
                .complete_multipart(self.path, id, parts.clone())
                .await
        };
        match context.retry(&mut trial, complete).await {
            Ok(_) => Ok(()),
            // A try that failed can have been carried out: then the upload is gone, and the object is there.
            Err(StoreError::NoSuchObject { url }) if trial.num_failed > 1 => {
                match self.store.head_by(self.path, name).await? {
                    Meta { num_bytes, .. } if num_bytes == self.num_bytes => Ok(()),
                    _ => Err(StoreError::NoSuchObject { url }),
                }
            }
            Err(err) => Err(err),
        }
    }

    async fn abort(&self, id: &String) -> Result<(), StoreError> {
        let context = &self.store.context;
        let mut trial = context.trial(Action::Write, self.url.clone());
        let abort = async || self.store.backend.abort_multipart(self.path, id).await;
        context.retry(&mut trial, abort).await
    }

    fn read(&self, offset: u64, num_bytes: u64) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; num_bytes as usize];
        match self.file.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(bytes),
            Err(source) => Err(StoreError::Local {
                path: self.local.to_owned(),
                source,
            }),
        }
    }
}
