//! Images that people sorted into a folder for each label, for measuring what was learned.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use vidpairs_types::natural_order;
use walkdir::WalkDir;

use super::SourceError;
use super::disk::{self, Kind};

/// Images below `ROOT/<label>/`, in a stable order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelledImages {
    /// Names of the labels: at least two, in natural order (`class2` before `class10`).
    pub labels: Vec<String>,
    /// The images, by label and then by the natural order of their paths.
    pub images: Vec<LabelledImage>,
    /// Number of files below folders of labels that are neither JPEG nor PNG, and of links that lead nowhere.
    pub num_ignored: u64,
}

/// One image and what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledImage {
    /// Place of its label in [`LabelledImages::labels`].
    pub label_index: usize,
    /// The file, below the root as it was given.
    pub path: PathBuf,
}

/// Places in [`LabelledImages::images`], each in one of two lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BankAndQueries {
    /// What is known: the first half of each label's images, the larger one where their number is odd.
    pub bank: Vec<usize>,
    /// What is asked about: the second half.
    pub queries: Vec<usize>,
}

/// Lists the images of `root`: each of its folders is a label, each JPEG or PNG at any depth below it an
/// image. Hidden names (a leading `.`) are passed over, links are followed, no image is opened.
///
/// - `max_images`: the most that are taken. Where there are more, no label gives more than a number
///   that is the same for all, the largest for which `max_images` is kept; a label with more images
///   gives evenly spaced ones. `usize::MAX` takes all.
///
/// # Errors
/// [`SourceError`]: no such folder, no folder of a label in it, fewer than two labels with an image,
/// no label with two images, or a `max_images` below two for each label. All are final.
pub fn labelled_images(root: &Path, max_images: usize) -> Result<LabelledImages, SourceError> {
    let (folders, others): (Vec<_>, Vec<_>) = disk::root_entries(root)?
        .into_iter()
        .partition(disk::Entry::is_folder);
    if folders.is_empty() {
        return Err(SourceError::WrongRoot {
            root: root.to_owned(),
            wanted: "folder of a label",
            looked_for: "<label>/<image>.jpg or .png",
            found: others.into_iter().map(|entry| entry.name).collect(),
        });
    }
    let mut num_ignored = 0;
    let mut found = Vec::new();
    let mut empty = Vec::new();
    for folder in folders {
        let images = images_below(&folder.path, &mut num_ignored)?;
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
    /// Splits each label's images into what is known and what is asked about. A label with one image
    /// is known alone.
    ///
    /// Halves, not every other one: neighbours in name are often neighbours in time, and to know the
    /// frame before is to know the answer.
    pub fn halves(&self) -> BankAndQueries {
        let mut halves = BankAndQueries::default();
        let places: Vec<usize> = (0..self.images.len()).collect();
        let label = |&place: &usize| self.images.get(place).map(|image| image.label_index);
        for of_label in places.chunk_by(|a, b| label(a) == label(b)) {
            let (bank, queries) = of_label.split_at(of_label.len().div_ceil(2));
            halves.bank.extend(bank);
            halves.queries.extend(queries);
        }
        halves
    }
}

fn images_below(folder: &Path, num_ignored: &mut u64) -> Result<Vec<PathBuf>, SourceError> {
    let mut images = Vec::new();
    let is_shown = |entry: &walkdir::DirEntry| {
        entry.depth() == 0 || !disk::is_hidden(&entry.file_name().to_string_lossy())
    };
    let walk = WalkDir::new(folder).follow_links(true);
    for entry in walk.into_iter().filter_entry(is_shown) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry)
                if entry.file_type().is_file()
                    && disk::is_image_name(&entry.file_name().to_string_lossy()) =>
            {
                images.push(entry.into_path());
            }
            Ok(_) => *num_ignored += 1,
            Err(error) => skip_if_a_bad_link(folder, error).map(|()| *num_ignored += 1)?,
        }
    }
    images.sort_by(|a, b| by_components(a, b));
    Ok(images)
}

/// A link that leads nowhere or back to where it lies is passed over; other errors are the caller's.
fn skip_if_a_bad_link(folder: &Path, error: walkdir::Error) -> Result<(), SourceError> {
    let path = error.path().unwrap_or(folder).to_owned();
    let kind = path
        .symlink_metadata()
        .map(|metadata| Kind::of(&path, metadata.file_type()));
    if error.loop_ancestor().is_some() || matches!(kind, Ok(Kind::Broken(_))) {
        return Ok(());
    }
    Err(SourceError::Unreadable {
        path,
        source: error.into(),
    })
}

/// Folder by folder: `a/2` before `a-b/1`, as a file manager shows them.
fn by_components(a: &Path, b: &Path) -> Ordering {
    let names = |path: &Path| -> Vec<String> {
        let components = path.components();
        components
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect()
    };
    let (names_a, names_b) = (names(a), names(b));
    let differing = names_a.iter().zip(&names_b).find(|(a, b)| a != b);
    differing
        .map_or(Ordering::Equal, |(a, b)| natural_order(a, b))
        .then_with(|| a.cmp(b))
}

/// The largest number of images a label for which there are at most `max_images` in all.
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

/// `most` images from the middles of as many stretches of equal length, or all if there are no more.
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
