//! A file of the journal that only grows, kept in a store as numbered segments of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use vidpairs_run::{JOURNAL_FOLDER, RunError, failed};
use vidpairs_store::{Store, Watch};
use vidpairs_types::{create_fresh, open_regular};

use crate::run::stored;

/// Largest segment, bytes. The last one is written anew until it has this size.
const MAX_SEGMENT_BYTES: u64 = 8 << 20;
/// Digits of the number of a segment, behind a dash.
const DIGITS: usize = 6;

/// What of a file is in the store: `.journal/NAME-000000`, `.journal/NAME-000001` and so on.
#[derive(Debug, Default)]
pub(super) struct SegmentedFile {
    name: String,
    /// Lengths of the segments, bytes.
    segments: Vec<u64>,
}

impl SegmentedFile {
    /// The file `name`, of which nothing is in the store.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            segments: Vec::new(),
        }
    }

    /// What `objects`, a listing of the run with the lengths of all objects, holds of the file `name`: the segments before the first gap.
    pub fn in_listing(name: &str, objects: &BTreeMap<String, u64>) -> Self {
        let mut found = Self::new(name);
        while let Some(bytes) = objects.get(&found.object(found.segments.len())) {
            found.segments.push(*bytes);
        }
        found
    }

    /// The names of all files of which a listing holds a segment.
    pub fn names(objects: &BTreeMap<String, u64>) -> Vec<&str> {
        let mut names: Vec<&str> = objects.keys().filter_map(|name| name_of(name)).collect();
        names.dedup();
        names
    }

    /// Name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of bytes in the store.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().sum()
    }

    fn object(&self, number: usize) -> String {
        format!("{JOURNAL_FOLDER}/{}-{number:0DIGITS$}", self.name)
    }

    /// Writes the file into `folder` again.
    pub fn fetch(&self, store: &Store, folder: &Path, watch: &dyn Watch) -> Result<(), RunError> {
        let path = folder.join(&self.name);
        let mut file = create_fresh(&path).map_err(failed("create", &path))?;
        for number in 0..self.segments.len() {
            let bytes = self.read_segment(number, store, watch)?;
            file.write_all(&bytes).map_err(failed("write", &path))?;
        }
        Ok(())
    }

    /// What the store has of the file.
    pub fn read(&self, store: &Store, watch: &dyn Watch) -> Result<Vec<u8>, RunError> {
        let mut all = Vec::new();
        for number in 0..self.segments.len() {
            all.extend(self.read_segment(number, store, watch)?);
        }
        Ok(all)
    }

    fn read_segment(
        &self,
        number: usize,
        store: &Store,
        watch: &dyn Watch,
    ) -> Result<Vec<u8>, RunError> {
        let read = store.read(&self.object(number), MAX_SEGMENT_BYTES, watch);
        Ok(read.map_err(stored::failed)?.0)
    }

    /// Uploads the first `bytes` bytes of the file in `folder`. Returns `false` if there is no such file any more.
    pub fn upload(
        &mut self,
        store: &Store,
        folder: &Path,
        bytes: u64,
        watch: &dyn Watch,
    ) -> Result<bool, RunError> {
        if self.bytes() >= bytes {
            return Ok(true);
        }
        let path = folder.join(&self.name);
        let file = match open_regular(&path) {
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(failed("open", &path))?,
        };
        let is_open = |last: &u64| *last < MAX_SEGMENT_BYTES;
        let open = self.segments.last().copied().filter(is_open);
        let mut number = self.segments.len() - usize::from(open.is_some());
        let mut start = self.bytes() - open.unwrap_or(0);
        while start < bytes {
            let end = bytes.min(start + MAX_SEGMENT_BYTES);
            self.put(store, number, &file, &path, start..end, watch)?;
            (number, start) = (number + 1, end);
        }
        Ok(true)
    }

    /// Writes the segment `number` over one that may be there.
    fn put(
        &mut self,
        store: &Store,
        number: usize,
        file: &File,
        path: &Path,
        range: std::ops::Range<u64>,
        watch: &dyn Watch,
    ) -> Result<(), RunError> {
        let num_bytes = range.end - range.start;
        let mut segment = vec![0; num_bytes as usize];
        file.read_exact_at(&mut segment, range.start)
            .map_err(failed("read", path))?;
        let put = store.put(&self.object(number), segment, watch);
        put.map_err(stored::failed)?;
        self.segments.truncate(number);
        self.segments.push(num_bytes);
        Ok(())
    }

    /// Removes the file.
    pub fn remove(&mut self, store: &Store, watch: &dyn Watch) -> Result<(), RunError> {
        while !self.segments.is_empty() {
            self.remove_last(store, watch)?;
        }
        Ok(())
    }

    /// Makes the store agree with the file in `folder`, of which the first `same` bytes are those of the store. The store holds a beginning of
    /// the one or the other at any time.
    pub fn agree(
        &mut self,
        store: &Store,
        folder: &Path,
        same: u64,
        watch: &dyn Watch,
    ) -> Result<(), RunError> {
        if self.bytes() <= same {
            return Ok(());
        }
        let path = folder.join(&self.name);
        let (file, bytes) = match open_regular(&path) {
            Err(err) if err.kind() == ErrorKind::NotFound => return self.remove(store, watch),
            opened => {
                let opened = opened.and_then(|file| {
                    let bytes = file.metadata()?.len();
                    Ok((file, bytes))
                });
                opened.map_err(failed("open", &path))?
            }
        };
        if bytes == 0 {
            return self.remove(store, watch);
        }
        let start = |file: &Self| file.bytes() - file.segments.last().copied().unwrap_or(0);
        while self.segments.len() > 1 && start(self) >= same {
            self.remove_last(store, watch)?;
        }
        let (number, start) = (self.segments.len() - 1, start(self));
        let end = bytes.min(start + MAX_SEGMENT_BYTES);
        self.put(store, number, &file, &path, start..end, watch)
    }

    fn remove_last(&mut self, store: &Store, watch: &dyn Watch) -> Result<(), RunError> {
        let last = self.object(self.segments.len().saturating_sub(1));
        store.delete(&last, watch).map_err(stored::failed)?;
        self.segments.pop();
        Ok(())
    }

    /// Number of bytes that the file in `folder` has in common with `stored`, from the beginning; 0 if there is no such file.
    pub fn num_same(&self, stored: &[u8], folder: &Path) -> Result<u64, RunError> {
        let path = folder.join(&self.name);
        let same = || -> io::Result<usize> {
            let file = match open_regular(&path) {
                Err(err) if err.kind() == ErrorKind::NotFound => return Ok(0),
                opened => opened?,
            };
            let bytes = file.metadata()?.len().min(stored.len() as u64);
            let mut found = vec![0; bytes as usize];
            file.read_exact_at(&mut found, 0)?;
            let pairs = found.iter().zip(stored);
            Ok(pairs.take_while(|(found, stored)| found == stored).count())
        };
        Ok(same().map_err(failed("read", &path))? as u64)
    }
}

/// The name of the file of which the object `name` of a run is a segment.
fn name_of(object: &str) -> Option<&str> {
    let name = object.strip_prefix(JOURNAL_FOLDER)?.strip_prefix('/')?;
    let (name, number) = name.rsplit_once('-')?;
    let is_number = number.len() == DIGITS && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !name.contains('/')).then_some(name)
}
