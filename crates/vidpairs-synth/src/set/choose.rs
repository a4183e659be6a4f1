//! Chooses the objects of a set.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom;
use vidpairs_types::Seed;

use super::{SetKind, Settings};
use crate::catalog::{Catalog, CatalogObject, Half};

/// Why there is nothing to render. Stop: the user must change the options.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// No object matches the options.
    #[error(
        "no object to render in {half}: {}; --videos, --images and --half select the half", .hints.join("; ")
    )]
    NoObjects {
        /// Half, in words.
        half: &'static str,
        /// Unknown categories, and those that exist.
        hints: Vec<String>,
    },
    /// No class has both training and held-out objects.
    #[error(
        "no class has both training and held-out objects; --images 0 or --held-out-images 0 needs one half only"
    )]
    NoSharedClass,
}

/// Objects of `half` (both halves if `None`) in the categories of the settings. Categories without objects are added to
/// `remarks`.
pub(super) fn select(
    settings: &Settings,
    catalog: &Catalog,
    half: Option<Half>,
    remarks: &mut Vec<String>,
) -> Result<Vec<CatalogObject>, PlanError> {
    let half_name = match half {
        None => "either half",
        Some(Half::Training) => "the training half",
        Some(Half::HeldOut) => "the held-out half",
    };
    let selected = catalog.select(half, &settings.categories);
    for unknown in selected.unknown {
        let mut remark = format!("no object of category `{}`", unknown.name);
        if let Some(nearest) = unknown.nearest {
            remark += &format!("; did you mean `{nearest}`?");
        }
        if !remarks.contains(&remark) {
            remarks.push(remark);
        }
    }
    for category in selected.without_objects {
        remarks.push(format!("no object of category `{category}` in {half_name}"));
    }
    if !selected.objects.is_empty() {
        return Ok(selected.objects.into_iter().cloned().collect());
    }
    let hints = if settings.categories.is_empty() {
        vec!["the catalogue has no suitable object there".to_owned()]
    } else {
        remarks.push(existing_classes(catalog, half));
        std::mem::take(remarks)
    };
    Err(PlanError::NoObjects {
        half: half_name,
        hints,
    })
}

/// Names the classes of `half`, those with the most objects first.
fn existing_classes(catalog: &Catalog, half: Option<Half>) -> String {
    const MAX_NAMES: usize = 16;
    let mut classes: Vec<(String, u32)> = count_by_class(catalog.select(half, &[]).objects)
        .into_iter()
        .collect();
    classes.sort_by_key(|&(_, count)| std::cmp::Reverse(count)); // stable: then by name
    let num_unnamed = classes.len().saturating_sub(MAX_NAMES);
    classes.truncate(MAX_NAMES);
    let names: Vec<String> = classes.into_iter().map(|(class, _)| class).collect();
    let more = match num_unnamed {
        0 => String::new(),
        num => format!(" and {num} more"),
    };
    format!("there are {}{more}", names.join(", "))
}

/// Leaves out the objects of classes that only one half has, if there are objects of both halves: the images of both are to show the
/// same classes.
pub(super) fn shared_classes(
    objects: &mut Vec<CatalogObject>,
    remarks: &mut Vec<String>,
) -> Result<(), PlanError> {
    let classes_of = |half: Half| -> BTreeSet<String> {
        let objects = objects.iter().filter(|object| object.half == half);
        objects.map(|object| object.category.clone()).collect()
    };
    let (training, held_out) = (classes_of(Half::Training), classes_of(Half::HeldOut));
    if training.is_empty() || held_out.is_empty() {
        return Ok(());
    }
    objects.retain(|object| {
        training.contains(&object.category) && held_out.contains(&object.category)
    });
    let num_left_out = training.symmetric_difference(&held_out).count();
    if num_left_out > 0 {
        remarks.push(format!(
            "left out {num_left_out} classes without objects in both halves"
        ));
    }
    match objects.is_empty() {
        true => Err(PlanError::NoSharedClass),
        false => Ok(()),
    }
}

fn count_by_class<'a>(
    objects: impl IntoIterator<Item = &'a CatalogObject>,
) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for object in objects {
        *counts.entry(object.category.clone()).or_default() += 1;
    }
    counts
}

/// At most `max_objects` of `objects`, drawn at random: in all for ALOI, per class for PASCAL3D+. PASCAL3D+ leaves out
/// classes with a single object, unless categories are given or all classes are such.
pub(super) fn thin(
    mut objects: Vec<CatalogObject>,
    settings: &Settings,
    max_objects: u32,
    remarks: &mut Vec<String>,
) -> Vec<CatalogObject> {
    let mut rng = Seed::of_run(settings.seed).for_step("choose", "").rng();
    objects.shuffle(&mut rng);
    if settings.kind == SetKind::Aloi {
        objects.truncate(max_objects as usize);
    } else {
        let counts = count_by_class(&objects);
        let num_single = counts.values().filter(|&&count| count == 1).count();
        if settings.categories.is_empty() && 0 < num_single && num_single < counts.len() {
            objects.retain(|object| counts[&object.category] > 1);
            remarks.push(format!(
                "left out {num_single} classes with a single object; --categories takes those that it names"
            ));
        }
        let mut taken: BTreeMap<String, u32> = BTreeMap::new();
        objects.retain(|object| {
            let taken = taken.entry(object.category.clone()).or_default();
            *taken += 1;
            *taken <= max_objects
        });
    }
    objects.sort_by(|a, b| (&a.category, &a.id).cmp(&(&b.category, &b.id)));
    objects
}
