//! Lists ADE20K as distributed for scene parsing: a class for each pixel.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use vidpairs_types::{LeftOut, ProbeImage, ProbeLabel, ProbeSet, Split};

use super::listing::other_files;
use crate::disk::Disk;
use crate::error::SourceError;
use crate::files::{self, Entry, Files};
use crate::natural::natural_order;

/// Folder of the release, if the root is its parent.
const RELEASE: &str = "ADEChallengeData2016";
const IMAGES: &str = "images";
const LABELS: &str = "annotations";
const SPLITS: [(Split, &str); 2] = [(Split::Train, "training"), (Split::Test, "validation")];
/// Names of the classes.
const CLASSES: &str = "objectInfo150.txt";
/// Number of classes of a copy without [`CLASSES`].
const NUM_CLASSES: usize = 150;
/// A label is a byte: 0 and 255 are unlabelled.
const MAX_CLASSES: usize = 254;

/// Lists `images/{training,validation}/<image>.jpg` with `annotations/{training,validation}/<image>.png`, whose pixels are 0 where they are
/// unlabelled, else the number of a class, from 1. Opens neither images nor labels.
///
/// - `root`: `ADEChallengeData2016` or its parent.
///
/// # Errors
/// [`SourceError`] if the root has another layout or lacks a split, if a line of `objectInfo150.txt` is damaged, or if a split has no image
/// with a label. Images without a label, and labels without an image, are left out.
///
/// # Source
/// Zhou et al., "Scene Parsing through ADE20K Dataset", CVPR 2017: the release `ADEChallengeData2016`.
pub(super) fn ade20k(root: &Path) -> Result<ProbeSet, SourceError> {
    let release = release(root)?;
    let mut set = ProbeSet {
        classes: classes(&release)?,
        images: Vec::new(),
        left_out: Vec::new(),
    };
    let mut num_others = 0;
    for (split, name) in SPLITS {
        let images = split_entries(&release, IMAGES, name)?;
        let labels = split_entries(&release, LABELS, name)?;
        let num_before = set.images.len();
        let mut labels = by_stem(labels, &["png"], &mut num_others);
        for (stem, image) in by_stem(images, &["jpg", "jpeg"], &mut num_others) {
            let label = labels.remove(&stem);
            let id = files::relative_name(&release.join(IMAGES), &image.path);
            match labelled(&image, label, name) {
                Ok(label) => set.images.push(ProbeImage {
                    id,
                    path: image.path,
                    region: None,
                    split,
                    label: ProbeLabel::Pixels(label),
                }),
                Err(reason) => set.left_out.push(LeftOut { what: id, reason }),
            }
        }
        set.left_out
            .extend(labels.into_values().map(|label| LeftOut {
                what: files::relative_name(&release, &label.path),
                reason: "a label without an image".to_owned(),
            }));
        if set.images.len() == num_before {
            return Err(SourceError::NoSets {
                root: release,
                looked_for: match split {
                    Split::Train => {
                        "images/training/<image>.jpg with annotations/training/<image>.png"
                    }
                    Split::Test => {
                        "images/validation/<image>.jpg with annotations/validation/<image>.png"
                    }
                },
                left_out: set.left_out,
            });
        }
    }
    let reason = "no .jpg among the images, or no .png among the labels";
    set.left_out.extend(other_files(num_others, reason));
    Ok(set)
}

/// Folder with the images and the labels.
fn release(root: &Path) -> Result<PathBuf, SourceError> {
    let found = Disk.root_entries(root)?;
    let has_folder = |entries: &[Entry], name: &str| {
        let mut entries = entries.iter();
        entries.any(|entry| entry.is_folder() && entry.name == name)
    };
    if has_folder(&found, IMAGES) && has_folder(&found, LABELS) {
        return Ok(root.to_owned());
    }
    if has_folder(&found, RELEASE) {
        return Ok(root.join(RELEASE));
    }
    Err(SourceError::WrongRoot {
        root: root.to_owned(),
        wanted: "ADE20K for scene parsing",
        looked_for: "images/ and annotations/, or ADEChallengeData2016/ with both",
        found: found.into_iter().map(|entry| entry.name).collect(),
    })
}

/// Entries of the folder of a split.
fn split_entries(release: &Path, part: &str, split: &str) -> Result<Vec<Entry>, SourceError> {
    let folder = release.join(part);
    let splits = Disk.readable_entries(&folder)?;
    let folders = || splits.iter().filter(|entry| entry.is_folder());
    match folders().find(|entry| entry.name == split) {
        Some(found) => Disk.readable_entries(&found.path),
        None => Err(SourceError::SplitMissing {
            root: folder.clone(),
            split: split.to_owned(),
            existing: folders().map(|entry| entry.name.clone()).collect(),
        }),
    }
}

/// Entries with one of `extensions` by their stems, in natural order.
fn by_stem(
    entries: Vec<Entry>,
    extensions: &[&str],
    num_others: &mut u64,
) -> BTreeMap<Stem, Entry> {
    let mut found = BTreeMap::new();
    for entry in entries {
        let mut stems = extensions.iter().filter_map(|ext| entry.stem_before(ext));
        match stems.next().map(|stem| Stem(stem.to_owned())) {
            Some(stem) if !found.contains_key(&stem) => {
                found.insert(stem, entry);
            }
            _ => *num_others += 1,
        }
    }
    found
}

/// File name without its extension, in natural order.
#[derive(PartialEq, Eq)]
struct Stem(String);

impl Ord for Stem {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        natural_order(&self.0, &other.0)
    }
}

impl PartialOrd for Stem {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Path of the label of an image, or the reason to leave the image out.
fn labelled(image: &Entry, label: Option<Entry>, split: &str) -> Result<PathBuf, String> {
    if let Some(reason) = image.kind.problem_as_file() {
        return Err(reason);
    }
    let label = label.ok_or_else(|| format!("no label of that name in {LABELS}/{split}"))?;
    match label.kind.problem_as_file() {
        Some(reason) => Err(format!("its label {reason}")),
        None => Ok(label.path),
    }
}

/// Names of the classes: the first of the synonyms in `objectInfo150.txt`.
fn classes(release: &Path) -> Result<Vec<String>, SourceError> {
    let path = release.join(CLASSES);
    let Some(text) = Disk.read_text_if_any(&path)? else {
        return Ok((1..=NUM_CLASSES)
            .map(|number| format!("class {number}"))
            .collect());
    };
    let mut names: Vec<String> = Vec::new();
    for (line, text) in files::lines(&text) {
        let columns = String::from_utf8_lossy(text);
        let columns: Vec<&str> = columns.split('\t').map(str::trim).collect();
        if line == 1 && columns.first() == Some(&"Idx") {
            continue;
        }
        let name = columns
            .last()
            .and_then(|names| names.split([',', ';']).next());
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        match name {
            Some(name)
                if columns.len() > 1
                    && columns[0].parse() == Ok(names.len() + 1)
                    && names.len() < MAX_CLASSES =>
            {
                names.push(name.to_owned());
            }
            _ => {
                let expected =
                    "the number of a class, from 1 on and at most 254, and after tabs its name";
                return Err(files::bad_line(&path, line, text, expected));
            }
        }
    }
    if names.is_empty() {
        return Err(files::bad_line(
            &path,
            1,
            b"",
            "the number and the name of a class",
        ));
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
