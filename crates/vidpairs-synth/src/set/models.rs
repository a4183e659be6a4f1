//! Models in use, shared between the items that are rendered at the same time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::catalog::CatalogObject;
use crate::mesh::{self, MeshError};
use crate::render::Model;

/// Models in use; a model is dropped once no item needs it and it is not among those kept.
#[derive(Debug, Default)]
pub struct Models {
    loaded: Mutex<Loaded>,
    max_kept_bytes: usize,
}

#[derive(Debug, Default)]
struct Loaded {
    in_use: HashMap<String, Weak<Model>>,
    /// The models loaded last, the oldest first.
    kept: VecDeque<Arc<Model>>,
    kept_bytes: usize,
}

impl Models {
    /// Models of which those loaded last are kept, up to `max_kept_bytes` in all.
    pub fn keeping(max_kept_bytes: usize) -> Self {
        Self {
            max_kept_bytes,
            ..Self::default()
        }
    }

    /// Model of `object`, loaded unless it is in use or kept.
    ///
    /// # Errors
    /// [`MeshError`] if the object cannot be rendered.
    pub fn get(&self, object: &CatalogObject) -> Result<Arc<Model>, MeshError> {
        // Not locked while loading: if two threads load the same model, one copy is short-lived.
        let lock = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = lock().in_use.get(&object.id).and_then(Weak::upgrade) {
            return Ok(model);
        }
        let model = Arc::new(Model::new(mesh::load(object)?));
        let mut loaded = lock();
        loaded.keep(&model, self.max_kept_bytes);
        loaded.in_use.retain(|_, model| model.strong_count() > 0);
        loaded
            .in_use
            .insert(object.id.clone(), Arc::downgrade(&model));
        Ok(model)
    }
}

impl Loaded {
    fn keep(&mut self, model: &Arc<Model>, max_bytes: usize) {
        let num_bytes = model.mesh.num_bytes();
        if num_bytes > max_bytes {
            return;
        }
        self.kept.push_back(Arc::clone(model));
        self.kept_bytes += num_bytes;
        while self.kept_bytes > max_bytes
            && let Some(oldest) = self.kept.pop_front()
        {
            self.kept_bytes -= oldest.mesh.num_bytes();
        }
    }
}
