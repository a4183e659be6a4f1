//! A set as a list of items.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::seq::SliceRandom;
use vidpairs_extract::decode::DecodeError;
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Outcome, Refusal, Seed, Stage, with_causes};

use super::folder::ItemFolder;
use super::{Contents, ItemError, Models, SetKind, Settings, aloi, got10k, pascal3d, trackingnet};
use crate::backdrops::{BackdropError, Backdrops, Frames, Unreadable};
use crate::catalog::{Catalog, CatalogObject, Half, Selected};
use crate::truth::Truth;

/// Why there is nothing to render. Stop: the user must choose otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// No object is left to choose from.
    #[error(
        "no object of {half} is left to choose from: {}; --videos, --held-out-videos and --half say which half is \
         rendered", .hints.join("; ")
    )]
    NoObjects {
        /// Which half, in words.
        half: &'static str,
        /// What was asked for and can't be had.
        hints: Vec<String>,
    },
}

fn half_words(half: Half) -> &'static str {
    match half {
        Half::Training => "the training half",
        Half::HeldOut => "the held-out half",
    }
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
    /// Ids of the objects that take part.
    pub objects: Vec<String>,
    /// Objects and backgrounds set aside on the way.
    pub refused: Vec<Refusal>,
}

/// Why an item could not be made, and what was set aside until then.
#[derive(Debug)]
pub struct Failed {
    /// See [`ItemError::is_final`].
    pub why: Box<ItemError>,
    /// Objects and backgrounds.
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

    /// An image is done.
    pub fn image_done(&self) -> Result<(), ItemError> {
        self.plan.rendered.fetch_add(1, Ordering::Relaxed);
        self.go_on()
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
    pub(super) rendered: AtomicU64,
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
                let objects = thinned(all, &settings, images.num_objects, &mut remarks);
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
            rendered: AtomicU64::new(0),
        })
    }

    /// Makes one item in `folder`, whatever was there.
    ///
    /// # Errors
    /// [`Failed`]: why, and what was set aside on the way.
    pub fn make(
        &self,
        item: &Item,
        folder: &Path,
        heartbeat: &Arc<Heartbeat>,
    ) -> Result<Made, Failed> {
        let mut work = Work {
            plan: self,
            folder: ItemFolder::new(folder),
            made: Made::default(),
            heartbeat,
        };
        let made = work
            .folder
            .clear()
            .and_then(|()| match (&self.settings.contents, item) {
                (Contents::Videos(videos), &Item::Video { half, number }) => {
                    match self.settings.kind {
                        SetKind::TrackingNet => trackingnet::make(&mut work, videos, half, number),
                        _ => got10k::make(&mut work, videos, half, number),
                    }
                }
                (Contents::Images(images), &Item::Object { object, number }) => {
                    match self.settings.kind {
                        SetKind::Aloi => aloi::make(&mut work, images, object, number),
                        _ => pascal3d::make(&mut work, images, object, number),
                    }
                }
                _ => Ok(Vec::new()), // of another plan
            });
        match made {
            Ok(names) => Ok(work.done(names)),
            Err(why) => Err(Failed {
                why: Box::new(why),
                refused: work.made.refused,
            }),
        }
    }

    /// Where an item's object lies; of a video its name.
    pub fn place_of(&self, item: &Item) -> String {
        match *item {
            Item::Video { .. } => self.name_of(item),
            Item::Object { object, .. } => self.objects[object].place(),
        }
    }

    /// Images that all items have, if none fails.
    pub fn num_images(&self) -> u64 {
        self.items.len() as u64
            * match &self.settings.contents {
                Contents::Videos(videos) => u64::from(videos.num_frames),
                Contents::Images(images) if self.settings.kind == SetKind::Pascal3d => {
                    let views = images.num_azimuths as usize * images.elevations_deg.len();
                    views as u64 + u64::from(images.num_azimuths.div_ceil(3))
                }
                Contents::Images(_) => 108,
            }
    }

    /// Images rendered so far, by all threads.
    pub fn num_rendered(&self) -> u64 {
        self.rendered.load(Ordering::Relaxed)
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
    let half_name = half.map_or("either half", half_words);
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
        remarks.push(format!("no object of category `{asked}` in {half_name}"));
    }
    if objects.is_empty() {
        return Err(PlanError::NoObjects {
            half: half.map_or("either half", half_words),
            hints: match categories {
                [] => vec!["all things of the catalogue are in the other one".to_owned()],
                _ => {
                    remarks.push(existing_classes(catalog, half));
                    std::mem::take(remarks)
                }
            },
        });
    }
    Ok(objects.into_iter().cloned().collect())
}

/// What there is to choose from, the classes with the most objects first.
fn existing_classes(catalog: &Catalog, half: Option<Half>) -> String {
    const MOST: usize = 16;
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    let objects = catalog.select(half, &[]).objects;
    for object in objects {
        *classes.entry(&object.category).or_default() += 1;
    }
    let mut classes: Vec<(&str, usize)> = classes.into_iter().collect();
    classes.sort_by_key(|&(_, count)| std::cmp::Reverse(count)); // stable: then by name
    let names: Vec<&str> = classes.iter().take(MOST).map(|(class, _)| *class).collect();
    let more = match classes.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("there are {}{more}", names.join(", "))
}

/// At most `most` objects: of each class for PASCAL3D+, whose classes are those that have two objects unless some
/// were asked for; in all for ALOI, drawn by lot.
fn thinned(
    mut objects: Vec<CatalogObject>,
    settings: &Settings,
    most: u32,
    remarks: &mut Vec<String>,
) -> Vec<CatalogObject> {
    let mut rng = Seed::of_run(settings.seed).for_step("choose", "").rng();
    objects.shuffle(&mut rng);
    if settings.kind == SetKind::Aloi {
        objects.truncate(most as usize);
    } else {
        let mut of_class: BTreeMap<String, u32> = BTreeMap::new();
        for object in &objects {
            *of_class.entry(object.category.clone()).or_default() += 1;
        }
        let num_single = of_class.values().filter(|&&count| count == 1).count();
        if settings.categories.is_empty() && 0 < num_single && num_single < of_class.len() {
            objects.retain(|object| {
                of_class
                    .get(&object.category)
                    .is_some_and(|&count| count > 1)
            });
            remarks.push(format!(
                "left out {num_single} classes with a single object; --categories takes those that it names"
            ));
        }
        let mut taken: BTreeMap<String, u32> = BTreeMap::new();
        objects.retain(|object| {
            let taken = taken.entry(object.category.clone()).or_default();
            *taken += 1;
            *taken <= most
        });
    }
    objects.sort_by(|a, b| (&a.category, &a.id).cmp(&(&b.category, &b.id)));
    objects
}
