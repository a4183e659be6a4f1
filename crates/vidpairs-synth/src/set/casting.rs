//! Objects for an item: drawn by lot, shared by the items that need them at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Outcome, Refusal, Stage, with_causes};

use super::ItemError;
use crate::catalog::CatalogObject;
use crate::mesh::{self, MeshError};
use crate::render::{Mask, Model};
use crate::scene::studio::Stand;
use crate::truth::{LightTruth, Truth};

/// The models in use: one that no item needs any more is forgotten.
#[derive(Debug, Default)]
pub struct Models {
    in_use: Mutex<HashMap<String, Weak<Model>>>,
}

impl Models {
    /// The model of `object`, loaded unless somebody has it.
    ///
    /// # Errors
    /// [`MeshError`] if it cannot be rendered.
    pub fn get(&self, object: &CatalogObject) -> Result<Arc<Model>, MeshError> {
        // Not held while loading: two threads may load the same model, and one is dropped again.
        let lock = || self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = lock().get(&object.id).and_then(Weak::upgrade) {
            return Ok(model);
        }
        let model = Arc::new(Model::new(mesh::load(object)?));
        let mut in_use = lock();
        in_use.retain(|_, model| model.strong_count() > 0);
        in_use.insert(object.id.clone(), Arc::downgrade(&model));
        Ok(model)
    }
}

/// What an item's casting came to.
pub(super) struct Cast<'a> {
    /// In the order of the roles.
    pub objects: Vec<&'a CatalogObject>,
    /// Of each.
    pub models: Vec<Arc<Model>>,
}

/// Draws up to `count` different objects, fewer where there are no more: a class first, so that common classes are no commoner than others,
/// then one of it. Objects that cannot be rendered are added to `refused`, and others are drawn.
///
/// The draw depends on `rng` alone.
pub(super) fn cast<'a>(
    objects: &[&'a CatalogObject],
    count: usize,
    models: &Models,
    rng: &mut ChaCha8Rng,
    heartbeat: &Heartbeat,
    refused: &mut Vec<Refusal>,
) -> Result<Cast<'a>, ItemError> {
    let mut by_class: HashMap<&str, Vec<&'a CatalogObject>> = HashMap::new();
    for object in objects {
        by_class.entry(&object.category).or_default().push(object);
    }
    let mut classes: Vec<&str> = by_class.keys().copied().collect();
    classes.sort_unstable();
    let mut drawn = Cast {
        objects: Vec::with_capacity(count),
        models: Vec::with_capacity(count),
    };
    while drawn.objects.len() < count {
        if heartbeat.should_stop() {
            return Err(ItemError::Stopped);
        }
        let Some(&class) = classes.choose(rng) else {
            break;
        };
        let of_class = by_class.entry(class).or_default();
        of_class.shuffle(rng);
        if let Some(object) = of_class.pop() {
            match models.get(object) {
                Ok(model) => {
                    drawn.objects.push(object);
                    drawn.models.push(model);
                }
                Err(err) => refused.push(refusal(object, &err)),
            }
            heartbeat.beat();
        }
        if of_class.is_empty() {
            classes.retain(|other| *other != class);
        }
    }
    Ok(drawn)
}

/// What is written of an object that cannot be rendered.
pub(super) fn refusal(object: &CatalogObject, err: &MeshError) -> Refusal {
    Refusal {
        id: object.id.clone(),
        path: object.place(),
        outcome: Outcome::Refused,
        stage: Stage::Render,
        reason: with_causes(err),
        retry: "mend it and render the set again; the others were taken in its place".to_owned(),
    }
}

/// What is true of a single image of `object`.
pub(super) fn image_truth(
    image: &str,
    object: &CatalogObject,
    stand: &Stand,
    light: LightTruth,
    mask: Option<Mask>,
) -> Truth {
    let mask = mask.unwrap_or_default();
    Truth {
        image: image.to_owned(),
        frame: None,
        object: object.id.clone(),
        category: object.category.clone(),
        half: object.half,
        azimuth: stand.azimuth,
        elevation: stand.elevation,
        light,
        visible_share: mask.visible_share(),
        cut_by_image: mask.is_cut,
        box_xywh: mask.visible,
        full_box_xywh: mask.full,
    }
}
