//! Finds the years of Pascal VOC below a root, and reads their lists of images.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::disk;
use crate::error::SourceError;
use crate::files::{Entry, Files, bad_line, lines};
use crate::media::is_still;

/// Names of the splits. Other files of `ImageSets/Main` belong to single classes.
const SPLITS: [&str; 4] = ["train", "val", "trainval", "test"];

/// Folder of one year.
pub(super) struct Year {
    pub name: String,
    pub path: PathBuf,
}

/// The years at `root`: the folder of a year, `VOCdevkit` or its parent. At least one, sorted by name.
pub(super) fn years(files: &dyn Files, root: &Path) -> Result<Vec<Year>, SourceError> {
    let entries = files.root_entries(root)?;
    let mut years = years_among(files, root, &entries);
    if years.is_empty()
        && let Some(devkit) = entries.iter().find(|entry| entry.name == "VOCdevkit")
    {
        years = years_among(files, &devkit.path, &files.readable_entries(&devkit.path)?);
    }
    if years.is_empty() {
        return Err(SourceError::WrongRoot {
            root: root.to_owned(),
            wanted: "year of Pascal VOC",
            looked_for: "VOCdevkit/, VOC2007/ and the like, or one year's JPEGImages/, Annotations/ and ImageSets/",
            found: entries.into_iter().map(|entry| entry.name).collect(),
        });
    }
    Ok(years)
}

/// The folder of `entries` as a year, else the years among them.
fn years_among(files: &dyn Files, folder: &Path, entries: &[Entry]) -> Vec<Year> {
    let is_part = |entry: &&Entry| entry.is_folder() && entry.name == "JPEGImages";
    if entries.iter().any(|entry| is_part(&entry)) {
        return vec![Year {
            name: disk::own_name(folder),
            path: folder.to_owned(),
        }];
    }
    let is_year = |entry: &&Entry| {
        let year = entry.name.strip_prefix("VOC").unwrap_or_default();
        let is_number = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
        is_number && files.is_folder(&entry.path.join("JPEGImages"))
    };
    let year = |entry: &Entry| Year {
        name: entry.name.clone(),
        path: entry.path.clone(),
    };
    entries.iter().filter(is_year).map(year).collect()
}

impl Year {
    /// Whether it lists the images of a split.
    pub fn has(&self, files: &dyn Files, split: &str) -> bool {
        SPLITS.contains(&split) && files.is_file(&self.list_of(split))
    }

    /// Names of its splits.
    pub fn splits(&self, files: &dyn Files) -> Vec<String> {
        let existing = SPLITS.iter().filter(|split| self.has(files, split));
        existing.map(|split| (*split).to_owned()).collect()
    }

    /// Ids of the images of those of `splits` that it has, each once, sorted.
    ///
    /// - `images`: its [`images`](Self::images), since a name may end as a line of a list of one class does.
    pub fn image_ids(
        &self,
        files: &dyn Files,
        splits: &[String],
        images: &BTreeMap<String, Entry>,
    ) -> Result<BTreeSet<String>, SourceError> {
        let mut ids = BTreeSet::new();
        for split in splits.iter().filter(|split| self.has(files, split)) {
            let path = self.list_of(split);
            let text = files.read_text(&path)?;
            for (number, line) in lines(&text).filter(|(_, line)| !line.is_empty()) {
                let id = std::str::from_utf8(line).ok().filter(|id| is_id(id));
                let expected = "the name of an image without its extension";
                let id = id.ok_or_else(|| bad_line(&path, number, line, expected))?;
                if !images.contains_key(id) && is_of_class_list(id) {
                    let expected = "the name of an image alone, as in the lists of the splits; those of single classes have values";
                    return Err(bad_line(&path, number, line, expected));
                }
                ids.insert(id.to_owned());
            }
        }
        Ok(ids)
    }

    /// Files of `JPEGImages` by the ids of their images. Copies have `.JPG` or `.png` where VOC has `.jpg`.
    pub fn images(&self, files: &dyn Files) -> Result<BTreeMap<String, Entry>, SourceError> {
        let entries = files.readable_entries(&self.path.join("JPEGImages"))?;
        let mut images = BTreeMap::new();
        for entry in entries.into_iter().filter(|entry| is_still(&entry.path)) {
            if let Some((id, _)) = entry.name.rsplit_once('.') {
                images.entry(id.to_owned()).or_insert(entry);
            }
        }
        Ok(images)
    }

    /// Path of the annotation of an image.
    pub fn annotation(&self, image: &str) -> PathBuf {
        self.path.join("Annotations").join(format!("{image}.xml"))
    }

    fn list_of(&self, split: &str) -> PathBuf {
        let list = self.path.join("ImageSets/Main").join(split);
        list.with_extension("txt")
    }
}

/// Whether a line of a list names a file of the folder of images. A name may have spaces in it.
fn is_id(line: &str) -> bool {
    !line.starts_with('.') && !line.contains(['/', '\\', '\t'])
}

/// Whether a line has the form of a list of one class: `<image> <value>`, with one of the values -1, 0 and 1.
fn is_of_class_list(line: &str) -> bool {
    let value = line.rsplit_once(' ').map(|(_, value)| value);
    value.is_some_and(|value| ["-1", "0", "1"].contains(&value))
}
