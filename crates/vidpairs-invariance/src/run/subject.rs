//! Sets, targets and conditions of the images that have features.

use std::collections::HashMap;

use vidpairs_types::{Condition, ImagePart, ImageSets, Invariance, NearView, SetImage};

use crate::measure::{Labels, LabelsError, Version};
use crate::npz::FeatureTable;

/// The images of one invariance that have features.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Subject {
    /// Set and class of each image.
    pub labels: Labels,
    /// Names of the sets, by instance number.
    pub set_names: Names,
    /// Names of the targets, by class number.
    pub target_names: Names,
    /// Target of each image in retrieval: its set, or its class.
    pub retrieved: Vec<u32>,
    /// Whether the targets in retrieval are the sets.
    pub are_sets_retrieved: bool,
    /// Condition of each image.
    pub conditions: Vec<Condition>,
    /// Images excluded as neighbours in retrieval.
    pub near: NearView,
    /// The images; empty for features without images.
    pub pictures: Vec<ImagePart>,
}

/// Names of the numbers 0, 1 and so on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Names {
    names: Vec<String>,
    /// Whether the names came with the labels. Otherwise they are the label values, which differ between files.
    are_given: bool,
}

impl Names {
    /// Name of `number`.
    pub fn get(&self, number: u32) -> &str {
        &self.names[number as usize]
    }

    /// Whether both may name the same things.
    fn fit(&self, other: &Self) -> bool {
        !(self.are_given && other.are_given) || self.names == other.names
    }
}

impl Subject {
    /// The images at `rows` of `sets`.
    ///
    /// # Errors
    /// [`LabelsError`]: there are no images, or too many.
    pub fn of_sets(sets: &ImageSets, rows: &[usize]) -> Result<Self, LabelsError> {
        let images: Vec<&SetImage> = rows.iter().map(|&row| &sets.images[row]).collect();
        let instance: Vec<u32> = images.iter().map(|image| image.set_index as u32).collect();
        let class: Vec<u32> = images
            .iter()
            .map(|image| sets.sets[image.set_index].target_index as u32)
            .collect();
        Ok(Self {
            labels: Labels::new(&instance, &class)?,
            set_names: Names {
                names: sets.sets.iter().map(|set| set.id.clone()).collect(),
                are_given: true,
            },
            target_names: Names {
                names: sets.targets.clone(),
                are_given: true,
            },
            retrieved: match is_set_one_thing(sets.invariance) {
                true => instance,
                false => class,
            },
            are_sets_retrieved: is_set_one_thing(sets.invariance),
            conditions: images.iter().map(|image| image.condition).collect(),
            near: sets.near,
            pictures: images.into_iter().map(ImagePart::from).collect(),
        })
    }

    /// The rows of `table`. Labels are numbered in the order of their first occurrence, so that tables with other label values for the
    /// same sets and classes get the same numbers.
    ///
    /// # Errors
    /// [`LabelsError`]: there are no images, or too many.
    pub fn of_table(table: &FeatureTable) -> Result<Self, LabelsError> {
        let (instance, set_names) = numbered(&table.instances, table.instance_names.as_deref());
        let (class, target_names) = match &table.classes {
            Some(classes) => numbered(classes, table.class_names.as_deref()),
            None => (instance.clone(), set_names.clone()),
        };
        Ok(Self {
            labels: Labels::new(&instance, &class)?,
            set_names,
            target_names,
            conditions: vec![Condition::Unknown; instance.len()],
            retrieved: instance,
            are_sets_retrieved: true,
            near: NearView::Itself,
            pictures: Vec::new(),
        })
    }

    /// Name of a target by its class number.
    pub fn target_name(&self, class: u32) -> &str {
        self.target_names.get(class)
    }

    /// Name of a target in retrieval by its number.
    pub fn retrieved_name(&self, number: u32) -> &str {
        match self.are_sets_retrieved {
            true => self.set_names.get(number),
            false => self.target_names.get(number),
        }
    }

    /// Whether two models can be compared on both subjects: the images fall into the same sets and classes, have the same conditions, and
    /// no names contradict.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.labels == other.labels
            && self.conditions == other.conditions
            && self.set_names.fit(&other.set_names)
            && self.target_names.fit(&other.target_names)
    }

    /// Checks that a set is large enough for the published code, which needs the largest sets.
    ///
    /// # Errors
    /// The reason why there is nothing to score.
    pub fn check(&self) -> Result<(), String> {
        let min = Version::PublishedCode.min_images();
        let sets = self.labels.sets();
        match sets.iter().any(|set| set.num_images >= min) {
            true => Ok(()),
            false => Err(format!(
                "none of the {} sets has {min} images; give the images of one thing under the transformation the same instance",
                sets.len()
            )),
        }
    }
}

/// Whether the images of a set show the same object. Sets of PASCAL3D+ show several objects of one class.
fn is_set_one_thing(invariance: Invariance) -> bool {
    match invariance {
        Invariance::ViewpointAndInstance | Invariance::Instance => false,
        Invariance::Occlusion
        | Invariance::Viewpoint
        | Invariance::IlluminationDirection
        | Invariance::IlluminationColor
        | Invariance::Other => true,
    }
}

/// Numbers the labels from 0 in the order of their first occurrence, with the name of each number.
fn numbered(labels: &[i64], names: Option<&[String]>) -> (Vec<u32>, Names) {
    let mut number_of = HashMap::new();
    let mut distinct = Vec::new();
    let numbers = labels
        .iter()
        .map(|&label| {
            *number_of.entry(label).or_insert_with(|| {
                distinct.push(label);
                distinct.len() as u32 - 1
            })
        })
        .collect();
    let name = |label: &i64| {
        let name = names.and_then(|names| names.get(usize::try_from(*label).ok()?));
        match name.map(String::as_str) {
            Some("") => "\"\"".to_owned(),
            Some(name) => name.to_owned(),
            None => label.to_string(),
        }
    };
    let names = Names {
        names: distinct.iter().map(name).collect(),
        are_given: names.is_some(),
    };
    (numbers, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(instances: [i64; 6], classes: [i64; 6], names: Option<[&str; 2]>) -> FeatureTable {
        FeatureTable {
            features: vec![0.0; 6],
            num_units: 1,
            instances: instances.to_vec(),
            classes: Some(classes.to_vec()),
            instance_names: None,
            class_names: names.map(|names| names.map(str::to_owned).to_vec()),
        }
    }

    fn subject(instances: [i64; 6], classes: [i64; 6], names: Option<[&str; 2]>) -> Subject {
        Subject::of_table(&table(instances, classes, names)).unwrap()
    }

    const INSTANCES: [i64; 6] = [70, -1, 70, -1, 5, 5];
    const CLASSES: [i64; 6] = [1, 0, 1, 0, 1, 1];

    #[test]
    fn labels_of_a_table_are_numbered_by_first_occurrence_and_named() {
        let subject = subject(INSTANCES, CLASSES, Some(["cup", ""]));
        assert_eq!(subject.set_names.names, ["70", "-1", "5"]);
        assert_eq!(subject.retrieved, [0, 1, 0, 1, 2, 2]);
        assert_eq!(
            (subject.target_name(0), subject.target_name(1)),
            ("\"\"", "cup")
        );
        assert_eq!(subject.labels.classes(), [0, 1]);
    }

    #[test]
    fn tables_with_other_label_values_are_comparable_unless_their_names_differ() {
        let plain = subject(INSTANCES, CLASSES, None);
        let renumbered = subject([0, 1, 0, 1, 2, 2], [3, 9, 3, 9, 3, 3], None);
        let named = subject(INSTANCES, CLASSES, Some(["cup", "car"]));
        let named_in_another_order = subject(INSTANCES, [0, 1, 0, 1, 0, 0], Some(["car", "cup"]));
        let other_names = subject(INSTANCES, CLASSES, Some(["bus", "car"]));
        let other_classes = subject(INSTANCES, [1, 0, 1, 0, 0, 0], None);
        let other_sets = subject([70, -1, -1, 70, 5, 5], [1, 1, 1, 1, 1, 1], None);
        for same in [&renumbered, &named, &named_in_another_order, &other_names] {
            assert!(plain.is_same_as(same) && same.is_same_as(&plain));
        }
        assert!(named.is_same_as(&named_in_another_order));
        assert!(!named.is_same_as(&other_names));
        assert!(!plain.is_same_as(&other_classes) && !plain.is_same_as(&other_sets));
    }
}
