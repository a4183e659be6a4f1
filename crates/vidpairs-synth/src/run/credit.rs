//! A line of `credits.jsonl`: what a licence such as CC BY asks to be told.

use serde::{Deserialize, Serialize};

use crate::catalog::CatalogObject;

/// Who made an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Its id in its catalogue.
    pub object: String,
    /// What people call it.
    pub name: String,
    /// Who made it, as the catalogue says; may be empty.
    pub creator: String,
    /// The catalogue's licence in its own words; may be empty.
    pub licence: String,
}

impl Credit {
    pub(super) fn of(object: &CatalogObject) -> Self {
        Self {
            object: object.id.clone(),
            name: object.name.clone(),
            creator: object.creator.clone(),
            licence: object.licence.clone(),
        }
    }
}
