//! A set as a list of items.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rand::seq::SliceRandom;

use super::{ItemError, Models, SetKind, Settings, aloi, got10k, pascal3d, trackingnet};
use crate::parallel::Heartbeat;
use crate::synth::backdrops::Backdrops;
use crate::synth::catalog::{Catalog, CatalogObject, Half, Selected};
use crate::synth::truth::Truth;
use crate::types::{Refusal, Seed};

/// Why there is nothing to render. Stop: the user must choose otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// No object is left to choose from.
    #[error(
        "no object of the {half} half is left to choose from ({named}); the catalogue has: {existing}"
    )]
    NoObjects {
        /// `training`, `held-out` or `both halves`.
        half: String,
        /// The categories that were asked for.
        named: String,
        /// Classes that there are.
        existing: String,
    },
}

/// What can be made alone.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A video.
    Video {
        /// Of training or held-out objects.
        half: Half,
        /// Place among those of its half, from 1.
        number: u32,
    },
    /// All images of one object.
    Object {
        /// Index into [`Plan::objects`].
        object: usize,
        /// The object's number in the set, from 1.
        number: u32,
    },
}

/// What making an item came to.
#[derive(Debug, Default)]
pub struct Made {
    /// Files or folders made, as names below the root.
    pub names: Vec<String>,
    /// A line per image and annotated object, in the order of the images.
    pub truths: Vec<Truth>,
    /// Images made.
    pub num_images: u64,
    /// Bytes of all files.
    pub num_bytes: u64,
    /// Objects and backgrounds set aside on the way.
    pub refused: Vec<Refusal>,
}

/// A set to render.
#[derive(Debug)]
pub struct Plan {
    /// What it shall be like.
    pub settings: Settings,
    /// Objects that take part.
    pub objects: Vec<CatalogObject>,
    /// In the order in which they are published.
    pub items: Vec<Item>,
    /// What was asked for and can't be had, in words.
    pub remarks: Vec<String>,
    pub(super) backdrops: Backdrops,
    pub(super) models: Models,
}

impl Plan {
    /// Chooses objects and lists the items.
    ///
    /// # Errors
    /// [`PlanError`] if no object is left.
    pub fn new(settings: Settings, catalog: &Catalog, backdrops: Backdrops) -> Result<Self, PlanError> {
        let mut remarks = Vec::new();
        let (objects, items) = match (&settings.videos, &settings.images) {
            (Some(videos), _) => {
                let mut objects = Vec::new();
                let mut items = Vec::new();
                let halves = [
                    (Half::Training, videos.num_training),
                    (Half::HeldOut, videos.num_held_out),
                ];
                for (half, count) in halves.into_iter().filter(|(_, count)| *count > 0) {
                    objects.extend(chosen(catalog, Some(half), &settings.categories, &mut remarks)?);
                    items.extend((1..=count).map(|number| Item::Video { half, number }));
                }
                (objects, items)
            }
            (None, images) => {
                let half = images.as_ref().and_then(|images| images.half);
                let most = images.as_ref().map_or(u32::MAX, |images| images.num_objects);
                let all = chosen(catalog, half, &settings.categories, &mut remarks)?;
                let objects = thinned(all, &settings, most);
                let items = (0..objects.len()).zip(1..);
                let items = items.map(|(object, number)| Item::Object { object, number });
                let items: Vec<Item> = items.collect();
                (objects, items)
            }
        };
        Ok(Self {
            settings,
            objects,
            items,
            remarks,
            backdrops,
            models: Models::default(),
        })
    }

    /// Makes one item in `folder`, whatever was there.
    ///
    /// # Errors
    /// [`ItemError`]; see [`ItemError::is_final`]. Objects that were set aside are lost with it, unless they
    /// are what it says.
    pub fn make(
        &self,
        item: &Item,
        folder: &Path,
        heartbeat: &Arc<Heartbeat>,
    ) -> Result<Made, ItemError> {
        match (self.settings.kind, item) {
            (SetKind::TrackingNet, &Item::Video { half, number }) => {
                trackingnet::make(self, half, number, folder, heartbeat)
            }
            (_, &Item::Video { half, number }) => {
                got10k::make(self, half, number, folder, heartbeat)
            }
            (SetKind::Aloi, &Item::Object { object, number }) => {
                aloi::make(self, object, number, folder, heartbeat)
            }
            (_, &Item::Object { object, number }) => {
                pascal3d::make(self, object, number, folder, heartbeat)
            }
        }
    }

    /// What an item is called in messages.
    pub fn name_of(&self, item: &Item) -> String {
        match (self.settings.kind, item) {
            (SetKind::TrackingNet, &Item::Video { half, number }) => {
                trackingnet::video_name(half, number)
            }
            (_, &Item::Video { half, number }) => got10k::sequence(half, number),
            (_, &Item::Object { object, .. }) => self.objects[object].id.clone(),
        }
    }

    /// The seed of the item named `name`.
    pub(super) fn seed_of(&self, name: &str) -> Seed {
        Seed::of_run(self.settings.seed).for_step(self.settings.kind.name(), name)
    }

    /// The objects of `half`.
    pub(super) fn objects_of(&self, half: Half) -> Vec<&CatalogObject> {
        self.objects.iter().filter(|object| object.half == half).collect()
    }
}

fn chosen(
    catalog: &Catalog,
    half: Option<Half>,
    categories: &[String],
    remarks: &mut Vec<String>,
) -> Result<Vec<CatalogObject>, PlanError> {
    let Selected {
        objects,
        unknown,
        without_objects,
    } = catalog.select(half, categories);
    let half_name = half.map_or("both halves", Half::name);
    for unknown in unknown {
        let asked = &unknown.asked;
        let hint = unknown.nearest.map(|nearest| format!("; did you mean `{nearest}`?"));
        let remark = format!("no object of category `{asked}`{}", hint.unwrap_or_default());
        if !remarks.contains(&remark) {
            remarks.push(remark);
        }
    }
    for asked in without_objects {
        remarks.push(format!("no object of category `{asked}` in the {half_name} half"));
    }
    if objects.is_empty() {
        let mut existing: BTreeMap<&str, usize> = BTreeMap::new();
        for object in catalog.select(half, &[]).objects {
            *existing.entry(&object.category).or_default() += 1;
        }
        let existing: Vec<&str> = existing.into_keys().collect();
        let named = match categories {
            [] => "of any category".to_owned(),
            named => format!("asked for: {}", named.join(", ")),
        };
        return Err(PlanError::NoObjects {
            half: half_name.to_owned(),
            named,
            existing: match existing.as_slice() {
                [] => "nothing".to_owned(),
                some => some.join(", "),
            },
        });
    }
    Ok(objects.into_iter().cloned().collect())
}

/// At most `most` objects, in the catalogue's order: of each class for PASCAL3D+, whose other classes are
/// those that have two, unless some were asked for; in all for ALOI, drawn by lot.
fn thinned(mut objects: Vec<CatalogObject>, settings: &Settings, most: u32) -> Vec<CatalogObject> {
    let mut rng = Seed::of_run(settings.seed).for_step("choose", "").rng();
    objects.shuffle(&mut rng);
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    if settings.kind == SetKind::Aloi {
        objects.truncate(most as usize);
    } else {
        objects.retain(|object| {
            let taken = taken.entry(object.category.clone()).or_default();
            *taken += 1;
            *taken <= most
        });
        if settings.categories.is_empty() {
            objects.retain(|object| taken.get(&object.category).is_some_and(|&count| count > 1));
        }
    }
    objects.sort_by(|a, b| (&a.category, &a.id).cmp(&(&b.category, &b.id)));
    objects
}
