//! Viewpoint and instance by PASCAL3D+ 1.1: objects of a class, cut out of their images.
//!
//! Classes are the folders `<class>_imagenet` and `<class>_pascal` of `Annotations`. Both take part, as in the authors' lists:
//! of an ImageNet image object 0, of a PASCAL image what `Image_sets/<class>_pascal.txt` names, and where there is no such list,
//! every object of the class. Where there are lists of ImageNet images (`train`, `val`), both count, and no other image does.
//! An object needs a viewpoint and a box with a part inside the image.
//!
//! The order in a class, which "the k-th image of a bin" goes by, is our choice: ImageNet, then PASCAL, each sorted by the
//! bytes of the id, then by the object's place in its file.
//!
//! A condition's angles are the measured ones; where nobody measured (`distance` 0, as the release has it), the coarse
//! ones. Bins are of the coarse angles always.

mod class;
mod lists;
mod record;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use vidpairs_types::natural_order;

use super::super::SourceError;
use super::super::disk::{self, Entry};
use super::found::{Found, FoundImage};
use class::Origin;
use view::View;

/// Which images form a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grouping {
    /// The k-th image of each azimuth bin.
    OneOfEachAzimuth,
    /// All of one bin of azimuth and elevation.
    SameView,
}

/// Where the parts of the release are.
struct Release {
    annotations: PathBuf,
    images: PathBuf,
    lists: PathBuf,
}

/// What the release's archive unpacks to; the root may be the folder around it.
const UNPACKED: &str = "PASCAL3D+_release1.1";

/// The sets of every class, classes in natural order.
pub(super) fn find(grouping: Grouping, root: &Path) -> Result<Found, SourceError> {
    let release = Release::at(root)?;
    let mut found = Found::default();
    let mut classes = BTreeSet::new();
    let mut num_others = 0;
    for entry in disk::readable_entries(&release.annotations)? {
        match Origin::of_folder(&entry.name) {
            Some((class, _)) if entry.is_folder() => {
                classes.insert(class.to_owned());
            }
            _ => num_others += 1,
        }
    }
    let reason = "in Annotations, but not <class>_imagenet nor <class>_pascal";
    found.leave_out_counted(
        num_others,
        "other file or folder",
        "other files or folders",
        reason,
    );
    let mut classes: Vec<String> = classes.into_iter().collect();
    classes.sort_by(|a, b| natural_order(a, b));
    for class in classes {
        let views = class::views(&class, &release, &mut found)?;
        if views.is_empty() {
            found.leave_out(&*class, "a class without an object that can take part");
        }
        match grouping {
            Grouping::OneOfEachAzimuth => add_one_of_each_azimuth(&class, views, &mut found),
            Grouping::SameView => add_same_views(&class, views, &mut found),
        }
    }
    Ok(found)
}

impl Release {
    fn at(root: &Path) -> Result<Self, SourceError> {
        let mut entries = disk::root_entries(root)?;
        let mut place = root.to_owned();
        let is_unpacked = |entry: &&Entry| entry.is_folder() && entry.name == UNPACKED;
        if let Some(unpacked) = entries.iter().find(is_unpacked) {
            place = unpacked.path.clone();
            entries = disk::readable_entries(&place)?;
        }
        let has = |name| entries.iter().any(|it| it.is_folder() && it.name == name);
        if has("Annotations") && has("Images") {
            return Ok(Self {
                annotations: place.join("Annotations"),
                images: place.join("Images"),
                lists: place.join("Image_sets"),
            });
        }
        Err(SourceError::WrongRoot {
            root: root.to_owned(),
            wanted: "release of PASCAL3D+",
            looked_for: "Annotations/ and Images/",
            found: entries.into_iter().map(|entry| entry.name).collect(),
        })
    }
}

fn add_one_of_each_azimuth(class: &str, views: Vec<View>, found: &mut Found) {
    let mut bins: BTreeMap<usize, std::vec::IntoIter<FoundImage>> = {
        let mut bins: BTreeMap<usize, Vec<FoundImage>> = BTreeMap::new();
        for view in views {
            bins.entry(view.azimuth_bin).or_default().push(view.image);
        }
        let bins = bins.into_iter();
        bins.map(|(bin, images)| (bin, images.into_iter()))
            .collect()
    };
    for k in 0.. {
        let images: Vec<FoundImage> = bins.values_mut().filter_map(Iterator::next).collect();
        if images.is_empty() {
            return;
        }
        found.add_set(format!("{class}/{k}"), class, images);
    }
}

fn add_same_views(class: &str, views: Vec<View>, found: &mut Found) {
    let mut cells: BTreeMap<(usize, usize), Vec<FoundImage>> = BTreeMap::new();
    for view in views {
        match view.elevation_bin {
            Some(elevation_bin) => {
                let cell = cells.entry((view.azimuth_bin, elevation_bin));
                cell.or_default().push(view.image);
            }
            None => found.leave_out(view.id, "its elevation_coarse is empty"),
        }
    }
    for ((azimuth, elevation), images) in cells {
        let id = format!("{class}/azimuth-{azimuth}-elevation-{elevation}");
        found.add_set(id, class, images);
    }
}

#[cfg(test)]
mod tests;
