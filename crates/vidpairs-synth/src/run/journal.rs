//! The journal of an unfinished set: one line for each published item, and the truth of its images.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vidpairs_run::{Journal, RunError, failed};
use vidpairs_types::{Refusal, open_own};

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
}

impl TruthFile {
    /// Opens the truth, and drops the lines of the journal whose truth is not there, and the truth without a line.
    pub fn open(journal: &mut Journal<Done>, lines: &mut Vec<Done>) -> Result<Self, RunError> {
        let path = journal.out().journal_folder().join(TRUTH_FILE);
        let file = open_own(File::options().append(true).create(true), &path);
        let file = file.map_err(failed("open", &path))?;
        let length = file.metadata().map_err(failed("read", &path))?.len();
        let is_there = |(item, done): (u64, &Done)| done.item == item && done.truth_bytes <= length;
        let count = (0..)
            .zip(&*lines)
            .take_while(|&line| is_there(line))
            .count();
        lines.truncate(count);
        journal.keep(count)?;
        let bytes = lines.last().map_or(0, |done| done.truth_bytes);
        file.set_len(bytes).map_err(failed("shorten", &path))?;
        Ok(Self { path, file, bytes })
    }

    /// Appends `truths` and returns the length with them.
    pub fn add(&mut self, truths: &[Truth]) -> Result<u64, RunError> {
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
        Ok(self.bytes)
    }
}
