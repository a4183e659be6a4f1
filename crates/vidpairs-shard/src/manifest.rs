//! `dataset.json`: what a finished data set holds. Its being there says that the run is complete.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ShardError, TRACKS_FILE, TracksEntry, checksum, durable};

/// Name of the manifest in its data set.
pub const MANIFEST_FILE: &str = "dataset.json";

/// What `format` says.
pub const FORMAT: &str = "vidpairs";

/// The newest `format_version` that this program reads, and the one it writes.
pub const FORMAT_VERSION: u32 = 1;

/// Folder of the state of an unfinished run.
const JOURNAL_FOLDER: &str = ".journal";

/// `dataset.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`FORMAT_VERSION`]; goes up when a reader of the old one would misread the new one.
    pub format_version: u32,
    /// Version of the program that wrote the data set.
    pub program_version: String,
    /// The pipeline with every default filled in.
    pub pipeline: serde_json::Value,
    /// The run's seed.
    pub seed: u64,
    /// xxh64 of the ids of all clips of the source, in order; 16 hexadecimal digits in json.
    #[serde(with = "checksum::hex")]
    pub clips_xxh64: u64,
    /// Sums.
    pub totals: Totals,
    /// The shards in the order of their records.
    pub shards: Vec<ShardEntry>,
    /// The tracklets, in kind `regions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracks: Option<TracksEntry>,
}

/// Sums over a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Clips of the source.
    pub clips: u64,
    /// Clips refused.
    pub refused: u64,
    /// Clips skipped by a rule.
    pub skipped: u64,
    /// Clips that gave fewer pairs than planned.
    pub partial: u64,
    /// Records.
    pub records: u64,
    /// Shards.
    pub shards: u64,
    /// Bytes of all tars.
    pub bytes: u64,
}

/// One shard of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// File name of the tar.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// Records in it.
    pub records: u64,
    /// xxh64 of its bytes; 16 hexadecimal digits in json.
    #[serde(with = "checksum::hex")]
    pub xxh64: u64,
}

impl Manifest {
    /// The manifest of a data set written by this program; without tracklets.
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
            shards,
            tracks: None,
        }
    }

    /// Writes `dir/dataset.json`: it is there whole, or not at all.
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
        durable::write_whole(&folder.join(format!("{MANIFEST_FILE}.part")), &path, &json)?;
        durable::sync_folder(dir)
    }

    /// Reads `dir/dataset.json`.
    ///
    /// # Errors
    /// [`ShardError::NoSuchFolder`], [`ShardError::RunUnfinished`] or [`ShardError::NotADataset`]
    /// if it is not there; [`ShardError::ManifestNewer`]; [`ShardError::ManifestUnreadable`];
    /// [`ShardError::ManifestRefused`] if it is of another format or names a shard that is not a
    /// plain `*.tar` beside it; [`ShardError::Read`].
    pub fn read(dir: &Path) -> Result<Self, ShardError> {
        let path = dir.join(MANIFEST_FILE);
        let json = match fs::read(&path) {
            Err(error) if is_absence(error.kind()) => return Err(why_absent(dir)),
            read => read.map_err(ShardError::read(&path))?,
        };
        let unreadable = |source| ShardError::ManifestUnreadable {
            path: path.clone(),
            source,
        };
        // Format and version first: of a newer format nothing else is known.
        let preamble: Preamble = serde_json::from_slice(&json).map_err(unreadable)?;
        preamble.check(&path)?;
        let manifest: Self = serde_json::from_slice(&json).map_err(unreadable)?;
        if let Some(tracks) = manifest
            .tracks
            .as_ref()
            .filter(|tracks| tracks.file != TRACKS_FILE)
        {
            return Err(ShardError::ManifestRefused {
                path,
                key: "tracks.file",
                value: tracks.file.clone(),
                expected: TRACKS_FILE,
            });
        }
        match manifest
            .shards
            .iter()
            .find(|shard| !is_plain_tar(&shard.file))
        {
            Some(shard) => Err(ShardError::ManifestRefused {
                path,
                key: "shards.file",
                value: shard.file.clone(),
                expected: "the plain name of a .tar in the same folder",
            }),
            None => Ok(manifest),
        }
    }
}

#[derive(Deserialize)]
struct Preamble {
    format: String,
    format_version: u64,
}

impl Preamble {
    fn check(&self, path: &Path) -> Result<(), ShardError> {
        let path = PathBuf::from(path);
        if self.format != FORMAT {
            return Err(ShardError::ManifestRefused {
                path,
                key: "format",
                value: self.format.clone(),
                expected: FORMAT,
            });
        }
        match self.format_version {
            0 => Err(ShardError::ManifestRefused {
                path,
                key: "format_version",
                value: "0".to_owned(),
                expected: "1",
            }),
            found if found > u64::from(FORMAT_VERSION) => Err(ShardError::ManifestNewer {
                path,
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
    } else if dir.join(JOURNAL_FOLDER).is_dir() {
        ShardError::RunUnfinished { dir }
    } else {
        ShardError::NotADataset { dir }
    }
}

/// Whether a name can only be a tar in the folder of the manifest.
fn is_plain_tar(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"/\\:".contains(&byte);
    name.len() > ".tar".len()
        && name.ends_with(".tar")
        && !name.contains("..")
        && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::manifest;
    use super::*;

    fn entry(file: &str) -> ShardEntry {
        ShardEntry {
            file: file.to_owned(),
            bytes: 2048,
            records: 1,
            xxh64: 0x00ab_cdef_0123_4567,
        }
    }

    #[test]
    fn a_manifest_reads_back_and_leaves_no_other_file() {
        let dir = tempfile::tempdir().unwrap();
        let written = manifest(vec![entry("pairs-000000.tar"), entry("pairs-000001.tar")]);
        written.write_atomically(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), written);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let json = fs::read_to_string(dir.path().join("dataset.json")).unwrap();
        assert!(json.contains("\"xxh64\": \"00abcdef01234567\""), "{json}");
    }

    #[test]
    fn a_missing_manifest_is_told_apart_by_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let message = |dir: &Path| Manifest::read(dir).unwrap_err().to_string();
        assert!(message(&dir.path().join("typo")).starts_with("there is no folder"));
        assert!(message(dir.path()).contains("is no data set"));
        fs::create_dir(dir.path().join(".journal")).unwrap();
        let said = message(dir.path());
        assert!(
            said.ends_with("is not finished: run the same `vidpairs extract` again"),
            "{said}"
        );
    }

    #[test]
    fn a_manifest_of_another_format_or_a_newer_version_is_refused_as_such() {
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
    fn a_shard_name_that_leaves_the_folder_is_refused() {
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
