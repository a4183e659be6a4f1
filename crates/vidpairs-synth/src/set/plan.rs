//! Plan of a set: its objects and the list of its items.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use vidpairs_types::Seed;

use super::choose::{PlanError, select, shared_classes, thin};
use super::{Contents, Models, SetKind, Settings};
use crate::backdrops::Backdrops;
use crate::catalog::{Catalog, CatalogObject, Half};
use crate::layout::{aloi, coco, got10k, voc};

/// Size of the models that scenes keep between images, bytes: each image has other objects, and loading them takes about as
/// long as rendering the image.
const KEPT_BYTES: usize = 512 << 20;

/// Part of a set that can be rendered by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A video.
    Video {
        /// Half that the objects belong to.
        half: Half,
        /// Number among the videos of its half, from 1.
        number: u32,
    },
    /// All images of one object.
    Object {
        /// Index into [`Plan::objects`].
        object: usize,
        /// Number of the object in the set, from 1.
        number: u32,
    },
    /// One image of several objects.
    Scene {
        /// Half that the objects belong to.
        half: Half,
        /// Number of the image in the set, from 1; held-out images follow the others.
        number: u32,
    },
}

/// Plan of a set.
#[derive(Debug)]
pub struct Plan {
    /// Settings of the set.
    pub settings: Settings,
    /// Objects that are annotated: those of the requested categories.
    pub objects: Vec<CatalogObject>,
    /// Objects that may also be in view; in a video, those of its half.
    pub clutter: Vec<CatalogObject>,
    /// Items in the order in which they are published.
    pub items: Vec<Item>,
    /// Requests that cannot be fulfilled, in words.
    pub remarks: Vec<String>,
    pub(super) backdrops: Backdrops,
    pub(super) models: Models,
    pub(super) rendered: AtomicU64,
}

impl Plan {
    /// Chooses objects and lists the items.
    ///
    /// # Errors
    /// [`PlanError`] if no object matches the settings.
    pub fn new(
        settings: Settings,
        catalog: &Catalog,
        backdrops: Backdrops,
    ) -> Result<Self, PlanError> {
        let (mut objects, mut items, mut clutter) = (Vec::new(), Vec::new(), Vec::new());
        let mut remarks = Vec::new();
        match &settings.contents {
            Contents::Videos(videos) => {
                let halves = [
                    (Half::Training, videos.num_training),
                    (Half::HeldOut, videos.num_held_out),
                ];
                for (half, count) in halves.into_iter().filter(|(_, count)| *count > 0) {
                    objects.extend(select(&settings, catalog, Some(half), &mut remarks)?);
                    clutter.extend(catalog.select(Some(half), &[]).objects.into_iter().cloned());
                    items.extend((1..=count).map(|number| Item::Video { half, number }));
                }
            }
            Contents::Images(images) => {
                let all = select(&settings, catalog, images.half, &mut remarks)?;
                objects = thin(all, &settings, images.num_objects, &mut remarks);
                let numbered = (0..objects.len()).zip(1..);
                items.extend(numbered.map(|(object, number)| Item::Object { object, number }));
            }
            Contents::Scenes(scenes) => {
                let mut next = 1;
                for half in [Half::Training, Half::HeldOut] {
                    let count = scenes.num_images(half);
                    if count > 0 {
                        objects.extend(select(&settings, catalog, Some(half), &mut remarks)?);
                    }
                    items.extend((next..next + count).map(|number| Item::Scene { half, number }));
                    next += count;
                }
                shared_classes(&mut objects, &mut remarks)?;
            }
        }
        let models = match settings.contents {
            Contents::Scenes(_) => Models::keeping(KEPT_BYTES),
            _ => Models::default(),
        };
        Ok(Self {
            settings,
            objects,
            clutter,
            items,
            remarks,
            backdrops,
            models,
            rendered: AtomicU64::new(0),
        })
    }

    /// Location of an item's object; for a video or a scene its name.
    ///
    /// # Panics
    /// If the item belongs to another plan.
    pub fn place_of(&self, item: &Item) -> String {
        match *item {
            Item::Video { .. } | Item::Scene { .. } => self.name_of(item),
            Item::Object { object, .. } => self.objects[object].place(),
        }
    }

    /// Name of an item: the path or id of a video, the id of an object, or the path of an image.
    ///
    /// # Panics
    /// If the item belongs to another plan.
    pub fn name_of(&self, item: &Item) -> String {
        let got10k_path = |split: got10k::Split, number| {
            format!("{}/{}", split.name(), got10k::sequence_name(split, number))
        };
        match (self.settings.kind, item) {
            (_, &Item::Object { object, .. }) => self.objects[object].id.clone(),
            (SetKind::Coco, &Item::Scene { half, number }) => coco_split(half).image_path(number),
            (_, &Item::Scene { number, .. }) => voc::image_path(&voc::image_id(number)),
            // Eleven characters and a number, as in the release.
            (SetKind::TrackingNet, Item::Video { half, number }) => match half {
                Half::Training => format!("s{number:010}_0"),
                Half::HeldOut => format!("t{number:010}_0"),
            },
            (_, &Item::Video { half, number }) => match half {
                Half::Training => got10k_path(got10k::Split::Train, number),
                Half::HeldOut => got10k_path(got10k::Split::Val, number),
            },
        }
    }

    /// Number of images of all items, if none fails.
    pub fn num_images(&self) -> u64 {
        let per_item = match &self.settings.contents {
            Contents::Videos(videos) => u64::from(videos.num_frames),
            Contents::Images(images) if self.settings.kind == SetKind::Pascal3d => {
                let views = images.num_azimuths as usize * images.elevations_deg.len();
                views as u64 + u64::from(images.num_azimuths.div_ceil(3))
            }
            Contents::Images(_) => aloi::images(1).len() as u64,
            Contents::Scenes(_) => 1,
        };
        self.items.len() as u64 * per_item
    }

    /// Classes of the objects, in alphabetical order, each with the group of the catalogue that most of its objects belong to, or its
    /// own name if they have none.
    pub fn classes(&self) -> Vec<(String, String)> {
        let mut groups: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
        for object in &self.objects {
            let of_class = groups.entry(&object.category).or_default();
            *of_class.entry(&object.group).or_default() += 1;
        }
        let classes = groups.into_iter().map(|(class, groups)| {
            let most = groups.into_iter().max_by_key(|&(_, count)| count);
            let group = most.map_or("", |(group, _)| group);
            let group = if group.is_empty() { class } else { group };
            (class.to_owned(), group.to_owned())
        });
        classes.collect()
    }

    /// Number of images rendered so far, by all threads.
    pub fn num_rendered(&self) -> u64 {
        self.rendered.load(Ordering::Relaxed)
    }

    /// Seed of the item or image `name`.
    pub(super) fn seed_of(&self, name: &str) -> Seed {
        Seed::of_run(self.settings.seed).for_step(self.settings.kind.name(), name)
    }
}

/// Split of COCO that holds the images of `half`.
pub(super) fn coco_split(half: Half) -> coco::Split {
    match half {
        Half::Training => coco::Split::Train,
        Half::HeldOut => coco::Split::Val,
    }
}
