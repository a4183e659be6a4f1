//! Fetches objects into local files.

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path as LocalPath;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange};
use vidpairs_types::create_fresh;

use crate::error::{Action, StoreError};
use crate::runtime::{Moved, Watch, run};
use crate::store::{Meta, Store};
use crate::transport::ended_early;
use crate::version::Version;

/// A continued body that has gained this many bytes since the last failure has all its tries again.
const PROGRESS_BYTES: u64 = 1 << 20;

type Chunks = BoxStream<'static, object_store::Result<Bytes>>;

impl Store {
    /// Fetches a whole object into a file. A large one comes in several ranges at once; a cut body is continued where it stopped. All
    /// bytes are of one version of the object.
    ///
    /// - `expected`: version that the object must have, if any.
    /// - `into`: path of the file. A file of that name is removed first. After an error there is none. Not synced to the disk.
    /// - Returns size and version of the object.
    ///
    /// # Errors
    /// [`StoreError::Changed`] if the object has another version or changes meanwhile, [`StoreError::Local`] if the file cannot be
    /// written, and all that a request can meet.
    pub fn fetch(
        &self,
        name: &str,
        expected: Option<&Version>,
        into: &LocalPath,
        watch: &dyn Watch,
    ) -> Result<Meta, StoreError> {
        // Before a file is touched.
        self.path(name)?;
        let file = create_fresh(into).map_err(|source| StoreError::Local {
            path: into.to_owned(),
            source,
        })?;
        let fetched = self.fetch_into(name, expected, &file, into, watch);
        if fetched.is_err() {
            let _ = fs::remove_file(into);
        }
        fetched
    }

    fn fetch_into(
        &self,
        name: &str,
        expected: Option<&Version>,
        file: &File,
        into: &LocalPath,
        watch: &dyn Watch,
    ) -> Result<Meta, StoreError> {
        let path = self.path(name)?;
        let moved = Moved::default();
        let fetch = Fetch {
            store: self,
            path: &path,
            url: self.url(name),
            file,
            into,
            moved: &moved,
        };
        run(watch, &moved, fetch.whole(expected))
    }
}

struct Fetch<'a> {
    store: &'a Store,
    path: &'a Path,
    url: String,
    file: &'a File,
    into: &'a LocalPath,
    moved: &'a Moved,
}

impl Fetch<'_> {
    async fn whole(&self, expected: Option<&Version>) -> Result<Meta, StoreError> {
        let (meta, first) = self.open(None, expected).await?;
        let part_bytes = self.store.context.options.part_bytes.max(1);
        let num_parts = meta.num_bytes.div_ceil(part_bytes);
        // The first part takes the beginning of the answer that also told the size.
        let mut first = Some(first);
        let parts = (0..num_parts).map(|nth| {
            let start = nth * part_bytes;
            let end = (start + part_bytes).min(meta.num_bytes);
            self.part(start..end, &meta, first.take())
        });
        let num_parallel = self.store.context.options.num_parallel.max(1);
        let parts = stream::iter(parts).buffer_unordered(num_parallel);
        parts.try_for_each(|()| std::future::ready(Ok(()))).await?;
        Ok(meta)
    }

    /// Requests a range, or all, of the expected version.
    async fn open(
        &self,
        range: Option<Range<u64>>,
        expected: Option<&Version>,
    ) -> Result<(Meta, Chunks), StoreError> {
        let context = &self.store.context;
        let mut request = GetOptions::new().with_range(range.map(GetRange::Bounded));
        if let Some(expected) = expected {
            expected.require(&mut request);
        }
        let mut trial = context.trial(Action::Read, self.url.clone());
        let get = async || {
            self.store
                .backend
                .get_opts(self.path, request.clone())
                .await
        };
        let found = context.retry(&mut trial, get).await?;
        if expected.is_some_and(|expected| !expected.is_that_of(&found.meta)) {
            return Err(StoreError::Changed {
                url: self.url.clone(),
            });
        }
        Ok((Meta::of(&found.meta), found.into_stream()))
    }

    /// Fetches a range into its place in the file.
    async fn part(
        &self,
        mut range: Range<u64>,
        whole: &Meta,
        mut opened: Option<Chunks>,
    ) -> Result<(), StoreError> {
        let mut trial = self.store.context.trial(Action::Read, self.url.clone());
        let mut progress = 0;
        while !range.is_empty() {
            let mut chunks = match opened.take() {
                Some(chunks) => chunks,
                None => {
                    let (meta, chunks) =
                        self.open(Some(range.clone()), Some(&whole.version)).await?;
                    if meta.num_bytes != whole.num_bytes {
                        return Err(StoreError::Changed {
                            url: self.url.clone(),
                        });
                    }
                    chunks
                }
            };
            let cut = loop {
                let chunk = match chunks.try_next().await {
                    Ok(Some(chunk)) => chunk,
                    Ok(None) => break ended_early(),
                    Err(err) => break err,
                };
                let wanted = (range.end - range.start).min(chunk.len() as u64) as usize;
                self.write(&chunk[..wanted], range.start)?;
                range.start += wanted as u64;
                progress += wanted as u64;
                self.moved.add(wanted);
                if range.is_empty() {
                    return Ok(());
                }
                // Lets the watch have its turn while chunks are always ready.
                tokio::task::consume_budget().await;
            };
            if progress >= PROGRESS_BYTES {
                trial.begin_anew();
                progress = 0;
            }
            trial.pause_after(&cut).await?;
        }
        Ok(())
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<(), StoreError> {
        let written = self.file.write_all_at(bytes, offset);
        written.map_err(|source| StoreError::Local {
            path: self.into.to_owned(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use vidpairs_fixtures::s3::Bucket;

    use super::*;
    use crate::location::Location;
    use crate::options::Options;

    #[test]
    fn a_full_disk_is_told_by_the_kind_of_the_error() {
        let bucket = Bucket::new();
        bucket.put("clip", &[7; 100_000]);
        let location = Location::parse(&bucket.url("")).unwrap();
        let options = Options::with_environment(bucket.env(None));
        let store = Store::open(location, options).unwrap();
        let full = LocalPath::new("/dev/full");
        let file = File::options().write(true).open(full).unwrap();
        let err = store
            .fetch_into("clip", None, &file, full, &|_| true)
            .unwrap_err();
        assert!(!err.is_of_one_object());
        let StoreError::Local { path, source } = err else {
            panic!("{err}");
        };
        assert_eq!(
            (path.as_path(), source.kind()),
            (full, io::ErrorKind::StorageFull)
        );
        assert_eq!(store.num_retries(), 0);
    }
}
