//! Lists the entries of a run: every clip of the source, in the order of the ids.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vidpairs_pipeline::Pipeline;
use vidpairs_run::{Control, RunError};
use vidpairs_shard::Part;
use vidpairs_source::{IgnoredFiles, ImageParts, SourceOptions};
use vidpairs_store::{Store, store_url};
use vidpairs_types::{Clip, Refusal};
use xxhash_rust::xxh64::Xxh64;

use super::files::{self, ClipFiles, Identity};
use super::stored::{self, Stored, StoredSource};
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

    /// Checksum over the present versions of its files; `None` if they cannot be examined, or there are none.
    pub fn files_xxh3(&self) -> Option<u64> {
        match self {
            Self::Clip { clip, pinned } => match pinned.as_ref().and_then(ClipFiles::stored_xxh3) {
                Some(stored) => Some(stored),
                None => files::of_clip(clip, Identity::Version).ok(),
            },
            Self::SetAside(_) => None,
        }
    }
}

/// All entries of a source.
#[derive(Clone)]
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
    /// The store that the clips are fetched from; `None` on a disk.
    pub store: Option<Arc<Store>>,
}

impl Entries {
    /// Lists the source of `pipeline` at `root`, a path or a URL, or reads the pinned list that is there.
    pub fn list(pipeline: &Pipeline, root: &Path, control: &Control) -> Result<Self, RunError> {
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
        if store_url(root).is_some() {
            return match stored::list(root, &options, parts, control)? {
                Stored::List { folder, file } => {
                    let entries = list::read(&file, pipeline);
                    drop(folder);
                    entries
                }
                Stored::Tree(source) => Self::of_store(source),
            };
        }
        let listing =
            vidpairs_source::list_parts(root, &options, parts).map_err(ExtractError::from)?;
        let clips = listing.clips.into_iter();
        let clips = clips.map(|clip| Entry::Clip { clip, pinned: None });
        let set_aside = listing.refused.into_iter().map(Entry::SetAside);
        let list = clips.chain(set_aside).collect();
        Ok(Self::new(list, root.to_owned(), listing.ignored, None))
    }

    /// The entries of a source in a store. A clip is what its objects were when they were listed.
    fn of_store(mut source: StoredSource) -> Result<Self, RunError> {
        let mut list = Vec::new();
        for clip in std::mem::take(&mut source.listing.clips) {
            let pinned = Some(source.files_of(&clip)?);
            list.push(Entry::Clip { clip, pinned });
        }
        let set_aside = source.listing.refused.into_iter();
        list.extend(set_aside.map(Entry::SetAside));
        let root = source.tree.root().to_owned();
        let mut entries = Self::new(list, root, source.listing.ignored, None);
        entries.store = Some(source.store);
        Ok(entries)
    }

    /// The entries `list`, which are put in the order of their ids.
    pub fn new(
        mut list: Vec<Entry>,
        root: PathBuf,
        ignored: IgnoredFiles,
        list_xxh64: Option<u64>,
    ) -> Self {
        list.sort_by(|a, b| a.id().cmp(b.id()));
        Self {
            fingerprint: fingerprint(&list),
            list: list.into_iter().map(Arc::new).collect(),
            root,
            ignored,
            list_xxh64,
            store: None,
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
