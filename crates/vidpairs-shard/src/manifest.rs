//! Manifest of a data set, `dataset.json`. It is written last: if it is present, the data set is complete.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use vidpairs_types::{read_regular, sync_folder, write_whole};

use crate::checksum;
use crate::error::ShardError;
use crate::tracks::{TRACKS_FILE, TracksEntry};

/// File name of the manifest.
pub const MANIFEST_FILE: &str = "dataset.json";
/// Largest manifest that is read, bytes: of two million shards.
pub const MAX_MANIFEST_BYTES: u64 = 256 << 20;

/// Value of `format`.
pub const FORMAT: &str = "vidpairs";

/// `format_version` that this version writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Folder with the state of an unfinished run.
const JOURNAL_FOLDER: &str = ".journal";

/// Contents of `dataset.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Name of the format: [`FORMAT`].
    pub format: String,
    /// Version of the format. It increases when older readers would misread the data set.
    pub format_version: u32,
    /// Version of the program that wrote the data set.
    pub program_version: String,
    /// Every setting of the pipeline, with defaults filled in.
    pub pipeline: serde_json::Value,
    /// Random seed of the run.
    pub seed: u64,
    /// xxh64 of the ids of all clips of the source, in order; in JSON 16 hexadecimal digits.
    #[serde(with = "checksum::hex")]
    pub clips_xxh64: u64,
    /// Counts over the whole data set.
    pub totals: Totals,
    /// Number of files of the source that were ignored, by extension: neither videos nor frames.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ignored: BTreeMap<String, u64>,
    /// Shards, in the order of their records.
    pub shards: Vec<ShardEntry>,
    /// File of the tracklets; kind `regions` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracks: Option<TracksEntry>,
    /// Annotated boxes; only if each box is an image of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boxes: Option<BoxCounts>,
}

/// Numbers of annotated boxes by outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BoxCounts {
    /// Number of annotated boxes of images that are not refused: those that gave a record, and those left out.
    pub annotated: u64,
    /// Number of boxes that gave no record, by reason.
    pub left_out: BTreeMap<String, u64>,
}

impl BoxCounts {
    /// Number of boxes that gave no record.
    pub fn num_left_out(&self) -> u64 {
        self.left_out
            .values()
            .fold(0, |sum, &count| sum.saturating_add(count))
    }

    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        self.annotated = self.annotated.saturating_add(other.annotated);
        for (reason, count) in &other.left_out {
            let sum = self.left_out.entry(reason.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
}

/// Counts over a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Number of clips of the source, and of other inputs of it that are listed in `refused.jsonl`.
    pub clips: u64,
    /// Number of refused clips.
    pub refused: u64,
    /// Number of clips that a rule excluded.
    pub skipped: u64,
    /// Number of clips that gave pairs, but have something missing.
    pub partial: u64,
    /// Number of records.
    pub records: u64,
    /// Number of shards.
    pub shards: u64,
    /// Size of all tars, bytes.
    pub bytes: u64,
}

/// Description of one shard in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// File name of the tar.
    pub file: String,
    /// Length of the tar, bytes.
    pub bytes: u64,
    /// Number of records.
    pub records: u64,
    /// xxh64 of the tar; in JSON 16 hexadecimal digits.
    #[serde(with = "checksum::hex")]
    pub xxh64: u64,
}

impl Manifest {
    /// Manifest of a data set without tracklets and ignored files, written by this version.
    ///
    /// - `pipeline`: every setting of the pipeline.
    /// - `seed`: random seed of the run.
    /// - `clips_xxh64`: xxh64 of the ids of all clips.
    pub fn new(
        pipeline: serde_json::Value,
        seed: u64,
        clips_xxh64: u64,
        totals: Totals,
        shards: Vec<ShardEntry>,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            pipeline,
            seed,
            clips_xxh64,
            totals,
            ignored: BTreeMap::new(),
            shards,
            tracks: None,
            boxes: None,
        }
    }

    /// Writes `dir/dataset.json`, completely or not at all.
    ///
    /// # Errors
    /// [`ShardError::Write`].
    pub fn write_atomically(&self, dir: &Path) -> Result<(), ShardError> {
        let path = dir.join(MANIFEST_FILE);
        let mut json = serde_json::to_vec_pretty(self)
            .map_err(|error| ShardError::write(&path)(error.into()))?;
        json.push(b'\n');
        let journal = dir.join(JOURNAL_FOLDER);
        let folder = if journal.is_dir() { &journal } else { dir };
        let part = folder.join(format!("{MANIFEST_FILE}.part"));
        write_whole(&part, &path, |mut file| {
            file.write_all(&json)?;
            Ok(file)
        })
        .and_then(|()| sync_folder(dir))
        .map_err(ShardError::write(&path))
    }

    /// Reads `dir/dataset.json`.
    ///
    /// # Errors
    /// [`ShardError::NoSuchFolder`], [`ShardError::RunUnfinished`] or [`ShardError::NotADataset`]
    /// if there is none; [`ShardError::ManifestNewer`]; [`ShardError::ManifestUnreadable`];
    /// [`ShardError::ManifestRefused`] if it has another format, or a shard is not a `*.tar` in the same folder;
    /// [`ShardError::Read`].
    pub fn read(dir: &Path) -> Result<Self, ShardError> {
        let path = dir.join(MANIFEST_FILE);
        let json = match read_regular(&path, MAX_MANIFEST_BYTES) {
            Err(error) if is_absence(error.kind()) => return Err(why_absent(dir)),
            read => read.map_err(ShardError::read(&path))?,
        };
        let unreadable = |source| ShardError::ManifestUnreadable {
            path: path.clone(),
            source,
        };
        // Format and version first: a newer format may differ in everything else.
        let preamble: Preamble = serde_json::from_slice(&json).map_err(unreadable)?;
        preamble.check(&path)?;
        let manifest: Self = serde_json::from_slice(&json).map_err(unreadable)?;
        if let Some(tracks) = &manifest.tracks
            && tracks.file != TRACKS_FILE
        {
            return Err(refused(&path, "tracks.file", &tracks.file, TRACKS_FILE));
        }
        let mut files = manifest.shards.iter().map(|shard| &shard.file);
        match files.find(|file| !is_plain_tar(file)) {
            None => Ok(manifest),
            Some(file) => {
                let expected = "the name of a .tar in the same folder";
                Err(refused(&path, "shards.file", file, expected))
            }
        }
    }
}

fn refused(path: &Path, key: &'static str, value: &str, expected: &'static str) -> ShardError {
    ShardError::ManifestRefused {
        path: path.to_path_buf(),
        key,
        value: value.to_owned(),
        expected,
    }
}

/// Fields that every version of the format has.
#[derive(Deserialize)]
struct Preamble {
    format: String,
    format_version: u64,
}

impl Preamble {
    fn check(&self, path: &Path) -> Result<(), ShardError> {
        if self.format != FORMAT {
            return Err(refused(path, "format", &self.format, FORMAT));
        }
        match self.format_version {
            0 => Err(refused(path, "format_version", "0", "1")),
            found if found > u64::from(FORMAT_VERSION) => Err(ShardError::ManifestNewer {
                path: path.to_path_buf(),
                found,
                supported: FORMAT_VERSION,
            }),
            _ => Ok(()),
        }
    }
}

fn is_absence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn why_absent(dir: &Path) -> ShardError {
    let dir = dir.to_path_buf();
    if !dir.is_dir() {
        ShardError::NoSuchFolder { dir }
    } else if dir.join(JOURNAL_FOLDER).join("lock").exists() {
        ShardError::RunUnfinished { dir }
    } else {
        ShardError::NotADataset { dir }
    }
}

/// Whether `name` is that of a tar in the folder of the manifest, without a path.
fn is_plain_tar(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"/\\:".contains(&byte);
    name.len() > ".tar".len()
        && name.ends_with(".tar")
        && !name.contains("..")
        && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::fixtures::manifest;

    fn entry(file: &str) -> ShardEntry {
        ShardEntry {
            file: file.to_owned(),
            bytes: 2048,
            records: 1,
            xxh64: 0x00ab_cdef_0123_4567,
        }
    }

    #[test]
    fn a_manifest_is_read_as_written_and_leaves_no_other_file() {
        let dir = tempfile::tempdir().unwrap();
        let written = manifest(vec![entry("pairs-000000.tar"), entry("pairs-000001.tar")]);
        written.write_atomically(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), written);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let json = fs::read_to_string(dir.path().join("dataset.json")).unwrap();
        assert!(json.contains("\"xxh64\": \"00abcdef01234567\""), "{json}");
    }

    #[test]
    fn a_missing_manifest_gives_an_error_for_each_state_of_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let message = |dir: &Path| Manifest::read(dir).unwrap_err().to_string();
        assert!(message(&dir.path().join("typo")).starts_with("there is no folder"));
        assert!(message(dir.path()).contains("is not a data set"));
        // An empty journal is what a kill at the end of a run leaves.
        fs::create_dir(dir.path().join(".journal")).unwrap();
        assert!(message(dir.path()).contains("is not a data set"));
        fs::write(dir.path().join(".journal/lock"), "").unwrap();
        let unfinished = message(dir.path());
        assert!(
            unfinished.ends_with("is not finished: run the same command again, which resumes it"),
            "{unfinished}"
        );
    }

    #[test]
    fn other_formats_and_newer_versions_are_refused_with_different_errors() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |json: &str| {
            fs::write(dir.path().join("dataset.json"), json).unwrap();
            Manifest::read(dir.path()).unwrap_err()
        };
        let newer = refused(r#"{"format": "vidpairs", "format_version": 2, "rows": []}"#);
        assert!(matches!(newer, ShardError::ManifestNewer { found: 2, .. }));
        let other = refused(r#"{"format": "mds", "format_version": 1}"#);
        assert!(matches!(
            other,
            ShardError::ManifestRefused { key: "format", .. }
        ));
        let cut = refused(r#"{"format": "vidpairs", "format_ver"#);
        assert!(matches!(cut, ShardError::ManifestUnreadable { .. }));
    }

    #[test]
    fn a_shard_name_outside_the_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "../a.tar", "/a.tar", "b/a.tar", "..tar", ".tar", "a.zip", "a\0.tar", "",
        ] {
            manifest(vec![entry(name)])
                .write_atomically(dir.path())
                .unwrap();
            let err = Manifest::read(dir.path()).unwrap_err();
            assert!(
                matches!(err, ShardError::ManifestRefused { .. }),
                "{name:?}"
            );
        }
    }
}
