//! The journal of an unfinished set: one line for each published item, and the truth of its images.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vidpairs_run::{Journal, RunError, failed};
use vidpairs_types::{Refusal, open_own};
use xxhash_rust::xxh3::Xxh3;

use super::TRUTH_FILE;
use crate::set::Settings;
use crate::truth::Truth;

/// Settings and inputs of a set. Its bytes depend on nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Begin {
    pub program_version: String,
    pub settings: Settings,
    /// Number of objects in the catalogues, and a checksum of their ids.
    pub objects: u64,
    pub objects_xxh3: String,
    /// Number of files for backgrounds, and a checksum of their names.
    pub backgrounds: u64,
    pub backgrounds_xxh3: String,
}

/// A published or refused item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Index in the plan.
    pub item: u64,
    pub names: Vec<String>,
    pub objects: Vec<String>,
    pub images: u64,
    pub bytes: u64,
    /// Objects and backgrounds that were refused.
    pub refused: Vec<Refusal>,
    /// Refusal of the item itself.
    pub not_made: Option<Refusal>,
    /// Length of the truth with this item, bytes.
    pub truth_bytes: u64,
    /// xxh3 of these bytes.
    pub truth_xxh3: u64,
}

impl Done {
    /// Whether the files of the item are below `root`, with as many bytes as were written.
    fn is_published(&self, root: &Path) -> bool {
        let sizes: io::Result<Vec<u64>> = self
            .names
            .iter()
            .map(|name| size_of(&root.join(name)))
            .collect();
        sizes.is_ok_and(|sizes| sizes.iter().sum::<u64>() == self.bytes)
    }
}

/// Bytes of a file, or of all files below a folder. Links have none.
fn size_of(path: &Path) -> io::Result<u64> {
    let found = path.symlink_metadata()?;
    if !found.is_dir() {
        return Ok(if found.is_file() { found.len() } else { 0 });
    }
    let mut sum = 0;
    for entry in path.read_dir()? {
        sum += size_of(&entry?.path())?;
    }
    Ok(sum)
}

/// Sum of the lines.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Published {
    done: Vec<Done>,
    pub images: u64,
    pub bytes: u64,
}

impl From<Vec<Done>> for Published {
    fn from(lines: Vec<Done>) -> Self {
        let mut published = Self::default();
        lines.into_iter().for_each(|done| published.add(done));
        published
    }
}

impl Published {
    pub fn add(&mut self, done: Done) {
        self.images += done.images;
        self.bytes += done.bytes;
        self.done.push(done);
    }

    /// Number of items, published or refused.
    pub fn items(&self) -> u64 {
        self.done.len() as u64
    }

    pub fn items_made(&self) -> u64 {
        self.done
            .iter()
            .filter(|done| done.not_made.is_none())
            .count() as u64
    }

    /// Name and reason of the first item that could not be made.
    pub fn first_refused(&self) -> Option<(String, String)> {
        let refusal = self.done.iter().find_map(|done| done.not_made.as_ref())?;
        Some((refusal.id.clone(), refusal.reason.clone()))
    }

    /// Files and folders, in the order of the items.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.done
            .iter()
            .flat_map(|done| &done.names)
            .map(String::as_str)
    }

    /// Ids of the visible objects.
    pub fn objects(&self) -> BTreeSet<&str> {
        self.done
            .iter()
            .flat_map(|done| &done.objects)
            .map(String::as_str)
            .collect()
    }

    pub fn refused(&self) -> impl Iterator<Item = &Refusal> {
        self.done
            .iter()
            .flat_map(|done| done.refused.iter().chain(&done.not_made))
    }
}

/// The truth of the images that the journal lists, in its folder until the set is complete.
pub(super) struct TruthFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// Hash of these bytes.
    hash: Xxh3,
}

impl TruthFile {
    /// Opens the truth. Drops the lines of the journal from the first whose truth or files are not there as they were written, and the
    /// truth without a line: those items are made again.
    pub fn open(journal: &mut Journal<Done>, lines: &mut Vec<Done>) -> Result<Self, RunError> {
        let path = journal.out().journal_folder().join(TRUTH_FILE);
        let file = open_own(File::options().read(true).append(true).create(true), &path);
        let file = file.map_err(failed("open", &path))?;
        let (mut count, mut bytes, mut hash) = (0, 0, Xxh3::new());
        let mut reader = BufReader::new(&file);
        for (item, done) in (0..).zip(&*lines) {
            let Some(more) = done.truth_bytes.checked_sub(bytes) else {
                break;
            };
            let mut with_item = hash.clone();
            let read = hash_next(&mut reader, more, &mut with_item);
            let is_whole =
                read.map_err(failed("read", &path))? && with_item.digest() == done.truth_xxh3;
            if !is_whole || done.item != item || !done.is_published(journal.out().path()) {
                break;
            }
            (count, bytes, hash) = (count + 1, done.truth_bytes, with_item);
        }
        lines.truncate(count);
        journal.keep(count)?;
        file.set_len(bytes).map_err(failed("shorten", &path))?;
        Ok(Self {
            path,
            file,
            bytes,
            hash,
        })
    }

    /// Appends `truths` and returns the length and the xxh3 with them.
    pub fn add(&mut self, truths: &[Truth]) -> Result<(u64, u64), RunError> {
        let mut text = Vec::new();
        for truth in truths {
            serde_json::to_writer(&mut text, truth)
                .map_err(|err| failed("write", &self.path)(io::Error::other(err)))?;
            text.push(b'\n');
        }
        let written = self.file.write_all(&text);
        let written = written.and_then(|()| self.file.sync_data());
        written.map_err(failed("write", &self.path))?;
        self.bytes += text.len() as u64;
        self.hash.update(&text);
        Ok((self.bytes, self.hash.digest()))
    }
}

/// Hashes the next `num_bytes` bytes; `false` if there are fewer.
fn hash_next(reader: &mut impl Read, num_bytes: u64, hash: &mut Xxh3) -> io::Result<bool> {
    let mut left = num_bytes;
    let mut chunk = [0; 16 << 10];
    while left > 0 {
        let wanted = left.min(chunk.len() as u64) as usize;
        let (part, _) = chunk.split_at_mut(wanted);
        match reader.read(part) {
            Ok(0) => return Ok(false),
            Ok(num) => {
                hash.update(part.get(..num).unwrap_or_default());
                left -= num as u64;
            }
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
    Ok(true)
}
