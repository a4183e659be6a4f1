//! What the manifest of a merged data set states of its parts.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::ShardError;
use crate::manifest::{FORMAT_VERSION, Manifest, ShardEntry, check_tars, refused};
use crate::parts::Part;
use crate::record_order::{ORDER_FILE, OrderEntry};
use crate::tracks::{TRACKS_FILE, TracksEntry};

/// The parts of a merged data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartsEntry {
    /// File with the order of the records.
    pub order: OrderEntry,
    /// Every part, in order.
    pub list: Vec<PartEntry>,
}

/// One part of a merged data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartEntry {
    /// Name of its folder, in which its shards are.
    pub folder: String,
    /// Number of its clips.
    pub clips: u64,
    /// Number of its shards.
    pub shards: u64,
    /// Number of its records.
    pub records: u64,
    /// File of its tracklets; kind `regions` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracks: Option<TracksEntry>,
}

impl Manifest {
    /// The same data set, made in `parts`.
    #[must_use]
    pub fn with_parts(self, parts: PartsEntry) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            parts: Some(parts),
            ..self
        }
    }

    /// Shards of each part, in order; of a manifest that was read, they are all of its shards.
    pub fn shards_of_parts(&self) -> Vec<&[ShardEntry]> {
        let mut shards = self.shards.as_slice();
        let parts = self.parts.iter().flat_map(|parts| &parts.list);
        parts
            .map(|part| {
                let num = usize::try_from(part.shards).unwrap_or(usize::MAX);
                let (own, others) = shards.split_at(num.min(shards.len()));
                shards = others;
                own
            })
            .collect()
    }
}

impl PartsEntry {
    /// Whether every file of the parts lies in the folder of its part, and the numbers are those of `shards`.
    ///
    /// - `path`: of the manifest, for errors.
    pub(crate) fn check(&self, path: &Path, shards: &[ShardEntry]) -> Result<(), ShardError> {
        if self.order.file != ORDER_FILE {
            let file = &self.order.file;
            return Err(refused(path, "parts.order.file", file, ORDER_FILE));
        }
        let mut shards = shards;
        let of = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        for (index, entry) in (0..of).zip(&self.list) {
            let folder = Part::new(index, of).map(Part::folder);
            if folder.as_ref() != Some(&entry.folder) {
                let expected = "part-<index>-of-<number of parts>, in order";
                return Err(refused(path, "parts.list.folder", &entry.folder, expected));
            }
            let num = usize::try_from(entry.shards).unwrap_or(usize::MAX);
            let Some((own, others)) = shards.split_at_checked(num) else {
                let expected = "the number of its shards in the manifest";
                let found = num.to_string();
                return Err(refused(path, "parts.list.shards", &found, expected));
            };
            entry.check(path, own)?;
            shards = others;
        }
        let expected = "a shard of a part";
        match shards.first() {
            None => Ok(()),
            Some(shard) => Err(refused(path, "shards.file", &shard.file, expected)),
        }
    }
}

impl PartEntry {
    fn check(&self, path: &Path, shards: &[ShardEntry]) -> Result<(), ShardError> {
        let prefix = format!("{}/", self.folder);
        check_tars(path, shards, &prefix)?;
        let records = shards.iter().map(|shard| shard.records);
        if records.fold(0, u64::saturating_add) != self.records {
            let (key, found) = ("parts.list.records", self.records.to_string());
            return Err(refused(path, key, &found, "the sum over its shards"));
        }
        let name = format!("{prefix}{TRACKS_FILE}");
        let tracks = self.tracks.as_ref();
        match tracks.filter(|tracks| tracks.file != name) {
            None => Ok(()),
            Some(tracks) => {
                let key = "parts.list.tracks.file";
                let expected = "tracks.jsonl.zst in the folder of the part";
                Err(refused(path, key, &tracks.file, expected))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::manifest;

    #[test]
    fn a_merged_manifest_names_files_in_the_folders_of_its_parts_alone() {
        let shard = |part: u32| ShardEntry {
            file: format!("part-0000{part}-of-00002/pairs-0000{part}-000000.tar"),
            bytes: 2048,
            records: 3,
            xxh64: 0,
        };
        let entry = |part: u32| PartEntry {
            folder: format!("part-0000{part}-of-00002"),
            clips: 1,
            shards: 1,
            records: 3,
            tracks: None,
        };
        let order = OrderEntry {
            file: ORDER_FILE.to_owned(),
            bytes: 0,
            xxh64: 0,
        };
        let list = vec![entry(0), entry(1)];
        let sound = manifest(vec![shard(0), shard(1)]).with_parts(PartsEntry { order, list });
        let read = |manifest: &Manifest| {
            let json = serde_json::to_vec(manifest).unwrap();
            Manifest::of_json(&json, Path::new("dataset.json"))
        };
        assert_eq!(read(&sound).unwrap(), sound);
        type Change = fn(&mut Manifest, &mut PartsEntry);
        let changes: [(&str, Change); 9] = [
            ("shards.file", |whole, _| {
                whole.shards[0].file = "pairs-000000.tar".to_owned()
            }),
            ("shards.file", |whole, _| whole.shards.swap(0, 1)),
            ("shards.file", |whole, _| {
                whole.shards[1].file = "part-00001-of-00002/../a.tar".to_owned();
            }),
            ("shards.file", |_, parts| {
                parts.list[1].shards = 0;
                parts.list[1].records = 0;
            }),
            ("parts.list.shards", |_, parts| {
                parts.list[0].shards = u64::MAX
            }),
            ("parts.list.records", |_, parts| parts.list[0].records = 4),
            ("parts.list.folder", |_, parts| parts.list.swap(0, 1)),
            ("parts.list.folder", |_, parts| drop(parts.list.pop())),
            ("parts.order.file", |_, parts| {
                parts.order.file = "/etc/passwd".to_owned()
            }),
        ];
        for (key, change) in changes {
            let mut changed = sound.clone();
            let mut parts = changed.parts.take().unwrap();
            change(&mut changed, &mut parts);
            changed.parts = Some(parts);
            let err = read(&changed).unwrap_err();
            let found = match &err {
                ShardError::ManifestRefused { key, .. } => *key,
                _ => panic!("{err}"),
            };
            assert_eq!(found, key, "{err}");
        }
    }
}
