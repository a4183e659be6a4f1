//! What features are held against: the sets, the targets and the conditions of their images.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::invariance::{Labels, LabelsError, Version};
use crate::npz::FeatureTable;
use crate::types::{BoxXywh, Condition, NearView};

/// The images of one invariance that have features.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Subject {
    /// Sets and classes.
    pub labels: Labels,
    /// What the set of an instance is called, by its number.
    pub set_names: Vec<String>,
    /// What a class is called, by its number.
    pub target_names: Vec<String>,
    /// Of each image: what its nearest neighbour is to show.
    pub retrieved: Vec<u32>,
    /// Of each image.
    pub conditions: Vec<Condition>,
    /// What is too near for retrieval.
    pub near: NearView,
    /// Of each image the file and the box in it; none where features came without images.
    pub pictures: Vec<(PathBuf, Option<BoxXywh>)>,
}

impl Subject {
    /// Of the images at `rows` of `sets`.
    ///
    /// # Errors
    /// [`LabelsError`]: there are none, or too many.
    #[cfg(feature = "train")]
    pub fn of_sets(sets: &crate::types::ImageSets, rows: &[usize]) -> Result<Self, LabelsError> {
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
            set_names: sets.sets.iter().map(|set| set.id.clone()).collect(),
            target_names: sets.targets.clone(),
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

    /// Of the rows of `table`.
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
        let name = self.target_names.get(class as usize);
        name.map_or("?", String::as_str)
    }

    /// Whether `other` has the same images in the same sets of the same classes, so that two models can be compared on them.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.labels == other.labels && self.conditions == other.conditions
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
#[cfg(feature = "train")]
fn is_set_one_thing(invariance: crate::types::Invariance) -> bool {
    use crate::types::Invariance;
    match invariance {
        Invariance::ViewpointAndInstance | Invariance::Instance => false,
        Invariance::Occlusion
        | Invariance::Viewpoint
        | Invariance::IlluminationDirection
        | Invariance::IlluminationColor
        | Invariance::Other => true,
    }
}

/// Numbers from 0 in the order of the labels, and what each is called.
fn numbered(labels: &[i64], names: Option<&[String]>) -> (Vec<u32>, Vec<String>) {
    let distinct: Vec<i64> = labels
        .iter()
        .copied()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let number = |label: &i64| distinct.binary_search(label).unwrap_or_default() as u32;
    let name = |label: &i64| {
        let name = names.and_then(|names| names.get(usize::try_from(*label).ok()?));
        name.cloned().unwrap_or_else(|| label.to_string())
    };
    let numbers = labels.iter().map(number).collect();
    (numbers, distinct.iter().map(name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_a_table_are_numbered_in_their_order_and_named() {
        let table = FeatureTable {
            features: vec![0.0; 4],
            num_units: 1,
            instances: vec![70, -1, 70, -1],
            classes: Some(vec![1, 0, 1, 0]),
            instance_names: None,
            class_names: Some(vec!["cup".to_owned(), "car".to_owned()]),
        };
        let subject = Subject::of_table(&table).unwrap();
        assert_eq!(subject.set_names, ["-1", "70"]);
        assert_eq!(subject.retrieved, [1, 0, 1, 0]);
        assert_eq!(subject.target_name(1), "car");
        assert_eq!(subject.labels.classes(), [0, 1]);
    }
}
