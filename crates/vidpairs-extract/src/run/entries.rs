//! Lists the entries of a run: every clip of the source, in the order of the ids.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vidpairs_pipeline::Pipeline;
use vidpairs_run::RunError;
use vidpairs_shard::Part;
use vidpairs_source::{IgnoredFiles, ImageParts, SourceOptions};
use vidpairs_types::{Clip, Refusal};
use xxhash_rust::xxh64::Xxh64;

use super::files::ClipFiles;
use super::{ExtractError, list};

/// A clip, or an input that listing refused. Both have an ordinal, so a clip keeps its ordinal when its neighbour is repaired.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    Clip {
        clip: Clip,
        /// Its files when the source was pinned; `None` without a pinned list.
        pinned: Option<ClipFiles>,
    },
    SetAside(Refusal),
}

impl Entry {
    pub fn id(&self) -> &str {
        match self {
            Self::Clip { clip, .. } => &clip.id,
            Self::SetAside(refusal) => &refusal.id,
        }
    }
}

/// All entries of a source.
#[derive(Debug, Clone)]
pub(super) struct Entries {
    pub list: Arc<[Arc<Entry>]>,
    /// Folder or file from which the clips were listed.
    pub root: PathBuf,
    /// Files of the source that are not listed.
    pub ignored: IgnoredFiles,
    /// Checksum of the ids, in order: two listings of the same source agree.
    pub fingerprint: u64,
    /// Checksum of the list that pins the source; `None` without.
    pub list_xxh64: Option<u64>,
}

impl Entries {
    /// Lists the source of `pipeline` at `root`, or reads the pinned list that is there.
    pub fn list(pipeline: &Pipeline, root: &Path) -> Result<Self, RunError> {
        if list::is_list(root) {
            return list::read(root, pipeline);
        }
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
        let clips = listing.clips.into_iter();
        let clips = clips.map(|clip| Entry::Clip { clip, pinned: None });
        let mut list: Vec<Entry> = clips
            .chain(listing.refused.into_iter().map(Entry::SetAside))
            .collect();
        list.sort_by(|a, b| a.id().cmp(b.id()));
        Ok(Self::new(list, root.to_owned(), listing.ignored, None))
    }

    /// The entries `list`, in the order of their ids.
    pub fn new(
        list: Vec<Entry>,
        root: PathBuf,
        ignored: IgnoredFiles,
        list_xxh64: Option<u64>,
    ) -> Self {
        Self {
            fingerprint: fingerprint(&list),
            list: list.into_iter().map(Arc::new).collect(),
            root,
            ignored,
            list_xxh64,
        }
    }

    pub fn len(&self) -> u64 {
        self.list.len() as u64
    }

    /// Ordinals of the entries of `part`, in order.
    pub fn of_part(&self, part: Part) -> Vec<u64> {
        let all = (0..).zip(self.list.iter());
        all.filter(|(_, entry)| part.holds(entry.id()))
            .map(|(ordinal, _)| ordinal)
            .collect()
    }
}

/// Checksum of the ids of `list`, in order.
pub(super) fn fingerprint(list: &[Entry]) -> u64 {
    let mut hash = Xxh64::new(0);
    for entry in list {
        hash.update(&(entry.id().len() as u64).to_le_bytes());
        hash.update(entry.id().as_bytes());
    }
    hash.digest()
}
