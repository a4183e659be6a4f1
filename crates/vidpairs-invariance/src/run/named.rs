//! Files of models, and their names in tables.

use std::path::PathBuf;

use super::error::ModelsError;
use super::result::MeasuredModel;

/// File of a model, with the name of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// Name in tables.
    pub name: String,
    /// File of weights or features.
    pub path: PathBuf,
}

impl NamedFile {
    /// The model in the results.
    ///
    /// - `note`: network and stage; empty if only features are known.
    pub(super) fn model(&self, note: String) -> MeasuredModel {
        MeasuredModel {
            name: self.name.clone(),
            file: self.path.clone(),
            note,
        }
    }
}

/// Two models of the same name cannot be told apart in tables.
pub(super) fn check_names(files: &[NamedFile]) -> Result<(), ModelsError> {
    for (index, file) in files.iter().enumerate() {
        let mut before = files.iter().take(index);
        if let Some(twin) = before.find(|other| other.name == file.name) {
            return Err(ModelsError::SameName {
                name: file.name.clone(),
                first: twin.path.clone(),
                second: file.path.clone(),
            });
        }
    }
    Ok(())
}
