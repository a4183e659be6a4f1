//! Which splits of a data set to list.

use std::path::{Path, PathBuf};

use super::SourceError;

/// The splits that a root holds.
pub(super) struct Splits {
    /// Their names and folders.
    pub(super) existing: Vec<Split>,
    /// What is taken by default, in words.
    pub(super) default_name: &'static str,
    /// Whether a split is taken by default.
    pub(super) is_default: fn(&str) -> bool,
}

/// One split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

impl Splits {
    /// The root is one split's folder: whatever its name, it is what the user chose.
    pub(super) fn only(root: &Path, name: String) -> Self {
        let path = root.to_owned();
        Self {
            existing: vec![Split { name, path }],
            default_name: "",
            is_default: |_| true,
        }
    }

    /// The splits named in `requested`, each once; the default ones if it is empty.
    pub(super) fn chosen(
        self,
        root: &Path,
        requested: &[String],
    ) -> Result<Vec<Split>, SourceError> {
        let names = || self.existing.iter().map(|split| split.name.clone());
        if let Some(split) = requested.iter().find(|name| names().all(|it| it != **name)) {
            return Err(SourceError::SplitMissing {
                root: root.to_owned(),
                split: split.clone(),
                existing: names().collect(),
            });
        }
        let is_chosen = |name: &String| match requested {
            [] => (self.is_default)(name),
            _ => requested.contains(name),
        };
        if !names().any(|name| is_chosen(&name)) {
            return Err(SourceError::DefaultSplitMissing {
                root: root.to_owned(),
                default: self.default_name,
                existing: names().collect(),
            });
        }
        let chosen = self.existing.iter().filter(|split| is_chosen(&split.name));
        Ok(chosen.cloned().collect())
    }
}
