//! A set as a list of items.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rand::seq::SliceRandom;

use super::folder::ItemFolder;
use super::{Contents, ItemError, Models, SetKind, Settings, aloi, got10k, pascal3d, trackingnet};
use crate::decode::DecodeError;
use crate::parallel::Heartbeat;
use crate::synth::backdrops::{BackdropError, Backdrops, Frames, Unreadable};
use crate::synth::catalog::{Catalog, CatalogObject, Half, Selected};
use crate::synth::truth::Truth;
use crate::types::{Outcome, Refusal, Seed, Stage, with_causes};

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
    /// Ids of the objects that can be seen.
    pub objects: Vec<String>,
    /// Objects and backgrounds set aside on the way.
    pub refused: Vec<Refusal>,
}

/// The making of one item.
pub(super) struct Work<'a> {
    pub plan: &'a Plan,
    pub folder: ItemFolder<'a>,
    pub made: Made,
    pub heartbeat: &'a Arc<Heartbeat>,
}

impl<'a> Work<'a> {
    /// The images behind the objects of `name`; files that can't be read are set aside.
    pub fn backdrop(&mut self, name: &str, num_frames: u64) -> Result<Frames, ItemError> {
        let (plan, seed) = (self.plan, self.plan.seed_of(name).for_step("backdrop", ""));
        let mut unreadable = Vec::new();
        let size = plan.settings.size;
        let drawn = plan
            .backdrops
            .draw(seed, size, num_frames, self.heartbeat, &mut unreadable);
        self.made
            .refused
            .extend(unreadable.iter().map(refused_backdrop));
        drawn.map_err(|err| match err {
            BackdropError::Video(DecodeError::Stopped) => ItemError::Stopped,
            err => err.into(),
        })
    }

    /// Shows that the work goes on; an error if it shall not.
    pub fn go_on(&self) -> Result<(), ItemError> {
        self.heartbeat.beat();
        if self.heartbeat.should_stop() {
            return Err(ItemError::Stopped);
        }
        Ok(())
    }

    /// What was made, under `names`.
    pub fn done(mut self, names: Vec<String>) -> Made {
        self.made.names = names;
        self.made.num_bytes = self.folder.num_bytes();
        self.made
    }
}

fn refused_backdrop(unreadable: &Unreadable) -> Refusal {
    let path = unreadable.path.display().to_string();
    Refusal {
        id: path.clone(),
        path,
        outcome: Outcome::Refused,
        stage: Stage::Decode,
        reason: with_causes(&unreadable.why),
        retry: "mend it and render the set again; another background was taken".to_owned(),
    }
}

/// A set to render.
#[derive(Debug)]
pub struct Plan {
    /// What it shall be like.
    pub settings: Settings,
    /// Objects that are annotated: those of the categories that were asked for.
    pub objects: Vec<CatalogObject>,
    /// Objects that may be in view besides: of videos all of the same half.
    pub clutter: Vec<CatalogObject>,
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
    pub fn new(
        settings: Settings,
        catalog: &Catalog,
        backdrops: Backdrops,
    ) -> Result<Self, PlanError> {
        let (mut remarks, mut clutter) = (Vec::new(), Vec::new());
        let (objects, items) = match &settings.contents {
            Contents::Videos(videos) => {
                let mut objects = Vec::new();
                let mut items = Vec::new();
                let halves = [
                    (Half::Training, videos.num_training),
                    (Half::HeldOut, videos.num_held_out),
                ];
                for (half, count) in halves.into_iter().filter(|(_, count)| *count > 0) {
                    let categories = &settings.categories;
                    objects.extend(chosen(catalog, Some(half), categories, &mut remarks)?);
                    clutter.extend(catalog.select(Some(half), &[]).objects.into_iter().cloned());
                    items.extend((1..=count).map(|number| Item::Video { half, number }));
                }
                (objects, items)
            }
            Contents::Images(images) => {
                let all = chosen(catalog, images.half, &settings.categories, &mut remarks)?;
                let objects = thinned(all, &settings, images.num_objects);
                let items = (0..objects.len()).zip(1..);
                let items = items.map(|(object, number)| Item::Object { object, number });
                let items: Vec<Item> = items.collect();
                (objects, items)
            }
        };
        Ok(Self {
            settings,
            objects,
            clutter,
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
        let work = Work {
            plan: self,
            folder: ItemFolder::create(folder)?,
            made: Made::default(),
            heartbeat,
        };
        match (&self.settings.contents, item) {
            (Contents::Videos(videos), &Item::Video { half, number }) => match self.settings.kind {
                SetKind::TrackingNet => trackingnet::make(work, videos, half, number),
                _ => got10k::make(work, videos, half, number),
            },
            (Contents::Images(images), &Item::Object { object, number }) => {
                match self.settings.kind {
                    SetKind::Aloi => aloi::make(work, images, object, number),
                    _ => pascal3d::make(work, images, object, number),
                }
            }
            _ => Ok(work.made), // of another plan
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
}

/// Those of `objects` that are of `half`.
pub(super) fn of_half(objects: &[CatalogObject], half: Half) -> Vec<&CatalogObject> {
    objects
        .iter()
        .filter(|object| object.half == half)
        .collect()
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
        let hint = unknown
            .nearest
            .map(|nearest| format!("; did you mean `{nearest}`?"));
        let remark = format!(
            "no object of category `{asked}`{}",
            hint.unwrap_or_default()
        );
        if !remarks.contains(&remark) {
            remarks.push(remark);
        }
    }
    for asked in without_objects {
        remarks.push(format!(
            "no object of category `{asked}` in the {half_name} half"
        ));
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
