//! Models in use, shared between the items that are rendered at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::catalog::CatalogObject;
use crate::mesh::{self, MeshError};
use crate::render::Model;

/// Models in use; a model is dropped once no item needs it.
#[derive(Debug, Default)]
pub struct Models {
    in_use: Mutex<HashMap<String, Weak<Model>>>,
}

impl Models {
    /// Model of `object`, loaded unless it is in use.
    ///
    /// # Errors
    /// [`MeshError`] if the object cannot be rendered.
    pub fn get(&self, object: &CatalogObject) -> Result<Arc<Model>, MeshError> {
        // Not locked while loading: if two threads load the same model, one copy is short-lived.
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
