//! Which images are transformed versions of one thing, and what the thing is.

use std::collections::HashMap;

use vidpairs_types::LeftOut;

use super::Version;

/// One thing under a transformation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelledSet {
    /// As it is called in the labels.
    pub instance: u32,
    /// Of its first image: place in [`Labels::classes`].
    pub class_index: usize,
    /// At least 1.
    pub num_images: usize,
    /// Whether a later image of the set is said to be of another class.
    pub is_mixed: bool,
}

/// The set and the class of every image.
///
/// Images of a set need not be neighbours. Sets are in the order of their first images, and the class of a set is that
/// of its first image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    set_of_image: Vec<u32>,
    sets: Vec<LabelledSet>,
    classes: Vec<u32>,
}

/// Why numbers are no labels of images.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelsError {
    /// There are none. Stop.
    #[error("no labels")]
    Empty,
    /// Not one class for every image. Stop.
    #[error("{num_classes} classes for the images of {num_instances} instances")]
    Lengths {
        /// Entries in `instance`.
        num_instances: usize,
        /// Entries in `class`.
        num_classes: usize,
    },
    /// More images than can be numbered. Score a part of them.
    #[error("{num_images} images; expected fewer than 2^32")]
    TooMany {
        /// Images given.
        num_images: usize,
    },
}

impl Labels {
    /// - `instance`: of each image the set that it belongs to, any numbers.
    /// - `class`: of each image what it shows, any numbers.
    ///
    /// # Errors
    /// [`LabelsError`].
    pub fn new(instance: &[u32], class: &[u32]) -> Result<Self, LabelsError> {
        if instance.len() != class.len() {
            return Err(LabelsError::Lengths {
                num_instances: instance.len(),
                num_classes: class.len(),
            });
        }
        if instance.is_empty() {
            return Err(LabelsError::Empty);
        }
        if u32::try_from(instance.len()).is_err() {
            return Err(LabelsError::TooMany {
                num_images: instance.len(),
            });
        }
        let mut classes = class.to_vec();
        classes.sort_unstable();
        classes.dedup();
        let mut sets: Vec<LabelledSet> = Vec::new();
        let mut place_of: HashMap<u32, u32> = HashMap::new();
        let mut set_of_image = Vec::with_capacity(instance.len());
        for (&instance, class) in instance.iter().zip(class) {
            let class_index = classes.binary_search(class).unwrap_or_else(|place| place);
            let place = *place_of.entry(instance).or_insert(sets.len() as u32);
            match sets.get_mut(place as usize) {
                Some(set) => {
                    set.num_images += 1;
                    set.is_mixed |= set.class_index != class_index;
                }
                None => sets.push(LabelledSet {
                    instance,
                    class_index,
                    num_images: 1,
                    is_mixed: false,
                }),
            }
            set_of_image.push(place);
        }
        Ok(Self {
            set_of_image,
            sets,
            classes,
        })
    }

    /// Where no classes are known: every set is a target of its own.
    ///
    /// # Errors
    /// [`LabelsError`].
    pub fn of_instances(instance: &[u32]) -> Result<Self, LabelsError> {
        Self::new(instance, instance)
    }

    /// `N`, at least 1.
    pub fn num_images(&self) -> usize {
        self.set_of_image.len()
    }

    /// In the order of their first images.
    pub fn sets(&self) -> &[LabelledSet] {
        &self.sets
    }

    /// Of each image the place of its set in [`Labels::sets`].
    pub fn set_of_image(&self) -> &[u32] {
        &self.set_of_image
    }

    /// Each class that an image has once, ascending.
    pub fn classes(&self) -> &[u32] {
        &self.classes
    }

    /// The sets that `version` does not look at, since they have too few images.
    pub fn left_out(&self, version: Version) -> Vec<LeftOut> {
        let min = version.min_images();
        let small = self.sets.iter().filter(|set| set.num_images < min);
        small
            .map(|set| LeftOut {
                what: format!("set {}", set.instance),
                reason: format!(
                    "it has {}; {version} takes sets of at least {min}",
                    match set.num_images {
                        1 => "1 image".to_owned(),
                        more => format!("{more} images"),
                    }
                ),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_in_the_order_of_their_first_images_and_need_not_be_neighbours() {
        let labels = Labels::new(&[7, 3, 7, 3, 9], &[1, 0, 1, 0, 5]).unwrap();
        assert_eq!(labels.set_of_image(), [0, 1, 0, 1, 2]);
        let instances: Vec<u32> = labels.sets().iter().map(|set| set.instance).collect();
        assert_eq!(instances, [7, 3, 9]);
        assert_eq!(labels.classes(), [0, 1, 5]);
    }

    #[test]
    fn the_class_of_a_set_is_that_of_its_first_image() {
        let labels = Labels::new(&[4, 4, 4], &[8, 2, 2]).unwrap();
        let set = labels.sets()[0];
        assert_eq!((labels.classes()[set.class_index], set.is_mixed), (8, true));
    }

    #[test]
    fn what_is_left_out_is_named() {
        let labels = Labels::of_instances(&[4, 5, 5, 6, 6, 6]).unwrap();
        let left_out = labels.left_out(Version::PublishedCode);
        let said: Vec<String> = left_out
            .iter()
            .map(|it| format!("{}: {}", it.what, it.reason))
            .collect();
        assert_eq!(
            said,
            [
                "set 4: it has 1 image; published-code takes sets of at least 3",
                "set 5: it has 2 images; published-code takes sets of at least 3"
            ]
        );
        assert!(labels.left_out(Version::Formula).is_empty());
        assert_eq!(labels.left_out(Version::Goodfellow).len(), 1);
    }

    #[test]
    fn labels_of_different_lengths_are_refused() {
        let err = Labels::new(&[1, 2], &[1]).unwrap_err();
        assert_eq!(err.to_string(), "1 classes for the images of 2 instances");
        assert_eq!(Labels::of_instances(&[]), Err(LabelsError::Empty));
    }
}
