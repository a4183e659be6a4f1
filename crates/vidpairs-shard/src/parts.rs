//! Parts: shares of one data set that many processes make, each in a folder of its own below the same output folder.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vidpairs_types::read_regular;
use xxhash_rust::xxh64::xxh64;

use crate::checksum;
use crate::error::ShardError;
use crate::manifest::MAX_MANIFEST_BYTES;

/// File beside the folders of the parts: what all parts of a run have in common.
pub const PARTS_FILE: &str = "parts.json";

/// Value of `format` in [`PARTS_FILE`].
const FORMAT: &str = "vidpairs-parts";

/// One of several shares of the clips of a data set. The id of a clip decides to which share it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Part {
    index: u32,
    of: u32,
}

#[derive(Deserialize)]
struct Unchecked {
    index: u32,
    of: u32,
}

impl TryFrom<Unchecked> for Part {
    type Error = String;

    fn try_from(Unchecked { index, of }: Unchecked) -> Result<Self, String> {
        Self::new(index, of).ok_or_else(|| format!("there is no part {index} of {of}"))
    }
}

impl Part {
    /// Largest number of parts.
    pub const MAX: u32 = 99_999;

    /// Part `index`, from 0, of `of`; `None` if there is no such part.
    pub fn new(index: u32, of: u32) -> Option<Self> {
        (index < of && of <= Self::MAX).then_some(Self { index, of })
    }

    /// Number of the part, from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Number of all parts.
    pub fn of(self) -> u32 {
        self.of
    }

    /// Name of the folder of the part.
    ///
    /// # Examples
    /// ```
    /// use vidpairs_shard::Part;
    ///
    /// let part = Part::new(3, 40);
    /// assert_eq!(part.map(Part::folder).as_deref(), Some("part-00003-of-00040"));
    /// assert_eq!(Part::of_folder("part-00003-of-00040"), part);
    /// ```
    pub fn folder(self) -> String {
        format!("part-{:05}-of-{:05}", self.index, self.of)
    }

    /// The part whose folder has this name; `None` for another name.
    pub fn of_folder(name: &str) -> Option<Self> {
        let (index, of) = name.strip_prefix("part-")?.split_once("-of-")?;
        let part = Self::new(index.parse().ok()?, of.parse().ok()?)?;
        (part.folder() == name).then_some(part)
    }

    /// Whether the clip with this id belongs to the part: xxh64 of the id, modulo the number of parts, is the index of the part. So
    /// neither the order of a listing nor the other clips matter.
    pub fn holds(self, clip: &str) -> bool {
        Self::index_of(clip, self.of) == self.index
    }

    /// Index of the part, out of `of`, to which the clip with this id belongs.
    pub fn index_of(clip: &str, of: u32) -> u32 {
        let remainder = xxh64(clip.as_bytes(), 0) % u64::from(of.max(1));
        u32::try_from(remainder).expect("it is less than `of`")
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "part {} of {}", self.index, self.of)
    }
}

/// What all parts of a run have in common: contents of [`PARTS_FILE`], which the first part writes and the others compare with theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartsFile {
    /// Name of the format.
    pub format: String,
    /// Version of the format.
    pub format_version: u32,
    /// Version of the program that makes the parts.
    pub program_version: String,
    /// Every setting of the pipeline, with defaults filled in.
    pub pipeline: Value,
    /// xxh64 of the ids of all clips of the source, in order; in JSON 16 hexadecimal digits.
    #[serde(with = "checksum::hex")]
    pub clips_xxh64: u64,
    /// xxh64 of the list that pins the source; in JSON 16 hexadecimal digits, or null without a list.
    #[serde(with = "checksum::optional_hex")]
    pub list_xxh64: Option<u64>,
    /// Number of clips of each part.
    pub clips_of_parts: Vec<u64>,
}

impl PartsFile {
    /// Start of the name of the file while it is written.
    pub const UNFINISHED: &str = ".parts-";

    /// What the parts made by this version have in common. See the fields.
    pub fn new(
        pipeline: Value,
        clips_xxh64: u64,
        list_xxh64: Option<u64>,
        clips_of_parts: Vec<u64>,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            format_version: 1,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            pipeline,
            clips_xxh64,
            list_xxh64,
            clips_of_parts,
        }
    }

    /// Number of parts.
    pub fn of(&self) -> u32 {
        u32::try_from(self.clips_of_parts.len()).unwrap_or(u32::MAX)
    }

    /// Every part, in order.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let of = self.of();
        (0..of).filter_map(move |index| Part::new(index, of))
    }

    /// Number of clips of all parts.
    pub fn clips(&self) -> u64 {
        let clips = self.clips_of_parts.iter();
        clips.fold(0, |sum, &clips| sum.saturating_add(clips))
    }

    /// Reads `root/parts.json`; `None` if there is none.
    ///
    /// # Errors
    /// [`ShardError::Read`]; [`ShardError::ManifestUnreadable`]; [`ShardError::ManifestRefused`]; [`ShardError::ManifestNewer`].
    pub fn read(root: &Path) -> Result<Option<Self>, ShardError> {
        let path = root.join(PARTS_FILE);
        let json = match read_regular(&path, MAX_MANIFEST_BYTES) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(None),
            read => read.map_err(ShardError::read(&path))?,
        };
        let file: Self =
            serde_json::from_slice(&json).map_err(|source| ShardError::ManifestUnreadable {
                path: path.clone(),
                source,
            })?;
        let refused = |key, value: &dyn ToString, expected| ShardError::ManifestRefused {
            path: path.clone(),
            key,
            value: value.to_string(),
            expected,
        };
        if file.format != FORMAT {
            return Err(refused("format", &file.format, FORMAT));
        }
        if file.format_version != 1 {
            return Err(ShardError::ManifestNewer {
                found: file.format_version.into(),
                supported: 1,
                path,
            });
        }
        if !file.pipeline.is_object() {
            return Err(refused("pipeline", &file.pipeline, "a table of settings"));
        }
        if !(1..=Part::MAX).contains(&file.of()) {
            let expected = "numbers of clips of 1 to 99999 parts";
            let found = format!("a list of {}", file.clips_of_parts.len());
            return Err(refused("clips_of_parts", &found, expected));
        }
        Ok(Some(file))
    }

    /// Writes `root/parts.json` unless another process was faster, and returns what is there then.
    ///
    /// # Errors
    /// [`ShardError::Write`]; those of [`read`](Self::read).
    pub fn write_or_read(self, root: &Path) -> Result<Self, ShardError> {
        if let Some(there) = Self::read(root)? {
            return Ok(there);
        }
        let path = root.join(PARTS_FILE);
        let mut json =
            serde_json::to_vec_pretty(&self).map_err(|err| ShardError::write(&path)(err.into()))?;
        json.push(b'\n');
        // Of a name that no other process has, and linked, not renamed: of many processes one gives the file its name.
        let written = tempfile::Builder::new()
            .prefix(Self::UNFINISHED)
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(root)
            .and_then(|mut file| {
                file.write_all(&json)?;
                file.as_file().sync_all()?;
                Ok(file)
            })
            .map_err(ShardError::write(&path))?;
        match written.persist_noclobber(&path) {
            Err(failed) if failed.error.kind() != ErrorKind::AlreadyExists => {
                return Err(ShardError::write(&path)(failed.error));
            }
            _ => {}
        }
        let there = Self::read(root)?;
        there.ok_or_else(|| ShardError::read(&path)(ErrorKind::NotFound.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clip_belongs_to_one_part_by_its_id_alone() {
        let ids: Vec<String> = (0..5000)
            .map(|number| format!("clip {number}.mp4"))
            .collect();
        for of in [1, 3, 7, 40] {
            let parts: Vec<Part> = (0..of).map(|index| Part::new(index, of).unwrap()).collect();
            for id in &ids {
                let holders = parts.iter().filter(|part| part.holds(id));
                assert_eq!(holders.count(), 1, "{id} of {of}");
            }
            let num = |part: &Part| ids.iter().filter(|id| part.holds(id)).count();
            let even = ids.len() / of as usize;
            for part in &parts {
                let num = num(part);
                assert!(
                    (even * 2 / 3..=even * 3 / 2).contains(&num),
                    "{part}: {num}"
                );
            }
        }
        // xxhash.xxh64("TRAIN_0/abc.zip").intdigest() % 1000 of the Python package xxhash.
        assert_eq!(Part::index_of("TRAIN_0/abc.zip", 1000), 17);
    }

    #[test]
    fn only_the_name_of_a_part_is_read_as_one() {
        for name in [
            "part-3-of-7",
            "part-00007-of-00007",
            "part-00001-of-00000",
            "part-+0001-of-00002",
            "part-00001-of-00002.old",
            "pairs-00001-of-00002",
        ] {
            assert_eq!(Part::of_folder(name), None, "{name}");
        }
        assert_eq!(Part::of_folder("part-00001-of-00002"), Part::new(1, 2));
        assert!(serde_json::from_str::<Part>(r#"{"index": 2, "of": 2}"#).is_err());
    }

    #[test]
    fn of_processes_that_begin_at_once_one_writes_the_file_and_all_read_the_same() {
        let root = tempfile::tempdir().unwrap();
        let file = |clips| PartsFile::new(serde_json::json!({}), clips, None, vec![clips, 1]);
        let found: Vec<PartsFile> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|clips| scope.spawn(move || file(clips)))
                .collect();
            let files = threads.into_iter().map(|thread| thread.join().unwrap());
            let writers: Vec<_> = files
                .map(|file| scope.spawn(|| file.write_or_read(root.path()).unwrap()))
                .collect();
            writers
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .collect()
        });
        assert!(found.iter().all(|other| *other == found[0]), "{found:?}");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
        let path = root.path().join(PARTS_FILE);
        for damaged in ["{", "{}", r#"{"format": "other"}"#] {
            fs::write(&path, damaged).unwrap();
            assert!(PartsFile::read(root.path()).is_err(), "{damaged}");
        }
    }
}
