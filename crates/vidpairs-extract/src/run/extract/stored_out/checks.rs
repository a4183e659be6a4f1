//! What lies in a store before a run begins there: whose it is, and small files of it.

use std::collections::BTreeMap;
use std::path::Path;

use vidpairs_run::{JOURNAL_FOLDER, RunError};
use vidpairs_shard::{MANIFEST_FILE, Manifest, PARTS_FILE, Part};
use vidpairs_store::{LevelEntry, Location, Store, StoreError, Version, Watch};

use crate::run::ExtractError;
use crate::run::stored::failed;

/// Whether an object belongs to the journal of a run.
pub(super) fn is_of_journal(name: &str) -> bool {
    name.split_once('/')
        .is_some_and(|(folder, _)| folder == JOURNAL_FOLDER)
}

/// Name and length of every object of a run. Objects by which some programs mark a folder are none.
pub(super) fn list(store: &Store, watch: &dyn Watch) -> Result<BTreeMap<String, u64>, RunError> {
    let mut objects = BTreeMap::new();
    for entry in store.list("", watch) {
        let entry = entry.map_err(failed)?;
        if !entry.name.is_empty() && !entry.name.ends_with('/') {
            objects.insert(entry.name, entry.num_bytes);
        }
    }
    Ok(objects)
}

/// Fails if the folder of a run holds objects of somebody else.
pub(super) fn check_run(store: &Store, objects: &BTreeMap<String, u64>) -> Result<(), RunError> {
    let is_run = |name: &String| is_of_journal(name) || name == MANIFEST_FILE || name == PARTS_FILE;
    match objects.keys().next() {
        Some(found) if !objects.keys().any(is_run) => Err(not_ours(store.location(), found)),
        _ => Ok(()),
    }
}

/// Fails if a folder of parts is new and holds anything else.
pub(super) fn check_root(root: &Store, part: Part, watch: &dyn Watch) -> Result<(), RunError> {
    if root.exists(PARTS_FILE, watch).map_err(failed)? {
        return Ok(());
    }
    for entry in root.list_level("", watch) {
        match entry.map_err(failed)? {
            LevelEntry::Folder(name) if name == JOURNAL_FOLDER => {
                let out = root.location().to_string().into();
                return Err(ExtractError::WithoutParts { out }.into());
            }
            LevelEntry::Folder(name) => {
                if Part::of_folder(&name).is_none_or(|other| other.of() != part.of()) {
                    return Err(not_ours(root.location(), &name));
                }
            }
            LevelEntry::Object(object) => {
                // Another process may have begun since.
                if !object.name.is_empty() && object.name != PARTS_FILE {
                    return Err(not_ours(root.location(), &object.name));
                }
            }
        }
    }
    Ok(())
}

fn not_ours(location: &Location, found: &str) -> RunError {
    RunError::NotOurs {
        out: location.to_string().into(),
        found: found.to_owned(),
    }
}

/// Fails unless the store holds every file that a manifest lists.
pub(super) fn check_stored(
    store: &Store,
    manifest: &Manifest,
    watch: &dyn Watch,
) -> Result<(), RunError> {
    let objects = list(store, watch)?;
    let shards = manifest.shards.iter();
    let shards = shards.flat_map(|shard| {
        let index = Path::new(&shard.file).with_extension("idx");
        let index = index.to_string_lossy().into_owned();
        [(shard.file.clone(), Some(shard.bytes)), (index, None)]
    });
    let tracks = manifest.tracks.iter();
    let tracks = tracks.map(|tracks| (tracks.file.clone(), Some(tracks.bytes)));
    let cuts = manifest.cuts.iter();
    let cuts = cuts.map(|cuts| (cuts.file.clone(), Some(cuts.bytes)));
    for (name, stated) in shards.chain(tracks).chain(cuts) {
        let problem = match (objects.get(&name), stated) {
            (None, _) => "there is no such object".to_owned(),
            (Some(found), Some(stated)) if *found != stated => {
                format!("it has {found} bytes instead of {stated}")
            }
            _ => continue,
        };
        let url = store.location().url_of(&name);
        return Err(ExtractError::NotStored { url, problem }.into());
    }
    Ok(())
}

/// Brings a small object to `path`, or removes the file of that name if there is no such object. Returns its version.
pub(super) fn fetch_or_remove(
    store: &Store,
    name: &str,
    path: &Path,
    watch: &dyn Watch,
) -> Result<Option<Version>, RunError> {
    match store.fetch(name, None, path, watch) {
        Ok(found) => Ok(Some(found.version)),
        // `fetch` leaves no file then.
        Err(StoreError::NoSuchObject { .. }) => Ok(None),
        Err(err) => Err(failed(err)),
    }
}
