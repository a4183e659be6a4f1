//! Splits of a data set.

use std::path::{Path, PathBuf};

use crate::error::SourceError;
use crate::files::Entry;
use crate::listing::Listing;

/// Splits below a root.
pub(crate) struct Splits {
    /// Existing splits.
    pub(crate) existing: Vec<Split>,
    /// Name of the default splits, for errors.
    pub(crate) default_name: &'static str,
    /// Whether a split is a default one.
    pub(crate) is_default: fn(&str) -> bool,
}

/// Name and folder of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl Split {
    /// Split in the folder `entry`.
    pub(crate) fn of(entry: &Entry) -> Self {
        Self {
            name: entry.name.clone(),
            path: entry.path.clone(),
        }
    }

    /// Refuses the split if it added nothing to the `num_before` inputs of `listing`.
    pub(crate) fn refuse_if_empty(&self, num_before: usize, listing: &mut Listing) {
        if listing.num_inputs() == num_before {
            listing.refuse(&self.name, &self.path, "a split without videos");
        }
    }
}

impl Splits {
    /// The root as a single split, whatever its name.
    pub(crate) fn only(root: &Path, name: String) -> Self {
        let path = root.to_owned();
        Self {
            existing: vec![Split { name, path }],
            default_name: "",
            is_default: |_| true,
        }
    }

    /// The splits named in `requested`, each once; the default ones if it is empty.
    pub(crate) fn chosen(
        self,
        root: &Path,
        requested: &[String],
    ) -> Result<Vec<Split>, SourceError> {
        let names: Vec<String> = self
            .existing
            .iter()
            .map(|split| split.name.clone())
            .collect();
        if let Some(split) = requested.iter().find(|name| !names.contains(name)) {
            return Err(SourceError::SplitMissing {
                root: root.to_owned(),
                split: split.clone(),
                existing: names,
            });
        }
        let is_chosen = |split: &Split| match requested {
            [] => (self.is_default)(&split.name),
            _ => requested.contains(&split.name),
        };
        let chosen: Vec<Split> = self
            .existing
            .iter()
            .filter(|split| is_chosen(split))
            .cloned()
            .collect();
        if chosen.is_empty() {
            return Err(SourceError::DefaultSplitMissing {
                root: root.to_owned(),
                default: self.default_name,
                existing: names,
            });
        }
        Ok(chosen)
    }
}
