//! Lists the viewpoint and instance sets of PASCAL3D+ 1.1: objects of a class, cropped from their images.
//!
//! Classes are the folders `<class>_imagenet` and `<class>_pascal` of `Annotations`. As in the authors' lists, both are used:
//!
//! - ImageNet: object 0 of each image in the lists `train` and `val`; of every image if there are no lists.
//! - PASCAL: the objects in `Image_sets/<class>_pascal.txt`; every object of the class if there is no list.
//!
//! An object needs a viewpoint and a box that is partly inside the image.
//!
//! The order in a class, which decides the k-th image of a bin, is our choice: ImageNet, then PASCAL, each sorted by the
//! bytes of the id and then by the index of the object in its file.
//!
//! The angles of a condition are the measured ones, or the coarse ones if nobody measured (`distance` is 0). Bins always
//! use the coarse angles.

mod class;
mod record;
mod release;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use class::{Origin, View};
use release::Release;

use super::builder::{ConditionedImage, SetsBuilder};
use crate::disk::Disk;
use crate::error::SourceError;
use crate::files::Files;
use crate::natural::natural_order;

/// Images that form a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grouping {
    /// The k-th image of each azimuth bin.
    OneOfEachAzimuth,
    /// All images of one bin of azimuth and elevation.
    SameView,
}

/// Lists the sets of all classes, in natural order of the classes.
pub(super) fn list_sets(grouping: Grouping, root: &Path) -> Result<SetsBuilder, SourceError> {
    let release = Release::at(root)?;
    let mut sets = SetsBuilder::default();
    let mut classes = BTreeSet::new();
    let mut num_others = 0;
    for entry in Disk.readable_entries(&release.annotations)? {
        match Origin::of_folder(&entry.name) {
            Some((class, _)) if entry.is_folder() => {
                classes.insert(class.to_owned());
            }
            _ => num_others += 1,
        }
    }
    let reason = "in Annotations, but neither <class>_imagenet nor <class>_pascal";
    sets.leave_out_counted(
        num_others,
        "other file or folder",
        "other files or folders",
        reason,
    );
    let mut classes: Vec<String> = classes.into_iter().collect();
    classes.sort_by(|a, b| natural_order(a, b));
    for class in classes {
        let views = class::views(&class, &release, &mut sets)?;
        if views.is_empty() {
            sets.leave_out(&*class, "a class without a usable object");
        }
        match grouping {
            Grouping::OneOfEachAzimuth => add_one_of_each_azimuth(&class, views, &mut sets),
            Grouping::SameView => add_same_views(&class, views, &mut sets),
        }
    }
    Ok(sets)
}

fn add_one_of_each_azimuth(class: &str, views: Vec<View>, sets: &mut SetsBuilder) {
    let mut bins: BTreeMap<usize, VecDeque<ConditionedImage>> = BTreeMap::new();
    for view in views {
        let bin = bins.entry(view.azimuth_bin).or_default();
        bin.push_back(view.image);
    }
    for k in 0.. {
        let images: Vec<_> = bins.values_mut().filter_map(VecDeque::pop_front).collect();
        if images.is_empty() {
            return;
        }
        sets.add_set(format!("{class}/{k}"), class, images);
    }
}

fn add_same_views(class: &str, views: Vec<View>, sets: &mut SetsBuilder) {
    let mut cells: BTreeMap<(usize, usize), Vec<ConditionedImage>> = BTreeMap::new();
    for view in views {
        match view.elevation_bin {
            Some(elevation_bin) => {
                let cell = cells.entry((view.azimuth_bin, elevation_bin));
                cell.or_default().push(view.image);
            }
            None => sets.leave_out(view.id, "its elevation_coarse is empty"),
        }
    }
    for ((azimuth, elevation), images) in cells {
        let id = format!("{class}/azimuth-{azimuth}-elevation-{elevation}");
        sets.add_set(id, class, images);
    }
}

#[cfg(test)]
mod tests;
