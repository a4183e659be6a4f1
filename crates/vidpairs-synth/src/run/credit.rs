//! Lines of `credits.jsonl`: the attribution that licences such as CC BY require.

use serde::{Deserialize, Serialize};

use crate::catalog::CatalogObject;

/// Attribution of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Id in its catalogue.
    pub object: String,
    /// Name of the object.
    pub name: String,
    /// Author according to the catalogue; may be empty.
    pub creator: String,
    /// Licence of the catalogue in its own words; may be empty.
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
