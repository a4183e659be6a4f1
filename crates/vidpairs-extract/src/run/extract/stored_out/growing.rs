//! A file of the journal that only grows, kept in a store as numbered pieces of it.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use vidpairs_run::{JOURNAL_FOLDER, RunError, failed};
use vidpairs_store::{Store, Watch};
use vidpairs_types::{create_fresh, open_regular};

use crate::run::stored;

/// Largest piece, bytes.
const MAX_PIECE_BYTES: u64 = 8 << 20;
/// Digits of the number of a piece, behind a dash.
const DIGITS: usize = 6;

/// What of a file is in the store: `.journal/NAME-000000`, `.journal/NAME-000001` and so on.
#[derive(Debug, Default)]
pub(super) struct Growing {
    name: String,
    /// Lengths of the pieces, bytes.
    pieces: Vec<u64>,
}

impl Growing {
    /// The file `name`, of which nothing is in the store.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            pieces: Vec::new(),
        }
    }

    /// What `objects`, a listing of the run with the lengths of all objects, holds of the file `name`: the pieces before the first gap.
    pub fn found(name: &str, objects: &BTreeMap<String, u64>) -> Self {
        let mut found = Self::new(name);
        while let Some(bytes) = objects.get(&found.object(found.pieces.len())) {
            found.pieces.push(*bytes);
        }
        found
    }

    /// The name of the file of which the object `name` of a run is a piece.
    pub fn name_of(object: &str) -> Option<&str> {
        let name = object.strip_prefix(JOURNAL_FOLDER)?.strip_prefix('/')?;
        let (name, number) = name.rsplit_once('-')?;
        let is_number = number.len() == DIGITS && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && !name.contains('/')).then_some(name)
    }

    /// Name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of bytes in the store.
    pub fn bytes(&self) -> u64 {
        self.pieces.iter().sum()
    }

    fn object(&self, number: usize) -> String {
        format!("{JOURNAL_FOLDER}/{}-{number:0DIGITS$}", self.name)
    }

    /// Writes the file into `folder` again.
    pub fn fetch(&self, store: &Store, folder: &Path, watch: &dyn Watch) -> Result<(), RunError> {
        let path = folder.join(&self.name);
        let mut file = create_fresh(&path).map_err(failed("create", &path))?;
        for number in 0..self.pieces.len() {
            let bytes = self.read_piece(number, store, watch)?;
            file.write_all(&bytes).map_err(failed("write", &path))?;
        }
        Ok(())
    }

    /// What the store has of the file.
    pub fn read(&self, store: &Store, watch: &dyn Watch) -> Result<Vec<u8>, RunError> {
        let mut all = Vec::new();
        for number in 0..self.pieces.len() {
            all.extend(self.read_piece(number, store, watch)?);
        }
        Ok(all)
    }

    fn read_piece(
        &self,
        number: usize,
        store: &Store,
        watch: &dyn Watch,
    ) -> Result<Vec<u8>, RunError> {
        let read = store.read(&self.object(number), MAX_PIECE_BYTES, watch);
        Ok(read.map_err(stored::failed)?.0)
    }

    /// Brings the first `bytes` bytes of the file in `folder` into the store. Returns `false` if the file has moved on.
    pub fn follow(
        &mut self,
        store: &Store,
        folder: &Path,
        bytes: u64,
        watch: &dyn Watch,
    ) -> Result<bool, RunError> {
        let path = folder.join(&self.name);
        let mut start = self.bytes();
        if start >= bytes {
            return Ok(true);
        }
        let file = match open_regular(&path) {
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(failed("open", &path))?,
        };
        while start < bytes {
            let mut piece = vec![0; MAX_PIECE_BYTES.min(bytes - start) as usize];
            file.read_exact_at(&mut piece, start)
                .map_err(failed("read", &path))?;
            let num_bytes = piece.len() as u64;
            let name = self.object(self.pieces.len());
            store.put(&name, piece, watch).map_err(stored::failed)?;
            self.pieces.push(num_bytes);
            start += num_bytes;
        }
        Ok(true)
    }

    /// Removes the pieces that reach beyond the first `bytes` bytes, the last one first.
    pub fn cut(&mut self, store: &Store, bytes: u64, watch: &dyn Watch) -> Result<(), RunError> {
        while self.bytes() > bytes {
            let last = self.object(self.pieces.len() - 1);
            store.delete(&last, watch).map_err(stored::failed)?;
            self.pieces.pop();
        }
        Ok(())
    }

    /// Whether the file in `folder` begins with what is in the store.
    pub fn is_start_of(&self, stored: &[u8], folder: &Path) -> Result<bool, RunError> {
        let path = folder.join(&self.name);
        let same = || -> io::Result<bool> {
            let file = match open_regular(&path) {
                Err(err) if err.kind() == ErrorKind::NotFound => return Ok(stored.is_empty()),
                opened => opened?,
            };
            if file.metadata()?.len() < stored.len() as u64 {
                return Ok(false);
            }
            let mut found = vec![0; stored.len()];
            file.read_exact_at(&mut found, 0)?;
            Ok(found == stored)
        };
        same().map_err(failed("read", &path))
    }
}
