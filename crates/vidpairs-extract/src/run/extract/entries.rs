//! Lists the entries of a run: every clip of the source, in the order of the ids.

use std::path::Path;
use std::sync::Arc;

use vidpairs_pipeline::Pipeline;
use vidpairs_run::RunError;
use vidpairs_source::{IgnoredFiles, ImageParts, SourceOptions};
use vidpairs_types::{Clip, Refusal};
use xxhash_rust::xxh64::Xxh64;

use crate::run::ExtractError;

/// A clip, or an input that listing refused. Both have an ordinal, so a clip keeps its ordinal when its neighbour is repaired.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    Clip(Clip),
    SetAside(Refusal),
}

impl Entry {
    pub fn id(&self) -> &str {
        match self {
            Self::Clip(clip) => &clip.id,
            Self::SetAside(refusal) => &refusal.id,
        }
    }
}

/// All entries of a source.
#[derive(Debug, Clone)]
pub(super) struct Entries {
    pub list: Arc<[Arc<Entry>]>,
    /// Files of the source that are not listed.
    pub ignored: IgnoredFiles,
    /// Checksum of the ids, in order: two listings of the same source agree.
    pub fingerprint: u64,
}

impl Entries {
    /// Lists the source of `pipeline` at `root`.
    pub fn list(pipeline: &Pipeline, root: &Path) -> Result<Self, RunError> {
        let options = SourceOptions {
            kind: pipeline.source.kind,
            splits: pipeline.source.splits.clone(),
        };
        let parts = match pipeline.source.objects {
            Some(_) => ImageParts::Boxes,
            None => ImageParts::Whole,
        };
        let listing =
            vidpairs_source::list_parts(root, &options, parts).map_err(ExtractError::from)?;
        let clips = listing.clips.into_iter().map(Entry::Clip);
        let mut list: Vec<Arc<Entry>> = clips
            .chain(listing.refused.into_iter().map(Entry::SetAside))
            .map(Arc::new)
            .collect();
        list.sort_by(|a, b| a.id().cmp(b.id()));
        let mut hash = Xxh64::new(0);
        for entry in &list {
            hash.update(&(entry.id().len() as u64).to_le_bytes());
            hash.update(entry.id().as_bytes());
        }
        Ok(Self {
            list: list.into(),
            ignored: listing.ignored,
            fingerprint: hash.digest(),
        })
    }

    pub fn len(&self) -> u64 {
        self.list.len() as u64
    }
}
