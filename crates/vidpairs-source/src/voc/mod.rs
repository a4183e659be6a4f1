//! Reads Pascal VOC as distributed: `VOCdevkit/VOC<year>` with `JPEGImages`, `Annotations` and `ImageSets/Main`.

mod annotation;
mod layout;
mod probe;

use std::path::Path;

use vidpairs_types::{Annotation, Clip};

pub(crate) use annotation::read;
pub use probe::voc_probe_set;

use self::layout::Year;
use crate::error::SourceError;
use crate::files::Files;
use crate::listing::Listing;
use crate::{ImageParts, stills};

/// Split that is listed by default.
const DEFAULT_SPLIT: &str = "trainval";

/// Lists the images of splits, of every year below the root that has one of them.
///
/// - `of`: with [`ImageParts::Boxes`] the images have annotations.
pub(crate) fn list(
    files: &dyn Files,
    root: &Path,
    requested: &[String],
    of: ImageParts,
) -> Result<Listing, SourceError> {
    let years = layout::years(files, root)?;
    let splits = match requested {
        [] => vec![DEFAULT_SPLIT.to_owned()],
        _ => requested.to_vec(),
    };
    for split in &splits {
        if !years.iter().any(|year| year.has(files, split)) {
            return Err(years_without(files, root, split, &years));
        }
    }
    let mut listing = Listing::default();
    for year in &years {
        list_year(files, year, &splits, of, &mut listing)?;
    }
    Ok(listing)
}

fn list_year(
    files: &dyn Files,
    year: &Year,
    splits: &[String],
    of: ImageParts,
    listing: &mut Listing,
) -> Result<(), SourceError> {
    let images = year.images(files)?;
    for image in year.image_ids(files, splits, &images)? {
        let id = format!("{}/{image}", year.name);
        let Some(entry) = images.get(&image) else {
            let reason = "no image of that name in JPEGImages, though ImageSets/Main lists it";
            listing.refuse(&id, &year.path.join("JPEGImages"), reason);
            continue;
        };
        if let Some(reason) = entry.kind.problem_as_file() {
            listing.refuse(&id, &entry.path, reason);
            continue;
        }
        listing.clips.push(Clip {
            annotation: match of {
                ImageParts::Whole => Annotation::None,
                ImageParts::Boxes => Annotation::Voc(year.annotation(&image)),
            },
            ..stills::clip(id, &entry.path)
        });
    }
    Ok(())
}

/// The error for a split that no year has.
fn years_without(files: &dyn Files, root: &Path, split: &str, years: &[Year]) -> SourceError {
    let mut existing: Vec<String> = years.iter().flat_map(|year| year.splits(files)).collect();
    existing.sort();
    existing.dedup();
    SourceError::SplitMissing {
        root: root.to_owned(),
        split: split.to_owned(),
        existing,
    }
}

#[cfg(test)]
mod tests;
