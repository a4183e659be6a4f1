//! Collects the images of class folders, and puts them together as a data set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rand::seq::SliceRandom;
use vidpairs_types::{LeftOut, ProbeImage, ProbeLabel, ProbeSet, Refusal, Split};

use super::ProbeSetOptions;
use crate::error::SourceError;
use crate::files::{self, Entry};
use crate::labelled::images_of_classes;
use crate::natural::natural_order;

/// Images of each class, by the name of its folder.
type ClassImages = BTreeMap<String, Vec<PathBuf>>;

/// Images of a data set, before its classes are numbered.
#[derive(Default)]
pub(super) struct ProbeListing {
    train: ClassImages,
    test: ClassImages,
    left_out: Vec<LeftOut>,
    num_others: u64,
}

impl ProbeListing {
    /// Leaves a part of the data set out.
    pub fn leave_out(&mut self, what: impl Into<String>, reason: impl Into<String>) {
        self.left_out.push(LeftOut {
            what: what.into(),
            reason: reason.into(),
        });
    }

    /// Adds the images of the splits below `root`, one class for each folder among the entries of a split whose name is that of a class.
    ///
    /// - `splits`: each with the name and the entries of its folder.
    pub fn add_splits(
        &mut self,
        root: &Path,
        splits: [(Split, &str, Vec<Entry>); 2],
        is_class: fn(&str) -> bool,
    ) -> Result<(), SourceError> {
        let mut folders = Vec::new();
        for (split, name, entries) in splits {
            for entry in self.class_folders(&format!("{name}/"), entries, is_class) {
                folders.push((split, format!("{name}/{}", entry.name), entry));
            }
        }
        for (split, class, images) in self.classes_of(root, folders)? {
            match split {
                Split::Train => self.train.insert(class, images),
                Split::Test => self.test.insert(class, images),
            };
        }
        Ok(())
    }

    /// Adds the classes of a data set without splits. Each class is divided by itself: `round(test_share x images)` images, at least one and
    /// at most all but one, chosen at random by the seed and the name of the class, are test images.
    pub fn add_unsplit(
        &mut self,
        root: &Path,
        entries: Vec<Entry>,
        options: &ProbeSetOptions,
    ) -> Result<(), SourceError> {
        let folders = self.class_folders("", entries, |_| true).into_iter();
        let folders = folders
            .map(|entry| ((), entry.name.clone(), entry))
            .collect();
        for ((), class, images) in self.classes_of(root, folders)? {
            let [_, _, ..] = images.as_slice() else {
                self.leave_out(
                    class,
                    "a class with a single image, which cannot be divided into training and test images",
                );
                continue;
            };
            let num_test = (options.test_share * images.len() as f64).round() as usize;
            let num_test = num_test.clamp(1, images.len() - 1);
            let mut order: Vec<usize> = (0..images.len()).collect();
            let mut rng = options.seed.for_step("probe split", &class).rng();
            order.shuffle(&mut rng);
            let mut is_test = vec![false; images.len()];
            for &place in order.iter().take(num_test) {
                is_test[place] = true;
            }
            let (mut train, mut test) = (Vec::new(), Vec::new());
            for (path, is_test) in images.into_iter().zip(is_test) {
                if is_test { &mut test } else { &mut train }.push(path);
            }
            self.train.insert(class.clone(), train);
            self.test.insert(class, test);
        }
        Ok(())
    }

    /// Folders of classes among `entries`. The rest is left out: other folders by name, after `prefix`.
    fn class_folders(
        &mut self,
        prefix: &str,
        entries: Vec<Entry>,
        is_class: fn(&str) -> bool,
    ) -> Vec<Entry> {
        let (folders, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(Entry::is_folder);
        self.num_others += others.len() as u64;
        let (classes, others): (Vec<_>, Vec<_>) =
            folders.into_iter().partition(|entry| is_class(&entry.name));
        for other in others {
            let what = format!("{prefix}{}", other.name);
            self.leave_out(what, "its name is not that of a class");
        }
        classes
    }

    /// Name and images of each class that has an image, with what stands beside its folder.
    ///
    /// - `folders`: folders of classes, each with its path below `root`.
    fn classes_of<T>(
        &mut self,
        root: &Path,
        folders: Vec<(T, String, Entry)>,
    ) -> Result<Vec<(T, String, Vec<PathBuf>)>, SourceError> {
        let paths: Vec<&Path> = folders.iter().map(|(_, _, entry)| &*entry.path).collect();
        let found = images_of_classes(root, &paths)?;
        self.num_others += found.num_others;
        let mut named = BTreeSet::new();
        for Refusal { id, reason, .. } in found.left_out {
            named.insert(id.clone());
            self.leave_out(id, reason);
        }
        let mut classes = Vec::new();
        for ((split, id, entry), images) in folders.into_iter().zip(found.images) {
            match images.is_empty() {
                true if named.contains(&id) => {}
                true => self.leave_out(id, "a class without an image"),
                false => classes.push((split, entry.name, images)),
            }
        }
        Ok(classes)
    }

    /// The data set, its classes in natural order: those with a training image. Test images of other classes are left out.
    ///
    /// # Errors
    /// [`SourceError::FewClasses`], [`SourceError::NoTestImages`].
    pub fn finish(mut self, root: &Path) -> Result<ProbeSet, SourceError> {
        let mut classes: Vec<String> = self.train.keys().cloned().collect();
        classes.sort_by(|a, b| natural_order(a, b));
        let unknown: Vec<String> = (self.test.keys())
            .filter(|class| !self.train.contains_key(*class))
            .cloned()
            .collect();
        for class in unknown {
            let num = self.test.remove(&class).map_or(0, |images| images.len());
            self.left_out.push(unknown_class(&class, num));
        }
        let reason = "no image by its name, in the folder of a class";
        self.left_out.extend(other_files(self.num_others, reason));
        let mut images = Vec::new();
        for (split, mut of_split) in [(Split::Train, self.train), (Split::Test, self.test)] {
            for (index, class) in classes.iter().enumerate() {
                let paths = of_split.remove(class).unwrap_or_default();
                images.extend(paths.into_iter().map(|path| ProbeImage {
                    id: files::relative_name(root, &path),
                    path,
                    region: None,
                    split,
                    label: ProbeLabel::One(index),
                }));
            }
        }
        let set = ProbeSet {
            classes,
            images,
            left_out: self.left_out,
        };
        checked(root, set)
    }
}

/// The data set, if classifiers can be fitted on it and tested.
///
/// # Errors
/// [`SourceError::FewClasses`] if fewer than two classes have a training image, or none, where an image may have several classes;
/// [`SourceError::NoTestImages`] if there is no test image.
pub(crate) fn checked(root: &Path, set: ProbeSet) -> Result<ProbeSet, SourceError> {
    let mut trained = BTreeSet::new();
    let (mut least, mut min_classes) = (2, "two");
    for image in (set.images.iter()).filter(|image| image.split == Split::Train) {
        match &image.label {
            ProbeLabel::One(class) => trained.extend([*class]),
            // A single class is told from the images without it.
            ProbeLabel::Many { positive, .. } => {
                (least, min_classes) = (1, "one");
                trained.extend(positive.iter().copied());
            }
            ProbeLabel::Pixels(_) => {}
        }
    }
    if trained.len() < least {
        let classes = set.classes.into_iter().enumerate();
        let classes = classes.filter(|(class, _)| trained.contains(class));
        return Err(SourceError::FewClasses {
            root: root.to_owned(),
            classes: classes.map(|(_, name)| name).collect(),
            min_classes,
            left_out: set.left_out,
        });
    }
    if !set.images.iter().any(|image| image.split == Split::Test) {
        return Err(SourceError::NoTestImages {
            root: root.to_owned(),
            left_out: set.left_out,
        });
    }
    Ok(set)
}

/// Leaves out files that are counted, not named; `None` if there is none.
pub(super) fn other_files(num: u64, reason: &str) -> Option<LeftOut> {
    let what = match num {
        0 => return None,
        1 => "1 other file".to_owned(),
        num => format!("{num} other files"),
    };
    let reason = reason.to_owned();
    Some(LeftOut { what, reason })
}

/// Leaves out the test images of a class that classifiers do not know.
pub(crate) fn unknown_class(class: &str, num_test_images: usize) -> LeftOut {
    LeftOut {
        what: class.to_owned(),
        reason: format!(
            "a class without a training image; its test images are left out: {num_test_images}"
        ),
    }
}
