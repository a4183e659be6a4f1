//! Classes and splits of the images that have features.

use std::collections::HashMap;

use vidpairs_types::{ImagePart, LeftOut, ProbeLabel, ProbeSet, Split};

use crate::npz::{LabelledFeatures, TableClasses};
use crate::run::{FeatureLabels, LabelColumn};

/// Labelled images of one data set.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Subject {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Label of each image: one class each, or any number.
    pub labels: Vec<ProbeLabel>,
    /// Split of each image.
    pub splits: Vec<Split>,
    /// Name of each image; empty for features without images.
    pub ids: Vec<String>,
    /// The images; empty for features without images.
    pub parts: Vec<ImagePart>,
}

impl Subject {
    /// The images of `set`, whose boxes grow by `box_scale`.
    pub fn of_set(set: &ProbeSet, box_scale: f64) -> Self {
        let part = |image| {
            let part = ImagePart::from(image);
            ImagePart {
                region: part.region.map(|region| region.scaled(box_scale)),
                ..part
            }
        };
        Self {
            classes: set.classes.clone(),
            labels: set.images.iter().map(|image| image.label.clone()).collect(),
            splits: set.images.iter().map(|image| image.split).collect(),
            ids: set.images.iter().map(|image| image.id.clone()).collect(),
            parts: set.images.iter().map(part).collect(),
        }
    }

    /// The rows of `table`. Classes are ordered by their numbers.
    pub fn of_table(table: &LabelledFeatures) -> Self {
        let (classes, labels) = match &table.classes {
            TableClasses::One(numbers, names) => {
                let mut distinct = numbers.clone();
                distinct.sort_unstable();
                distinct.dedup();
                let index_of: HashMap<i64, usize> = distinct.iter().copied().zip(0..).collect();
                let name = |number: &i64| {
                    let names = names.as_ref();
                    let name = names.and_then(|names| names.get(usize::try_from(*number).ok()?));
                    name.cloned().unwrap_or_else(|| number.to_string())
                };
                let label = |number| ProbeLabel::One(index_of[number]);
                (
                    distinct.iter().map(name).collect(),
                    numbers.iter().map(label).collect(),
                )
            }
            TableClasses::Many(states, names) => {
                let label = |row: &[i8]| {
                    let with = |state: i8| {
                        let classes = (0..).zip(row).filter(|&(_, &of_class)| of_class == state);
                        classes.map(|(class, _)| class).collect()
                    };
                    ProbeLabel::Many {
                        positive: with(1),
                        ignored: with(0),
                    }
                };
                (
                    names.clone(),
                    states.chunks_exact(names.len()).map(label).collect(),
                )
            }
        };
        Self {
            classes,
            labels,
            splits: table.splits.clone(),
            ids: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// Whether each pixel has a class.
    pub fn has_pixels(&self) -> bool {
        matches!(self.labels.first(), Some(ProbeLabel::Pixels(_)))
    }

    /// Whether images may show several classes.
    pub fn has_many(&self) -> bool {
        !matches!(self.labels.first(), Some(ProbeLabel::One(_)))
    }

    /// Names of the classes that an image shows: `cat, dog`.
    pub fn class_text(&self, image: usize) -> String {
        let names: Vec<&str> = (self.shown(image).iter())
            .map(|&class| self.classes[class].as_str())
            .collect();
        names.join(", ")
    }

    /// Name of an image; of features without images, its row.
    pub fn name_of(&self, image: usize) -> String {
        let name = self.ids.get(image).cloned();
        name.unwrap_or_else(|| format!("row {image}"))
    }

    /// Classes that an image shows.
    fn shown(&self, image: usize) -> &[usize] {
        match &self.labels[image] {
            ProbeLabel::One(class) => std::slice::from_ref(class),
            ProbeLabel::Many { positive, .. } => positive,
            ProbeLabel::Pixels(_) => &[],
        }
    }

    /// Number of images of `split` among `images` that show each class.
    pub fn counts(&self, images: &[usize], split: Split) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for image in self.of_split(images, split) {
            self.shown(image)
                .iter()
                .for_each(|&class| counts[class] += 1);
        }
        counts
    }

    /// The images of `split` among `images`.
    pub fn of_split(&self, images: &[usize], split: Split) -> impl Iterator<Item = usize> {
        let of_split = images
            .iter()
            .filter(move |&&image| self.splits[image] == split);
        of_split.copied()
    }

    /// Arrays `class` and `split`, as [`LabelledFeatures`] reads them.
    pub fn feature_labels(&self) -> FeatureLabels {
        let num_classes = self.classes.len();
        let row = |label: &ProbeLabel| match label {
            ProbeLabel::One(class) => vec![*class as i64],
            ProbeLabel::Many { positive, ignored } => {
                let mut row = vec![-1; num_classes];
                ignored.iter().for_each(|&class| row[class] = 0);
                positive.iter().for_each(|&class| row[class] = 1);
                row
            }
            ProbeLabel::Pixels(_) => Vec::new(),
        };
        let class = LabelColumn {
            name: "class",
            width: self.has_many().then_some(num_classes),
            values: self.labels.iter().flat_map(row).collect(),
        };
        let split = LabelColumn {
            name: "split",
            width: None,
            values: (self.splits.iter())
                .map(|&split| i64::from(split == Split::Test))
                .collect(),
        };
        FeatureLabels {
            columns: vec![class, split],
            names: vec![("classes", self.classes.clone())],
        }
    }

    /// Whether two models can be compared on both: the images have the same classes and splits, up to the names of the classes.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.labels == other.labels
            && self.splits == other.splits
            && self.classes.len() == other.classes.len()
    }

    /// Checks that there are images to fit on and to test on, and what a classifier can tell apart. Returns the classes that are left out of
    /// the mean of average precisions, with the reason.
    ///
    /// - `images`: the images that have features.
    ///
    /// # Errors
    /// The reason why nothing can be fitted or tested.
    pub fn check(&self, images: &[usize]) -> Result<Vec<LeftOut>, String> {
        let num = |split| self.of_split(images, split).count();
        let (num_train, num_test) = (num(Split::Train), num(Split::Test));
        if num_train == 0 || num_test == 0 {
            return Err(format!(
                "it has {num_train} training images and {num_test} test images with features; expected some of each"
            ));
        }
        if self.has_pixels() {
            return Ok(Vec::new());
        }
        let (train, test) = (
            self.counts(images, Split::Train),
            self.counts(images, Split::Test),
        );
        let mut num_negatives = vec![num_test; self.classes.len()];
        for image in self.of_split(images, Split::Test) {
            if let ProbeLabel::Many { positive, ignored } = &self.labels[image] {
                for &class in positive.iter().chain(ignored) {
                    num_negatives[class] = num_negatives[class].saturating_sub(1);
                }
            }
        }
        let mut left_out = Vec::new();
        for (class, name) in self.classes.iter().enumerate() {
            let reason = match (train[class], test[class], self.has_many()) {
                (0, _, true) => "a class without a positive training image is not scored",
                (all, _, true) if all == num_train => {
                    "a class of every training image is not scored"
                }
                (_, 0, true) => "a class without a positive test image is not scored",
                _ if num_negatives[class] == 0 => {
                    "a class without a negative test image is not scored"
                }
                (0, _, false) => {
                    "a class without a training image is never an answer: its test images count as wrong"
                }
                (all, _, false) if all == num_train => "the class of every training image",
                (_, 0, false) => "a class without a test image has no score of its own",
                _ => continue,
            };
            left_out.push(LeftOut {
                what: name.clone(),
                reason: reason.to_owned(),
            });
        }
        if left_out.len() == self.classes.len() {
            return Err(format!(
                "none of its {} classes can be scored; the first, {}: {}",
                self.classes.len(),
                left_out[0].what,
                left_out[0].reason
            ));
        }
        Ok(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(classes: TableClasses, splits: &[u8]) -> LabelledFeatures {
        let split = |&split: &u8| match split {
            0 => Split::Train,
            _ => Split::Test,
        };
        LabelledFeatures {
            features: vec![0.0; splits.len()],
            num_units: 1,
            classes,
            splits: splits.iter().map(split).collect(),
        }
    }

    #[test]
    fn classes_of_a_table_are_ordered_by_their_numbers_and_have_their_names() {
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let classes = TableClasses::One(vec![2, 0, 2], Some(names));
        let subject = Subject::of_table(&table(classes, &[0, 0, 1]));
        assert_eq!(subject.classes, ["a", "c"]);
        assert_eq!(subject.labels, [1, 0, 1].map(ProbeLabel::One));
        let unnamed = Subject::of_table(&table(
            TableClasses::One(vec![70, -1, 70], None),
            &[0, 0, 1],
        ));
        assert_eq!(unnamed.classes, ["-1", "70"]);
        assert!(unnamed.is_same_as(&subject));
    }

    #[test]
    fn classes_that_cannot_be_scored_are_named_with_the_reason() {
        let names = ["never", "always", "train", "good"]
            .map(str::to_owned)
            .to_vec();
        let states = [
            [-1, 1, 1, 1],
            [0, 1, -1, -1],
            [-1, 1, -1, 1],
            [1, -1, 0, -1],
        ];
        let subject = Subject::of_table(&table(
            TableClasses::Many(states.concat(), names),
            &[0, 0, 1, 1],
        ));
        let found = subject.check(&[0, 1, 2, 3]).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|part| (&*part.what, &*part.reason))
            .collect();
        assert_eq!(
            found,
            [
                (
                    "never",
                    "a class without a positive training image is not scored"
                ),
                ("always", "a class of every training image is not scored"),
                (
                    "train",
                    "a class without a positive test image is not scored"
                ),
            ]
        );
        let err = subject.check(&[0, 1]).unwrap_err();
        assert!(err.contains("2 training images and 0 test images"), "{err}");
        let err = subject.check(&[1, 2]).unwrap_err();
        assert!(
            err.starts_with("none of its 4 classes can be scored"),
            "{err}"
        );
    }
}
