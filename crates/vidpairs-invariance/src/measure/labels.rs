//! Set and class of each image.

use std::collections::HashMap;

use vidpairs_types::LeftOut;

use super::Version;

/// Images of one thing under a transformation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelledSet {
    /// Label of the set.
    pub instance: u32,
    /// Class of the first image: index into [`Labels::classes`].
    pub class_index: usize,
    /// Number of images, at least 1.
    pub num_images: usize,
    /// Whether a later image has another class.
    pub is_mixed: bool,
}

/// The set and the class of each image.
///
/// The images of a set need not be consecutive. Sets are in the order of their first images. The class of a set is the class of its
/// first image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    set_of_image: Vec<u32>,
    sets: Vec<LabelledSet>,
    classes: Vec<u32>,
}

/// Error of [`Labels::new`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelsError {
    /// No labels. Stop.
    #[error("no labels")]
    Empty,
    /// `instance` and `class` differ in length. Stop.
    #[error(
        "{num_instances} instance labels, {num_classes} class labels; expected one of each per image"
    )]
    Lengths {
        /// Length of `instance`.
        num_instances: usize,
        /// Length of `class`.
        num_classes: usize,
    },
    /// More images than can be numbered. Score fewer.
    #[error("{num_images} images; expected fewer than 2^32")]
    TooMany {
        /// Images given.
        num_images: usize,
    },
}

impl Labels {
    /// Groups images into sets.
    ///
    /// - `instance`: the set of each image; any numbers.
    /// - `class`: the class of each image; any numbers.
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
        let mut index_of: HashMap<u32, u32> = HashMap::new();
        let mut set_of_image = Vec::with_capacity(instance.len());
        for (&instance, class) in instance.iter().zip(class) {
            let class_index = classes
                .binary_search(class)
                .expect("`classes` holds the class of every image");
            let set_index = *index_of.entry(instance).or_insert(sets.len() as u32);
            match sets.get_mut(set_index as usize) {
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
            set_of_image.push(set_index);
        }
        Ok(Self {
            set_of_image,
            sets,
            classes,
        })
    }

    /// Groups images of unknown class: each set is its own class.
    ///
    /// # Errors
    /// [`LabelsError`].
    pub fn of_instances(instance: &[u32]) -> Result<Self, LabelsError> {
        Self::new(instance, instance)
    }

    /// Number of images `N`, at least 1.
    pub fn num_images(&self) -> usize {
        self.set_of_image.len()
    }

    /// The sets, in the order of their first images.
    pub fn sets(&self) -> &[LabelledSet] {
        &self.sets
    }

    /// The set of each image: index into [`Labels::sets`].
    pub fn set_of_image(&self) -> &[u32] {
        &self.set_of_image
    }

    /// The distinct classes of the images, ascending.
    pub fn classes(&self) -> &[u32] {
        &self.classes
    }

    /// The sets with too few images for `version`, each with a reason. `name` gives the name of a set.
    pub fn left_out(
        &self,
        version: Version,
        name: impl Fn(&LabelledSet) -> String,
    ) -> Vec<LeftOut> {
        let min = version.min_images();
        let small = self.sets.iter().filter(|set| set.num_images < min);
        small
            .map(|set| LeftOut {
                what: name(set),
                reason: format!(
                    "the set has {}; {version} needs sets of at least {min}",
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
    fn sets_are_in_the_order_of_their_first_images_and_need_not_be_consecutive() {
        let labels = Labels::new(&[7, 3, 7, 3, 9], &[1, 0, 1, 0, 5]).unwrap();
        assert_eq!(labels.set_of_image(), [0, 1, 0, 1, 2]);
        let instances: Vec<u32> = labels.sets().iter().map(|set| set.instance).collect();
        assert_eq!(instances, [7, 3, 9]);
        assert_eq!(labels.classes(), [0, 1, 5]);
    }

    #[test]
    fn the_class_of_a_set_is_the_class_of_its_first_image() {
        let labels = Labels::new(&[4, 4, 4], &[8, 2, 2]).unwrap();
        let set = labels.sets()[0];
        assert_eq!((labels.classes()[set.class_index], set.is_mixed), (8, true));
    }

    #[test]
    fn sets_that_are_too_small_are_left_out_with_name_and_reason() {
        let labels = Labels::of_instances(&[4, 5, 5, 6, 6, 6]).unwrap();
        let left_out = |version| labels.left_out(version, |set| format!("set {}", set.instance));
        let lines: Vec<String> = left_out(Version::PublishedCode)
            .iter()
            .map(|left_out| format!("{}: {}", left_out.what, left_out.reason))
            .collect();
        assert_eq!(
            lines,
            [
                "set 4: the set has 1 image; published-code needs sets of at least 3",
                "set 5: the set has 2 images; published-code needs sets of at least 3"
            ]
        );
        assert!(left_out(Version::Formula).is_empty());
        assert_eq!(left_out(Version::Goodfellow).len(), 1);
    }

    #[test]
    fn labels_of_different_lengths_are_refused() {
        let err = Labels::new(&[1, 2], &[1]).unwrap_err();
        assert_eq!(
            err.to_string(),
            "2 instance labels, 1 class labels; expected one of each per image"
        );
        assert_eq!(Labels::of_instances(&[]), Err(LabelsError::Empty));
    }
}
