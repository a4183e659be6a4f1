//! What features are held against: the sets, the targets and the conditions of their images.

use std::collections::HashMap;
use std::path::PathBuf;

use vidpairs_types::{BoxXywh, Condition, NearView};

use crate::measure::{Labels, LabelsError, Version};
use crate::npz::FeatureTable;

/// The images of one invariance that have features.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Subject {
    /// Sets and classes.
    pub labels: Labels,
    /// What the set of an instance is called, by its number.
    pub set_names: Names,
    /// What a class is called, by its number.
    pub target_names: Names,
    /// Of each image: what its nearest neighbour is to show.
    pub retrieved: Vec<u32>,
    /// Of each image.
    pub conditions: Vec<Condition>,
    /// What is too near for retrieval.
    pub near: NearView,
    /// Of each image the file and the box in it; none where features came without images.
    pub pictures: Vec<(PathBuf, Option<BoxXywh>)>,
}

/// What numbers from 0 are called.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Names {
    of: Vec<String>,
    /// Whether they came with the labels. Else they are numbers, which mean nothing beside other files.
    are_given: bool,
}

impl Names {
    /// Of `number`.
    pub fn get(&self, number: u32) -> Option<&String> {
        self.of.get(number as usize)
    }

    /// Whether both may be of the same things.
    fn fit(&self, other: &Self) -> bool {
        !(self.are_given && other.are_given) || self.of == other.of
    }
}

impl Subject {
    /// Of the images at `rows` of `sets`.
    ///
    /// # Errors
    /// [`LabelsError`]: there are none, or too many.
    pub fn of_sets(sets: &vidpairs_types::ImageSets, rows: &[usize]) -> Result<Self, LabelsError> {
        let images: Vec<_> = rows
            .iter()
            .filter_map(|&row| sets.images.get(row))
            .collect();
        let instance: Vec<u32> = images.iter().map(|it| it.set_index as u32).collect();
        let target = |set: &u32| sets.sets.get(*set as usize).map(|it| it.target_index);
        let class = instance.iter().filter_map(target).map(|it| it as u32);
        let class: Vec<u32> = class.collect();
        Ok(Self {
            labels: Labels::new(&instance, &class)?,
            set_names: Names {
                of: sets.sets.iter().map(|set| set.id.clone()).collect(),
                are_given: true,
            },
            target_names: Names {
                of: sets.targets.clone(),
                are_given: true,
            },
            retrieved: match is_set_one_thing(sets.invariance) {
                true => instance,
                false => class,
            },
            conditions: images.iter().map(|it| it.condition).collect(),
            near: sets.near,
            pictures: images
                .iter()
                .map(|it| (it.path.clone(), it.region))
                .collect(),
        })
    }

    /// Of the rows of `table`. Labels are numbered in the order in which they come first, so that tables which call the same
    /// things by other labels have the same numbers.
    ///
    /// # Errors
    /// [`LabelsError`]: there are none, or too many.
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
            near: NearView::Itself,
            pictures: Vec::new(),
        })
    }

    /// What class number `class` is called.
    pub fn target_name(&self, class: u32) -> &str {
        self.target_names.get(class).map_or("?", String::as_str)
    }

    /// Whether `other` has the same images in the same sets of the same classes, so that two models can be compared on them: so
    /// many images, which fall into the same sets and classes, and no name against it.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.labels == other.labels
            && self.conditions == other.conditions
            && self.set_names.fit(&other.set_names)
            && self.target_names.fit(&other.target_names)
    }

    /// Whether any set is large enough for the published code, which asks for most.
    ///
    /// # Errors
    /// Why there is nothing to score, in words.
    pub fn check(&self) -> Result<(), String> {
        let min = Version::PublishedCode.min_images();
        let sets = self.labels.sets();
        match sets.iter().any(|set| set.num_images >= min) {
            true => Ok(()),
            false => Err(format!(
                "none of the {} sets has {min} images; images of one thing transformed need the same instance",
                sets.len()
            )),
        }
    }
}

/// Whether the images of a set show one and the same thing. Those of PASCAL3D+ show things of one class.
fn is_set_one_thing(invariance: vidpairs_types::Invariance) -> bool {
    use vidpairs_types::Invariance;
    match invariance {
        Invariance::ViewpointAndInstance | Invariance::Instance => false,
        Invariance::Occlusion
        | Invariance::Viewpoint
        | Invariance::IlluminationDirection
        | Invariance::IlluminationColor
        | Invariance::Other => true,
    }
}

/// Numbers from 0 in the order in which the labels come first, and what each is called.
fn numbered(labels: &[i64], names: Option<&[String]>) -> (Vec<u32>, Names) {
    let mut number_of = HashMap::new();
    let mut distinct = Vec::new();
    let numbers = labels.iter().map(|&label| {
        *number_of.entry(label).or_insert_with(|| {
            distinct.push(label);
            distinct.len() as u32 - 1
        })
    });
    let numbers = numbers.collect();
    let name = |label: &i64| {
        let name = names.and_then(|names| names.get(usize::try_from(*label).ok()?));
        match name.map(String::as_str) {
            Some("") => "\"\"".to_owned(),
            Some(name) => name.to_owned(),
            None => label.to_string(),
        }
    };
    let names = Names {
        of: distinct.iter().map(name).collect(),
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
    fn labels_of_a_table_are_numbered_as_they_come_and_named() {
        let subject = subject(INSTANCES, CLASSES, Some(["cup", ""]));
        assert_eq!(subject.set_names.of, ["70", "-1", "5"]);
        assert_eq!(subject.retrieved, [0, 1, 0, 1, 2, 2]);
        assert_eq!(
            (subject.target_name(0), subject.target_name(1)),
            ("\"\"", "cup")
        );
        assert_eq!(subject.labels.classes(), [0, 1]);
    }

    #[test]
    fn tables_are_of_the_same_things_whatever_the_numbers_unless_names_tell_otherwise() {
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
