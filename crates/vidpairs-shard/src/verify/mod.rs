//! Verifies every byte of a data set against its manifest, its headers and its JSON.

mod cuts;
mod shard;
mod tracks;

pub use cuts::verify_cuts;
pub use shard::verify_shard;
pub use tracks::verify_tracks;

use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use vidpairs_types::open_regular;

use crate::checksum::FileHash;
use crate::cuts::CUTS_FILE;
use crate::damage::{Damage, DamageList, Fault};
use crate::error::ShardError;
use crate::manifest::{MANIFEST_FILE, Manifest, ShardEntry};
use crate::record_order::{ORDER_FILE, RecordOrder};
use crate::tracks::TRACKS_FILE;

/// Result of [`verify_shard`], [`verify_tracks`] or [`verify_cuts`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardVerdict {
    /// Name of the file.
    pub file: String,
    /// Number of records found, including damaged ones; 0 for tracklets and cuts.
    pub records: u64,
    /// All damage, in the order of the checks: the file, its index, its records.
    pub damage: DamageList,
    /// Clips whose pairs the shard holds, in order; of a shuffled data set, a span for each pair. No two spans of a data set may share a
    /// pair.
    pub clips: Vec<ClipSpan>,
}

/// Pairs of one clip that a shard holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClipSpan {
    /// Ordinal of the clip.
    pub clip: u64,
    /// Ordinal of the clip's first pair in the shard.
    pub first: u64,
    /// Ordinal of the clip's last pair in the shard.
    pub last: u64,
}

/// Checks the data set as a whole: `pairs-*` files that the manifest does not list, shards listed twice, and totals that
/// are not the sums over the shards. A folder of a part that is missing is no damage by itself: its files are missing.
///
/// # Errors
/// [`ShardError::Read`] if a folder cannot be listed.
pub fn verify_manifest(dir: &Path, manifest: &Manifest) -> Result<DamageList, ShardError> {
    let mut damage = DamageList::default();
    let mut listed = HashSet::new();
    for shard in &manifest.shards {
        if !listed.insert(shard.file.as_str()) {
            damage.push(Damage::of_file(&shard.file, Fault::ListedTwice));
        }
    }
    let mut unlisted = unlisted_files(dir, "", &listed, manifest.tracks.is_some())?;
    for part in manifest.parts.iter().flat_map(|parts| &parts.list) {
        let folder = format!("{}/", part.folder);
        unlisted.extend(unlisted_files(
            dir,
            &folder,
            &listed,
            part.tracks.is_some(),
        )?);
    }
    if manifest.cuts.is_none() && dir.join(CUTS_FILE).symlink_metadata().is_ok() {
        unlisted.push(CUTS_FILE.to_owned());
    }
    unlisted.sort(); // `read_dir` has no order
    for name in &unlisted {
        damage.push(Damage::of_file(name, Fault::NotInManifest));
    }

    let sum = |count: fn(&ShardEntry) -> u64| {
        let counts = manifest.shards.iter().map(count);
        counts.fold(0, u64::saturating_add)
    };
    let totals = &manifest.totals;
    for (total, stated, sum) in [
        ("records", totals.records, sum(|shard| shard.records)),
        ("bytes", totals.bytes, sum(|shard| shard.bytes)),
        ("shards", totals.shards, sum(|_| 1)),
    ] {
        if stated != sum {
            let fault = Fault::Total { total, stated, sum };
            damage.push(Damage::of_file(MANIFEST_FILE, fault));
        }
    }
    Ok(damage)
}

/// Names of shards, and of a file of tracklets, in the folder `prefix` of `dir` that the manifest does not list.
fn unlisted_files(
    dir: &Path,
    prefix: &str,
    listed: &HashSet<&str>,
    has_tracks: bool,
) -> Result<Vec<String>, ShardError> {
    let folder = dir.join(prefix);
    let mut unlisted = Vec::new();
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound && !prefix.is_empty() => {
            return Ok(unlisted);
        }
        entries => entries.map_err(ShardError::read(&folder))?,
    };
    for entry in entries {
        let name = entry.map_err(ShardError::read(&folder))?.file_name();
        let name = name.to_string_lossy();
        let stem = name.strip_suffix(".tar").or(name.strip_suffix(".idx"));
        let is_listed = |stem: &str| listed.contains(format!("{prefix}{stem}.tar").as_str());
        let is_shard = stem.is_some_and(|stem| stem.starts_with("pairs-") && !is_listed(stem));
        if is_shard || (name == TRACKS_FILE && !has_tracks) {
            unlisted.push(format!("{prefix}{name}"));
        }
    }
    Ok(unlisted)
}

/// Checks that the order of a data set with parts is that of the keys in the `.idx` files of its shards, which are sound.
///
/// Returns `None` as soon as `keep_going` returns `false`. It is called for each shard.
///
/// # Errors
/// [`ShardError::Read`].
pub fn verify_order(
    dir: &Path,
    manifest: &Manifest,
    keep_going: &dyn Fn() -> bool,
) -> Result<Option<DamageList>, ShardError> {
    let mut damage = DamageList::default();
    let stored = match RecordOrder::read(dir, manifest) {
        Ok(None) => return Ok(Some(damage)),
        Ok(Some(stored)) => Ok(stored),
        Err(error) => Err(error),
    };
    let checked = stored.and_then(|stored| {
        let found = RecordOrder::of_parts(dir, &manifest.shards_of_parts(), keep_going)?;
        Ok(found.map(|found| found == stored))
    });
    match checked {
        Ok(None) => return Ok(None),
        Ok(Some(true)) => {}
        Ok(Some(false)) => damage.push(Damage::of_file(ORDER_FILE, Fault::OtherOrder)),
        Err(ShardError::Damaged(found)) => damage.push(*found),
        Err(error) => return Err(error),
    }
    Ok(Some(damage))
}

/// File under verification.
struct FileVerifier<'a> {
    path: PathBuf,
    name: &'a str,
    keep_going: &'a dyn Fn(u64) -> bool,
    damage: DamageList,
}

impl<'a> FileVerifier<'a> {
    fn new(dir: &Path, name: &'a str, keep_going: &'a dyn Fn(u64) -> bool) -> Self {
        Self {
            path: dir.join(name),
            name,
            keep_going,
            damage: DamageList::default(),
        }
    }

    fn report(&mut self, fault: Fault) {
        self.damage.push(Damage::of_file(self.name, fault));
    }

    /// Compares length and xxh64 with the manifest. Of a file that is longer, no more than one byte beyond is read. Returns whether the
    /// whole file could be read; `None` if
    /// `keep_going` returns `false`.
    fn check_bytes(&mut self, bytes: u64, xxh64: u64) -> Option<bool> {
        let mut hash = FileHash::new();
        let mut found = 0;
        let hashed = open_regular(&self.path).and_then(|mut file| {
            let limit = bytes.saturating_add(1);
            let is_going = hash.update_from(&mut file, limit, self.keep_going)?;
            // A file that grows or shrinks meanwhile has at least the bytes that were read.
            found = match hash.bytes > bytes {
                true => file.metadata()?.len().max(hash.bytes),
                false => hash.bytes,
            };
            Ok(is_going)
        });
        match hashed {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                self.report(match error.kind() {
                    ErrorKind::NotFound => Fault::TarMissing,
                    _ => unreadable(hash.bytes, &error),
                });
                return Some(false);
            }
        }
        let manifest = bytes;
        if found != manifest {
            self.report(Fault::Bytes { found, manifest });
        }
        let (found, manifest) = (hash.xxh64(), xxh64);
        if found != manifest {
            self.report(Fault::Xxh64 { found, manifest });
        }
        Some(true)
    }
}

fn unreadable(offset: u64, error: &io::Error) -> Fault {
    let reason = error.to_string();
    Fault::Unreadable { offset, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{manifest, write_shard};
    use crate::writer::ShardName;

    #[test]
    fn unlisted_files_repeated_shards_and_wrong_totals_are_damage() {
        let dir = tempfile::tempdir().unwrap();
        let entry = write_shard(dir.path(), 0, 0..2);
        let mut manifest = manifest(vec![entry.clone()]);
        assert_eq!(verify_manifest(dir.path(), &manifest).unwrap().num(), 0);
        write_shard(dir.path(), 1, 0..1);
        fs::remove_file(dir.path().join(ShardName::from(0).index())).unwrap();
        manifest.shards.push(entry);
        let damage = verify_manifest(dir.path(), &manifest).unwrap();
        let messages: Vec<String> = damage.listed().iter().map(Damage::to_string).collect();
        assert_eq!(
            messages[..4],
            [
                "pairs-000000.tar: the manifest lists this file more than once",
                "pairs-000001.idx: the manifest does not list this file",
                "pairs-000001.tar: the manifest does not list this file",
                "dataset.json: totals.records is 2; the sum over the shards is 4",
            ]
        );
    }
}
