//! Lists labelled images: one folder for each label.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use vidpairs_types::{Refusal, is_still_name};

use crate::disk::Disk;
use crate::error::SourceError;
use crate::files::{Entry, Files, Kind};
use crate::listing::Listing;
use crate::natural::natural_order;
use crate::walk::{UnreadableEnds, walk_each};

/// Images below `<root>/<label>/`, in a stable order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelledImages {
    /// Names of the labels, at least two, in natural order (`class2` before `class10`).
    pub labels: Vec<String>,
    /// Images, ordered by label and then by the natural order of their paths.
    pub images: Vec<LabelledImage>,
    /// Number of files below label folders that are no images by their names, of broken links, and of folders that are left out.
    pub num_ignored: u64,
}

/// Image with its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledImage {
    /// Index of the label in [`LabelledImages::labels`].
    pub label_index: usize,
    /// Path of the file, starting with the root as given.
    pub path: PathBuf,
}

/// Division of [`LabelledImages::images`] for a nearest-neighbor classifier, as two lists of indices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BankAndQueries {
    /// Images with known labels: the first half of each label's usable images, rounded up.
    pub bank: Vec<usize>,
    /// Images to classify: the second half of each label's usable images.
    pub queries: Vec<usize>,
}

/// Lists the images of `root`. Each folder of the root is a label, and each image file at any depth below it an image.
/// Hidden files (with a leading `.`) are left out, links are followed, and no image is opened. A folder that several links lead to has one
/// label, and no link leads to the folder of another label or to one around the root.
///
/// - `max_images`: largest number of images; `usize::MAX` for all. If there are more, a limit per label applies, the
///   largest that keeps to this number; a label with more images gives evenly spaced ones.
///
/// # Errors
/// [`SourceError`] if there is no such folder, it has no label folder, fewer than two labels have an image, no label has
/// two images, or `max_images` is below two for each label.
pub fn labelled_images(root: &Path, max_images: usize) -> Result<LabelledImages, SourceError> {
    let (folders, others): (Vec<_>, Vec<_>) = Disk
        .root_entries(root)?
        .into_iter()
        .partition(Entry::is_folder);
    if folders.is_empty() {
        return Err(SourceError::WrongRoot {
            root: root.to_owned(),
            wanted: "label folder",
            looked_for: "<label>/<image>.jpg or .png",
            found: others.into_iter().map(|entry| entry.name).collect(),
        });
    }
    let paths: Vec<&Path> = folders.iter().map(|folder| &*folder.path).collect();
    let ClassImages {
        images,
        num_others,
        left_out,
    } = images_of_classes(root, &paths)?;
    let num_ignored = num_others + left_out.len() as u64;
    let mut found = Vec::new();
    let mut empty = Vec::new();
    for (folder, images) in folders.into_iter().zip(images) {
        if images.is_empty() {
            empty.push(folder.name);
        } else {
            found.push((folder.name, images));
        }
    }
    found.sort_by(|a, b| natural_order(&a.0, &b.0));
    let largest = found.iter().map(|(_, images)| images.len()).max();
    if found.len() < 2 || largest < Some(2) {
        return Err(SourceError::FewLabelled {
            root: root.to_owned(),
            labels: found.into_iter().map(|(label, _)| label).collect(),
            empty,
        });
    }
    let most = most_of_a_label(&found, max_images);
    if most < 2 {
        return Err(SourceError::MaxImages {
            max_images,
            num_labels: found.len(),
        });
    }
    let mut listing = LabelledImages {
        num_ignored,
        ..LabelledImages::default()
    };
    for (label_index, (label, images)) in found.into_iter().enumerate() {
        listing.labels.push(label);
        let kept = thinned(images, most);
        listing
            .images
            .extend(kept.map(|path| LabelledImage { label_index, path }));
    }
    Ok(listing)
}

impl LabelledImages {
    /// Divides the usable images of each label into two halves. A label with a single image has no query.
    ///
    /// The halves are contiguous: images with adjacent names are often adjacent frames, which would make queries trivial.
    ///
    /// - `usable`: ascending indices of the images that can be read.
    pub fn halves(&self, usable: &[usize]) -> BankAndQueries {
        let mut halves = BankAndQueries::default();
        let label = |place: &usize| self.images.get(*place).map(|image| image.label_index);
        for of_label in usable.chunk_by(|a, b| label(a) == label(b)) {
            let (bank, queries) = of_label.split_at(of_label.len().div_ceil(2));
            halves.bank.extend(bank);
            halves.queries.extend(queries);
        }
        halves
    }
}

/// Images of class folders.
pub(crate) struct ClassImages {
    /// Image files at any depth below each folder, in natural order.
    pub images: Vec<Vec<PathBuf>>,
    /// Number of other files and of broken links.
    pub num_others: u64,
    /// Folders that are left out, with the reason.
    pub left_out: Vec<Refusal>,
}

/// Lists the images below the class folders `folders`, which lie below `root`. No folder is listed in two classes, whatever links lead
/// to it, and no file is, whatever links lead to it.
pub(crate) fn images_of_classes(
    root: &Path,
    folders: &[&Path],
) -> Result<ClassImages, SourceError> {
    let mut listing = Listing::default();
    let (mut images, mut num_others) = (vec![Vec::new(); folders.len()], 0);
    // A class that is silently smaller would falsify what is measured on it.
    let unreadable = UnreadableEnds::Walk;
    let mut links = Vec::new();
    walk_each(
        root,
        folders,
        unreadable,
        &mut listing,
        &mut |found, _| match matches!(found.kind, Kind::File) && is_still_name(&found.id) {
            true if found.path.is_symlink() => {
                links.push((found.id, found.start_index, found.path.to_owned()));
            }
            true => images[found.start_index].push(found.path.to_owned()),
            false => num_others += 1,
        },
    )?;
    // A file has one label, and is either trained or tested on.
    let mut places = HashSet::new();
    if !links.is_empty() {
        let listed = images.iter().flatten();
        places.extend(listed.filter_map(|path| fs::canonicalize(path).ok()));
    }
    links.sort();
    for (id, start_index, link) in links {
        match fs::canonicalize(&link).map(|place| places.insert(place)) {
            Ok(true) => images[start_index].push(link),
            Ok(false) => {
                let reason = "a link to an image that is listed under another name";
                listing.skip(&id, &link, reason);
            }
            Err(_) => num_others += 1,
        }
    }
    for of_class in &mut images {
        of_class.sort_by(|a, b| by_components(a, b));
    }
    Ok(ClassImages {
        images,
        num_others,
        left_out: listing.refused,
    })
}

/// Compares paths component by component, so that `a/2` comes before `a-b/1`.
fn by_components(a: &Path, b: &Path) -> Ordering {
    let names = |path: &Path| -> Vec<String> {
        path.components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect()
    };
    let (names_a, names_b) = (names(a), names(b));
    let mut pairs = names_a.iter().zip(&names_b);
    pairs
        .find(|(a, b)| a != b)
        .map_or(Ordering::Equal, |(a, b)| natural_order(a, b))
        .then_with(|| a.cmp(b))
}

/// Largest limit of images per label with which there are at most `max_images`.
fn most_of_a_label(found: &[(String, Vec<PathBuf>)], max_images: usize) -> usize {
    let mut counts: Vec<usize> = found.iter().map(|(_, images)| images.len()).collect();
    counts.sort_unstable();
    let mut left = max_images;
    for (place, &count) in counts.iter().enumerate() {
        let share = left / (counts.len() - place);
        if share < count {
            return share;
        }
        left -= count;
    }
    usize::MAX
}

/// At most `most` images, evenly spaced: the middles of as many parts of equal length.
fn thinned(images: Vec<PathBuf>, most: usize) -> impl Iterator<Item = PathBuf> {
    let (len, num) = (images.len() as u128, images.len().min(most) as u128);
    let mut wanted = (0..num).map(move |stretch| (2 * stretch + 1) * len / (2 * num));
    let mut next = wanted.next();
    (0u128..).zip(images).filter_map(move |(place, path)| {
        (next == Some(place)).then(|| {
            next = wanted.next();
            path
        })
    })
}

#[cfg(test)]
mod tests;
