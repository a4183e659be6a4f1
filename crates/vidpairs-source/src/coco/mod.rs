//! Lists MSCOCO as distributed: `train2017`, `val2017` and others, and `annotations/instances_<split>.json`.

mod bounded;
mod files;
mod instances;
mod raw;

use std::path::Path;

use vidpairs_types::{Annotation, Clip, printable};

use self::files::{ImageFile, NoFile, SplitFiles};
use self::instances::ListedImage;
use self::raw::bad_json;
use crate::error::SourceError;
use crate::files::{Entry, Files};
use crate::listing::Listing;
use crate::media::is_still;
use crate::splits::{Split, Splits};
use crate::{ImageParts, stills};

/// Beginnings of the names of splits. A year follows.
const SPLITS: [&str; 4] = ["train", "val", "test", "unlabeled"];

/// Default split. `train2014` has many of the same images.
const DEFAULT_SPLIT: &str = "train2017";

/// Lists the images of splits.
///
/// - `of`: with [`ImageParts::Boxes`] the images have their objects, and images without any are skipped.
pub(crate) fn list(
    files: &dyn Files,
    root: &Path,
    requested: &[String],
    of: ImageParts,
) -> Result<Listing, SourceError> {
    let mut listing = Listing::default();
    for split in splits_of(files, root)?.chosen(root, requested)? {
        let entries = files.readable_entries(&split.path)?;
        match of {
            ImageParts::Whole => {
                for entry in &entries {
                    stills::add_entry(entry, &split.name, &mut listing);
                }
            }
            ImageParts::Boxes => list_annotated(files, root, &split, entries, &mut listing)?,
        }
    }
    Ok(listing)
}

fn splits_of(files: &dyn Files, root: &Path) -> Result<Splits, SourceError> {
    let entries = files.root_entries(root)?;
    let is_split = |entry: &&Entry| entry.is_folder() && is_split(&entry.name);
    let existing: Vec<Split> = entries.iter().filter(is_split).map(Split::of).collect();
    if !existing.is_empty() {
        return Ok(Splits {
            existing,
            default_name: DEFAULT_SPLIT,
            is_default: |name| name == DEFAULT_SPLIT,
        });
    }
    Err(SourceError::WrongRoot {
        root: root.to_owned(),
        wanted: "MSCOCO split",
        looked_for: "train2017/, val2017/ and the like, beside annotations/",
        found: entries.into_iter().map(|entry| entry.name).collect(),
    })
}

fn is_split(name: &str) -> bool {
    let mut years = SPLITS.iter().filter_map(|start| name.strip_prefix(start));
    years.any(|year| year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Adds every image that the annotations list or that lies in the folder, with its objects or the reason why it is left out.
fn list_annotated(
    files: &dyn Files,
    root: &Path,
    split: &Split,
    entries: Vec<Entry>,
    listing: &mut Listing,
) -> Result<(), SourceError> {
    let name = format!("instances_{}.json", split.name);
    let path = root.join("annotations").join(&name);
    let found = instances::read(files, &path)?;
    if let Some(reason) = found.unusable {
        listing.skip(&format!("annotations/{name}"), &path, reason);
    }
    let mut images = SplitFiles::new(files, split, entries);
    for ListedImage { file_name, objects } in found.images {
        let ImageFile { path: below, entry } = match images.take(&file_name) {
            Ok(file) => file,
            Err(none) => {
                let reason = none.reason(&file_name, &split.name, &name);
                let absent = split.path.join(&*printable(&file_name));
                let at = match none {
                    NoFile::SameAs { .. } => return Err(bad_json(&path, &reason)),
                    NoFile::Elsewhere(_) => &split.path,
                    NoFile::Absent => &absent,
                };
                listing.refuse(&format!("{}/{file_name}", split.name), at, reason);
                continue;
            }
        };
        let id = format!("{}/{below}", split.name);
        if let Some(reason) = entry.kind.problem_as_file() {
            listing.refuse(&id, &entry.path, reason);
        } else if objects.objects.is_empty() {
            let reason = format!("{name} has no object in it");
            listing.skip(&id, &entry.path, reason);
        } else {
            listing.clips.push(Clip {
                annotation: Annotation::Objects(objects),
                ..stills::clip(id, &entry.path)
            });
        }
    }
    for entry in images.into_rest() {
        if is_still(&entry.path) {
            let id = format!("{}/{}", split.name, entry.name);
            listing.skip(&id, &entry.path, format!("{name} does not list it"));
        } else if !entry.is_folder() {
            listing.ignored.add(&entry.path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
