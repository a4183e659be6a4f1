//! Manifest of a data set, `dataset.json`. It is written last: if it is present, the data set is complete.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use vidpairs_types::{read_regular, sync_folder, write_whole};
use xxhash_rust::xxh64::xxh64;

use crate::checksum;
use crate::cuts::{CUTS_FILE, CutsEntry};
use crate::error::ShardError;
use crate::merged::PartsEntry;
use crate::parts::{PARTS_FILE, Part};
use crate::tracks::{TRACKS_FILE, TrackletCounts, TracksEntry};

/// File name of the manifest.
pub const MANIFEST_FILE: &str = "dataset.json";
/// Largest manifest that is read, bytes: of two million shards.
pub const MAX_MANIFEST_BYTES: u64 = 256 << 20;

/// Value of `format`.
pub const FORMAT: &str = "vidpairs";

/// Newest `format_version` that is read: that of data sets with parts. Others have version 1, so that early versions read them.
pub const FORMAT_VERSION: u32 = 2;

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
    /// File of the tracklets; kind `regions` only. A data set with parts has one for each part instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracks: Option<TracksEntry>,
    /// File of the shot cuts; only if no pair may span one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuts: Option<CutsEntry>,
    /// Annotated boxes; only if each box is an image of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boxes: Option<BoxCounts>,
    /// The part of a data set that this folder holds; `None` for a whole data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// xxh64 of the list that pinned the source of a part; in JSON 16 hexadecimal digits.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "checksum::optional_hex"
    )]
    pub list_xxh64: Option<u64>,
    /// The parts that this data set was merged from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<PartsEntry>,
    /// How the records came into these shards, if they were in others before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resharded: Option<Resharded>,
}

/// How the records of another data set were put into shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resharded {
    /// Version of the program that did it.
    pub program_version: String,
    /// Number of shards.
    pub shards: u32,
    /// Seed of the order of the records; `None` if it is that of the other data set.
    pub shuffle: Option<u64>,
    /// [`Manifest::fingerprint`] of the other data set; in JSON 16 hexadecimal digits.
    #[serde(with = "checksum::hex")]
    pub from_xxh64: u64,
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

impl Totals {
    /// Adds the counts of another part.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.clips, other.clips),
            (&mut self.refused, other.refused),
            (&mut self.skipped, other.skipped),
            (&mut self.partial, other.partial),
            (&mut self.records, other.records),
            (&mut self.shards, other.shards),
            (&mut self.bytes, other.bytes),
        ];
        for (sum, count) in pairs {
            *sum = sum.saturating_add(count);
        }
    }
}

/// Description of one shard in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// File name of the tar. In a merged data set it follows the folder of its part: `part-00003-of-00040/pairs-00003-000000.tar`.
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
            format_version: 1,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            pipeline,
            seed,
            clips_xxh64,
            totals,
            ignored: BTreeMap::new(),
            shards,
            tracks: None,
            cuts: None,
            boxes: None,
            part: None,
            list_xxh64: None,
            parts: None,
            resharded: None,
        }
    }

    /// xxh64 of everything that the manifest states.
    pub fn fingerprint(&self) -> u64 {
        xxh64(&serde_json::to_vec(self).unwrap_or_default(), 0)
    }

    /// Whether the records are in a random order.
    pub fn is_shuffled(&self) -> bool {
        let resharded = self.resharded.as_ref();
        resharded.is_some_and(|resharded| resharded.shuffle.is_some())
    }

    /// The manifest of a data set whose shards are all in one folder.
    pub fn without_parts(self) -> Self {
        Self {
            format_version: 1,
            parts: None,
            ..self
        }
    }

    /// Every file of tracklets, with the number of the first record of its tracklets in the order of the shards.
    pub fn tracks_files(&self) -> impl Iterator<Item = (u64, &TracksEntry)> {
        let of_parts = self.parts.iter().flat_map(|parts| &parts.list);
        let of_parts = of_parts.scan(0u64, |next, part| {
            let first = *next;
            *next = next.saturating_add(part.records);
            Some(part.tracks.as_ref().map(|tracks| (first, tracks)))
        });
        let of_whole = self.tracks.iter().map(|tracks| (0, tracks));
        of_whole.chain(of_parts.flatten())
    }

    /// Numbers of tracklets in all files; `None` if there is none.
    pub fn tracklets(&self) -> Option<TrackletCounts> {
        let counts = self.tracks_files().map(|(_, tracks)| tracks.counts.clone());
        counts.reduce(|mut sum, next| {
            sum.add(&next);
            sum
        })
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
        Self::of_json(&json, &path)
    }

    /// Reads the text of a manifest.
    ///
    /// - `path`: where it was read, for errors.
    ///
    /// # Errors
    /// Those of [`read`](Self::read) about the text.
    pub fn of_json(json: &[u8], path: &Path) -> Result<Self, ShardError> {
        let unreadable = |source| ShardError::ManifestUnreadable {
            path: path.to_owned(),
            source,
        };
        // Format and version first: a newer format may differ in everything else.
        let preamble: Preamble = serde_json::from_slice(json).map_err(unreadable)?;
        preamble.check(path)?;
        let manifest: Self = serde_json::from_slice(json).map_err(unreadable)?;
        manifest.check_names(path)?;
        Ok(manifest)
    }

    /// Whether every file that the manifest names lies in its folder, or in the folder of a part.
    fn check_names(&self, path: &Path) -> Result<(), ShardError> {
        if let Some(tracks) = self
            .tracks
            .as_ref()
            .filter(|tracks| tracks.file != TRACKS_FILE)
        {
            return Err(refused(path, "tracks.file", &tracks.file, TRACKS_FILE));
        }
        if let Some(cuts) = self.cuts.as_ref().filter(|cuts| cuts.file != CUTS_FILE) {
            return Err(refused(path, "cuts.file", &cuts.file, CUTS_FILE));
        }
        let Some(parts) = &self.parts else {
            return check_tars(path, &self.shards, "");
        };
        parts.check(path, &self.shards)
    }
}

/// Whether every shard is a tar in the folder `prefix`.
pub(crate) fn check_tars(
    path: &Path,
    shards: &[ShardEntry],
    prefix: &str,
) -> Result<(), ShardError> {
    let is_tar = |file: &str| file.strip_prefix(prefix).is_some_and(is_plain_tar);
    match shards.iter().find(|shard| !is_tar(&shard.file)) {
        None => Ok(()),
        Some(shard) => {
            let expected = match prefix {
                "" => "the name of a .tar in the same folder",
                _ => "the name of a .tar in the folder of its part",
            };
            Err(refused(path, "shards.file", &shard.file, expected))
        }
    }
}

pub(crate) fn refused(
    path: &Path,
    key: &'static str,
    value: &str,
    expected: &'static str,
) -> ShardError {
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
    } else if dir.join(PARTS_FILE).exists() {
        ShardError::NotMerged { dir }
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
        let newer = refused(r#"{"format": "vidpairs", "format_version": 3, "rows": []}"#);
        assert!(matches!(newer, ShardError::ManifestNewer { found: 3, .. }));
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
